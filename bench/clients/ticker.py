"""How long one client waits for a host, in the host's processor time."""

from __future__ import annotations

import contextlib
import os
import socket
import struct
import time
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Waits:
    """The longest of so many waits, in milliseconds: that a host is to blame for, and in all."""

    blamed: float
    passed: float
    count: int


class Ticker:
    """A client that asks for nothing but a sign of life, in a process of its own."""

    def __init__(self, path: Path, pid: int) -> None:
        ours, theirs = socket.socketpair()
        self._results = ours.makefile()
        self._pipe = ours
        self._pid = os.fork()
        if self._pid == 0:
            ours.close()
            with contextlib.suppress(OSError):  # so that it is not what is late
                os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(1))
            _tick(path, pid, theirs)
            os._exit(0)
        theirs.close()

    def stop(self) -> Waits:
        """The longest waits since the beginning: not of necessity the same one."""
        self._pipe.shutdown(socket.SHUT_WR)
        blamed, passed, count = self._results.read().split()
        self._pipe.close()
        os.waitpid(self._pid, 0)
        return Waits(float(blamed), float(passed), int(count))


def _tick(path: Path, pid: int, control: socket.socket) -> None:
    clock = (~pid << 3) | 2  # clock_getcpuclockid(3): how the kernel numbers a process's clock
    control.setblocking(False)
    blamed, passed, count = 0.0, 0.0, 0
    with socket.socket(socket.AF_UNIX) as host:
        host.connect(str(path))
        while True:
            with contextlib.suppress(BlockingIOError):
                if not control.recv(1):
                    break
            began, used = time.monotonic(), time.clock_gettime(clock)
            host.sendall(struct.pack("=III", 1, 12 << 16, 2))  # wl_display.sync, as object 2
            received = 0
            while received < 24:  # done, and delete_id
                received += len(host.recv(24 - received))
            worked = 1e3 * (time.clock_gettime(clock) - used)
            waited = 1e3 * (time.monotonic() - began)
            blamed = max(blamed, min(worked, waited))  # threads beside the loop hold nobody up
            passed = max(passed, waited)
            count += 1
            time.sleep(0.0005)
    control.setblocking(True)
    control.sendall(f"{blamed} {passed} {count}".encode())
    control.close()
