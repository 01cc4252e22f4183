"""A file that the command writes a result to, at the place that a person named.

What stands there decides how: a regular file is replaced, whole or not at all, and keeps
its mode; a link is followed; a device, a pipe or a socket is written to and stays what it
is. `-` is standard output. What cannot work is said before the work begins.
"""

from __future__ import annotations

import contextlib
import errno
import json
import os
import stat
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from heapwire.protocol import FileError, HeapwireError, words_of

if TYPE_CHECKING:
    from heapwire.protocol.explain import Document

STANDARD_OUTPUT = "-"
"""The name of a file that means standard output."""
READER = 5.0
"""Seconds in which somebody has to begin to read a pipe that is written to."""


class OutputFile:
    """The place that `path` names; raises `FileError` if nothing can be written there."""

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.path = Path(path)
        self._standard = os.fspath(path) == STANDARD_OUTPUT
        if not self._standard:
            self._check()

    @property
    def is_standard(self) -> bool:
        """Whether it is standard output."""
        return self._standard

    def __str__(self) -> str:
        return "standard output" if self._standard else str(self.path)

    def write(self, content: bytes) -> None:
        """Write all of it; `FileError` if that fails, and then a file that stood there stands."""
        try:
            if self._standard:
                sys.stdout.flush()  # what was printed before comes before
                _write_all(sys.stdout.fileno(), content)
            elif self._mode() is None or stat.S_ISREG(self._mode() or 0):
                self._replace(content)
            else:
                fd = _opened(self.path)
                try:
                    _write_all(fd, content)
                finally:
                    os.close(fd)
        except BrokenPipeError:
            raise
        except OSError as error:
            raise FileError(self.path, words_of(error)) from None

    def write_text(self, text: str) -> None:
        """Write text as UTF-8; what is no character, of a file's odd name, becomes an escape."""
        self.write(text.encode("utf-8", "backslashreplace"))

    def write_json(self, document: Document) -> None:
        """Write a document as JSON."""
        self.write_text(json.dumps(document, indent=1, ensure_ascii=False) + "\n")

    def _mode(self) -> int | None:
        """What stands there, links followed; None if nothing does."""
        with contextlib.suppress(FileNotFoundError):
            return self.path.stat().st_mode
        return None

    def _check(self) -> None:
        try:
            mode = self._mode()
            folder = self._target().parent
            if mode is not None and stat.S_ISDIR(mode):
                raise FileError(self.path, "this is a directory")
            if not folder.is_dir():
                raise FileError(self.path, f"there is no directory {folder}")
            # A regular file is replaced, which its directory has to permit.
            replaced = mode is None or stat.S_ISREG(mode)
            if not os.access(folder if replaced else self.path, os.W_OK):
                raise FileError(self.path, "no permission to write there")
        except OSError as error:
            raise FileError(self.path, words_of(error)) from None

    def _target(self) -> Path:
        """Where the links lead, so that what is replaced is never a link."""
        return Path(os.path.realpath(self.path))

    def _replace(self, content: bytes) -> None:
        target = self._target()
        partial = target.with_name(f".{target.name}.{os.getpid()}")
        mode = self._mode()
        try:
            with partial.open("xb") as file:
                file.write(content)
            if mode is not None:
                partial.chmod(stat.S_IMODE(mode))
            partial.replace(target)
        except BaseException:
            partial.unlink(missing_ok=True)
            raise


def _opened(path: Path) -> int:
    """Somebody's device or pipe, without O_TRUNC and O_CREAT; the caller's to close.

    Nobody may read a pipe yet, and to open it would wait for that without end.
    """
    end = time.monotonic() + READER
    while True:
        try:
            fd = os.open(path, os.O_WRONLY | os.O_CLOEXEC | os.O_NOCTTY | os.O_NONBLOCK)
        except OSError as error:
            if error.errno != errno.ENXIO or not stat.S_ISFIFO(path.stat().st_mode):
                raise
            if time.monotonic() >= end:
                raise FileError(path, "nobody reads this pipe") from None
            time.sleep(0.01)
        else:
            os.set_blocking(fd, True)
            return fd


class Written:
    """Results that are written one after the other, each whatever became of the others."""

    def __init__(self) -> None:
        self._faults: list[HeapwireError] = []

    @contextmanager
    def each(self) -> Iterator[None]:
        """Write one of them; what goes wrong is kept for `check`."""
        try:
            yield
        except HeapwireError as error:
            self._faults.append(error)

    def check(self, complain: Callable[[str], None]) -> None:
        """Raise the last error of the writing, and complain of those before it."""
        if self._faults:
            *others, last = self._faults
            for error in others:
                complain(str(error))
            raise last


def _write_all(fd: int, content: bytes) -> None:
    rest = memoryview(content)
    while rest:
        rest = rest[os.write(fd, rest) :]
