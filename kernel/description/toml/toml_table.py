"""A table of a platform file, read key by key; what is wrong is noted and reading goes on.

Every getter takes a key off the table and gives its value, or a default when
the key is absent or its value is not what it should be. `close` reports the
keys that nobody asked for. So one pass over a file finds all of its faults.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from enum import StrEnum
from itertools import islice
from typing import TypeVar

from heapwire.kernel.description.quantity import parse_quantity
from heapwire.kernel.description.toml.toml_position import TomlPath
from heapwire.protocol import InputError, shown
from heapwire.protocol.late_dataclasses import dataclass

Choice = TypeVar("Choice", bound=StrEnum)

MOST_FAULTS = 100
"""Faults of a file that are told; no more of it is read then."""
MOST_TABLES = 256
"""Tables in an array of tables, and constraints in a list (wire/limits.py, SET_CONSTRAINTS)."""

_MOST_TEXTS = 4096  # entries of a list: the pairs of a set (wire/limits.py, SET_FORMATS)
_UINT_MAX = (1 << 64) - 1
_MOST_CHOICES = 64  # names that a hint compares with
_LONGEST_WORD = 64  # characters of a word that is compared
_BARE = r"[A-Za-z0-9_-]{1,64}"


@dataclass(frozen=True, slots=True)
class TomlFault:
    """Something wrong at a path of the file, and what would be right."""

    path: TomlPath
    text: str


class EnoughFaultsError(InputError):
    """So many faults have been noted that a person will not want to read more of them."""


def key_name(path: TomlPath) -> str:
    """A path as a person would write it: `device[1].use[0].usage`."""
    text = ""
    for part in path:
        if isinstance(part, int):
            text += f"[{part}]"
            continue
        key = part if re.fullmatch(_BARE, part) else shown(part)
        text += f".{key}" if text else key
    return text


def did_you_mean(word: str, choices: Iterable[str]) -> str:
    """A hint at what was probably meant, or at what there is."""
    names = [str(name) for name in islice(choices, _MOST_CHOICES + 1)]
    more = ", and more" if len(names) > _MOST_CHOICES else ""
    import difflib  # for a file with a mistake in it

    close = difflib.get_close_matches(word, names, 1) if len(word) <= _LONGEST_WORD else []
    if close:
        return f"did you mean {shown(close[0])}?"
    told = ", ".join(name if len(name) <= _LONGEST_WORD else shown(name) for name in names)
    return f"there are {told}{more}" if names else "there are none"


class TomlTable:
    """One table and where it is; `faults` is shared by all tables of a file."""

    def __init__(self, data: Mapping[str, object], path: TomlPath, faults: list[TomlFault]) -> None:
        self._data = data
        self._asked: set[str] = set()
        self.path = path
        self.faults = faults

    def fault(self, key: str | None, text: str) -> None:
        """Note a fault of a key, or of the table as a whole."""
        self.fault_at(self.path if key is None else (*self.path, key), text)

    def fault_at(self, path: TomlPath, text: str) -> None:
        """Note a fault anywhere in the file; raises `EnoughFaultsError` when there are enough."""
        self.faults.append(TomlFault(path, text))
        if len(self.faults) == MOST_FAULTS:
            self.faults.append(TomlFault(path, "there may be more, which is not looked for"))
            raise EnoughFaultsError(f"there are {MOST_FAULTS} faults or more")

    @property
    def is_empty(self) -> bool:
        """Whether it has no key at all."""
        return not self._data

    def has(self, key: str) -> bool:
        """Whether the key is there."""
        self._asked.add(key)
        return key in self._data

    def raw(self, key: str) -> object:
        """The value as tomllib gave it, None where there is none."""
        self._asked.add(key)
        return self._data.get(key)

    def text(self, key: str, default: str = "") -> str:
        """A string that has more than blanks in it."""
        value = self.raw(key)
        if value is None:
            return default
        if isinstance(value, str) and value.strip():
            return value
        self.fault(key, f"{shown(value)} {_not_a_text(value)}")
        return default

    def required(self, key: str, what: str) -> str:
        """A string that must be there; the empty string when it is not."""
        if not self.has(key):
            self.fault(None, f"{shown(key)} is missing: {what}")
            return ""
        return self.text(key)

    def flag(self, key: str) -> bool | None:
        """True or false, None where the file does not say."""
        value = self.raw(key)
        if value is None or isinstance(value, bool):
            return value
        self.fault(key, f"{shown(value)} is neither true nor false")
        return None

    def integer(self, key: str, most: int = _UINT_MAX) -> int | None:
        """A number from 0 to `most`, None where there is none."""
        value = self.raw(key)
        if value is None:
            return None
        if isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= most:
            return value
        upto = "on" if most == _UINT_MAX else f"to {most}"
        self.fault(key, f"{shown(value)} is not a whole number from 0 {upto}")
        return None

    def quantity(self, key: str) -> int | None:
        """A number of bytes: 4096, "96 MiB", "0x4a000000"."""
        return self._parsed(key, self.raw(key))

    def span(self, key: str) -> tuple[int, int] | None:
        """A range of addresses: `["first", "last"]` or `{ base = ..., size = ... }`."""
        value = self.raw(key)
        if value is None:
            return None
        first: int | None = None
        last: int | None = None
        if isinstance(value, list) and len(value) == 2:
            first, last = self._parsed(key, value[0]), self._parsed(key, value[1])
        elif isinstance(value, dict) and set(value) == {"base", "size"}:
            first, size = self._parsed(key, value["base"]), self._parsed(key, value["size"])
            if size == 0:
                self.fault(key, "the range has a size of 0: leave it out where it is not known")
            last = first + size - 1 if first is not None and size else None
        else:
            self.fault(key, 'a range is ["first", "last"], both included, or { base, size }')
            return None
        if first is None or last is None:
            return None
        if first > last:
            self.fault(key, f"the range ends at {last:#x}, before it begins at {first:#x}")
            return None
        return first, last

    def choice(self, key: str, choices: type[Choice], default: Choice) -> Choice:
        """One of the values of an enum."""
        word = self.text(key, default.value)
        try:
            return choices(word)
        except ValueError:
            self.fault(key, f"{shown(word)} is unknown: {did_you_mean(word, list(choices))}")
            return default

    def texts(self, key: str, most: int = _MOST_TEXTS) -> tuple[str, ...]:
        """A list of at most so many strings; a single string is a list of one."""
        value = self.raw(key)
        if value is None:
            return ()
        entries = value if isinstance(value, list) else [value]
        if len(entries) > most:
            self.fault(key, f"there are {len(entries)} entries: {most} is the most")
            return ()
        good: list[str] = []
        for index, entry in enumerate(entries):
            if isinstance(entry, str) and entry.strip():
                good.append(entry)
            else:
                self.fault_at((*self.path, key, index), f"{shown(entry)} {_not_a_text(entry)}")
        return tuple(good)

    def some(self, key: str, parse: Callable[[str], int]) -> tuple[int, ...]:
        """As `each`, where an empty list is a fault."""
        if self.raw(key) == []:
            self.fault(key, "the list is empty: it stands for nothing")
        return self.each(key, parse)

    def each(self, key: str, parse: Callable[[str], int]) -> tuple[int, ...]:
        """A list of strings, each read by `parse`, which raises `InputError`."""
        good: list[int] = []
        for index, text in enumerate(self.texts(key)):
            try:
                good.append(parse(text))
            except InputError as error:
                self.fault_at((*self.path, key, index), str(error))
        return tuple(good)

    def table(self, key: str) -> TomlTable:
        """The table under a key; an empty one where there is none."""
        value = self.raw(key)
        if isinstance(value, dict):
            return TomlTable(value, (*self.path, key), self.faults)
        if value is not None:
            self.fault(key, f"this is a table: write [{key_name((*self.path, key))}]")
        return TomlTable({}, (*self.path, key), self.faults)

    def tables(self, key: str, most: int = MOST_TABLES) -> Iterator[TomlTable]:
        """The tables of an array of at most so many tables."""
        value = self.raw(key)
        if value is None:
            return
        if not isinstance(value, list):
            self.fault(key, f"this is a list of tables: write [[{key_name((*self.path, key))}]]")
            return
        if len(value) > most:
            self.fault(key, f"there are {len(value)} tables: {most} is the most")
            return
        for index, entry in enumerate(value):
            path = (*self.path, key, index)
            if isinstance(entry, dict):
                yield TomlTable(entry, path, self.faults)
            else:
                self.fault_at(path, f"{shown(entry)} is not a table")

    def close(self) -> None:
        """Report the keys that nobody asked for."""
        for key in self._data:
            if key not in self._asked:
                self.fault(
                    key, f"this key is unknown here: {did_you_mean(key, sorted(self._asked))}"
                )

    def _parsed(self, key: str, value: object) -> int | None:
        if value is None:
            return None
        if isinstance(value, str | int):
            try:
                return parse_quantity(value)
            except InputError as error:
                self.fault(key, str(error))
                return None
        self.fault(key, f"{shown(value)} is not a number of bytes")
        return None


def _not_a_text(value: object) -> str:
    """What is wrong with a value that is to be a text, as the end of a sentence."""
    return "says nothing" if isinstance(value, str) else "is not a text in quotes"
