"""Where in a TOML file a key is: tomllib reads the values and keeps no positions.

`key_lines` walks a text that tomllib has accepted, so it need not judge it: it
follows headers, keys, strings and brackets, and notes the line on which each
path begins. A path is what one would index the parsed data with:
`("device", 1, "use", 0, "formats", 2)`.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from typing import TypeAlias

TomlPath: TypeAlias = tuple[str | int, ...]
"""Where a value is in a file: keys, and the numbers of entries of lists, from the top."""

# Patterns, which are compiled when a file is walked: that is where it has a fault.
_BLANK = r"[ \t\r\n]*(?:#[^\n]*\n?[ \t\r\n]*)*"
_SPACE = r"[ \t]*"
_BARE_KEY = r"[A-Za-z0-9_-]+"
_STRING = r'(?s:"""(?:\\.|[^\\])*?"{3,5}' r"|'''.*?'{3,5}" r'|"(?:\\.|[^"\\])*"' r"|'[^']*')"
_SCALAR = r"[^,\]}#\n]*"


def key_lines(text: str) -> Mapping[TomlPath, int]:
    """The line (from 1) of every table, key and array element of a valid TOML text."""
    return _Scan(text).run()


def line_of(lines: Mapping[TomlPath, int], path: TomlPath) -> int:
    """The line of a path; of the nearest thing around it, where it is not in the file."""
    while path and path not in lines:
        path = path[:-1]
    return lines.get(path, 1)


class _Scan:
    def __init__(self, text: str) -> None:
        self._text = text
        self._at = 0
        self._line = 1
        self._counted = 0
        self._lines: dict[TomlPath, int] = {}
        self._arrays: dict[TomlPath, int] = {}  # arrays of tables: the index of the last one

    def run(self) -> Mapping[TomlPath, int]:
        prefix: TomlPath = ()
        self._skip(_BLANK)
        while self._at < len(self._text):
            if self._text.startswith("[", self._at):
                prefix = self._header()
            else:
                self._pair(prefix)
            self._skip(_BLANK)
        return self._lines

    def _header(self) -> TomlPath:
        array = self._text.startswith("[[", self._at)
        line = self._here()
        self._at += 2 if array else 1
        *parents, last = self._keys()
        self._at += 2 if array else 1
        path: TomlPath = ()
        for part in parents:
            path = self._into((*path, part))
            self._lines.setdefault(path, line)
        path = (*path, last)
        if array:
            self._lines.setdefault(path, line)
            self._arrays[path] = self._arrays.get(path, -1) + 1
            path = self._into(path)
        self._lines[path] = line
        return path

    def _into(self, path: TomlPath) -> TomlPath:
        """A header's path goes through the last table of each array on its way."""
        return (*path, self._arrays[path]) if path in self._arrays else path

    def _pair(self, prefix: TomlPath) -> None:
        line = self._here()
        for part in self._keys():
            prefix = (*prefix, part)
            self._lines.setdefault(prefix, line)
        self._at += 1  # the equals sign
        self._skip(_SPACE)
        self._value(prefix)

    def _keys(self) -> list[str]:
        """A dotted key; leaves the scan at what follows it."""
        keys: list[str] = []
        while True:
            self._skip(_SPACE)
            bare = self._match(_BARE_KEY)
            if bare is not None:
                keys.append(bare.group())
                self._at = bare.end()
            else:
                keys.append(self._string())
            self._skip(_SPACE)
            if not self._text.startswith(".", self._at):
                return keys
            self._at += 1

    def _string(self) -> str:
        literal = self._match(_STRING)
        if literal is None:  # tomllib has accepted the text, so this cannot be
            raise AssertionError(f"no string at {self._text[self._at : self._at + 20]!r}")
        self._at = literal.end()
        return str(tomllib.loads(f"value = {literal.group()}")["value"])

    def _value(self, path: TomlPath) -> None:
        if self._text.startswith(('"', "'"), self._at):
            self._string()
        elif self._text.startswith("[", self._at):
            self._array(path)
        elif self._text.startswith("{", self._at):
            self._inline(path)
        else:
            self._skip(_SCALAR)

    def _array(self, path: TomlPath) -> None:
        self._at += 1
        index = 0
        self._skip(_BLANK)
        while not self._text.startswith("]", self._at):
            self._lines[*path, index] = self._here()
            self._value((*path, index))
            index += 1
            self._skip(_BLANK)
            if self._text.startswith(",", self._at):
                self._at += 1
                self._skip(_BLANK)
        self._at += 1

    def _inline(self, path: TomlPath) -> None:
        self._at += 1
        self._skip(_BLANK)
        while not self._text.startswith("}", self._at):
            self._pair(path)
            self._skip(_BLANK)
            if self._text.startswith(",", self._at):
                self._at += 1
                self._skip(_BLANK)
        self._at += 1

    def _match(self, pattern: str) -> re.Match[str] | None:
        return re.compile(pattern).match(self._text, self._at)

    def _skip(self, pattern: str) -> None:
        skipped = self._match(pattern)
        if skipped is not None:
            self._at = skipped.end()

    def _here(self) -> int:
        self._line += self._text.count("\n", self._counted, self._at)
        self._counted = self._at
        return self._line
