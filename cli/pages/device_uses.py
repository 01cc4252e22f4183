"""What a device does with buffers, in `heapwire list`: formats, modifiers and requirements."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from heapwire.cli.terminal import documents, texts
from heapwire.kernel.description import Device, Platform, usage_name
from heapwire.protocol.explain import (
    Document,
    format_lines,
    format_rungs,
    founded_document,
    holds_always,
    pair_groups,
    pair_name,
    required,
    requirement_lines,
)
from heapwire.protocol.solver import requirement
from heapwire.protocol.values import Constraint, FormatModifier, SourceId, Usage, fourcc_name


def use_document(platform: Platform, device: Device, usage: Usage) -> Document:
    """A use with its formats, what it requires, and what was overruled on the ladder."""
    names = platform.source_names
    sets = platform.participant(device.name, usage).sets
    pairs = {pair for each in device.sets[usage] for pair in each.formats}
    sources = [source.id for source in platform.sources]
    return {
        "usage": usage_name(usage),
        "formats": [*sorted({fourcc_name(pair.fourcc) for pair in pairs})],
        "pairs": [
            pair_name(pair)
            for pair in sorted(pairs, key=lambda one: (fourcc_name(one.fourcc), one.modifier))
        ],
        "formats_from": [*format_rungs(sets)],
        "requirements": [
            {
                **_requirement_document(constraint, held, names),
                "always": holds_always(held, sets),
            }
            for constraint, held in required(sets, sources).items()
        ],
        "overruled": [
            {
                **_requirement_document(one.constraint, one.pairs, names),
                "always": holds_always(one.pairs, sets),
                "by": {**_requirement_document(one.by, (), names), "always": True},
            }
            for one in device.overruled
            if one.usage is usage
        ],
    }


def _requirement_document(
    constraint: Constraint, pairs: Iterable[FormatModifier], names: Mapping[SourceId, str]
) -> Document:
    text = requirement("", constraint, names).strip()
    return {**founded_document(constraint, pairs, names), "text": text}


def use_lines(device: Document, usage: Document, *, whole: bool) -> Iterator[str]:
    """A use of a device for people.

    Formats that have the same modifiers share a line, unless the `whole` table is wanted.
    """
    yield str(usage["usage"])
    groups = pair_groups(texts(usage["pairs"]))
    if not groups:
        yield f"    {_any(device)}"
    elif whole:
        groups = [([code], modifiers) for codes, modifiers in groups for code in codes]
        groups.sort()
    for codes, modifiers in groups:
        yield f"    {', '.join(codes)}: {', '.join(modifiers)}"
    for line in (
        *format_lines(documents(usage["formats_from"]), whole=whole),
        *requirement_lines(documents(usage["requirements"]), whole=whole),
    ):
        yield f"    {line}"
    for one in documents(usage["overruled"]):
        [said] = requirement_lines([one], whole=whole)
        [instead] = requirement_lines(documents([one["by"]]), whole=whole)
        yield f"    overruled: {said}: {instead}"


def _any(device: Document) -> str:
    """What is said of a use without formats: the CPU writes all, of a GPU nobody has told."""
    return "any format" if device["kind"] == "cpu" else "any format (which ones is not known)"
