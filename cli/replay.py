"""Solve captured negotiations again, and say whether the answers are still the same."""

from __future__ import annotations

import argparse
import difflib
import json
from collections.abc import Iterator
from pathlib import Path

from heapwire.cli.arguments import add_json, add_schema
from heapwire.cli.terminal import DONE, FAILED, SCHEMA_VERSION, documents, show
from heapwire.kernel.description import json_excess, read_text_file
from heapwire.protocol import FileError, InputError, PeerError
from heapwire.protocol.explain import Document, Json, differences, parse_capture, render_explain
from heapwire.protocol.wire import TRACE_KIND, parse_trace, trace_differences

_MOST_BYTES = 16 << 20  # 256 negotiations, as a compositor captures, have 7 MiB at 26 KiB each


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Arguments of `heapwire replay`."""
    parser.add_argument(
        "file", metavar="FILE", nargs="+", type=Path, help="captures to solve again"
    )
    add_json(parser)
    add_schema(parser, "replay")


def run(options: argparse.Namespace) -> int:
    """Replay every negotiation of every file."""
    replays = [replay for path in options.file for replay in _replays(path)]
    same = all(replay["same"] for replay in replays)
    document: Document = {
        "schema_version": SCHEMA_VERSION,
        "same": same,
        "negotiations": [*replays],
    }
    show(document, render, as_json=options.json)
    return DONE if same else FAILED


def render(document: Document) -> str:
    """The replays for people: what changed, or the answer that stands."""
    lines: list[str] = []
    for replay in documents(document["negotiations"]):
        same, answer = replay["same"], replay["answer"]
        told = "the same answer" if same else "another answer"
        lines.append(f"{replay['file']}, negotiation {replay['number']}: {told}")
        if not same:
            lines.append(str(replay["difference"]))
        elif isinstance(answer, dict):
            lines.append(render_explain(answer))
    return "\n".join(lines)


def _replays(path: Path) -> Iterator[Document]:
    """What became of each negotiation of a capture, a compositor's or a client's."""
    document = _document(path)
    try:
        if isinstance(document, dict) and document.get("kind") == TRACE_KIND:
            told = trace_differences(parse_trace(document))
            yield _replay(path, 0, document.get("batches"), told)
            return
        for number, negotiation in enumerate(parse_capture(document)):
            yield _replay(path, number, negotiation.answer, differences(negotiation))
    except (InputError, PeerError) as error:  # a trace is read as its peer's events
        raise FileError(path, str(error)) from None


def _document(path: Path) -> Json:
    """What is in a file of JSON; `FileError` if it is none, or more than is read."""
    text = read_text_file(path, most=_MOST_BYTES)
    excess = json_excess(text)
    if excess is not None:
        raise FileError(path, excess.text, line=excess.line)
    try:
        document: Json = json.loads(text)
    except json.JSONDecodeError as error:
        raise FileError(path, f"this is not JSON: {error.msg}", line=error.lineno) from None
    return document


def _replay(path: Path, number: int, answer: Json, different: tuple[str, str] | None) -> Document:
    difference = None
    if different is not None:
        recorded, now = (text.splitlines() for text in different)
        lines = difflib.unified_diff(recorded, now, "recorded", "now", lineterm="", n=2)
        difference = "\n".join(lines)
    return {
        "file": str(path),
        "number": number,
        "same": different is None,
        "answer": answer,
        "difference": difference,
    }
