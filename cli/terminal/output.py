"""Standard output: one document, as JSON for programs or as text for people.

The text is rendered from the document, so the two cannot say different things. Standard
output may be closed, full, or in an encoding that lacks a letter: the first two are errors
of the command, and what cannot be encoded is spelled as an escape.
"""

from __future__ import annotations

import io
import os
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING

from heapwire.cli.terminal.colour import painted
from heapwire.protocol import FileError, words_of

if TYPE_CHECKING:  # the solver's words would come along, and most of what prints needs none
    from heapwire.protocol.explain import Document, Json

SCHEMA_VERSION = 1
"""Of what `--json` prints: another one when a key is no longer what it was."""

_NAME = "standard output"
_shown: list[bool] = []  # one entry for each JSON object of the run that is on standard output


def begin_output() -> None:
    """Begin a run of a command: nothing is shown yet."""
    _shown.clear()


def open_standard_streams() -> None:
    """Make standard output and error something that can be written to, and never fails to encode.

    A descriptor that the process was started without leads to /dev/null from here on, so that
    no file of ours gets its number. Standard output is opened such that writing fails: what
    nobody can read is not done.
    """
    for fd, flags in ((0, os.O_RDONLY), (1, os.O_RDONLY), (2, os.O_WRONLY)):
        try:
            os.fstat(fd)
        except OSError:
            os.open(os.devnull, flags)  # the lowest number that is free, which is this one
    if sys.stdout is None:
        sys.stdout = os.fdopen(1, "w", encoding="utf-8", closefd=False)
    if sys.stderr is None:
        sys.stderr = os.fdopen(2, "w", encoding="utf-8", closefd=False)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def show(document: Document, render: Callable[[Document], str], *, as_json: bool) -> None:
    """Print a document; the JSON is one object, indented, and ends with a newline.

    Raises what `say` does.
    """
    if as_json:
        import json  # many who print have no use for it

        # An escape of JSON's own, where the locale has not all letters.
        unicode = (sys.stdout.encoding or "utf-8").lower().startswith("utf")
        say(json.dumps(document, indent=2, ensure_ascii=not unicode))
        _shown.append(True)
    else:
        say(painted(render(document), sys.stdout))


def fail(kind: str, message: str, status: int) -> None:
    """Print for programs what went wrong, unless there is an object already.

    `kind` is the error's class, which says whose fault it is. Raises what `say` does.
    """
    if not _shown:
        error: Document = {"kind": kind, "message": message, "status": status}
        show({"schema_version": SCHEMA_VERSION, "error": error}, lambda _: "", as_json=True)


def say(text: str, *, end: str = "\n") -> None:
    """Print a text on standard output, and see it written.

    Raises `FileError` if it cannot be written, and `BrokenPipeError` if nobody reads it.
    """
    try:
        print(text, end=end)
    except OSError as error:
        raise _unwritten(error) from None
    flush()


def flush() -> None:
    """See what was printed written; raises what `say` does."""
    try:
        sys.stdout.flush()
    except OSError as error:
        raise _unwritten(error) from None


def _unwritten(error: OSError) -> Exception:
    """What to raise for it; the rest of the output is let go of, for Python would try again."""
    null = os.open(os.devnull, os.O_WRONLY)
    os.dup2(null, sys.stdout.fileno())
    os.close(null)
    return error if isinstance(error, BrokenPipeError) else FileError(_NAME, words_of(error))


def complain(message: str) -> None:
    """Say what is wrong on standard error, one line for each line of the message."""
    warn("\n".join(f"heapwire: {line}" for line in message.splitlines() or [""]))


def warn(text: str) -> None:
    """Print on standard error; in colour where that is a terminal."""
    print(painted(text, sys.stderr), file=sys.stderr, flush=True)


def documents(value: Json) -> list[Document]:
    """The objects in a list of a document."""
    return [entry for entry in value if isinstance(entry, dict)] if isinstance(value, list) else []


def texts(value: Json) -> list[str]:
    """The entries of a list of a document, as text."""
    return [str(entry) for entry in value] if isinstance(value, list) else []
