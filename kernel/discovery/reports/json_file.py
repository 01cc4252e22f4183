"""A JSON file of another program: read at once, bounded, and each fault told with its place.

Such files have more in them than is of use here, and more with each release of
their program. So only what is asked for is looked at, and that has to be right.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import TypeAlias

from heapwire.kernel.description import json_excess
from heapwire.protocol import FileError, shown

MOST_JSON_BYTES = 8 << 20
"""Bytes of a file, at most: a dump of a card with 60 planes of 500 pairs has 1 MiB."""

Path: TypeAlias = tuple[str | int, ...]

_TOKEN = re.compile(r'"(?:[^"\\]|\\.)*"|[\[\]{},:]|[^\s\[\]{},:"]+', re.DOTALL)
_MOST_ENTRIES = 4096  # of a list or an object that is gone through


class JsonValue:
    """A value in a JSON file, and where it is."""

    def __init__(self, data: object, path: Path, file: str, text: str) -> None:
        self.data = data
        self.path = path
        self._file = file
        self._text = text

    @property
    def is_null(self) -> bool:
        """Whether there is nothing."""
        return self.data is None

    def fault(self, what: str) -> FileError:
        """The error of a fault here, with file, line and path."""
        line = _lines(self._text).get(self.path, 1)
        return FileError(self._file, f"{_name(self.path)}: {what}", line=line)

    def get(self, key: str) -> JsonValue:
        """An entry of an object; one that is not there is null."""
        return JsonValue(self.fields.get(key), (*self.path, key), self._file, self._text)

    def need(self, key: str) -> JsonValue:
        """An entry that must be there; `FileError` if it is not."""
        if key not in self.fields:
            raise self.fault(f"{shown(key)} is missing")
        return self.get(key)

    @property
    def fields(self) -> Mapping[str, object]:
        """The entries of an object; `FileError` for anything else."""
        if not isinstance(self.data, dict):
            raise self.fault(f"{shown(self.data)} is not an object")
        if len(self.data) > _MOST_ENTRIES:
            raise self.fault(f"there are more than {_MOST_ENTRIES} entries")
        return self.data

    def each(self) -> Iterator[JsonValue]:
        """The entries of a list; `FileError` for anything else."""
        if not isinstance(self.data, list):
            raise self.fault(f"{shown(self.data)} is not a list")
        if len(self.data) > _MOST_ENTRIES:
            raise self.fault(f"there are more than {_MOST_ENTRIES} entries")
        for index, entry in enumerate(self.data):
            yield JsonValue(entry, (*self.path, index), self._file, self._text)

    def number(self, bits: int = 32) -> int:
        """A number that is not negative and has so many bits; `FileError` for anything else."""
        if type(self.data) is not int or not 0 <= self.data < 1 << bits:
            raise self.fault(f"{shown(self.data)} is not a number of {bits} bits")
        return self.data

    def word(self) -> str:
        """A text; `FileError` for anything else."""
        if not isinstance(self.data, str):
            raise self.fault(f"{shown(self.data)} is not a text")
        return self.data


def read_json(text: str, *, file: str) -> JsonValue:
    """The value of a text; `FileError` if it is not JSON, or more than is read."""
    excess = json_excess(text)
    if excess is not None:
        raise FileError(file, excess.text, line=excess.line)
    try:
        return JsonValue(json.loads(text, parse_constant=_no_number), (), file, text)
    except json.JSONDecodeError as error:
        raise FileError(file, f"this is not JSON: {error.msg}", line=error.lineno) from None
    except ValueError as error:
        raise FileError(file, f"this is not JSON: {error}") from None


def json_lines(text: str) -> Mapping[Path, int]:
    """The line, from 1, on which each value of a valid JSON text begins."""
    return _lines(text)


def _lines(text: str) -> dict[Path, int]:
    lines: dict[Path, int] = {}
    path: list[str | int] = []  # of the value that is being read: a key or position a level
    expects_key: list[bool] = []
    line, counted = 1, 0
    for match in _TOKEN.finditer(text):
        line += text.count("\n", counted, match.start())
        counted = match.start()
        token = match[0]
        if token == ",":
            last = path[-1]
            if isinstance(last, int):
                path[-1] = last + 1
            else:
                expects_key[-1] = True
        elif token in "}]":
            path.pop()
            expects_key.pop()
        elif token == ":":
            expects_key[-1] = False
        elif expects_key and expects_key[-1]:
            path[-1] = str(json.loads(token))
        else:
            lines.setdefault(tuple(path), line)
            if token in "{[":
                path.append("" if token == "{" else 0)
                expects_key.append(token == "{")
    return lines


def _name(path: Path) -> str:
    text = ""
    for part in path:
        if isinstance(part, int):
            text += f"[{part}]"
        else:
            key = part if re.fullmatch(r"[\w-]{1,64}", part) else shown(part)
            text += f".{key}" if text else key
    return text or "the file"


def _no_number(name: str) -> object:
    raise ValueError(f"{name} is no number")
