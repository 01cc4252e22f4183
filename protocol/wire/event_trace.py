"""What a client was told, as a file: the events of one negotiation, and what they said.

A compositor's capture holds problems and is solved again (explain/capture.py). A
client knows neither the machine nor the host, so its capture holds the events
as they came, and is decoded again: the batches must be the same to the byte.
"""

from __future__ import annotations

from collections.abc import Iterable

from heapwire.protocol.errors import InputError, shown
from heapwire.protocol.explain import Document, Json, canonical, to_json
from heapwire.protocol.late_dataclasses import dataclass
from heapwire.protocol.wire.batch import Batch
from heapwire.protocol.wire.batch_decoder import BatchDecoder
from heapwire.protocol.wire.batch_encoder import Event
from heapwire.protocol.wire.bindings import XX_DMABUF_NEGOTIATION_V1
from heapwire.protocol.wire.interface import ArgumentKind

SCHEMA_VERSION = 1
TRACE_KIND = "heapwire exchange"
"""What the `kind` of such a file is."""

_EVENTS = {
    event.name: tuple(argument.kind for argument in event.arguments)
    for event in XX_DMABUF_NEGOTIATION_V1.events
}


@dataclass(frozen=True, slots=True)
class EventTrace:
    """The events of a capture, and the text of the batches that they made."""

    events: tuple[Event, ...]
    recorded: str


def decode(events: Iterable[Event]) -> tuple[Batch, ...]:
    """The batches that events make; raises `PeerError` as the client would."""
    decoder = BatchDecoder()
    batches: list[Batch] = []
    for name, values in events:
        batch = getattr(decoder, name)(*values)
        if isinstance(batch, Batch):
            batches.append(batch)
    return tuple(batches)


def trace_document(events: Iterable[Event]) -> Document:
    """The content of a capture file."""
    kept = [event for event in events if event[0] in _EVENTS]
    written: list[Json] = [[name, *map(_written, values)] for name, values in kept]
    return {
        "schema_version": SCHEMA_VERSION,
        "kind": TRACE_KIND,
        "events": written,
        "batches": to_json(decode(kept)),
    }


def parse_trace(document: Document) -> EventTrace:
    """The trace of a capture file; `InputError` says what is wrong with it."""
    if document.get("kind") != TRACE_KIND or document.get("schema_version") != SCHEMA_VERSION:
        raise InputError(f"this is not a {TRACE_KIND} of schema_version {SCHEMA_VERSION}")
    entries = document.get("events")
    if not isinstance(entries, list):
        raise InputError("it has no list of events")
    events = tuple(_event(number, entry) for number, entry in enumerate(entries))
    return EventTrace(events, canonical(document.get("batches")))


def trace_differences(trace: EventTrace) -> tuple[str, str] | None:
    """The recorded batches and today's, as text; None if they are the same to the byte."""
    now = canonical(to_json(decode(trace.events)))
    return None if now == trace.recorded else (trace.recorded, now)


def _written(value: int | str | bytes) -> Json:
    return {"bytes": value.hex()} if isinstance(value, bytes) else value


def _event(number: int, entry: Json) -> Event:
    match entry:
        case [str(name), *values] if name in _EVENTS:
            kinds = _EVENTS[name]
            if len(values) != len(kinds):
                counts = f"{len(values)} arguments, not {len(kinds)}"
                raise InputError(f"events[{number}]: {name} with {counts}")
            pairs = zip(kinds, values, strict=True)
            return name, tuple([_value(number, kind, value) for kind, value in pairs])
    raise InputError(f"events[{number}] is no event of a negotiation")


def _value(number: int, kind: ArgumentKind, value: Json) -> int | str | bytes:
    match kind, value:
        case (ArgumentKind.ARRAY, {"bytes": str(text)}):
            try:
                return bytes.fromhex(text)
            except ValueError:
                raise InputError(f"events[{number}]: {shown(text)} is not bytes in hex") from None
        case ArgumentKind.STRING, str(text):
            return text
        case ArgumentKind.INT, int(signed) if -(1 << 31) <= signed < 1 << 31:
            return signed
        case ArgumentKind.UINT, int(unsigned) if 0 <= unsigned < 1 << 32:
            return unsigned
    raise InputError(f"events[{number}]: {shown(value)} is no argument of the kind {kind.value}")
