"""A connection that sends whatever it is told to: sockets and bytes, and nothing else."""

from __future__ import annotations

import array
import fcntl
import os
import socket
import struct
import termios
import time
from pathlib import Path
from select import POLLIN, POLLOUT, poll

from patience import PATIENCE

MOST_FDS = 28  # what libwayland takes at a time; the kernel takes 253


class HungUpError(Exception):
    """The compositor has closed the connection."""


class RawConnection:
    """`events` are (object, opcode, body) as they came; descriptors are counted and closed."""

    def __init__(self, path: Path) -> None:
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM | socket.SOCK_CLOEXEC)
        self.socket.connect(str(path))
        self.socket.setblocking(False)
        self.events: list[tuple[int, int, bytes]] = []
        self.fds = 0
        self._in = b""

    def close(self) -> None:
        self.socket.close()

    def send(self, data: bytes, fds: list[int] | None = None) -> None:
        """Send all of it; the descriptors stay the caller's. Raises `HungUpError`."""
        ancillary = [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", fds or []))]
        deadline = time.monotonic() + PATIENCE
        while data or fds:
            try:
                # Descriptors need a byte to travel with.
                sent = self.socket.sendmsg([data or b"\0"], ancillary if fds else [])
            except BlockingIOError:
                self._wait(POLLOUT | POLLIN, deadline, "to be read")
                self.read()  # or both sides wait for each other
                continue
            except OSError as error:
                raise HungUpError(str(error)) from None
            data, fds = data[sent:], None

    def read(self) -> None:
        """Take what is there. Raises `HungUpError`."""
        while True:
            try:
                data, ancillary, _, _ = self.socket.recvmsg(1 << 16, socket.CMSG_SPACE(4 * 253))
            except BlockingIOError:
                break
            except OSError as error:
                raise HungUpError(str(error)) from None
            for _, _, raw in ancillary:
                for fd in array.array("i", raw[: len(raw) // 4 * 4]):
                    self.fds += 1
                    os.close(fd)
            if not data:
                self._parse()
                raise HungUpError("end of file")
            self._in += data
        self._parse()

    @property
    def unread(self) -> int:
        """Bytes that the compositor has not taken (SIOCOUTQ of unix sockets)."""
        return int(struct.unpack("=i", fcntl.ioctl(self.socket, termios.TIOCOUTQ, bytes(4)))[0])

    def wait_for(self, object_: int, *opcodes: int, since: int = 0) -> int:
        """Read until an event came, counting from the `since`th; its position.

        Raises `HungUpError`.
        """
        deadline = time.monotonic() + PATIENCE
        while True:
            for position, (target, opcode, _) in enumerate(self.events[since:], since):
                if target == object_ and opcode in opcodes:
                    return position
            self._wait(POLLIN, deadline, f"an event of object {object_}")
            self.read()

    def _wait(self, what: int, deadline: float, words: str) -> None:
        waiting = poll()
        waiting.register(self.socket, what)
        if not waiting.poll(max(0, deadline - time.monotonic()) * 1000):
            raise AssertionError(f"waited {PATIENCE:.0f} s for {words}: the compositor hangs")

    def _parse(self) -> None:
        position = 0
        while len(self._in) - position >= 8:
            object_, word = struct.unpack_from("=II", self._in, position)
            size = word >> 16
            if size < 8 or len(self._in) - position < size:
                break
            body = self._in[position + 8 : position + size]
            self.events.append((object_, word & 0xFFFF, body))
            position += size
        self._in = self._in[position:]
