"""What a commit asks about: participants that come, are replaced and go, sizes and goals."""

from __future__ import annotations

from heapwire.client_lib.compliance.case import CaseGroup
from heapwire.client_lib.compliance.negotiation_batch import SAMPLING, SCANOUT
from heapwire.client_lib.compliance.probe import HEIGHT, WIDTH, Probe
from heapwire.client_lib.compliance.question import Question
from heapwire.client_lib.compliance.verdict import DeviationError
from heapwire.protocol.values import LINEAR, FormatModifier

GROUP = CaseGroup("negotiation")

_NOBODYS = (FormatModifier(0x7F00_0001, LINEAR),)
_IN_THE_WAY, _PLAIN = 1, 2


def _obstructed(probe: Probe) -> Question:
    """Two participants, of which one leaves no plan; without it there was one."""
    question = Question(probe)
    question.participant(_PLAIN, question.set())
    question.extents()
    question.send("commit", 1)
    question.planned(1)
    question.participant(_IN_THE_WAY, question.set(pairs=_NOBODYS))
    question.send("commit", 2)
    if question.answer(2).plans:
        raise DeviationError(expected="no plan: a participant has no pair of these", seen="plans")
    return question


def _expect_plans(question: Question) -> None:
    question.send("commit", 3)
    if not question.answer(3).plans:
        raise DeviationError(expected="plans, as without that participant", seen="none")


@GROUP.case("replaced")
def replaced(probe: Probe) -> None:
    """A participant that is set again has no alternatives, and without one it can use anything."""
    question = _obstructed(probe)
    question.participant(_IN_THE_WAY)
    _expect_plans(question)


@GROUP.case("removed")
def removed(probe: Probe) -> None:
    """What a participant required is required no more when it is removed."""
    question = _obstructed(probe)
    question.send("remove_participant", _IN_THE_WAY)
    _expect_plans(question)


@GROUP.case("maximum")
def maximum(probe: Probe) -> None:
    """The buffers have room for pictures of the maximum size."""
    question = Question(probe)
    question.participant(1, question.set())
    width, height = 2 * WIDTH, 3 * HEIGHT
    question.send("set_extents", WIDTH, HEIGHT, 0, 0, width, height)
    question.send("commit", 1)
    for plan in question.planned().plans:
        if plan.width < width or plan.height < height:
            raise DeviationError(
                expected=f"room for {width}x{height}", seen=f"{plan.width}x{plan.height}"
            )


@GROUP.case("default-goal")
def default_goal(probe: Probe) -> None:
    """Without a surface, plans are for buffers that the compositor samples."""
    question = Question(probe)
    question.ask_plainly()
    for plan in question.planned().plans:
        if not plan.goal & SAMPLING or plan.goal & SCANOUT:
            raise DeviationError(expected="the goal sampling", seen=f"{plan.goal:#x}")
