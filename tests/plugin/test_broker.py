"""From a question to a batch, on the shipped platforms and without a display."""

from __future__ import annotations

from dataclasses import replace

import pytest

from heapwire.compositor_plugin import OutputState, SurfaceState
from heapwire.compositor_plugin.batch_question import BatchQuestion
from heapwire.compositor_plugin.broker import MAX_VIEWS, Broker
from heapwire.compositor_plugin.clients.selection import NOTHING
from heapwire.kernel.description import Device, Platform
from heapwire.kernel.memory import MemfdMemory
from heapwire.protocol.values import (
    SCALING,
    Constraint,
    ConstraintSet,
    Extent,
    Extents,
    FormatModifier,
    Participant,
    Provenance,
    SourceId,
    SourceKind,
    Usage,
    parse_fourcc,
)
from heapwire.protocol.wire import Access, Batch, Explanation, Inquiry, TrancheFlags
from heapwire.protocol.wire.machine_view import SAMPLING_HOLD, SCANOUT_HOLD

XRGB = FormatModifier(parse_fourcc("XRGB8888"), 0)
NV12 = FormatModifier(parse_fourcc("NV12"), 0)
SIZE = Extent(640, 480)


@pytest.fixture(scope="module")
def pi() -> Platform:
    return Platform.load("raspberry-pi-4")


def surface(platform: Platform, *, candidate: bool = True, outputs: int = 1) -> SurfaceState:
    display = next(one.id for one in platform.devices if Usage.SCANOUT in one.sets)
    return SurfaceState(
        outputs=tuple(OutputState(f"SIM-{n}", display) for n in range(outputs)),
        size=SIZE,
        candidate=candidate,
    )


def decoder(*pairs: FormatModifier, name: str = "decoder") -> Participant:
    return Participant(name=name, usage=Usage.DECODE, sets=(ConstraintSet(formats=pairs),))


def question(
    *participants: tuple[int, Participant],
    state: SurfaceState | None = None,
    importable: tuple[FormatModifier, ...] = (XRGB, NV12),
    **more: object,
) -> BatchQuestion:
    extents = Extents(coded=SIZE)
    inquiry = Inquiry(participants=participants, extents=extents, explanation=Explanation.ALL)
    return BatchQuestion(replace(inquiry, **more), state, frozenset(importable))


def plans(batch):
    return [offer.plan for offer in batch.offers]


def test_without_participants_there_is_nothing_to_say(pi) -> None:
    assert Broker(pi).batch(question(state=surface(pi))) == Batch()


def test_what_nobody_asks_for_is_not_worked_out(pi) -> None:
    asked = question((1, decoder(NV12)), state=surface(pi))
    plain = replace(asked, inquiry=replace(asked.inquiry, explanation=Explanation.NONE))
    broker = Broker(pi)
    told, bare = broker.batch(asked), broker.batch(plain)
    assert [replace(one, reasons=()) for one in plans(told)] == plans(bare)
    assert all(one.reasons for one in plans(told))
    assert told.refusals != ()
    assert bare.refusals == ()


def test_equal_questions_have_equal_answers(pi) -> None:
    asked = question((1, decoder(NV12)), state=surface(pi))
    assert Broker(pi).batch(asked) == Broker(pi).batch(asked)
    broker = Broker(pi)
    assert broker.batch(asked) == broker.batch(asked)


def test_an_id_of_the_compositors_stands_for_the_same_device_always(pi) -> None:
    broker = Broker(pi)
    ids = [
        {one.name: one.id for one in broker.batch(question(state=state)).participants}
        for state in (None, surface(pi), surface(pi, candidate=False))
    ]
    known: dict[str, int] = {}
    for found in ids:
        for name, id_ in found.items():
            assert known.setdefault(name, id_) == id_


def test_only_candidates_get_plans_for_scanout(pi) -> None:
    broker = Broker(pi)
    for state, expected in (
        (surface(pi), True),
        (surface(pi, candidate=False), False),
        (None, False),
    ):
        batch = broker.batch(question((1, decoder(NV12)), state=state))
        assert any(plan.scanout for plan in plans(batch)) is expected
        assert batch.reason is None


def test_a_window_gets_a_format_that_the_display_could_show_when_it_is_made_fullscreen(pi) -> None:
    hidden, shown = (FormatModifier(parse_fourcc(name), 0) for name in ("XBGR8888", "XRGB8888"))

    def without(device: Device) -> Device:
        sets = device.sets.get(Usage.SCANOUT, ())
        kept = tuple(
            replace(one, formats=tuple(p for p in one.formats if p != hidden), costs=())
            for one in sets
        )
        return replace(device, sets={**device.sets, Usage.SCANOUT: kept}) if sets else device

    machine = replace(pi, devices=tuple(map(without, pi.devices)))
    asked = question((1, decoder(hidden, shown)), state=surface(pi, candidate=False))
    asked = replace(asked, importable=asked.importable | {hidden, shown})
    plans = [offer.plan for offer in Broker(machine).batch(asked).offers]
    assert {plan.fourcc for plan in plans} == {hidden.fourcc, shown.fourcc}
    assert plans[0].fourcc == shown.fourcc


def test_scanout_and_sampling_hold_on_to_different_numbers_of_buffers(pi) -> None:
    broker = Broker(pi)
    asked = {"minimum": 4, "queue": 2}
    scanned = broker.batch(question((1, decoder(NV12)), state=surface(pi), **asked))
    sampled = broker.batch(question((1, decoder(NV12)), **asked))
    assert plans(scanned)[0].buffer_count == 6 + SCANOUT_HOLD
    assert plans(sampled)[0].buffer_count == 6 + SAMPLING_HOLD


def test_an_output_without_planes_is_composited(pi) -> None:
    state = replace(surface(pi), outputs=(OutputState("remote", None),))
    batch = Broker(pi).batch(question((1, decoder(NV12)), state=state))
    assert [one.flags for one in batch.tranches] == [TrancheFlags.SAMPLING]


def test_pairs_that_linux_dmabuf_does_not_take_are_in_no_plan(pi) -> None:
    asked = question((1, decoder(XRGB, NV12)), state=surface(pi), importable=(NV12,))
    batch = Broker(pi).batch(asked)
    assert {(plan.fourcc, plan.modifier) for plan in plans(batch)} == {NV12}
    nothing = Broker(pi).batch(question((1, decoder(XRGB)), importable=(NV12,)))
    assert nothing.reason is not None
    assert nothing.message


def test_names_that_clash_are_told_apart(pi) -> None:
    clash = question(
        (1, decoder(NV12, name="same")),
        (2, decoder(NV12, name="same")),
        (3, decoder(NV12, name="")),
        (4, decoder(NV12, name="hvs:scanout")),
        state=surface(pi),
    )
    broker = Broker(pi)
    names = [one.name for one in broker.problem(clash).participants]
    assert len(set(names)) == 4
    assert "hvs:scanout" not in names
    assert broker.batch(clash).reason is None


def test_a_conflict_refers_to_participants_by_the_clients_ids(pi) -> None:
    strange = FormatModifier(0x31305453, 0)
    batch = Broker(pi).batch(question((7, decoder(strange)), state=surface(pi)))
    assert batch.reason is not None
    known = {7, *(one.id for one in batch.participants)}
    assert {entry.participant for entry in batch.conflicts} <= known
    assert 7 in {entry.participant for entry in batch.conflicts}


def test_what_a_client_cannot_open_the_compositor_has_to_allocate(pi) -> None:
    asked = question((1, decoder(NV12)), state=surface(pi), openable=frozenset())
    batch = Broker(pi).batch(asked)
    assert {access for offer in batch.offers for access in offer.access} == {Access.COMPOSITOR}
    refused = Broker(pi, allocated=NOTHING).batch(asked)
    assert refused.offers == ()
    assert refused.reason is not None


def test_what_the_compositor_cannot_open_it_does_not_allocate(pi) -> None:
    class Closed(MemfdMemory):
        @property
        def openable(self) -> frozenset[SourceId]:
            return frozenset({pi.source("system").id})

    closed = replace(pi, memory=Closed(pi.sources))
    batch = Broker(closed).batch(question((1, decoder(NV12)), state=surface(pi)))
    access = {
        entry.source: access
        for offer in batch.offers
        for entry, access in zip(offer.plan.layout.objects, offer.access, strict=True)
    }
    assert access[pi.source("linux,cma").id] == Access.CLIENT
    barred = question((1, decoder(NV12)), state=surface(pi), openable=frozenset())
    offered = Broker(closed).batch(barred).offers
    assert {one.source for offer in offered for one in offer.plan.layout.objects} <= {
        pi.source("system").id
    }


def test_sources_that_nobody_knows_are_ignored(pi) -> None:
    openable = frozenset({SourceId(SourceKind.HEAP, 4000, 4000)})
    batch = Broker(pi).batch(question((1, decoder(NV12)), state=surface(pi), openable=openable))
    assert batch.reason is None


def test_a_plan_that_still_serves_is_kept_in_front(pi) -> None:
    broker = Broker(pi)
    asked = question((1, decoder(NV12)), state=surface(pi))
    best = plans(broker.batch(asked))[0]
    planes = tuple(replace(one, pitch=one.pitch + 64) for one in best.layout.planes)
    sizes = [2 * one.size for one in best.layout.objects]
    roomy = replace(
        best,
        layout=replace(
            best.layout,
            planes=tuple(
                replace(one, offset=one.offset and sizes[one.object] // 2) for one in planes
            ),
            objects=tuple(
                replace(one, size=size)
                for one, size in zip(best.layout.objects, sizes, strict=True)
            ),
        ),
    )
    first = plans(broker.batch(asked, keep=roomy))[0]
    assert first.layout.planes == roomy.layout.planes
    assert first.scanout
    again = broker.batch(replace(asked, surface=surface(pi, candidate=False)), keep=roomy)
    assert plans(again)[0].layout.planes == roomy.layout.planes
    assert not plans(again)[0].scanout


def test_a_plan_that_serves_worse_than_a_new_one_is_not_kept(pi) -> None:
    broker = Broker(pi)
    window = question((1, decoder(NV12)))
    system = next(
        plan
        for plan in plans(broker.batch(window))
        if all(one.source == pi.source("system").id for one in plan.layout.objects)
    )
    batch = broker.batch(replace(window, surface=surface(pi)), keep=system)
    assert plans(batch)[0].scanout
    assert plans(batch)[0].layout != system.layout


def test_the_views_of_clients_that_make_up_sources_do_not_pile_up(pi) -> None:
    broker = Broker(pi)
    for number in range(3 * MAX_VIEWS):
        openable = frozenset({SourceId(SourceKind.HEAP, 1, number)})
        broker.batch(question(openable=openable))
    assert len(broker._views) <= MAX_VIEWS


def test_rotation_of_the_surface_is_added_to_that_of_the_content(pi) -> None:
    broker = Broker(pi)
    state = replace(surface(pi), rotation=270)
    asked = question((1, decoder(NV12)), state=state)
    turned = replace(
        asked,
        inquiry=replace(asked.inquiry, content=replace(asked.inquiry.content, rotation=180)),
    )
    assert broker.problem(turned).content.rotation == 90


def no_scaler(platform: Platform) -> Platform:
    """A platform whose displays scale nothing."""
    fixed = Constraint(type=SCALING.type, value=(1 << 16, 1 << 16), provenance=Provenance.USER)
    devices = tuple(
        replace(
            one,
            sets={
                **one.sets,
                Usage.SCANOUT: tuple(
                    replace(entry, constraints=(*entry.constraints, fixed))
                    for entry in one.sets[Usage.SCANOUT]
                ),
            },
        )
        if Usage.SCANOUT in one.sets
        else one
        for one in platform.devices
    )
    return replace(platform, devices=devices)


@pytest.mark.parametrize(
    ("picture", "scanout"), [(SIZE, True), (Extent(320, 240), False), (Extent(640, 479), False)]
)
def test_a_display_without_a_scaler_shows_only_what_is_as_large_as_the_surface(
    picture: Extent, scanout: bool
) -> None:
    broker = Broker(no_scaler(Platform.load("generic-desktop")))
    state = surface(broker.platform)
    asked = question((1, decoder(XRGB)), state=state, extents=Extents(coded=picture))
    batch = broker.batch(asked)
    assert any(plan.scanout for plan in plans(batch)) is scanout
    assert plans(batch), "it is composited"


def test_what_is_turned_is_scaled_the_other_way_round(pi) -> None:
    state = replace(surface(pi), rotation=90)
    asked = Broker(pi).problem(question((1, decoder(NV12)), state=state))
    assert asked.extents.shown == Extent(SIZE.height, SIZE.width)


def test_a_size_that_no_plane_heeds_makes_no_other_question(pi) -> None:
    broker = Broker(pi)
    for state in (surface(pi, candidate=False), replace(surface(pi), size=None), None):
        assert broker.problem(question((1, decoder(NV12)), state=state)).extents.shown is None
