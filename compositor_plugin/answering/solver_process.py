"""The host's end of the process that solves what takes long."""

from __future__ import annotations

import sys
from _socket import (  # `socket` makes enumerations of its constants: 2 ms of a start
    MSG_NOSIGNAL,
    socketpair,
)
from collections.abc import Callable
from typing import Final

from heapwire.compositor_plugin.answering.frames import Frame, FrameReader
from heapwire.compositor_plugin.answering.spawned_process import PASSED, SpawnedProcess
from heapwire.compositor_plugin.server import WRITABLE, EventLoop, EventSource
from heapwire.protocol import MachineError, words_of

# Isolated: the host's environment is for the host. Where it finds modules is handed on. What else
# the host lets be inherited, a display's memory for example, is let go first.
_BOOT: Final = (
    "import os, sys; _, fd, *sys.path = sys.argv\n"
    "os.closerange(int(fd) + 1, max(map(int, os.listdir('/proc/self/fd'))) + 1)\n"
    "from heapwire.compositor_plugin.answering.solver_child import main; main(int(fd))"
)
_CHUNK = 1 << 16  # bytes that are written or read in a turn of the loop

_ended: list[SpawnedProcess] = []  # killed, and perhaps not collected yet


class SolverProcess:
    """One process, and what is on the way to it and back.

    It shares neither the interpreter's lock nor the garbage collector with the host, and can
    be ended at any moment. `heard` gets each frame that comes back, `lost` is called when the
    process has ended by itself. Raises `MachineError` if it cannot be started.
    """

    def __init__(
        self, loop: EventLoop, heard: Callable[[Frame], None], lost: Callable[[], None]
    ) -> None:
        self._heard = heard
        self._lost = lost
        self._loop = loop
        self._reader = FrameReader()
        self._unsent = bytearray()
        self._writing: EventSource | None = None
        _ended[:] = [one for one in _ended if not one.has_ended()]
        ours, theirs = socketpair()
        try:
            self._process = _started(theirs.fileno())
        except OSError as error:
            ours.close()
            raise MachineError(f"no process can be started: {words_of(error)}") from error
        finally:
            theirs.close()
        ours.setblocking(False)
        self._socket = ours
        self._reading = loop.add_fd(ours.fileno(), lambda _: self._read())

    @property
    def pid(self) -> int:
        """The number of the process."""
        return self._process.pid

    def send(self, frame: Frame) -> None:
        """Send a frame as soon as the socket takes it; the rest goes in later turns."""
        self._unsent += frame.encode()
        self._write()

    def close(self) -> None:
        """End the process now; waits for nothing, and is safe to call twice."""
        if self._socket.fileno() < 0:
            return
        self._reading.remove()
        if self._writing is not None:
            self._writing.remove()
        self._socket.close()
        self._process.kill()
        if not self._process.has_ended():
            _ended.append(self._process)

    def _write(self) -> None:
        try:
            # A host in C may let SIGPIPE end it, and the process can end at any moment.
            del self._unsent[: self._socket.send(self._unsent[:_CHUNK], MSG_NOSIGNAL)]
        except BlockingIOError:
            pass
        except OSError:
            return  # it has ended, which reading will tell
        if self._unsent and self._writing is None:
            fd = self._socket.fileno()
            self._writing = self._loop.add_fd(fd, lambda _: self._write(), WRITABLE)
        elif not self._unsent and self._writing is not None:
            self._writing.remove()
            self._writing = None

    def _read(self) -> None:
        try:
            data = self._socket.recv(_CHUNK)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        if not data:
            self.close()
            self._lost()
            return
        for frame in self._reader.feed(data):
            self._heard(frame)


def _started(fd: int) -> SpawnedProcess:
    if not sys.executable:
        raise FileNotFoundError("this program does not know its Python")
    return SpawnedProcess([sys.executable, "-I", "-c", _BOOT, str(PASSED), *sys.path], fd)
