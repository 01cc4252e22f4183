"""Text files that a person names, read whole, and what their reader would stumble over.

A parser of TOML or JSON recurses into brackets, TOML's walks the parts of a dotted key once
for each of them, and Python converts no number of thousands of digits. So a text is bounded
before it is parsed: its bytes, its depth, its keys and its words. What the bounds refuse
nobody writes.
"""

from __future__ import annotations

import codecs
import re
from pathlib import Path

from heapwire.kernel.description.quantity import quantity_name
from heapwire.protocol import FileError, words_of
from heapwire.protocol.late_dataclasses import dataclass

MOST_BYTES = 1 << 20
"""Bytes of a platform or policy file, at most; the longest that ships has 12 KiB."""

_MOST_DEPTH = 64  # brackets inside each other; ours have six
_MOST_PARTS = 64  # of a dotted key; ours have one
_MOST_WORD = 1000  # characters of a number or a bare key; Python's limit is 4300 digits

# A string that nobody closes ends with its line or with the text, and each is passed once.
_TOML = (
    r'"""(?:\\.?|[^\\])*?(?:"{3,5}|\Z)'
    r"|'''.*?(?:'{3,5}|\Z)"
    r'|"(?:\\[^\n]|[^"\\\n])*+"?'
    r"|'[^'\n]*+'?"
    r"|\#[^\n]*+"
    r"|[A-Za-z0-9_+-]++"
    r"|[\[\]{}.=,\n]"
)
_JSON = r'"(?:[^"\\]++|\\.?)*+"?|[0-9]++|[\[\]{}]'


@dataclass(frozen=True, slots=True)
class LineFault:
    """Something wrong on a line, from 1, of a file; `text` names the key."""

    line: int
    text: str


def read_text_file(file: str | Path, *, most: int = MOST_BYTES) -> str:
    """The text of a file, lines ended by a newline each.

    Raises `FileError` if it cannot be read, has more than `most` bytes, or is not UTF-8.
    """
    try:
        with Path(file).open("rb") as opened:
            raw = opened.read(most + 1)
    except OSError as error:
        raise FileError(file, words_of(error)) from error
    if len(raw) > most:
        raise FileError(file, f"it has more than {quantity_name(most)}, the most that is read")
    if raw.startswith(codecs.BOM_UTF8):
        mark = "it begins with a byte order mark: save it as UTF-8 without one"
        raise FileError(file, mark, line=1)
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        raise FileError(file, f"this is not text in UTF-8: {error.reason}", line=line) from error
    return text.replace("\r\n", "\n").replace("\r", "\n")


def toml_excess(text: str) -> LineFault | None:
    """Where a text is beyond what its parser should be given, None if nowhere."""
    return _excess(text, _TOML)


def json_excess(text: str) -> LineFault | None:
    """See `toml_excess`."""
    return _excess(text, _JSON)


def _excess(text: str, tokens: str) -> LineFault | None:
    depth = parts = 0
    for token in re.finditer(tokens, text, re.DOTALL):
        match text[token.start()]:
            case "[" | "{":
                depth += 1
                parts = 0
                if depth > _MOST_DEPTH:
                    return _fault(text, token, f"brackets stand in more than {_MOST_DEPTH} others")
            case "]" | "}":
                depth = max(0, depth - 1)  # the parser will say what is wrong with one too many
            case "=" | "," | "\n":
                parts = 0
            case ".":
                parts += 1
                if parts > _MOST_PARTS:
                    return _fault(text, token, f"a dotted key has more than {_MOST_PARTS} parts")
            case '"' | "'" | "#":
                pass
            case _ if token.end() - token.start() > _MOST_WORD:
                return _fault(text, token, f"a number or key has more than {_MOST_WORD} characters")
    return None


def _fault(text: str, token: re.Match[str], what: str) -> LineFault:
    return LineFault(text.count("\n", 0, token.start()) + 1, what)
