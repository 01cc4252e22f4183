"""What a goal's own participants can use, before a client joins them."""

from __future__ import annotations

from heapwire.protocol.solver.demand import BOTTOM, join
from heapwire.protocol.solver.layout import class_of
from heapwire.protocol.solver.prepared_goal import RankedSources, prepared_goals
from heapwire.protocol.solver.prepared_participant import stand_ins
from heapwire.protocol.solver.search import Search
from heapwire.protocol.solver.step_budget import StepBudget, TooComplexError
from heapwire.protocol.values import (
    ANY_FOURCC,
    ANY_MODIFIER,
    ConstraintSet,
    Extent,
    Extents,
    FormatModifier,
    Goal,
    Problem,
    Source,
    Topology,
    plane_count,
)


def usable_sources(
    goal: Goal, sources: tuple[Source, ...], topology: Topology
) -> tuple[Source, ...]:
    """The sources that can serve at least one plane of one pair, the least scarce first.

    Sizes are left out of account: they are the client's to say.
    """
    problem = Problem(
        participants=(),
        goals=(goal,),
        sources=sources,
        extents=Extents(coded=Extent(1, 1)),
        topology=topology,
    )
    budget = StepBudget()
    usable = 0
    try:
        (prepared,) = prepared_goals(problem, budget)
        ranked = prepared.sources
        for choice, pairs in Search(prepared).choices():
            for planes, opaque in {_shape(pair) for pair in pairs}:
                budget.spend(len(prepared.participants))
                demand = join(
                    participant.demand(position, planes)
                    for participant, position in zip(
                        prepared.participants, choice.sets, strict=True
                    )
                )
                if demand is not BOTTOM:
                    able = ranked.laying_out if opaque else prepared.check.everything
                    for mask in prepared.check.domains(demand, planes):
                        usable |= mask & able
    except TooComplexError:
        return RankedSources(sources).sources  # too many ways: any may serve
    return tuple(source for position, source in enumerate(ranked.sources) if usable >> position & 1)


def _shape(pair: FormatModifier) -> tuple[int, bool]:
    """How many planes a pair has, and whether only a driver knows its layout."""
    return plane_count(*pair) or 1, class_of(pair) is None


def common_formats(goal: Goal) -> tuple[FormatModifier, ...]:
    """The pairs that every participant of a goal can use, in ascending order."""
    offers = [
        {pair for constraint_set in participant.sets for pair in constraint_set.formats}
        for participant in goal.participants
        if participant.sets  # one without sets can use anything
    ]
    concrete = {pair for offered in offers for pair in offered if _is_concrete(pair)}
    return tuple(
        sorted(pair for pair in concrete if all(_covers(offered, pair) for offered in offers))
    )


def spelled_out(constraint_set: ConstraintSet, pairs: tuple[FormatModifier, ...]) -> ConstraintSet:
    """A set with those of some pairs that it covers, where its own stand for others."""
    if all(map(_is_concrete, constraint_set.formats)):
        return constraint_set
    own = set(constraint_set.formats)
    named = {pair for pair in pairs if _covers(own, pair)} | set(filter(_is_concrete, own))
    return ConstraintSet(formats=tuple(sorted(named)), constraints=constraint_set.constraints)


def _is_concrete(pair: FormatModifier) -> bool:
    return pair.fourcc != ANY_FOURCC and pair.modifier != ANY_MODIFIER


def _covers(offered: set[FormatModifier], pair: FormatModifier) -> bool:
    """Whether some pairs have this one, by name or by what stands for it."""
    return not offered.isdisjoint(stand_ins(pair))
