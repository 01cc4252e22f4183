"""Errors that say whose fault they are.

| raised | whose fault | who catches it |
|---|---|---|
| `UsageError` | the calling program's: a bug | nobody: it ends in a traceback |
| `InputError`, `FileError` | a person's: a word, a line of a file | who asked for it |
| `MachineError` | the machine's: something is missing, a device failed | who has another way |
| `PeerError` | the other side's of the wire | who holds the connection |
| `NotPossibleError` | nobody's: it cannot be had | who can ask for less |
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

_MOST_SHOWN = 100  # characters


class HeapwireError(Exception):
    """The base of everything this project raises on purpose."""


class UsageError(HeapwireError):
    """The program that called is wrong, and would be on every machine and with every file."""


class InputError(HeapwireError):
    """What a person wrote is wrong: the message says what, and what would be right."""


class FileError(InputError):
    """A file that a person named is wrong, or cannot be read or written.

    `path` is the file and `line` counts from 1, None where no line is to blame;
    `str()` begins with both.
    """

    def __init__(self, path: str | Path, text: str, *, line: int | None = None) -> None:
        where = f"{path}" if line is None else f"{path}:{line}"
        super().__init__(f"{where}: {text}")
        from pathlib import Path  # every command imports this module, and few meet this error

        self.path = Path(path)
        self.line = line


class MachineError(HeapwireError):
    """The machine lacks something, or one of its devices or drivers failed."""


class PeerError(HeapwireError):
    """The peer sent what it must not send, does not have what is needed, or broke off."""


class NotPossibleError(HeapwireError):
    """Nobody did anything wrong, and what was asked for cannot be had."""


def words_of(error: Exception) -> str:
    """What an exception says; the system's word for an `OSError`, without number and path."""
    return getattr(error, "strerror", None) or str(error)


def shown(value: object) -> str:
    """Something that somebody wrote, as a message quotes it: as Python would, and not at length."""
    text = repr(value)
    return text if len(text) <= _MOST_SHOWN else f"{text[: _MOST_SHOWN - 3]}..."
