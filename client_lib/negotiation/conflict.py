"""A negotiation without a plan, as exceptions that say who wants what."""

from __future__ import annotations

from collections.abc import Mapping

from heapwire.protocol import NotPossibleError
from heapwire.protocol.late_dataclasses import dataclass
from heapwire.protocol.values import MAX_PLANES, REGISTRY, FailureReason, Value
from heapwire.protocol.wire import Batch, ConflictEntry


@dataclass(frozen=True, slots=True, kw_only=True)
class Contradiction:
    """One of the requirements that cannot all be met.

    This is a `ConflictEntry` of a batch for people and programs that know no ids: the
    participant by its name, the type by that of its row.

    `participant` is its name. `constraint` is the name of the type in the
    registry, or its number; None when the participant's list of formats stands
    in the way, and `value` is then None. `planes` lists the planes it is about,
    none for the buffer as a whole. `goal` is "scanout", "sampling" or "scanout or black".
    """

    goal: str
    participant: str
    constraint: str | None
    planes: tuple[int, ...]
    value: Value | None
    text: str

    def __str__(self) -> str:
        what = self.constraint or "formats"
        if self.planes:
            what += f" of plane {' and '.join(map(str, self.planes))}"
        return f"{self.participant}: {what}: {self.text}"


class NegotiationError(NotPossibleError):
    """There is no plan. `batch` is the answer, `reason` why."""

    def __init__(self, batch: Batch) -> None:
        assert batch.reason is not None
        self.batch = batch
        self.reason: FailureReason = batch.reason
        text = _SENTENCES[self.reason]
        told = batch.message not in ("", text)
        super().__init__(f"{text}: {batch.message}" if told else text)


class ConflictError(NegotiationError):
    """Requirements contradict each other; nobody's fault, and here is whose they are.

    `entries` is a smallest set: without any one of them, the others could be met. Only where
    the batch's message says "not proved minimal" some may not be needed for the contradiction.
    """

    def __init__(self, batch: Batch, entries: tuple[Contradiction, ...]) -> None:
        super().__init__(batch)
        self.entries = entries

    def __str__(self) -> str:
        return "\n".join([super().__str__(), *(f"  {entry}" for entry in self.entries)])


_SENTENCES: Mapping[FailureReason, str] = {
    FailureReason.CONFLICT: "no memory suits everyone",
    FailureReason.NO_FORMAT: "no pixel format and modifier that everyone can use",
    FailureReason.NO_SOURCE: "there is no source of memory",
    FailureReason.TOO_COMPLEX: "finding out would take more steps than are spent on one question",
    FailureReason.SUPERSEDED: "a later commit came before the answer",
    FailureReason.NO_SURFACE: "the surface has been destroyed",
    FailureReason.INTERNAL: "the compositor failed to find out; it may be tried again",
    FailureReason.BUSY: "the compositor had no time to find out",
}


def contradictions(batch: Batch, names: Mapping[int, str]) -> tuple[Contradiction, ...]:
    """A batch's conflicts, with the participants' ids turned into names.

    A batch with plans has some too, where a better kind of tranche was not to
    be had: they say what stands between the buffer and scanout.
    """
    return tuple(_contradiction(entry, names) for entry in batch.conflicts)


def negotiation_error(batch: Batch, names: Mapping[int, str]) -> NegotiationError:
    """The exception that a failed batch is."""
    if batch.conflicts:
        return ConflictError(batch, contradictions(batch, names))
    return NegotiationError(batch)


def _contradiction(entry: ConflictEntry, names: Mapping[int, str]) -> Contradiction:
    row = REGISTRY.get(entry.type)
    name = row.name if row is not None else f"{entry.type:#010x}"
    return Contradiction(
        goal=entry.goal.goal,
        participant=names.get(entry.participant, f"participant {entry.participant:#x}"),
        constraint=name if entry.type else None,
        planes=tuple(plane for plane in range(MAX_PLANES) if entry.planes >> plane & 1),
        value=entry.value if entry.type else None,
        text=entry.text,
    )
