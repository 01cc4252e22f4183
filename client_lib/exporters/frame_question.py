"""Whether a frame that exists is good as it is, and what would have to change."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TypeVar

from heapwire.client_lib.exporters.exported_frame import ExportedFrame
from heapwire.protocol.late_dataclasses import replace
from heapwire.protocol.solver import substitutes_of
from heapwire.protocol.values import (
    PEER_LINK,
    PERMITTED_SOURCES,
    Constraint,
    ConstraintSet,
    FormatModifier,
    Participant,
    Problem,
    Provenance,
    Source,
    SourceId,
    Topology,
)

T = TypeVar("T")


def frame_problem(problem: Problem, frame: ExportedFrame) -> Problem:
    """A problem, asked of a frame that exists: `solve` answers it.

    A plan of the answer says that the frame is good as it is, and for which goal; where there
    is none the conflict names what it lacks, and the nearest numbers that would do. The
    problem itself says what to allocate in its place. What the problem knows of a source counts
    for more than what the frame tells, which is taken where the problem does not know; of the
    other sources there is none that a frame which exists could come from.
    """
    known = {source.id: source for source in problem.sources}
    sources = tuple(
        _completed(known[told.id], told) if told.id in known else told for told in frame.sources
    )
    served = _served_by(sources, known)

    def asked(participants: Iterable[Participant]) -> tuple[Participant, ...]:
        return tuple(
            _within_reach(participant, frame.format, sources, problem.topology)
            for participant in _taking(participants, served)
        )

    goals = (replace(goal, participants=asked(goal.participants)) for goal in problem.goals)
    return replace(
        problem,
        participants=asked(problem.participants),
        goals=tuple(goals),
        fixed=frame.fixed,
        sources=sources,
    )


def _served_by(
    sources: Iterable[Source], known: Mapping[SourceId, Source]
) -> dict[SourceId, frozenset[SourceId]]:
    """For each of some sources those of a machine in whose place it always serves."""
    everything = {**known, **{source.id: source for source in sources}}
    substitutes = substitutes_of(tuple(everything.values()))
    return {
        source.id: frozenset(one for one in known if source.id in substitutes.get(one, ()))
        for source in sources
    }


def _taking(
    participants: Iterable[Participant], served: Mapping[SourceId, frozenset[SourceId]]
) -> tuple[Participant, ...]:
    """Participants who take a source where they take one in whose place it serves.

    The solver does that by the sources of a problem, and those that are served are none of its.
    """

    def taking(constraint: Constraint) -> Constraint:
        permitted = PERMITTED_SOURCES.of(constraint) or ()
        new = tuple(one for one in served if one not in permitted and served[one] & {*permitted})
        return replace(constraint, value=(*permitted, *new)) if new else constraint

    return tuple(
        replace(
            participant,
            sets=tuple(
                replace(one, constraints=tuple(taking(each) for each in one.constraints))
                for one in participant.sets
            ),
        )
        for participant in participants
    )


def _within_reach(
    participant: Participant,
    pair: FormatModifier,
    sources: Iterable[Source],
    topology: Topology,
) -> Participant:
    """A participant who takes memory of another device only as a peer of it, or by its name.

    What the CPU cannot map has no pages that just any driver could use: its exporter lets in who
    reads a device's own memory over the bus, and where the bus is made so (NVIDIA's
    open-gpu-kernel-modules, nv-dmabuf.c, nv_dma_buf_attach). Who is, nobody tells.
    """
    device = participant.device
    if device is None:  # the CPU, which needs what it can map
        return participant
    far = {
        source.id
        for source in sources
        if not source.mappable
        and (source.device_local is None or not topology.linked(source.device_local, device))
    }
    as_peer = Constraint(
        type=PEER_LINK.type, value=((device, 1),), provenance=Provenance.PRESUMPTION
    )

    def held(entry: ConstraintSet) -> ConstraintSet:
        named = {
            source
            for constraint in entry.constraints
            for source in PERMITTED_SOURCES.of(constraint) or ()
        }
        return entry if far <= named else replace(entry, constraints=(*entry.constraints, as_peer))

    sets = participant.sets or (ConstraintSet(formats=(pair,)),)
    return replace(participant, sets=tuple(map(held, sets))) if far else participant


def _completed(known: Source, told: Source) -> Source:
    """A source of a machine, with what only the frame tells of it.

    Of what a device allocates itself a machine may know no more than that it does.
    """
    new = {name: rung for name, rung in told.provenance.items() if name not in known.provenance}
    return replace(
        known,
        contiguous=_either(known.contiguous, told.contiguous),
        cached=_either(known.cached, told.cached),
        address_range=_either(known.address_range, told.address_range),
        capacity=_either(known.capacity, told.capacity),
        numa_node=_either(known.numa_node, told.numa_node),
        device_local=_either(known.device_local, told.device_local),
        substitutes_for=known.substitutes_for or told.substitutes_for,
        # That the CPU reaches it is a machine's word for memory that nobody has looked at.
        protected=known.protected or told.protected,
        mappable=known.mappable and told.mappable,
        provenance=new | {**known.provenance},
    )


def _either(known: T | None, told: T | None) -> T | None:
    return told if known is None else known
