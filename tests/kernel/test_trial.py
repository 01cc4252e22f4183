"""Trials and the gauge, unasked: what is learned of each driver, and what is planned then."""

import errno
import os
from dataclasses import replace

import pytest
from fake_card import BOCHS, NV12, PL111, QXL, RGB565, VIRTIO, VKMS, XBGR, XRGB, FakeCard
from test_local_platform import CARD, Display, opens

from heapwire.kernel.description import DeviceKind, PlaneType, scanout_sets
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
    fourcc,
)


def look(tree, *formats, driver="vendor-drm"):
    display = Display(*(formats or (XRGB, XBGR, RGB565, NV12)))
    display.driver = driver
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


@pytest.mark.parametrize(
    ("driver", "source"),
    [
        ("vendor-drm", "system"),
        ("tegra", "reserved"),  # refused when it is to be shown
        ("nouveau", "card0"),  # a copy is shown
        ("loongson", "card0"),
    ],
)
def test_to_import_what_it_cannot_show_proves_nothing_of_a_driver(board, driver, source):
    card = FakeCard(replace(VKMS, refused={}))  # it takes all that it is asked about
    store = TrialStore(None, "")
    platform = asked(look(board, driver=driver), store, board, cards=card.open)
    assert planned(platform, XRGB)[0] == source


def test_a_refusal_of_such_a_driver_counts(board):
    card = FakeCard(replace(PL111, imports={}, otherwise=errno.EINVAL))
    platform = asked(look(board, driver="tegra"), TrialStore(None, ""), board, cards=card.open)
    assert planned(platform, XRGB)[0] == "card0"


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
    assert planned(platform, XRGB)[0] == "udmabuf"  # the system heap is as it was presumed
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


def with_planes(platform, *planes):
    """The platform whose display has these planes, by number and formats."""
    [card] = platform.devices[:1]
    [sample] = card.planes
    [limits] = sample.sets
    made = tuple(
        replace(
            sample,
            name=f"plane-{number}",
            id=number,
            type=kind,
            crtcs=crtcs,
            sets=(replace(limits, formats=tuple(FormatModifier(c, LINEAR) for c in codes)),),
        )
        for number, kind, crtcs, codes in planes
    )
    device = replace(card, planes=made, sets={Usage.SCANOUT: scanout_sets(made)})
    return replace(platform, devices=(device, *platform.devices[1:]))


PLANES = (
    (31, PlaneType.PRIMARY, 0b01, (XRGB, XBGR)),
    (32, PlaneType.OVERLAY, 0b11, (XRGB, RGB565)),
    (33, PlaneType.OVERLAY, 0b10, (XRGB,)),  # not on the CRTC of the screen
)


def taken_by(platform, plane):
    """For each format of a plane the memory that will do, on the rung of a trial."""
    [found] = [one for one in platform.device("card0").planes if one.name == plane]
    names = {
        pair.fourcc: [
            {platform.source_name(one) for one in constraint.value}
            for constraint in each.constraints
            if constraint.provenance is Provenance.TRIAL
        ]
        for each in found.sets
        for pair in each.formats
    }
    return {code: set.intersection(*lists) if lists else None for code, lists in names.items()}


def test_each_plane_is_tested_by_who_may_be_the_master(board):
    """Plane 32 shows nothing of the system heap, and RGB565 of nothing."""
    everywhere = ("system", "reserved", "udmabuf", "card0")
    refused = {(32, "system", XRGB): errno.EINVAL, (31, "udmabuf", XBGR): errno.ENOSPC}
    refused |= {(32, memory, RGB565): errno.ERANGE for memory in everywhere}
    card = FakeCard(replace(VKMS, refused={}, shows=refused))
    platform = with_planes(look(board), *PLANES)
    store = TrialStore(None, "")
    ask_devices(platform, store, board.root, cards=card.open)
    assert "commit" not in card.asked  # unasked, nobody becomes the master
    learned = asked(platform, store, board, cards=card.open, again=True)
    assert card.left == ({}, {}, set())
    assert taken_by(learned, "plane-32") == {XRGB: {"reserved", "udmabuf", "card0"}}
    assert taken_by(learned, "plane-31")[XRGB] in (None, set(everywhere))
    assert taken_by(learned, "plane-33")[XRGB] in (None, set(everywhere))
    assert "card0 lists RGB565 for plane-32, and shows none there" in learned.notes
    told = {
        one.source
        for each in learned.device("card0").planes[1].sets
        for one in each.constraints
        if one.provenance is Provenance.TRIAL
    }
    assert any("system: TEST_ONLY: EINVAL" in text for text in told)
    # ENOSPC is of the moment: bandwidth, or memory that others have.
    assert not any("ENOSPC" in text for text in told)
    # What one plane refuses another shows: all that is listed for the display can be planned.
    assert planned(learned, XRGB)[0] == "system"


def test_a_plane_that_takes_nothing_at_all_says_nothing(board):
    """It may lack what no framebuffer gives it."""
    refused = {
        (32, memory, code): errno.EINVAL
        for memory in ("system", "reserved", "udmabuf", "card0")
        for code in (XRGB, RGB565)
    }
    card = FakeCard(replace(VKMS, refused={}, shows=refused))
    platform = with_planes(look(board), *PLANES)
    records = ask_devices(platform, TrialStore(None, ""), board.root, cards=card.open, again=True)
    assert {verdict.plane for verdict in records["card0"].verdicts} == {"", "plane-31"}


@pytest.mark.parametrize(
    "driver",
    [
        replace(VKMS, master=errno.EACCES),  # a compositor is
        replace(VKMS, modes=()),
        replace(VKMS, modes=((7680, 4320),)),  # buffers beyond what a trial may take
    ],
)
def test_without_a_screen_to_test_on_the_rest_is_asked_all_the_same(board, driver):
    card = FakeCard(driver)
    platform = with_planes(look(board), *PLANES)
    records = ask_devices(platform, TrialStore(None, ""), board.root, cards=card.open, again=True)
    assert {verdict.plane for verdict in records["card0"].verdicts} == {""}
    assert card.asked.count("add_fb2") > 3
    assert card.left == ({}, {}, set())


def test_one_format_stands_for_those_of_its_kind_and_the_first_memory_tells_of_all(board):
    """Three sources: every format is asked of the display's own memory, each kind of the rest."""
    formats = (XRGB, XBGR, fourcc("AR24"), fourcc("AB24"), RGB565, fourcc("BG16"))
    driver = replace(VKMS, formats=formats, refused={}, modifiers=False)
    platform, card = ask(board, driver, formats=formats)
    # Without modifiers linear is the same as none.
    assert card.asked.count("add_fb2") == len(formats) + 3 * 2
    # Two sizes of pixel: two widths each for the gauge, and a buffer of its own.
    assert card.asked.count("create_dumb") == 2 * 2 + 2
    assert len(card.asked) == 1 + 2 * (6 + 6) + 2 * (4 + 2) + 1 + 2 * 3
    assert {planned(platform, code)[0] for code in formats} == {"system"}


def test_what_only_some_memory_is_refused_for_is_asked_of_it(board):
    """The display makes framebuffers of XBGR from heaps alone, of RGB565 not from this one."""
    refused = {("card0", XBGR): errno.EINVAL, ("system", RGB565): errno.EINVAL}
    platform, _ = ask(board, replace(VKMS, refused=refused))
    assert planned(platform, XBGR)[0] == "system"
    assert planned(platform, RGB565)[0] == "udmabuf"


def test_a_card_that_may_not_be_opened_is_left_alone(board):
    def refuse(node, master):
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
            return errno.EFAULT if sources[-1] == "udmabuf" else 0

    learned = asked(platform, TrialStore(None, ""), board, queue=queue)
    assert sources == ["reserved", "system", "udmabuf"]
    for each in learned.device("decoder").sets[Usage.DECODE]:
        [permitted] = [one for one in each.constraints if one.provenance is Provenance.TRIAL]
        assert list(map(platform.source_name, permitted.value)) == ["system", "reserved"]
        assert permitted.source == "udmabuf: QBUF: EFAULT; taken: reserved, system"
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
