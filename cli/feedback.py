"""Show what a compositor offers: its memory, formats, devices and constraints."""

from __future__ import annotations

import argparse
from collections.abc import Iterator

from heapwire.cli.arguments import add_json
from heapwire.cli.output import SCHEMA_VERSION, documents, show, texts
from heapwire.cli.status import DONE
from heapwire.client_lib.negotiation import HeapManager
from heapwire.client_lib.wayland import Connection
from heapwire.kernel.description import usage_name
from heapwire.protocol.explain import Document, Json, constraint_document, source_document
from heapwire.protocol.values import ConstraintSet, DeviceId, SourceId, fourcc_name, modifier_name
from heapwire.protocol.wire import Batch, Tranche, TrancheFlags


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Arguments of `heapwire feedback`."""
    add_json(parser)


def run(options: argparse.Namespace) -> int:
    """Ask the compositor of `$WAYLAND_DISPLAY`."""
    with Connection() as connection:
        manager = HeapManager(connection)
        batch = manager.default_negotiation().describe()
        names = {id_: source.name for id_, source in manager.sources.items()}
    show(feedback_document(batch, names), render, as_json=options.json)
    return DONE


def feedback_document(batch: Batch, names: dict[SourceId, str]) -> Document:
    """The extended feedback for programs."""
    return {
        "schema_version": SCHEMA_VERSION,
        "sources": [source_document(source, names) for source in names],
        "participants": [
            {
                "id": one.id,
                "name": one.name,
                "usage": usage_name(one.usage),
                "device": _device(one.device),
            }
            for one in batch.participants
        ],
        "tranches": [_tranche_document(tranche, batch, names) for tranche in batch.tranches],
    }


def render(document: Document) -> str:
    """The extended feedback for people."""
    return "\n".join(_lines(document))


def _tranche_document(tranche: Tranche, batch: Batch, names: dict[SourceId, str]) -> Document:
    speakers = {one.id: one.name for one in batch.participants}
    return {
        "flags": [flag.name.lower() for flag in TrancheFlags if flag & tranche.flags and flag.name],
        "devices": [
            {
                "usage": usage_name(one.usage),
                "device": _device(one.device),
            }
            for one in tranche.devices
        ],
        "formats": [
            {"fourcc": fourcc_name(pair.fourcc), "modifier": modifier_name(pair.modifier)}
            for pair in tranche.formats
        ],
        "sources": [source_document(one.source, names) for one in tranche.sources],
        "sets": [
            _set_document(speakers.get(one.participant, ""), one.set, names) for one in tranche.sets
        ],
    }


def _device(device: DeviceId | None) -> str | None:
    return None if device is None else str(device)


def _set_document(
    speaker: str, constraint_set: ConstraintSet, names: dict[SourceId, str]
) -> Document:
    formats: list[Json] = [*sorted({fourcc_name(pair.fourcc) for pair in constraint_set.formats})]
    return {
        "participant": speaker,
        "formats": formats,
        "constraints": [constraint_document(one, names) for one in constraint_set.constraints],
    }


def _lines(document: Document) -> Iterator[str]:
    sources = documents(document["sources"])
    yield "memory" if sources else "the compositor announces no memory"
    for source in sources:
        yield f"    {source['name']} ({source['kind']} {source['major']}:{source['minor']})"
    for tranche in documents(document["tranches"]):
        yield f"tranche: {', '.join(texts(tranche['flags']))}"
        for device in documents(tranche["devices"]):
            yield f"    device {device['device']} ({device['usage']})"
        formats = [f"{one['fourcc']} {one['modifier']}" for one in documents(tranche["formats"])]
        yield f"    formats {', '.join(formats) or 'none'}"
        memory = [str(one["name"]) for one in documents(tranche["sources"])]
        yield f"    memory {', '.join(memory) or 'none'}"
        for one in documents(tranche["sets"]):
            yield f"    {one['participant']} needs for {', '.join(texts(one['formats']))}"
            for constraint in documents(one["constraints"]):
                said = f"{constraint['constraint']} {constraint['value']}"
                yield f"        {said} ({constraint['provenance']})"
