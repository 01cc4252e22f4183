"""Standard output: one document, as JSON for programs or as text for people.

The text is rendered from the document, so the two cannot say different things.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TextIO

from heapwire.protocol import FileError, words_of
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


def write_whole(path: Path, text: str) -> None:
    """Write a file, whole or not at all; `FileError` if it cannot be written."""
    partial = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        partial.write_text(text, "utf-8")
        partial.replace(path)
    except OSError as error:
        partial.unlink(missing_ok=True)
        raise FileError(path, words_of(error)) from None


def write_json(path: Path, document: Document) -> None:
    """Write a document as a JSON file."""
    write_whole(path, json.dumps(document, indent=1, ensure_ascii=False) + "\n")


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
