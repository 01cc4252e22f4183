"""What a conflict is made of: the requirements that can be dropped one by one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from heapwire.protocol.late_dataclasses import dataclass
from heapwire.protocol.solver.prepared_participant import CONTENT, STREAM, PreparedParticipant
from heapwire.protocol.values import Constraint


@dataclass(frozen=True, slots=True)
class Atom:
    """One thing that can be dropped; without a constraint it is the stream's amount."""

    participant: str
    constraint: Constraint | None


STREAM_ATOM: Final = Atom(STREAM, None)
"""That all the buffers have to fit at the same time."""


def atoms_of(participants: Sequence[PreparedParticipant]) -> list[Atom]:
    """Everything that can be dropped, in the order in which that is tried."""
    atoms = {
        Atom(participant.name, constraint)
        for participant in participants
        for position in participant.positions
        for constraint in participant.constraints(position)
    }
    return [STREAM_ATOM, *sorted(atoms, key=atom_order)]


def atom_order(atom: Atom) -> tuple[bool, str, int, int, str, bool, int]:
    """A total order: what the content and the stream say first, then by name and type."""
    constraint = atom.constraint
    first = atom.participant not in (CONTENT, STREAM)
    if constraint is None:
        return first, atom.participant, -1, 0, "", False, 0
    return (
        first,
        atom.participant,
        constraint.type,
        constraint.planes,
        constraint.value_in_order,
        constraint.must_understand,
        constraint.provenance,
    )
