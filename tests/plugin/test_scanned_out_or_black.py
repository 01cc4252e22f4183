"""Protected content where the GPU cannot read protected memory: scanned out, else black."""

from __future__ import annotations

import pytest

from heapwire.compositor_plugin import OutputState, SurfaceState
from heapwire.compositor_plugin.batch_question import BatchQuestion
from heapwire.compositor_plugin.broker import Broker
from heapwire.kernel.description import Platform
from heapwire.protocol.values import (
    ConstraintSet,
    Content,
    Extent,
    Extents,
    FormatModifier,
    Participant,
    Usage,
    parse_fourcc,
)
from heapwire.protocol.wire import Explanation, Inquiry, TrancheFlags
from heapwire.protocol.wire.machine_view import SCANOUT_HOLD

MACHINE = """
[[memory]]
name = "system"
contiguous = false
protected = false
[[memory]]
name = "vault"
contiguous = true
protected = true
[[device]]
name = "plane"
kind = "display"
[[device.use]]
usage = "scanout"
[[device.use.set]]
formats = ["P010", "XRGB8888"]
[[device]]
name = "shader"
kind = "gpu"
[[device.use]]
usage = "sampling"
constraints = [{ type = "permitted-sources", value = [READABLE] }]
[[device.use.set]]
formats = ["P010", "XRGB8888"]
"""
P010 = FormatModifier(parse_fourcc("P010"), 0)
SIZE = Extent(720, 576)
BLACK = TrancheFlags.SCANOUT | TrancheFlags.BLACK


def asked(
    broker: Broker,
    *,
    protected: bool = True,
    candidate: bool = True,
    black: bool = True,
    importable: tuple[FormatModifier, ...] = (P010,),
):
    display = broker.platform.device("plane").id
    state = SurfaceState(
        outputs=(OutputState("DSI-1", display),), size=SIZE, candidate=candidate, black=black
    )
    writer = Participant(name="writer", usage=Usage.DECODE, sets=(ConstraintSet(formats=(P010,)),))
    inquiry = Inquiry(
        participants=((1, writer),),
        extents=Extents(coded=SIZE),
        content=Content(protected=protected),
        explanation=Explanation.REASONS,
    )
    return broker.batch(BatchQuestion(inquiry, state, frozenset(importable)))


def offered(batch) -> list[tuple[TrancheFlags, str]]:
    return [
        (tranche.flags, offer.plan.goal) for tranche in batch.tranches for offer in tranche.offers
    ]


@pytest.fixture
def blind() -> Broker:
    return Broker(Platform.parse(MACHINE.replace("READABLE", '"system"')))


@pytest.mark.parametrize("candidate", [True, False])
def test_it_is_planned_for_the_display_alone(blind, candidate) -> None:
    """A window that is not fullscreen is black until it is: its player need not end."""
    batch = asked(blind, candidate=candidate)
    assert batch.reason is None
    [(flags, goal)] = offered(batch)
    assert flags == BLACK
    assert goal == "scanout, black where it is composited"
    [offer] = batch.offers
    vault = blind.platform.source("vault").id
    assert [one.source for one in offer.plan.layout.objects] == [vault]
    assert offer.plan.scanout
    assert offer.plan.buffer_count >= SCANOUT_HOLD
    # Why it is not seen always is told too.
    assert {entry.goal for entry in batch.conflicts} >= {TrancheFlags.SAMPLING}


def test_a_host_that_shows_no_black_is_promised_nothing(blind) -> None:
    batch = asked(blind, black=False)
    assert batch.reason is not None
    assert BLACK not in [tranche.flags for tranche in batch.tranches]


def test_what_is_not_protected_may_be_composited_at_any_time(blind) -> None:
    batch = asked(blind, protected=False)
    assert TrancheFlags.SCANOUT in [flags for flags, _ in offered(batch)]
    assert BLACK not in [tranche.flags for tranche in batch.tranches]


def test_what_linux_dmabuf_does_not_take_is_planned_for_nobody(blind) -> None:
    other = FormatModifier(parse_fourcc("XRGB8888"), 0)
    assert asked(blind, importable=(other,)).offers == ()


def test_where_the_gpu_reads_it_it_is_seen_always() -> None:
    """The same memory for both: black is no plan of its own then."""
    broker = Broker(Platform.parse(MACHINE.replace("READABLE", '"system", "vault"')))
    batch = asked(broker)
    assert [flags for flags, _ in offered(batch)] == [TrancheFlags.SCANOUT]
    # Composited for now, seen all the same.
    assert [flags for flags, _ in offered(asked(broker, candidate=False))] == [
        TrancheFlags.SAMPLING
    ]


PACKED = """
[[memory]]
name = "pool"
contiguous = true
[[device]]
name = "plane"
kind = "display"
[[device.use]]
usage = "scanout"
[[device.use.set]]
formats = ["NV12", "NV15"]
[[device]]
name = "shader"
kind = "gpu"
[[device.use]]
usage = "sampling"
[[device.use.set]]
formats = ["NV12", "XRGB8888"]
"""
NV12, NV15 = (FormatModifier(parse_fourcc(name), 0) for name in ("NV12", "NV15"))


def asked_of(broker: Broker, writes: tuple[FormatModifier, ...], *, candidate=True, black=True):
    """What a decoder that writes some formats is offered; linux-dmabuf takes both."""
    display = broker.platform.device("plane").id
    state = SurfaceState(
        outputs=(OutputState("HDMI-A-1", display),), size=SIZE, candidate=candidate, black=black
    )
    decoder = Participant(name="decoder", usage=Usage.DECODE, sets=(ConstraintSet(formats=writes),))
    inquiry = Inquiry(
        participants=((1, decoder),),
        extents=Extents(coded=SIZE),
        explanation=Explanation.REASONS,
    )
    return broker.batch(BatchQuestion(inquiry, state, frozenset({NV12, NV15})))


@pytest.fixture
def packed() -> Broker:
    return Broker(Platform.parse(PACKED))


@pytest.mark.parametrize("candidate", [True, False])
def test_a_format_that_the_gpu_does_not_know_is_shown_by_the_display_alone(packed, candidate):
    """Ten bits as mainline decoders pack them, which no GPU samples (xbmc#22202)."""
    batch = asked_of(packed, (NV15,), candidate=candidate)
    assert offered(batch) == [(BLACK, "scanout, black where it is composited")]
    [offer] = batch.offers
    assert (offer.plan.fourcc, offer.plan.modifier) == NV15
    # That it cannot be composited, and whose formats differ, is told beside it.
    said = [entry.text for entry in batch.conflicts if entry.goal == TrancheFlags.SAMPLING]
    assert any("NV15" in text for text in said)
    assert any("shader" in text for text in said)


def test_another_format_that_is_seen_always_comes_first(packed):
    batch = asked_of(packed, (NV15, NV12))
    (best, _), *_others = offered(batch)
    assert best == TrancheFlags.SCANOUT
    assert batch.offers[0].plan.fourcc == NV12.fourcc


def test_what_the_gpu_samples_is_never_planned_to_be_black(packed):
    assert BLACK not in [flags for flags, _ in offered(asked_of(packed, (NV12,)))]


def test_a_host_that_shows_no_black_is_told_whose_formats_differ(packed):
    batch = asked_of(packed, (NV15,), black=False)
    assert batch.reason is not None
    assert batch.offers == ()


def test_a_gpu_of_which_nobody_knows_what_it_samples_leaves_nothing_black():
    text = PACKED.replace(
        """[[device.use.set]]
formats = ["NV12", "XRGB8888"]
""",
        "",
    )
    batch = asked_of(Broker(Platform.parse(text)), (NV15,))
    assert [flags for flags, _ in offered(batch)] == [TrancheFlags.SCANOUT]
