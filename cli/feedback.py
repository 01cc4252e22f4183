"""Show what a compositor offers: its memory, formats, devices and constraints.

That is linux-dmabuf's default feedback with what is added to it. Where there is no such
feedback, it is what a negotiation is told that asks for nothing.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator

from heapwire.cli.arguments import add_json, add_timeout
from heapwire.cli.exit_status import DONE
from heapwire.cli.output import SCHEMA_VERSION, documents, show, texts
from heapwire.cli.pages import memory_document, memory_lines
from heapwire.client_lib.buffers import ExtendedFeedback, LinuxDmabuf
from heapwire.client_lib.negotiation import NegotiationManager
from heapwire.client_lib.wayland import Connection
from heapwire.kernel.description import usage_name
from heapwire.protocol.explain import Document, Json, constraint_document, source_document
from heapwire.protocol.values import ConstraintSet, DeviceId, SourceId, fourcc_name, modifier_name
from heapwire.protocol.wire import Batch, DmabufFeedback, DmabufVersion, Tranche, TrancheFlags

LINUX_DMABUF = "zwp_linux_dmabuf_v1"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Arguments of `heapwire feedback`."""
    add_timeout(parser)
    add_json(parser)


def run(options: argparse.Namespace) -> int:
    """Ask the compositor of `$WAYLAND_DISPLAY`."""
    with Connection() as connection:
        offered = connection.globals(timeout=options.timeout)
        dmabuf = offered.get(LINUX_DMABUF)
        if dmabuf is not None and dmabuf.version >= DmabufVersion.FEEDBACK:
            document, lines = _extended(connection, options.timeout), memory_lines
        else:
            document, lines = _negotiated(connection, options.timeout), _lines
    show(document, lambda told: "\n".join(lines(told)), as_json=options.json)
    return DONE


def _extended(connection: Connection, timeout: float) -> Document:
    dmabuf = LinuxDmabuf(connection, timeout=timeout)
    told: list[DmabufFeedback] = []
    feedback = ExtendedFeedback(dmabuf, None, told.append)
    sources = dmabuf.sources
    connection.wait(
        lambda: bool(told) and (sources is None or sources.ready),
        timeout=timeout,
        what="linux-dmabuf feedback",
    )
    feedback.close()
    return memory_document(told[-1], {} if sources is None else sources.sources)


def _negotiated(connection: Connection, timeout: float) -> Document:
    manager = NegotiationManager(connection, timeout=timeout)
    batch = manager.default_negotiation().describe(timeout=timeout)
    names = {id_: source.name for id_, source in manager.sources.items()}
    return feedback_document(batch, names)


def feedback_document(batch: Batch, names: dict[SourceId, str]) -> Document:
    """What a negotiation is told, for programs."""
    return {
        "schema_version": SCHEMA_VERSION,
        "sources": [source_document(source, names) for source in names],
        "participants": [
            {
                "id": participant.id,
                "name": participant.name,
                "usage": usage_name(participant.usage),
                "device": _device(participant.device),
            }
            for participant in batch.participants
        ],
        "tranches": [_tranche_document(tranche, batch, names) for tranche in batch.tranches],
    }


def _tranche_document(tranche: Tranche, batch: Batch, names: dict[SourceId, str]) -> Document:
    speakers = {participant.id: participant.name for participant in batch.participants}
    return {
        "flags": [flag.name.lower() for flag in TrancheFlags if flag & tranche.flags and flag.name],
        "devices": [
            {
                "usage": usage_name(device.usage),
                "device": _device(device.device),
            }
            for device in tranche.devices
        ],
        "formats": [
            {"fourcc": fourcc_name(pair.fourcc), "modifier": modifier_name(pair.modifier)}
            for pair in tranche.formats
        ],
        "sources": [source_document(entry.source, names) for entry in tranche.sources],
        "sets": [
            _set_document(speakers.get(entry.participant, ""), entry.set, names)
            for entry in tranche.sets
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
        "constraints": [
            constraint_document(constraint, names) for constraint in constraint_set.constraints
        ],
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
        formats = [f"{pair['fourcc']} {pair['modifier']}" for pair in documents(tranche["formats"])]
        yield f"    formats {', '.join(formats) or 'none'}"
        memory = [str(source["name"]) for source in documents(tranche["sources"])]
        yield f"    memory {', '.join(memory) or 'none'}"
        for said_set in documents(tranche["sets"]):
            yield f"    {said_set['participant']} needs for {', '.join(texts(said_set['formats']))}"
            for constraint in documents(said_set["constraints"]):
                said = f"{constraint['constraint']} {constraint['value']}"
                yield f"        {said} ({constraint['provenance']})"
