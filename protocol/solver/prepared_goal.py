"""One goal of a problem, and the sources in the order in which they are given away.

Everything is made ready here that the answer depends on.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Hashable, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Final

from heapwire.protocol.late_dataclasses import dataclass, replace
from heapwire.protocol.make_room import forget_one
from heapwire.protocol.solver.assignment import Assignment
from heapwire.protocol.solver.demand import UINT_MAX, Bottom, Demand, MergedValue, SourceCheck
from heapwire.protocol.solver.known_sets import KnownSets
from heapwire.protocol.solver.prepared_participant import (
    PreparedParticipant,
    prepared,
    prepared_content,
    substitutes_of,
    with_higher_columns,
    without_wildcards,
)
from heapwire.protocol.solver.recollection import Recollection
from heapwire.protocol.solver.set_choice import Common
from heapwire.protocol.solver.step_budget import StepBudget
from heapwire.protocol.values import Problem, Source, SourceId, SourceKind, Topology

if TYPE_CHECKING:
    from heapwire.protocol.solver.recorded_search import RecordedSearch

_KNOWN: Final = 64  # of each kind of thing: clients can make up any number
_WORDED: Final = 16  # choices of sets: a sentence may list all sources that there are
_MACHINES: Final = 8  # as many as differ in what clients may have of one, and those that are gone


@dataclass(frozen=True, slots=True, eq=False)
class PreparedGoal:
    """What the solver is asked for one goal.

    `participants` are the client's, the goal's own and the content, by name and
    the content last. `heeds_capacity`: buffers have to fit into their heaps
    (a conflict is looked for with and without that). `budget` is what all the
    goals of a problem may cost together; they share `check`, and `assignments`, which keeps
    what was worked out for groups with the same demands on memory.
    """

    problem: Problem
    sources: RankedSources
    check: SourceCheck
    assignments: dict[object, list[Assignment]]
    participants: Sequence[PreparedParticipant]
    budget: StepBudget
    name: str = ""
    scanout: bool = False
    heeds_capacity: bool = True

    def with_participants(self, participants: Sequence[PreparedParticipant]) -> PreparedGoal:
        """The same goal for others."""
        return replace(self, participants=participants)

    def whatever_its_size(self) -> PreparedGoal:
        """The same goal, for buffers that every heap has room for."""
        return replace(self, heeds_capacity=False)


def prepared_goals(
    problem: Problem, budget: StepBudget, memory: SolverMemory | None = None
) -> list[PreparedGoal]:
    """The goals of a problem in their order; they share what does not depend on the goal.

    Raises `TooComplexError` when the steps end.
    """
    sources = (memory or SolverMemory()).ranked(problem)
    check = SourceCheck(sources.sources, problem.topology, budget, sources.meeting)
    assignments: dict[object, list[Assignment]] = {}
    substitutes = sources.substitutes
    clients = [
        prepared(participant, problem, substitutes, budget, sources.sets)
        for participant in problem.participants
    ]
    content = prepared_content(problem.content, budget)
    goals = []
    for goal in problem.goals:
        participants = [
            *clients,
            *(
                prepared(participant, problem, substitutes, budget, sources.sets)
                for participant in goal.participants
            ),
        ]
        # By name, so that nothing depends on who came first.
        participants.sort(key=lambda participant: participant.name)
        participants.append(content)
        participants = with_higher_columns(participants, problem, budget)
        goals.append(
            PreparedGoal(
                problem=problem,
                sources=sources,
                check=check,
                assignments=assignments,
                participants=without_wildcards(participants, budget),
                budget=budget,
                name=goal.name,
                scanout=goal.scanout,
            )
        )
    return goals


class RankedSources:
    """The sources of a problem in the order of their scarcity, and what is known with them.

    The order is total, so that a tie never depends on the order of arrival. The
    place of a source is its position in `sources`. What is known is the same whatever is asked:
    which sources are `meeting` a value, what `sets` say, what they have in `common`, what is
    `merged` of them and how it is `placed`; what a search has come to, as it was `recorded`; and
    the `words` of who explains it.
    """

    def __init__(self, sources: tuple[Source, ...]) -> None:
        self.sources = tuple(sorted(sources, key=_scarcity))
        self.substitutes = substitutes_of(sources)
        self.meeting: dict[tuple[int, MergedValue], int] = {}
        self.sets = KnownSets()
        self.common: Recollection[Common] = Recollection(_KNOWN)
        self.merged: Recollection[Demand | Bottom] = Recollection(_KNOWN)
        self.placed: Recollection[list[Assignment]] = Recollection(_KNOWN)
        self.recorded: dict[Hashable, RecordedSearch] = {}
        self.words: Recollection[object] = Recollection(_WORDED)
        self.ids = tuple(source.id for source in self.sources)
        self.position = {source.id: place for place, source in enumerate(self.sources)}
        self.scarcity = tuple(range(len(self.sources)))

    def forget_one(self) -> bool:
        """Let one of each kind of what is known go; False when nothing is left."""
        recollections = (self.sets, self.common, self.merged, self.placed, self.words)
        left = [kept.forget_one() for kept in recollections]
        return any((*left, forget_one(self.meeting), forget_one(self.recorded)))

    @cached_property
    def overlapping(self) -> tuple[frozenset[int], ...]:
        """For each source the places of those that are the same memory, itself included."""
        # Of most nothing is known by which they could be another's: these need no comparing.
        known = [
            place
            for place, source in enumerate(self.sources)
            if source.area or (source.address_range is not None and source.capacity is not None)
        ]
        return tuple(
            frozenset((place, *(one for one in known if source.overlaps(self.sources[one]))))
            if place in known
            else frozenset((place,))
            for place, source in enumerate(self.sources)
        )

    @cached_property
    def laying_out(self) -> int:
        """The sources, as a mask, that may know layouts of which only a driver knows.

        A heap decides no layout, and who lays out rows knows of nothing else.
        """
        return sum(
            1 << place
            for place, source in enumerate(self.sources)
            if source.id.kind is SourceKind.DEVICE and not source.rows_only
        )

    def scarcity_of(self, *, clean: bool) -> tuple[int, ...]:
        """How scarce each source is.

        Memory that somebody has to clean comes after what needs no cleaning (`clean`).
        """
        if not clean:
            return self.scarcity
        count = len(self.sources)
        return tuple(
            place + count * (source.cached is not False)
            for place, source in enumerate(self.sources)
        )

    def with_room_for(self, size: int) -> int:
        """The sources, as a mask, that can hold so many bytes."""
        return sum(
            1 << place
            for place, source in enumerate(self.sources)
            if source.capacity is None or source.capacity >= size
        )


class SolverMemory:
    """What one who asks again and again keeps of the machines that are asked about.

    The sources and the topology of a problem are recognised by what they are, and not by what
    they say: a problem of the same machine has the very same. For one thread.

    What was known of a machine that is asked about no more goes bit by bit, with the questions
    that come: a client decides how many machines there are, by what it says it can open.
    """

    def __init__(self) -> None:
        self._ranked: dict[int, tuple[tuple[Source, ...], Topology, RankedSources]] = {}
        self._gone: deque[RankedSources] = deque()

    def ranked(self, problem: Problem) -> RankedSources:
        """The sources of a problem, with what is known with them."""
        self._forget_gone()
        sources, topology = problem.sources, problem.topology
        known = self._ranked.get(id(sources))
        if known is not None and known[1] is topology:
            return known[2]
        if len(self._ranked) >= _MACHINES:
            self._gone.append(self._ranked.pop(next(iter(self._ranked)))[2])
            if len(self._gone) > _MACHINES:
                self._gone.popleft()
        ranked = RankedSources(sources)
        self._ranked[id(sources)] = (sources, topology, ranked)
        return ranked

    def forget_some(self) -> bool:
        """Let a little of all go, where nobody will ask any more; False when nothing is left."""
        self._gone.extend(ranked for _, _, ranked in self._ranked.values())
        self._ranked.clear()
        return self._forget_gone()

    def _forget_gone(self) -> bool:
        if self._gone and not self._gone[0].forget_one():
            self._gone.popleft()
        return bool(self._gone)


def _scarcity(source: Source) -> tuple[int, int, str, SourceId]:
    """Ordinary memory, udmabuf's pages, contiguous, a device's own, protected.

    Pages are pages: udmabuf's are what a desktop may open, and count against whoever takes them.
    """
    if source.id.kind is SourceKind.UDMABUF:
        rank = 1
    elif source.protected:
        rank = 5
    elif source.device_local is not None:
        rank = 4
    elif source.id.kind is SourceKind.DEVICE:
        rank = 3
    else:
        rank = 0 if source.contiguous is False else 2
    return rank, -(source.capacity or UINT_MAX), source.name, source.id
