"""linux-dmabuf's feedback with what `xx_dmabuf_sources_v1` adds to it, as document and as text."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from heapwire.cli.terminal import SCHEMA_VERSION, documents, texts
from heapwire.client_lib.wayland import ToldSource
from heapwire.protocol.explain import Document, Json, constraint_document, source_document
from heapwire.protocol.solver import requirement
from heapwire.protocol.values import (
    DeviceId,
    FormatModifier,
    Provenance,
    SourceId,
    fourcc_name,
    modifier_name,
)
from heapwire.protocol.wire import DmabufFeedback, DmabufTranche, TrancheFlags

_PROPERTIES = ("contiguous", "protected", "uncached", "device_local")


def memory_document(feedback: DmabufFeedback, sources: Mapping[SourceId, ToldSource]) -> Document:
    """The feedback for programs; `sources` of a tranche are null where none were told."""
    names = {id_: source.name for id_, source in sources.items()}
    return {
        "schema_version": SCHEMA_VERSION,
        "linux_dmabuf": feedback.version,
        "main_device": _device(feedback.main_device),
        "sources": [_source_document(source, names) for source in sources.values()],
        "tranches": [_tranche_document(tranche, names) for tranche in feedback.tranches],
    }


def memory_lines(document: Document) -> Iterator[str]:
    """The feedback for people."""
    sources = documents(document["sources"])
    yield "memory" if sources else "the compositor announces no memory"
    for source in sources:
        properties = [name.replace("_", " ") for name in _PROPERTIES if source[name]]
        told = f": {', '.join(properties)}" if properties else ""
        pair = f"({source['kind']} {source['major']}:{source['minor']})"
        yield f"    {source['name']} {pair}{told}"
    main = document["main_device"]
    yield f"linux-dmabuf version {document['linux_dmabuf']}" + (
        f", main device {main}" if main else ""
    )
    for tranche in documents(document["tranches"]):
        yield from _tranche_lines(tranche)


def _tranche_lines(tranche: Document) -> Iterator[str]:
    yield f"tranche: {', '.join(texts(tranche['flags'])) or 'no flags'}"
    yield f"    device {tranche['device'] or 'not named'}"
    yield f"    formats {', '.join(_pairs(documents(tranche['formats']))) or 'none'}"
    memory = [str(source["name"]) for source in documents(tranche["memory"])]
    yield f"    memory {', '.join(memory) or 'not told'}"
    for said_set in documents(tranche["sets"]):
        if not said_set["constraints"]:
            continue  # nothing beyond the formats
        pairs = ", ".join(_pairs(documents(said_set["formats"])))
        yield f"    {_device_name(said_set['device'])} requires for {pairs}"
        for constraint in documents(said_set["constraints"]):
            guess = " (presumed)" if constraint["presumed"] else ""
            demand = str(constraint["text"]).removeprefix(
                f"{_device_name(said_set['device'])} needs "
            )
            yield f"        {demand}{guess}"


def _pairs(pairs: Iterable[Document]) -> list[str]:
    return [f"{pair['fourcc']} {pair['modifier']}" for pair in pairs]


def _source_words(source: SourceId, name: str) -> str:
    """What sentences call a source: `heap system`, `udmabuf`."""
    kind = source.kind.name.lower()
    return name if name == kind else f"{kind} {name}"


def _device_name(number: Json) -> str:
    """What sentences call a device of a tranche, which has no more than a number."""
    return f"device {number}"


def _source_document(source: ToldSource, names: dict[SourceId, str]) -> Document:
    known: Document = {name: getattr(source, name) for name in _PROPERTIES}
    return {**source_document(source.id, names), **known, "size": source.size}


def _tranche_document(tranche: DmabufTranche, names: dict[SourceId, str]) -> Document:
    memory = tranche.memory
    words = {id_: _source_words(id_, name) for id_, name in names.items()}
    sources: list[Json] | None = None
    if memory is not None and memory.sources:
        sources = [source_document(source, names) for source in memory.sources]
    return {
        "flags": [flag.name.lower() for flag in TrancheFlags if flag & tranche.flags and flag.name],
        "device": _device(tranche.device),
        "formats": _format_documents(tranche.formats),
        "memory": sources,
        "sets": [
            {
                "device": entry.device,
                "formats": _format_documents(entry.set.formats),
                "constraints": [
                    {
                        "constraint": said["constraint"],
                        "planes": said["planes"],
                        "value": said["value"],
                        "presumed": constraint.provenance is Provenance.PRESUMPTION,
                        "must_understand": said["must_understand"],
                        "text": requirement(_device_name(entry.device), constraint, words),
                    }
                    for constraint in entry.set.constraints
                    for said in (constraint_document(constraint, names),)
                ],
            }
            for entry in (() if memory is None else memory.sets)
        ],
    }


def _format_documents(pairs: Iterable[FormatModifier]) -> list[Json]:
    return [
        {"fourcc": fourcc_name(pair.fourcc), "modifier": modifier_name(pair.modifier)}
        for pair in pairs
    ]


def _device(device: DeviceId | None) -> str | None:
    return None if device is None else str(device)
