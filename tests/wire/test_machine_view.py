"""What a machine tells a client: the problem that an inquiry makes, and the batch of its answer."""

from __future__ import annotations

from dataclasses import replace

import pytest

from heapwire.protocol import (
    CONTIGUOUS,
    LINEAR,
    Access,
    Answer,
    ConflictMember,
    Constraint,
    ConstraintSet,
    DeviceId,
    Extent,
    Extents,
    FailureReason,
    FixedBuffer,
    FormatModifier,
    Goal,
    GoalFailure,
    HeapId,
    Layout,
    LayoutKind,
    Participant,
    Problem,
    Source,
    SourceId,
    TrancheFlags,
    Usage,
    Verdict,
    parse_fourcc,
    solve,
)
from heapwire.protocol.wire import FIRST_COMPOSITOR_ID, Inquiry, MachineView, RefusalCause

NV12 = FormatModifier(parse_fourcc("NV12"), LINEAR)
SYSTEM = Source(id=SourceId.heap(HeapId(254, 0)), name="system", contiguous=False)
CMA = Source(id=SourceId.heap(HeapId(254, 1)), name="cma", contiguous=True)
NEEDS = Constraint(type=CONTIGUOUS.type, value=1)
DISPLAY = Participant(
    name="display",
    usage=Usage.SCANOUT,
    device=DeviceId(226, 0),
    sets=(ConstraintSet(formats=(NV12,), constraints=(NEEDS,)),),
)
GPU = Participant(
    name="gpu",
    usage=Usage.SAMPLING,
    device=DeviceId(226, 128),
    sets=(ConstraintSet(formats=(NV12,)),),
)
SHOWN = Goal(name="scanned out", participants=(DISPLAY, GPU), scanout=True)
SAMPLED = Goal(name="sampled", participants=(GPU,))
BLANK = Problem(
    participants=(),
    goals=(SHOWN, SAMPLED),
    sources=(SYSTEM, CMA),
    extents=Extents(coded=Extent(1, 1)),
)
IDS = {"display": FIRST_COMPOSITOR_ID, "gpu": FIRST_COMPOSITOR_ID + 1}
DECODER = Participant(name="decoder", usage=Usage.DECODE, sets=(ConstraintSet(formats=(NV12,)),))
SIZE = Extents(coded=Extent(64, 64))


def access(source: SourceId) -> Access:
    return Access.CLIENT if source == SYSTEM.id else Access.COMPOSITOR


def view(blank: Problem = BLANK) -> MachineView:
    return MachineView(
        blank, identify=lambda name: IDS.get(name, FIRST_COMPOSITOR_ID + 100), access=access
    )


def inquiry(*participants: tuple[int, Participant], extents: Extents | None = SIZE) -> Inquiry:
    return Inquiry(participants=participants, extents=extents, minimum=3, queue=2)


class TestProblem:
    def test_one_on_screen_and_one_that_waits_are_held(self) -> None:
        assert view().problem(inquiry((1, DECODER))).counts.total == 3 + 2 + 2

    def test_what_is_only_sampled_is_held_once(self) -> None:
        sampled = view(replace(BLANK, goals=(SAMPLED,)))
        assert sampled.problem(inquiry((1, DECODER))).counts.total == 3 + 2 + 1

    def test_who_can_use_anything_is_nobody_to_the_solver(self) -> None:
        anything = replace(DECODER, name="anything", sets=())
        problem = view().problem(inquiry((1, DECODER), (2, anything)))
        assert [participant.name for participant in problem.participants] == ["decoder"]

    def test_names_are_made_unique(self) -> None:
        named = [(5, replace(DECODER, name=name)) for name in ("a", "display", "")]
        problem = view().problem(inquiry(*named, (7, replace(DECODER, name="a"))))
        assert [participant.name for participant in problem.participants] == [
            *("a", "display (client's 5)", "participant 5", "a (client's 7)"),
        ]

    def test_without_extents_those_of_the_buffer_count(self) -> None:
        layout = Layout(kind=LayoutKind.FIXED, extent=Extent(32, 16), objects=(), planes=())
        asked = replace(inquiry(extents=None), fixed=FixedBuffer(NV12, layout))
        assert asked.wants_plans
        assert view().problem(asked).extents.coded == Extent(32, 16)
        assert view().problem(inquiry(extents=None)).extents == BLANK.extents

    @pytest.mark.parametrize("participants", [(), ((1, DECODER),)])
    def test_plans_are_for_somebody(
        self, participants: tuple[tuple[int, Participant], ...]
    ) -> None:
        assert inquiry(*participants).wants_plans is bool(participants)


class TestBatch:
    def test_everybody_is_introduced_once(self) -> None:
        asked = inquiry((1, DECODER))
        batch = view().batch(asked, solve(view().problem(asked)))
        assert [(one.id, one.name) for one in batch.participants] == [
            *((IDS["display"], "display"), (IDS["gpu"], "gpu"))
        ]

    def test_plans_are_numbered_through_all_tranches(self) -> None:
        asked = inquiry((1, DECODER))
        batch = view().batch(asked, solve(view().problem(asked)))
        assert [offer.index for offer in batch.offers] == list(range(len(batch.offers)))
        assert all(tranche.offers for tranche in batch.tranches)
        (first, *_) = batch.offers
        assert first.access == (Access.COMPOSITOR,)
        assert (batch.reason, batch.message) == (None, "")

    def test_who_speaks_is_introduced(self) -> None:
        """A message beside plans is not sent: a failure's is."""
        asked = inquiry((3, DECODER))
        said = {"planes": 1, "text": "no"}
        answer = Answer(
            plans=(),
            verdicts=(
                Verdict(source=SYSTEM.id, name="system", chosen=False, text="lost"),
                Verdict(source=CMA.id, name="cma", chosen=True, text="won"),
            ),
            failures=(
                GoalFailure(
                    goal="sampled",
                    conflict=(
                        ConflictMember(participant="decoder", constraint=NEEDS, **said),
                        ConflictMember(participant="the content", constraint=None, **said),
                        ConflictMember(participant="gpu", constraint=None, **said),
                    ),
                ),
            ),
            reason=FailureReason.CONFLICT,
            message="no",
        )
        batch = view().batch(asked, answer)
        assert [(one.source, one.cause, one.participant, one.type) for one in batch.refusals] == [
            (SYSTEM.id, RefusalCause.ELSEWHERE, 0, 0)
        ]
        assert [(one.participant, one.type, one.value) for one in batch.conflicts] == [
            (3, CONTIGUOUS.type, 1),
            (FIRST_COMPOSITOR_ID + 100, 0, b""),
            (IDS["gpu"], 0, b""),
        ]
        assert {one.goal for one in batch.conflicts} == {TrancheFlags.SAMPLING}
        assert [one.name for one in batch.participants] == ["display", "gpu", "the content"]
        assert (batch.reason, batch.message) == (FailureReason.CONFLICT, "no")
        plans = solve(view().problem(asked)).plans
        assert view().batch(asked, replace(answer, plans=plans)).message == ""
