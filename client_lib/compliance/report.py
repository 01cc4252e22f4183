"""What is told of results: a line each, totals, and the same for programs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from xml.etree import ElementTree

from heapwire.client_lib.compliance.verdict import Outcome, Result
from heapwire.protocol.explain import Document, Json


def result_line(result: Result) -> str:
    """One line for people."""
    line = f"{result.outcome.value:7} {result.name}"
    if result.outcome is Outcome.FAIL:
        return f"{line}: expected {result.expected}; seen {result.seen}"
    return f"{line}: {result.why}" if result.why else line


def total_line(results: Sequence[Result]) -> str:
    """How many there are of each outcome, in one line."""
    counts = Counter(result.outcome for result in results)
    listed = ", ".join(f"{counts[outcome]} {outcome.value}" for outcome in Outcome)
    return f"{len(results)} cases: {listed}"


def result_document(result: Result) -> Document:
    """A result for programs."""
    document: Document = {"case": result.name, "outcome": result.outcome.value.lower()}
    if result.outcome is Outcome.FAIL:
        document |= {"expected": result.expected, "seen": result.seen}
    elif result.why:
        document["why"] = result.why
    return document


def totals(results: Sequence[Result]) -> dict[str, Json]:
    """How many there are of each outcome, for programs."""
    counts = Counter(result.outcome for result in results)
    return {outcome.value.lower(): counts[outcome] for outcome in Outcome}


def junit(results: Sequence[Result]) -> bytes:
    """The results as JUnit's XML, which most CI systems show."""
    counts = Counter(result.outcome for result in results)
    suite = ElementTree.Element(
        "testsuite",
        name="heapwire check",
        tests=str(len(results)),
        failures=str(counts[Outcome.FAIL]),
        skipped=str(counts[Outcome.SKIPPED]),
        errors="0",
        time=f"{sum(result.seconds for result in results):.3f}",
    )
    for result in results:
        noun, _, name = result.name.partition("/")
        case = ElementTree.SubElement(
            suite, "testcase", classname=noun, name=name, time=f"{result.seconds:.3f}"
        )
        if result.outcome is Outcome.FAIL:
            told = f"expected {result.expected}; seen {result.seen}"
            ElementTree.SubElement(case, "failure", message=_printable(told))
        elif result.outcome is Outcome.SKIPPED:
            ElementTree.SubElement(case, "skipped", message=_printable(result.why))
    ElementTree.indent(suite)
    text: bytes = ElementTree.tostring(suite, encoding="utf-8", xml_declaration=True)
    return text + b"\n"


def _printable(text: str) -> str:
    """A text that XML can carry: a compositor's message may hold any character."""
    return "".join(
        letter if letter.isprintable() else "\N{REPLACEMENT CHARACTER}" for letter in text
    )
