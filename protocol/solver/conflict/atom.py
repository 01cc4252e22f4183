"""What a conflict is made of: the requirements that can be dropped one by one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from heapwire.protocol.late_dataclasses import dataclass
from heapwire.protocol.solver.prepared_participant import CONTENT, STREAM, PreparedParticipant
from heapwire.protocol.values import REGISTRY, Constraint


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


def alike_of(atoms: Sequence[Atom], heard: int) -> list[int]:
    """For each requirement the mask of the first that says the same, whoever does.

    What is of no case, since nobody else knows the pairs that it is said of, is like no other.
    """
    firsts: dict[object, int] = {}
    alike = []
    for number, atom in enumerate(atoms):
        c, bit = atom.constraint, 1 << number
        said = None if c is None else (c.type, c.planes, c.value, c.must_understand)
        alike.append(firsts.setdefault(said, bit) if heard & bit else bit)
    return alike


def matters(atom: Atom, *, spoken_of: bool) -> bool:
    """Whether a requirement can have part in a conflict.

    A condition does not merge. What is of an unknown type, and need not be understood, is
    carried on; it only tells, where planes are `spoken_of`, that there is such a plane.
    """
    constraint = atom.constraint
    if constraint is None:
        return True
    row = REGISTRY.get(constraint.type)
    if row is None:
        return constraint.must_understand or (spoken_of and constraint.planes != 0)
    return not row.condition or (spoken_of and constraint.planes != 0)


def bits_of(mask: int) -> list[int]:
    """The masks of the single requirements in a mask, in their order."""
    bits = []
    while mask:
        bit = mask & -mask
        bits.append(bit)
        mask ^= bit
    return bits
