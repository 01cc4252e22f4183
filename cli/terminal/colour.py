"""Colour, where a person reads on a terminal: of words and lines that mean the same everywhere.

What is printed is the same text without it. https://no-color.org says when there is none.
"""

from __future__ import annotations

import os
import re
from typing import TextIO

_BOLD, _DIM, _RED, _GREEN, _YELLOW = (f"\033[{code}m" for code in ("1", "2", "31", "32", "33"))
_PLAIN = "\033[0m"
# What begins a line, or is a word of its own in its first column, with its colour.
_WORDS = {
    **dict.fromkeys(("heapwire:", "FAIL", "missing", "error:"), _RED),
    **dict.fromkeys(("PASS", "ok"), _GREEN),
    **dict.fromkeys(("note:", "SKIP", "unknown"), _YELLOW),
    **dict.fromkeys(("why:",), _DIM),
}
_FIRST_WORD = re.compile(
    rf"^([\s├└│─]*)({'|'.join(map(re.escape, _WORDS))})(?=\s|$)", flags=re.MULTILINE
)
_HEADING = re.compile(r"^([^\s├└│].*)\n(?=    |[├└│])", flags=re.MULTILINE)


def painted(text: str, stream: TextIO) -> str:
    """The text as it is, or with colours if the stream is a terminal that is to have them."""
    if os.environ.get("NO_COLOR") or os.environ.get("TERM") == "dumb" or not stream.isatty():
        return text
    text = _FIRST_WORD.sub(lambda word: f"{word[1]}{_WORDS[word[2]]}{word[2]}{_PLAIN}", text)
    return _HEADING.sub(lambda line: f"{_BOLD}{line[1]}{_PLAIN}\n", text)
