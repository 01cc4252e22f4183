"""Standard output: one document, as JSON for programs or as text for people.

The text is rendered from the document, so the two cannot say different things.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from typing import TextIO

from heapwire.protocol.explain import Document, Json

SCHEMA_VERSION = 1


def show(
    document: Document,
    render: Callable[[Document], str],
    *,
    as_json: bool,
    stream: TextIO | None = None,
) -> None:
    """Print a document; the JSON is one object, indented, and ends with a newline."""
    text = json.dumps(document, indent=2, ensure_ascii=False) if as_json else render(document)
    print(text, file=stream or sys.stdout, flush=True)


def complain(message: str) -> None:
    """Say what is wrong on standard error, one line for each line of the message."""
    for line in message.splitlines() or [""]:
        print(f"heapwire: {line}", file=sys.stderr, flush=True)


def documents(value: Json) -> list[Document]:
    """The objects in a list of a document."""
    return [entry for entry in value if isinstance(entry, dict)] if isinstance(value, list) else []


def texts(value: Json) -> list[str]:
    """The entries of a list of a document, as text."""
    return [str(entry) for entry in value] if isinstance(value, list) else []
