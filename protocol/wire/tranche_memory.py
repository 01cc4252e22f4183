"""What `xx_dmabuf_feedback_sources_v1` says of a tranche: where its memory can come from.

The compositor has it in `TrancheMemory` and sends `memory_events`; a client's `MemoryDecoder`
makes equal values of them, but for where a constraint comes from: of that only a guess is told
from the rest.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from heapwire.protocol.errors import PeerError
from heapwire.protocol.late_dataclasses import dataclass
from heapwire.protocol.values import (
    INVALID,
    LINEAR,
    Constraint,
    ConstraintSet,
    FormatModifier,
    Provenance,
    SourceId,
)
from heapwire.protocol.wire.array import decode_indices, decode_source, index_chunks
from heapwire.protocol.wire.batch_encoder import Event
from heapwire.protocol.wire.bindings import FeedbackSourcesBatch, FeedbackSourcesFlag
from heapwire.protocol.wire.constraint_value import decode_value, encode_value
from heapwire.protocol.wire.limits import VALUE_BYTES

MOST_SETS = 4096
"""Sets of a tranche that a client takes."""
MOST_CONSTRAINTS = 256
"""Constraints of a set that a client takes."""
MOST_TRANCHES = 256
"""Tranches of a batch that a client takes."""
MOST_SOURCES = 4096
"""Sources of a tranche that a client takes."""


@dataclass(frozen=True, slots=True)
class DeviceSet:
    """A set that one of a tranche's devices requires; `device` tells them apart.

    Sets of one device with the same pair are alternatives.
    """

    device: int
    set: ConstraintSet


@dataclass(frozen=True, slots=True)
class TrancheMemory:
    """The sources that a tranche's devices can use, the best first, and what they require.

    Without `sources` it is not known which they can use.
    """

    sources: tuple[SourceId, ...] = ()
    sets: tuple[DeviceSet, ...] = ()


@dataclass(frozen=True, slots=True)
class ToldTranche:
    """What was said of a tranche, before it is known which pairs it has."""

    sources: tuple[SourceId, ...]
    sets: tuple[tuple[int, tuple[int, ...], tuple[Constraint, ...]], ...]
    """Each with its device, indices (none: of all pairs) and constraints."""

    def memory(
        self, pairs: tuple[FormatModifier, ...], table: Sequence[FormatModifier]
    ) -> TrancheMemory:
        """What that is for a tranche with these pairs; raises `PeerError` for a wrong index."""
        sets = []
        for device, indices, constraints in self.sets:
            if any(index >= len(table) for index in indices):
                raise PeerError(f"format {max(indices)} of a table with {len(table)} entries")
            formats = tuple(dict.fromkeys(table[index] for index in indices)) or pairs
            sets.append(DeviceSet(device, ConstraintSet(formats=formats, constraints=constraints)))
        return TrancheMemory(self.sources, tuple(sets))


def memory_events(
    memory: TrancheMemory,
    pairs: tuple[FormatModifier, ...],
    table: Mapping[FormatModifier, int],
) -> Iterator[Event]:
    """The events of a tranche with these pairs, `tranche_done` the last.

    `table` has the index of each pair. A set that holds for no pair of the tranche is left out.
    """
    for source in memory.sources:
        yield "tranche_source", (source.kind, source.major, source.minor)
    for entry in memory.sets:
        held = covered(entry.set.formats, pairs)
        if not held:
            continue  # without indices it would be for all pairs
        chunks = [b""] if held == pairs else index_chunks([table[pair] for pair in held])
        for chunk in chunks:
            yield "tranche_set", (entry.device, chunk)
            for constraint in entry.set.constraints:
                flags = FeedbackSourcesFlag.MUST_UNDERSTAND * constraint.must_understand
                if constraint.provenance is Provenance.PRESUMPTION:
                    flags |= FeedbackSourcesFlag.PRESUMED
                value = encode_value(constraint.type, constraint.value)
                yield "tranche_constraint", (constraint.type, constraint.planes, flags, value)
    yield "tranche_done", ()


def covered(
    formats: Sequence[FormatModifier], pairs: tuple[FormatModifier, ...]
) -> tuple[FormatModifier, ...]:
    """Those of a tranche's pairs that a set's formats have.

    A pair without a modifier is laid out in rows, where it is not its own driver that allocates:
    what is required of linear buffers is required of it.
    """
    own = set(formats)
    return tuple(
        pair
        for pair in pairs
        if pair in own or (pair.modifier == INVALID and FormatModifier(pair.fourcc, LINEAR) in own)
    )


class MemoryDecoder:
    """Takes events; `done` gives what they amount to, tranche by tranche.

    Every method but the constructor is an event and raises `PeerError` for what the protocol
    does not allow.
    """

    def __init__(self) -> None:
        self._tranches: list[ToldTranche] = []
        self._sources: dict[SourceId, None] = {}
        self._sets: list[tuple[int, tuple[int, ...], tuple[Constraint, ...]]] = []

    def tranche_source(self, kind: int, major: int, minor: int) -> None:
        """A source; the best comes first."""
        self._sources[decode_source(kind, major, minor)] = None
        _bound(len(self._sources), MOST_SOURCES, "sources of a tranche")

    def tranche_set(self, device: int, indices: bytes) -> None:
        """The constraints that follow are a device's, for the pairs of some indices."""
        self._sets.append((device, decode_indices(indices), ()))
        _bound(len(self._sets), MOST_SETS, "sets of a tranche")

    def tranche_constraint(self, type_: int, planes: int, flags: int, raw: bytes) -> None:
        """A constraint of the set."""
        if not self._sets:
            raise PeerError("a constraint before any set")
        if len(raw) > VALUE_BYTES:
            raise PeerError(f"a value of {len(raw)} bytes: {VALUE_BYTES} is the most")
        presumed = bool(flags & FeedbackSourcesFlag.PRESUMED)
        constraint = Constraint(
            type=type_,
            value=decode_value(type_, raw),
            planes=planes,
            must_understand=bool(flags & FeedbackSourcesFlag.MUST_UNDERSTAND),
            provenance=Provenance.PRESUMPTION if presumed else Provenance.UNCHECKED,
        )
        device, indices, constraints = self._sets[-1]
        _bound(len(constraints) + 1, MOST_CONSTRAINTS, "constraints of a set")
        self._sets[-1] = (device, indices, (*constraints, constraint))

    def tranche_done(self) -> None:
        """The tranche is complete."""
        self._tranches.append(ToldTranche(tuple(self._sources), tuple(self._sets)))
        self._sources, self._sets = {}, []
        _bound(len(self._tranches), MOST_TRANCHES, "tranches")

    def done(self, batch: int) -> tuple[FeedbackSourcesBatch, tuple[ToldTranche, ...]]:
        """All tranches have been told of, and of which batch they are."""
        if self._sources or self._sets:
            raise PeerError("done in the middle of a tranche")
        if batch not in list(FeedbackSourcesBatch):
            raise PeerError(f"a batch {batch}, which is neither the last nor the next")
        tranches, self._tranches = tuple(self._tranches), []
        return FeedbackSourcesBatch(batch), tranches


def _bound(number: int, most: int, what: str) -> None:
    if number > most:
        raise PeerError(f"more than {most} {what}")
