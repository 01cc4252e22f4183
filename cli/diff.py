"""Compare two machines: platforms, their files, or what `list --json` printed of them."""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Set

from heapwire.cli.arguments import add_json, add_schema, load_platform
from heapwire.cli.list import list_document
from heapwire.cli.terminal import DONE, FAILED, SCHEMA_VERSION, documents, show, texts
from heapwire.protocol.explain import Document, Json

THERE = "there"  # the fact that a place has one, whatever else is said of it
_USE = ", used for "
_Fact = tuple[str, str]  # where, and what is said there
# Numbers of nodes are those of a boot, and what is told elsewhere is not told twice.
_LEFT_OUT = {"name", "major", "minor", "kind", "usages", "provenance"}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Arguments of `heapwire diff`."""
    for name in ("first", "second"):
        parser.add_argument(
            name,
            metavar=name.upper(),
            help="a shipped platform, a platform file, what `list --json` printed, or `local`",
        )
    add_json(parser)
    add_schema(parser, "diff")


def run(options: argparse.Namespace) -> int:
    """Show what differs; 1 if anything does."""
    first, second = (load_platform(name) for name in (options.first, options.second))
    ours, theirs = (dict(_facts(list_document(one))) for one in (first, second))
    differences: list[Json] = [
        {"place": place, "fact": fact, "first": mine, "second": other}
        for place, fact in dict.fromkeys([*ours, *theirs])
        for mine, other in [(ours.get((place, fact)), theirs.get((place, fact)))]
        if mine != other and _is_told(place, fact, ours.keys() & theirs.keys())
    ]
    document: Document = {
        "schema_version": SCHEMA_VERSION,
        "first": options.first,
        "second": options.second,
        "same": not differences,
        "differences": differences,
    }
    show(document, render, as_json=options.json)
    return FAILED if differences else DONE


def _is_told(place: str, fact: str, common: Set[_Fact]) -> bool:
    """Whether a difference is not said already by one of them not having the whole."""
    around = place.partition(_USE)[0] if fact == THERE else place
    return (around, THERE) in common or (fact == THERE and around == place)


def render(document: Document) -> str:
    """The differences for people."""
    if document["same"]:
        return "the same machine"
    first, second = str(document["first"]), str(document["second"])
    lines = [f"{first} -> {second}"]
    for one in documents(document["differences"]):
        lines += _lines(one, first, second)
    return "\n".join(lines)


def _lines(one: Document, first: str, second: str) -> Iterator[str]:
    before, after, where = one["first"], one["second"], f"    {one['place']}"
    if one["fact"] == THERE:
        yield f"{where}: only in {first if before else second}"
    elif isinstance(before, list) and isinstance(after, list):
        yield f"{where}: {one['fact']}"
        mine, other = texts(before), texts(after)
        changes = [f"- {entry}" for entry in mine if entry not in other]
        changes += [f"+ {entry}" for entry in other if entry not in mine]
        yield from (f"        {change}" for change in changes or ["in another order"])
    else:
        yield f"{where}: {one['fact']}: {_said(before)} -> {_said(after)}"


def _said(value: Json) -> str:
    match value:
        case None:
            return "unknown"
        case bool():
            return "yes" if value else "no"
        case _:
            return str(value)


def _facts(document: Document) -> Iterator[tuple[_Fact, Json]]:
    """All that is known of a machine: the place and what is said there, with its value."""
    for heap in documents(document["heaps"]):
        yield from _facts_of(_memory_name(str(heap["kind"]), str(heap["name"])), heap)
    for device in documents(document["devices"]):
        place = f"{device['kind']} {device['name']}"
        yield from _facts_of(place, device)
        for usage in documents(device["usages"]):
            use = f"{place}{_USE}{usage['usage']}"
            needs: list[Json] = [one["text"] for one in documents(usage["requirements"])]
            yield (use, THERE), True
            yield (use, "formats"), usage["pairs"]
            yield (use, "requires"), needs
    for link in documents(document["links"]):
        yield (f"{link['device']} -> {link['source']}", THERE), True
        yield (f"{link['device']} -> {link['source']}", "kind"), link["kind"]
        yield (f"{link['device']} -> {link['source']}", "rank"), link["rank"]


def _memory_name(kind: str, name: str) -> str:
    """What a memory is called beside devices, one of which may have it and its name."""
    if kind == "device":
        return f"memory of {name}"
    return name if name == kind else f"{kind} {name}"


def _facts_of(place: str, described: Document) -> Iterator[tuple[_Fact, Json]]:
    yield (place, THERE), True
    for fact, value in described.items():
        if fact not in _LEFT_OUT:
            yield (place, fact.replace("_", " ")), value
