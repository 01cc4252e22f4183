"""Plans by what the compositor says of its devices, where it makes none itself."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import replace

import pytest
from patience import PATIENCE

from heapwire.client_lib import (
    Connection,
    ExtendedFeedback,
    LinuxDmabuf,
    Player,
    PlayOptions,
    writer_participant,
)
from heapwire.client_lib.negotiation.local_batch import local_batch
from heapwire.client_lib.negotiation.local_goals import local_goals
from heapwire.client_lib.negotiation.told_goals import told_participants
from heapwire.compositor_plugin.hosts.reference import Compositor
from heapwire.compositor_plugin.plugin import GLOBALS
from heapwire.compositor_plugin.sources import DmabufSources, TrancheDescriptions
from heapwire.kernel.description import Platform, shipped
from heapwire.protocol.explain import AnswerMemory
from heapwire.protocol.values import (
    CONTIGUOUS,
    INVALID,
    LINEAR,
    MAX_WIDTH,
    PERMITTED_SOURCES,
    PITCH_ALIGNMENT,
    Constraint,
    ConstraintSet,
    Extent,
    Extents,
    FormatModifier,
    HeapId,
    Participant,
    SourceId,
    Usage,
    parse_fourcc,
)
from heapwire.protocol.wire import (
    DeviceSet,
    DmabufFeedback,
    DmabufTranche,
    Inquiry,
    MemoryDecoder,
    TrancheFlags,
    TrancheMemory,
    memory_events,
)

XRGB, NV12 = parse_fourcc("XRGB8888"), parse_fourcc("NV12")
OPTIONS = PlayOptions(frames=4, paced=False, timeout=PATIENCE, formats=(XRGB,), fullscreen=True)


@pytest.fixture
def pi():
    return Platform.load("raspberry-pi-4")


@pytest.fixture
def ignorant(pi):
    """The machine as a client knows it that knows nothing of displays and GPUs."""
    blind = [device for device in pi.devices if Usage.SCANOUT not in device.sets]
    blind = [device for device in blind if Usage.SAMPLING not in device.sets]
    return replace(pi, devices=tuple(blind), links=())


@contextmanager
def core_only(platform, **options):
    """A compositor that says where memory can come from, and makes no plans."""
    with Compositor(platform, **options) as compositor:
        for served, announced in zip(GLOBALS, compositor.plugin._globals, strict=True):
            if served is not DmabufSources:
                announced.destroy()
        with compositor.running():
            yield compositor


def sources(result):
    return {result.source_names[one.source] for one in result.plan.layout.objects}


def test_what_the_display_takes_is_told_and_need_not_be_known(no_fd_leak, clips, pi, ignorant):
    with core_only(pi) as compositor:
        connection = compositor.connect()
        result = Player(
            clips["bikes.mp4"], display=connection, platform=ignorant, options=OPTIONS
        ).play()
        frames = compositor.frames
    assert sources(result) == {"linux,cma"}
    assert result.plan.scanout
    assert all(frame.scanned_out for frame in frames)
    [text] = [one.text for one in result.plan.reasons if one.subject == "origin"]
    assert "xx_dmabuf_sources_v1" in text


def test_without_the_core_the_same_client_has_to_guess(no_fd_leak, clips, pi, ignorant):
    with Compositor(pi, extension=False) as compositor, compositor.running():
        result = Player(
            clips["bikes.mp4"], display=compositor.connect(), platform=ignorant, options=OPTIONS
        ).play()
    assert sources(result) == {"system"}
    assert not result.plan.scanout


def test_feedback_is_told_once_and_complete(no_fd_leak, pi):
    with core_only(pi) as compositor, Connection(compositor.connect()) as connection:
        dmabuf = LinuxDmabuf(connection)
        told = []
        feedback = ExtendedFeedback(dmabuf, None, told.append)
        connection.wait(lambda: bool(told), what="feedback")
        connection.roundtrip()
        [said] = told
        [tranche] = said.tranches
        names = {dmabuf.sources.names[source] for source in tranche.memory.sources}
        assert {"system", "linux,cma"} <= names
        feedback.close()
        feedback.close()
        connection.roundtrip()


def test_a_compositor_without_the_core_is_not_waited_for(no_fd_leak, pi):
    with (
        Compositor(pi, extension=False) as compositor,
        compositor.running(),
        Connection(compositor.connect()) as connection,
    ):
        told = []
        ExtendedFeedback(LinuxDmabuf(connection), None, told.append)
        connection.wait(lambda: bool(told), what="feedback")
        assert [one.memory for one in told[0].tranches] == [None]


def test_one_that_never_describes_is_not_waited_for(no_fd_leak, pi, monkeypatch):
    monkeypatch.setattr(
        "heapwire.compositor_plugin.sources.feedback_sources.FeedbackSources.describe",
        lambda self, batch: None,
    )
    with core_only(pi) as compositor, Connection(compositor.connect()) as connection:
        told = []
        ExtendedFeedback(LinuxDmabuf(connection), None, told.append)
        connection.wait(lambda: bool(told), what="feedback")
        assert [one.memory for one in told[0].tranches] == [None]


def through_the_wire(feedback: DmabufFeedback) -> DmabufFeedback:
    """What a client makes of the events that a description comes as."""
    decoder = MemoryDecoder()
    index = {pair: position for position, pair in enumerate(feedback.table)}
    for tranche in feedback.tranches:
        for name, arguments in memory_events(tranche.memory, tranche.formats, index):
            getattr(decoder, name)(*arguments)
    _, told = decoder.done(1)
    tranches = [
        replace(tranche, memory=one.memory(tranche.formats, feedback.table))
        for tranche, one in zip(feedback.tranches, told, strict=True)
    ]
    return replace(feedback, tranches=tuple(tranches))


@pytest.mark.parametrize("platform", shipped())
def test_plans_by_what_is_told_are_those_of_who_knows_the_devices(platform):
    """The same memory and the same layout, for each machine that we know."""
    machine = Platform.load(platform)
    display = next((one for one in machine.devices if Usage.SCANOUT in one.sets), None)
    renderer = next((one for one in machine.devices if Usage.SAMPLING in one.sets), None)
    if display is None or display.id is None:
        pytest.skip("this machine has no display")
    table = tuple(FormatModifier(code, LINEAR) for code in sorted((XRGB, NV12)))
    main = renderer.id if renderer else None
    said = DmabufFeedback(
        version=5,
        tranches=(
            DmabufTranche(display.id, TrancheFlags.SCANOUT, table),
            DmabufTranche(main, TrancheFlags(0), table),
        ),
        main_device=main,
        table=table,
    )
    described = through_the_wire(TrancheDescriptions(machine, main).described(said))
    inquiry = Inquiry(
        participants=((1, writer_participant("rgb24", (XRGB,))),),
        extents=Extents(coded=Extent(1920, 1080)),
    )
    outcomes = []
    for feedback, known in ((said, machine), (described, replace(machine, devices=(), links=()))):
        batch = local_batch(local_goals(feedback, known), inquiry, known, "test", AnswerMemory())
        outcomes.append([(one.plan.layout, one.plan.scanout) for one in batch.offers][:1])
    assert outcomes[0], "nothing to compare"
    assert outcomes[1] == outcomes[0]


def test_a_pair_of_which_a_device_says_nothing_is_usable(pi):
    """The host takes it, and that is all that is known."""
    odd = FormatModifier(NV12, 1 << 56 | 77)
    rows = FormatModifier(XRGB, INVALID)
    said = DmabufFeedback(
        version=5,
        tranches=(DmabufTranche(pi.device("hvs").id, TrancheFlags.SCANOUT, (odd, rows)),),
        main_device=pi.device("v3d").id,
        table=(odd, rows),
    )
    described = through_the_wire(TrancheDescriptions(pi, None).described(said))
    memory = described.tranches[0].memory
    assert not any(odd in entry.set.formats for entry in memory.sets)
    assert all(rows in entry.set.formats for entry in memory.sets)
    scanout, *_ = local_goals(described, replace(pi, devices=()))
    assert len(scanout.participants) == 4  # the display, the GPU, and what the host takes, twice
    for participant in scanout.participants:
        formats = {pair for one in participant.sets for pair in one.formats}
        assert {odd, rows, FormatModifier(XRGB, LINEAR)} <= formats
    assert memory.sources == (pi.source("linux,cma").id,)


def with_display(platform, *sets):
    """A machine whose display requires something else, and whose GPU nothing."""
    devices = []
    for device in platform.devices:
        changed = dict(device.sets)
        if Usage.SCANOUT in changed:
            changed[Usage.SCANOUT] = sets
        if Usage.SAMPLING in changed:
            formats = tuple(sorted({pair for one in sets for pair in one.formats}))
            changed[Usage.SAMPLING] = (ConstraintSet(formats=formats),)
        devices.append(replace(device, sets=changed, planes=()))
    return replace(platform, devices=tuple(devices), links=())


CONTIGUOUS_NV12 = (
    ConstraintSet(formats=(FormatModifier(XRGB, LINEAR),)),
    ConstraintSet(
        formats=(FormatModifier(NV12, LINEAR),),
        constraints=(Constraint(type=CONTIGUOUS.type, value=1),),
    ),
)


def permitted(memory):
    """Which sources the sets of each format permit."""
    return {
        pair.fourcc: constraint.value
        for entry in memory.sets
        for constraint in entry.set.constraints
        if constraint.type == PERMITTED_SOURCES.type
        for pair in entry.set.formats
    }


def test_what_serves_some_pairs_alone_is_permitted_for_no_other(pi):
    """The tranche lists both heaps, and pictures that must be in one run have one of them."""
    machine = with_display(pi, *CONTIGUOUS_NV12)
    table = tuple(sorted(pair for one in CONTIGUOUS_NV12 for pair in one.formats))
    said = DmabufFeedback(
        version=5,
        tranches=(DmabufTranche(pi.device("hvs").id, TrancheFlags.SCANOUT, table),),
        main_device=pi.device("v3d").id,
        table=table,
    )
    described = through_the_wire(TrancheDescriptions(machine, None).described(said))
    memory = described.tranches[0].memory
    cma, system = (pi.source(name).id for name in ("linux,cma", "system"))
    assert set(memory.sources) == {cma, system}
    assert permitted(memory) == {NV12: (cma,)}
    # Where no heap is contiguous, the display's own memory is all that is left for these.
    without = replace(machine, sources=tuple(one for one in machine.sources if one.id != cma))
    described = through_the_wire(TrancheDescriptions(without, None).described(said))
    memory = described.tranches[0].memory
    assert memory.sources == (system,)
    assert permitted(memory) == {NV12: (SourceId.device(pi.device("hvs").id),)}


ROWS, DRIVERS = FormatModifier(XRGB, LINEAR), FormatModifier(XRGB, INVALID)
WIDE = Constraint(type=PITCH_ALIGNMENT.type, value=256)
SHORT = Constraint(type=MAX_WIDTH.type, value=8192)


def told_of(*sets: tuple[FormatModifier, ...], pairs=(ROWS, DRIVERS)) -> Participant:
    """A device of a tranche that says something else of each of some lists of pairs."""
    memory = TrancheMemory(
        sources=(SourceId.heap(HeapId(254, 1)),),
        sets=tuple(
            DeviceSet(3, ConstraintSet(formats=formats, constraints=(said,)))
            for formats, said in zip(sets, (WIDE, SHORT), strict=False)
        ),
    )
    device, _ = told_participants(DmabufTranche(None, TrancheFlags.SCANOUT, pairs, memory))
    return device


def test_what_is_required_of_rows_is_so_beside_a_pair_of_which_nothing_is_said():
    """A pair without a modifier is imported as rows, and of rows the device has spoken."""
    device = told_of((ROWS,))
    assert [one.constraints for one in device.sets if ROWS in one.formats] == [(WIDE,)]
    assert [one.constraints for one in device.sets if DRIVERS in one.formats] == [()]


def test_rows_of_which_nothing_is_said_are_free_beside_a_pair_that_is_told_of():
    device = told_of((DRIVERS,))
    assert [one.constraints for one in device.sets if ROWS in one.formats] == [(WIDE,), ()]


@pytest.mark.parametrize("sets", [((ROWS,), (DRIVERS,)), ((DRIVERS,), (ROWS,))])
def test_no_set_is_lost_in_whatever_order_they_are_told(sets):
    device = told_of(*sets)
    assert [one.constraints for one in device.sets] == [(WIDE,), (SHORT,)]
    assert all(ROWS in one.formats for one in device.sets)
