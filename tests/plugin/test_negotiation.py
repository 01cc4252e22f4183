"""The state behind a negotiation object, without a display, a host or a solver."""

from __future__ import annotations

from dataclasses import replace

import pytest

from heapwire.compositor_plugin.answering import PreparedBatch
from heapwire.compositor_plugin.negotiation import (
    AnswerChange,
    HostState,
    Negotiation,
    NumberedBatch,
)
from heapwire.protocol.values import (
    BufferObject,
    Extent,
    FailureReason,
    Layout,
    LayoutKind,
    Plan,
    PlaneLayout,
    SourceId,
    SourceKind,
)
from heapwire.protocol.wire import (
    KNOWN_BATCHES,
    MAX_SERIAL,
    Access,
    Batch,
    Explanation,
    MisuseError,
    Offer,
    Refusal,
    RefusalCause,
    Tranche,
    TrancheFlags,
)

HEAP = SourceId(SourceKind.HEAP, 250, 0)


def plan(pitch: int = 64, *, scanout: bool = False, count: int = 3) -> Plan:
    layout = Layout(
        kind=LayoutKind.EXACT,
        extent=Extent(16, 16),
        objects=(BufferObject(HEAP, 4096),),
        planes=(PlaneLayout(0, 0, pitch),),
    )
    goal = "scanout" if scanout else "sampling"
    return Plan(fourcc=1, modifier=0, goal=goal, scanout=scanout, layout=layout, buffer_count=count)


def batch(
    *plans: Plan,
    flags: TrancheFlags = TrancheFlags.SAMPLING,
    reason: FailureReason | None = None,
) -> PreparedBatch:
    offers = tuple(Offer(index, one, (Access.CLIENT,)) for index, one in enumerate(plans))
    return PreparedBatch(Batch(tranches=(Tranche(flags=flags, offers=offers),), reason=reason))


def negotiation() -> Negotiation:
    """One that was asked something."""
    made = Negotiation(lambda: HostState(None, frozenset()))
    made.commit(1)
    return made


def answered(made: Negotiation, answer: PreparedBatch) -> NumberedBatch:
    """Answer what is due."""
    failures, due = made.take()
    assert failures == []
    assert due is not None
    return made.conclude(due, answer)


def test_no_answer_is_due_without_a_commit() -> None:
    assert Negotiation(lambda: HostState(None, frozenset())).take() == ([], None)
    made = negotiation()
    assert not made.settled
    first = answered(made, batch())
    assert first.cookie == 1
    assert made.settled
    assert made.take() == ([], None)


def test_only_the_last_of_several_commits_is_solved() -> None:
    made = negotiation()
    answered(made, batch())
    for cookie in (7, 8, 9):
        made.commit(cookie)
    failures, due = made.take()
    assert [(one.cookie, one.batch.content.reason) for one in failures] == [
        (7, FailureReason.SUPERSEDED),
        (8, FailureReason.SUPERSEDED),
    ]
    assert due is not None
    assert made.conclude(due, batch()).cookie == 9


def test_without_a_surface_commits_fail_and_nothing_else_is_due() -> None:
    made = negotiation()
    answered(made, batch())
    made.commit(1)
    made.has_surface = False
    made.commit(2)
    failures, due = made.take()
    assert [(one.cookie, one.batch.content.reason) for one in failures] == [
        (1, FailureReason.NO_SURFACE),
        (2, FailureReason.NO_SURFACE),
    ]
    assert due is None
    assert not made.settled


def test_serials_grow_over_answers_and_failures_alike() -> None:
    made = negotiation()
    serials = [answered(made, batch()).serial]
    made.commit(1)
    made.commit(2)
    failures, due = made.take()
    assert due is not None
    serials += [one.serial for one in failures]
    serials.append(made.conclude(due, batch()).serial)
    serials.append(made.renewed(batch()).serial)
    assert serials == sorted(set(serials))


@pytest.mark.parametrize(
    ("before", "after", "change"),
    [
        (batch(plan()), batch(plan()), AnswerChange.NONE),
        (batch(plan()), batch(plan(128)), AnswerChange.NOW),
        (batch(plan()), batch(plan(), flags=TrancheFlags.SCANOUT), AnswerChange.UPGRADE),
        (batch(plan(), flags=TrancheFlags.SCANOUT), batch(plan()), AnswerChange.NOW),
        (batch(plan()), batch(reason=FailureReason.CONFLICT), AnswerChange.NOW),
        (batch(reason=FailureReason.CONFLICT), batch(plan()), AnswerChange.NOW),
    ],
)
def test_what_an_unasked_answer_is_worth(
    before: PreparedBatch, after: PreparedBatch, change: AnswerChange
) -> None:
    made = negotiation()
    answered(made, before)
    assert made.compare(after) is change


@pytest.mark.parametrize(
    ("level", "change"),
    [
        (Explanation.NONE, AnswerChange.NONE),
        (Explanation.REASONS, AnswerChange.NONE),
        (Explanation.ALL, AnswerChange.NOW),
    ],
)
def test_what_is_not_told_is_no_news(level: Explanation, change: AnswerChange) -> None:
    made = Negotiation(lambda: HostState(None, frozenset()))
    made.state.set_explanation(level)
    made.commit(1)
    told = answered(made, batch(plan()))
    assert told.explanation is level
    refusal = Refusal(
        source=HEAP, cause=RefusalCause.OUTRANKED, participant=0, type=0, planes=0, text="no"
    )
    other = PreparedBatch(replace(batch(plan()).content, refusals=(refusal,)))
    assert made.compare(other) is change


def test_serials_begin_anew_when_there_are_no_more() -> None:
    made = negotiation()
    made._serial = MAX_SERIAL - 1
    assert answered(made, batch(plan())).serial == MAX_SERIAL
    assert made.renewed(batch(plan(128))).serial == 1
    assert made.plan(MAX_SERIAL, 0) == plan()


def test_a_serial_and_a_cookie_make_no_difference() -> None:
    made = negotiation()
    answered(made, batch())
    made.commit(5)
    told = answered(made, batch(plan()))
    assert (told.cookie, told.serial) == (5, 2)
    assert made.compare(batch(plan())) is AnswerChange.NONE


def test_the_plan_in_use_is_kept_rather_than_the_best() -> None:
    made = negotiation()
    told = answered(made, batch(plan(64), plan(128)))
    assert made.renewal()[1] == plan(64)
    made.use_plan(told.serial, 1)
    assert made.renewal()[1] == plan(128)
    for serial, index in ((told.serial, 2), (told.serial + 1, 0), (0, 0)):
        made.use_plan(serial, index)  # none that is known
        assert made.renewal()[1] == plan(128)
    for _ in range(KNOWN_BATCHES + 1):
        made.renewed(batch(plan(64)))
    assert made.renewal()[1] == plan(128), "buffers may live longer than what is known of batches"
    made.use_plan(told.serial + KNOWN_BATCHES, 0)
    assert made.renewal()[1] == plan(64)


def test_as_many_batches_are_known_as_the_protocol_promises() -> None:
    made = negotiation()
    first = answered(made, batch(plan()))
    for _ in range(KNOWN_BATCHES - 1):
        made.renewed(batch(plan()))
    assert made.plan(first.serial, 0) == plan()
    assert made.plan(first.serial, 1) is None
    made.renewed(batch(plan()))
    assert made.plan(first.serial, 0) is None


def test_a_misused_commit_changes_nothing() -> None:
    made = negotiation()
    answered(made, batch())
    with pytest.raises(MisuseError):
        made.commit(0)
    assert made.take() == ([], None)
