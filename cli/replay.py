"""Solve captured negotiations again, and say whether the answers are still the same."""

from __future__ import annotations

import argparse
import difflib
from pathlib import Path

from heapwire.cli.arguments import add_json
from heapwire.cli.output import SCHEMA_VERSION, documents, show
from heapwire.cli.status import DONE, FAILED
from heapwire.protocol.model.capture import Negotiation, differences, parse_capture
from heapwire.protocol.model.document import Document, render_explain
from heapwire.protocol.model.errors import LocalError


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Arguments of `heapwire replay`."""
    parser.add_argument("file", nargs="+", type=Path, help="captures to solve again")
    add_json(parser)


def run(options: argparse.Namespace) -> int:
    """Replay every negotiation of every file."""
    replays = [
        _replay(path, number, negotiation)
        for path in options.file
        for number, negotiation in enumerate(_read(path))
    ]
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
    for one in documents(document["negotiations"]):
        lines.append(f"{one['file']}, negotiation {one['number']}: ")
        lines[-1] += "the same answer" if one["same"] else "another answer"
        answer = one["answer"]
        assert isinstance(answer, dict)
        lines.append(render_explain(answer) if one["same"] else str(one["difference"]))
    return "\n".join(lines)


def _read(path: Path) -> tuple[Negotiation, ...]:
    try:
        return parse_capture(path.read_text("utf-8"))
    except OSError as error:
        raise LocalError(f"{path}: {error.strerror}") from None
    except UnicodeDecodeError:
        raise LocalError(f"{path}: this is not text in UTF-8") from None
    except LocalError as error:
        raise LocalError(f"{path}: {error}") from None


def _replay(path: Path, number: int, negotiation: Negotiation) -> Document:
    different = differences(negotiation)
    difference = None
    if different is not None:
        recorded, now = (text.splitlines() for text in different)
        difference = "\n".join(
            difflib.unified_diff(recorded, now, "recorded", "now", lineterm="", n=2)
        )
    return {
        "file": str(path),
        "number": number,
        "same": different is None,
        "answer": negotiation.answer,
        "difference": difference,
    }
