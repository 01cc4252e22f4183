"""Trials and the gauge, unasked: what is learned of each driver, and what is planned then."""

import errno
import os
from dataclasses import replace

import pytest
from fake_card import BOCHS, NV12, PL111, QXL, RGB565, VIRTIO, VKMS, XBGR, XRGB, FakeCard
from test_local_platform import CARD, Display, opens

from heapwire.kernel.description import DeviceKind
from heapwire.kernel.discovery import local_platform
from heapwire.kernel.discovery.trial import (
    TrialStore,
    ask_devices,
    remembered,
    tried_platform,
    with_records,
)
from heapwire.kernel.discovery.trial.display_trial import MOST_PAIRS, SIZE
from heapwire.kernel.memory import local_memory
from heapwire.protocol.explain import solve
from heapwire.protocol.values import (
    FORMATS,
    LINEAR,
    REGISTRY,
    ConstraintSet,
    Extent,
    Extents,
    FormatModifier,
    Goal,
    Participant,
    Provenance,
    SourceKind,
    Usage,
)


@pytest.fixture
def memory(monkeypatch):
    """The heaps and the udmabuf of a tree, made of memfds that have their names."""
    made = []

    def allocate(node, size, *, name=""):
        fd = os.memfd_create(node.rsplit("/", 1)[1])
        os.ftruncate(fd, size)
        made.append(size)
        return fd

    monkeypatch.setattr(local_memory.dma_heap, "allocate", allocate)
    monkeypatch.setattr(local_memory.udmabuf, "create", allocate)
    return made


@pytest.fixture
def board(tree, memory):
    """A display of a driver that nobody knows, two heaps and a udmabuf."""
    tree.heap("reserved", 0)
    tree.heap("system", 1)
    tree.device("virtual/misc/udmabuf", "misc", dev="10:125", node="udmabuf")
    tree.bus("platform/soc")
    tree.bus(CARD, driver="vendor-drm")
    tree.device(f"{CARD}/drm/card0", "drm", dev="226:0", node="dri/card0")
    return tree


def look(tree, *formats):
    display = Display(*(formats or (XRGB, XBGR, RGB565, NV12)))
    return local_platform(tree.root, drm=opens({"card0": display}), v4l2=opens({}))


def asked(platform, store, tree, **how):
    return with_records(platform, ask_devices(platform, store, tree.root, **how))


def ask(tree, driver, *, store=None, formats=()):
    card = FakeCard(driver)
    store = store or TrialStore(None, "")
    platform = asked(look(tree, *formats), store, tree, cards=card.open)
    assert card.left == ({}, {}, set())
    return platform, card


def planned(platform, code):
    content = Participant(
        name="content",
        usage=Usage.CPU_WRITE,
        sets=(ConstraintSet(formats=(FormatModifier(code, LINEAR),)),),
    )
    display = platform.participant("card0", Usage.SCANOUT)
    goal = Goal(name="scanout", participants=(display,), scanout=True)
    problem = platform.problem(
        participants=(content,), goals=(goal,), extents=Extents(coded=Extent(640, 480))
    )
    answer = solve(problem)
    if not answer.plans:
        return None, answer
    return platform.source_name(answer.plans[0].layout.objects[0].source), answer


@pytest.mark.parametrize(
    ("driver", "plans"),
    [
        (PL111, {XRGB: "reserved", XBGR: "reserved", NV12: None}),
        (BOCHS, {XRGB: "card0", XBGR: None, NV12: None}),
        (QXL, {XRGB: "card0", RGB565: "card0", NV12: None}),
        (VIRTIO, {XRGB: "card0", XBGR: "card0", NV12: None}),
        (VKMS, {XRGB: "system", XBGR: "system", NV12: None}),
    ],
    ids=["pl111", "bochs", "qxl", "virtio", "vkms"],
)
def test_what_is_planned_is_what_the_driver_takes(board, driver, plans):
    platform, _ = ask(board, driver)
    assert {code: planned(platform, code)[0] for code in plans} == plans
    # And nothing that a driver refuses is on the list of what it takes.
    for each in platform.device("card0").sets[Usage.SCANOUT]:
        for one in each.constraints:
            if REGISTRY[one.type].name == "permitted-sources":
                assert one.provenance is Provenance.TRIAL
                for name in map(platform.source_name, one.value):
                    memory = name if name != "card0" else None
                    refused = driver.imports.get(name, driver.otherwise) if memory else 0
                    codes = {pair.fourcc for pair in each.formats}
                    assert not refused or codes.isdisjoint(driver.formats)


def test_before_it_is_asked_nothing_scattered_is_promised(board):
    assert planned(look(board), XRGB)[0] == "reserved"


def test_a_refusal_names_what_was_asked_and_the_errno(board):
    platform, _ = ask(board, QXL)
    [told] = {
        one.source
        for each in platform.device("card0").sets[Usage.SCANOUT]
        for one in each.constraints
        if one.provenance is Provenance.TRIAL and XRGB in {pair.fourcc for pair in each.formats}
    }
    assert told == (
        "reserved: PRIME import: ENOSYS; system: PRIME import: ENOSYS; "
        "udmabuf: PRIME import: ENOSYS; taken: card0"
    )
    # What is refused from everywhere is no format of the display.
    assert platform.notes == ("card0 lists NV12, and takes no memory for that",)
    [plane] = platform.device("card0").planes
    listed = {pair.fourcc for each in plane.sets for pair in each.formats}
    assert listed == {XRGB, XBGR, RGB565}


def test_a_trial_overrules_what_was_presumed_and_the_list_keeps_it(board):
    platform, _ = ask(board, replace(PL111, imports={}, otherwise=0))  # it takes what is scattered
    assert planned(platform, XRGB)[0] == "system"
    lost = [one for one in platform.device("card0").overruled if one.by.provenance == 4]
    assert {REGISTRY[one.constraint.type].name for one in lost} == {"contiguous"}
    assert {one.constraint.provenance for one in lost} == {Provenance.PRESUMPTION}
    # Its own memory is not known to be contiguous any more.
    assert platform.source("card0").contiguous is None


def test_what_is_not_tried_stays_as_lower_rungs_have_it(board, monkeypatch):
    """A heap that may not be opened is as good as it was before."""
    permitted = os.access
    monkeypatch.setattr(
        os, "access", lambda path, mode: "reserved" not in str(path) and permitted(path, mode)
    )
    platform, _ = ask(board, PL111)
    assert planned(platform, XRGB)[0] == "reserved"


def test_the_gauge_finds_the_pitch_rule_of_each_size_of_pixel(board):
    platform, _ = ask(board, replace(VIRTIO, pitch_rule=64))
    rules = {
        pair.fourcc: [
            one.value
            for one in each.constraints
            if one.provenance is Provenance.GAUGE
            and one.type == next(t for t, row in REGISTRY.items() if row.name == "pitch-alignment")
        ]
        for each in platform.device("card0").sets[Usage.SCANOUT]
        for pair in each.formats
    }
    assert rules == {XRGB: [64], XBGR: [64]}
    (best, *_) = planned(platform, XRGB)[1].plans
    assert best.layout.planes[0].pitch == 640 * 4


@pytest.mark.parametrize("rule", [1, 2, 4, 12, 16, 32, 64, 100, 128, 256])
def test_whatever_the_rule_is_the_gauge_tells_a_multiple_of_it(board, rule):
    platform, _ = ask(board, replace(VKMS, pitch_rule=rule))
    for each in platform.device("card0").sets[Usage.SCANOUT]:
        for one in each.constraints:
            if one.provenance is Provenance.GAUGE:
                assert one.value % rule == 0
                assert one.value <= 4 * rule
    assert planned(platform, XRGB)[0] == "system"


def test_a_dumb_buffer_is_a_source_that_is_allocated(board, monkeypatch):
    card = FakeCard(VIRTIO)
    platform = asked(look(board), TrialStore(None, ""), board, cards=card.open)
    own = platform.source("card0")
    assert own.id.kind is SourceKind.DEVICE
    assert own.device_local == platform.device("card0").id
    assert own.rows_only
    assert own.id in platform.memory.openable
    dumb = local_memory.dumb_buffer.allocate
    monkeypatch.setattr(
        local_memory.dumb_buffer, "allocate", lambda node, shape: dumb(node, shape, card)
    )
    from heapwire.client_lib.buffers import allocate

    (best, *_) = planned(platform, XRGB)[1].plans
    with allocate(best, platform.memory) as buffer:
        assert buffer.objects[0].source == own.id
        assert buffer.objects[0].size >= 640 * 480 * 4
    assert card.left == ({}, {}, set())
    card.driver = replace(VIRTIO, pitch_rule=1024)  # and now it lays them out otherwise
    with pytest.raises(Exception, match=r"rows of 3072, not .* with rows of 2560"):
        allocate(best, platform.memory)
    assert platform.memory.live() == 0


def test_what_cannot_be_handed_on_is_no_source(board):
    platform, _ = ask(board, replace(BOCHS, exports=False))
    assert [source.name for source in platform.sources] == ["reserved", "system", "udmabuf"]
    found, answer = planned(platform, XRGB)
    assert found is None
    assert "device card0" in " ".join(member.text for member in answer.conflict)


@pytest.mark.parametrize("number", [errno.EACCES, errno.EBUSY, errno.ENOMEM, errno.EMFILE])
def test_what_is_of_the_moment_is_no_verdict(board, number):
    platform, _ = ask(board, replace(VKMS, imports={"system": number}))
    assert planned(platform, XRGB)[0] == "reserved"  # as it was presumed
    told = [
        one.source
        for each in platform.device("card0").sets[Usage.SCANOUT]
        for one in each.constraints
    ]
    assert not any("system" in source for source in told)


def test_what_is_tried_is_bounded(board, memory):
    """One buffer of each memory at a time, a little over 1 MiB, and so many formats."""
    formats = tuple(FORMATS)
    platform, card = ask(board, replace(VKMS, formats=formats), formats=formats)
    assert memory == [SIZE] * 3
    assert platform.memory.live() == 0
    assert card.asked.count("fd_to_handle") == 3
    assert card.asked.count("add_fb2") <= 4 * MOST_PAIRS
    assert len(card.asked) < 4 * (2 * MOST_PAIRS) + 200


def test_a_card_that_may_not_be_opened_is_left_alone(board):
    def refuse(node):
        raise PermissionError(errno.EACCES, "Permission denied")

    platform = look(board)
    assert asked(platform, TrialStore(None, ""), board, cards=refuse) == platform


def test_codecs_are_asked_through_their_queue_and_cameras_only_on_request(board):
    platform = look(board)
    [card] = [device for device in platform.devices if device.name == "card0"]
    node = card.node
    presumed = card.sets[Usage.SCANOUT]
    more = [
        replace(card, name=name, kind=kind, sets={usage: presumed}, planes=(), id=None, node=node)
        for name, kind, usage in (
            ("decoder", DeviceKind.DECODER, Usage.DECODE),
            ("camera", DeviceKind.CAMERA, Usage.CAMERA),
        )
    ]
    platform = replace(platform, devices=(*more,))
    sources = []

    def queue(path, allocate):
        with allocate(5000) as buffer:
            sources.append(platform.source_name(buffer.source))
            return sources[-1] != "udmabuf"

    learned = asked(platform, TrialStore(None, ""), board, queue=queue)
    assert sources == ["reserved", "system", "udmabuf"]
    for each in learned.device("decoder").sets[Usage.DECODE]:
        [permitted] = [one for one in each.constraints if one.provenance is Provenance.TRIAL]
        assert list(map(platform.source_name, permitted.value)) == ["system", "reserved"]
        assert permitted.source == "udmabuf: QBUF; taken: reserved, system"
    assert learned.device("camera") == platform.device("camera")
    learned = asked(platform, TrialStore(None, ""), board, queue=queue, again=True)
    assert learned.device("camera") != platform.device("camera")


def test_what_was_learned_is_asked_once(board, tmp_path):
    store = TrialStore(tmp_path / "cache" / "trials.json", "this boot")
    platform, card = ask(board, QXL, store=store)
    again = TrialStore(tmp_path / "cache" / "trials.json", "this boot")
    known, silent = ask(board, QXL, store=again)
    assert (card.asked != [], silent.asked) == (True, [])
    assert known.devices == platform.devices
    assert known.sources == platform.sources
    assert remembered(look(board), again, board.root).devices == platform.devices
    nothing = TrialStore(tmp_path / "cache" / "trials.json", "another boot")
    assert remembered(look(board), nothing, board.root).devices == look(board).devices


def test_no_more_devices_are_asked_than_a_machine_has(board, monkeypatch):
    monkeypatch.setattr(tried_platform, "MOST_DEVICES", 0)
    _, card = ask(board, QXL)
    assert card.asked == []


def test_a_display_that_makes_a_framebuffer_of_nothing_is_for_no_scanout(board):
    platform, _ = ask(board, replace(QXL, formats=()))
    assert platform.device("card0").sets == {}


@pytest.mark.parametrize(
    ("name", "driver"),
    [("virtio_gpu", VIRTIO), ("bochs-drm", BOCHS), ("qxl", QXL), ("drm-clcd-pl111", PL111)],
)
def test_profile_and_trial_of_a_driver_agree(board, name, driver):
    """What the driver's source says beforehand is what the driver does."""
    link = board.root / "sys/devices" / CARD / "driver"
    link.unlink()
    home = board.root / "sys/bus/any/drivers" / name
    home.mkdir(parents=True)
    link.symlink_to(home)
    before = planned(look(board, XRGB), XRGB)[0]
    platform, _ = ask(board, driver, formats=(XRGB,))
    assert before == planned(platform, XRGB)[0]
    assert platform.source("card0").id in platform.memory.openable
