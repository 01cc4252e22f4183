"""The hosts whose loop is measured: the reference compositor, and Weston with the module."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from host_signals import HANG, HOT_PLUG, LOOK, hang
from machine_bell import follow_bell
from patience import until
from slice_times import time_slices
from weston_hot_plug import environment

from heapwire.client_lib import NoCompositorError
from heapwire.client_lib.negotiation import NegotiationManager
from heapwire.client_lib.wayland import Connection
from heapwire.kernel.description import Platform
from heapwire.protocol import MachineError

PLATFORM = "raspberry-pi-4"


@dataclass(frozen=True, slots=True)
class End:
    """From SIGTERM to a host's end: milliseconds of its processor time, and in all."""

    processor: float
    passed: float


class Host:
    """What is measured: where it listens, its process, and what its machine can be made to do.

    `hot_plug` takes a source away or gives it back, `look` has the machine looked at, `hang` has
    the thread that asks the kernel wait for a driver that never answers.
    """

    def __init__(self, path: Path, pid: int, tell: Callable[[int], None]) -> None:
        self.path = path
        self.pid = pid
        self.hot_plug = partial(tell, HOT_PLUG)
        self.look = partial(tell, LOOK)
        self.hang = partial(tell, HANG)
        self._connections: list[Connection] = []
        self._processes: list[int] = []

    def cpu(self) -> float:
        """Seconds of processor time so far."""
        return time.clock_gettime((~self.pid << 3) | 2)

    def begun(self, act: Callable[[], None], seconds: float) -> None:
        """Do something, and return when the host has been at it for so much processor time."""
        before = self.cpu()
        act()
        until(lambda: self.cpu() - before >= seconds, "the host to be at work")

    @property
    def children(self) -> list[str]:
        """The numbers of the processes that its threads have started."""
        threads = Path(f"/proc/{self.pid}/task").iterdir()
        return [pid for one in threads for pid in (one / "children").read_text("ascii").split()]

    def client(self, user: int | None = None) -> NegotiationManager:
        """A new client, until `close`; of another user, for which this process has to be root's."""
        if user is not None:
            self.path.parent.chmod(0o711)
            self.path.chmod(0o777)
            os.seteuid(user)
        try:
            self._connections.append(Connection(str(self.path)))
        finally:
            if user is not None:
                os.seteuid(0)
        return NegotiationManager(self._connections[-1])

    def client_beside(self, act: Callable[[NegotiationManager], None]) -> None:
        """A new client in a process of its own, which does something and stays until `close`."""
        pid = os.fork()
        if pid == 0:
            try:
                act(NegotiationManager(Connection(str(self.path))))
                signal.pause()
            finally:
                os._exit(1)
        self._processes.append(pid)

    def end(self) -> End:
        """End it, and wait for that; raises `MachineError` if it did not end in order."""
        used, began = self.cpu(), time.monotonic()
        os.kill(self.pid, signal.SIGTERM)
        os.waitid(os.P_PID, self.pid, os.WEXITED | os.WNOWAIT)  # and its clock can still be read
        end = End(1e3 * (self.cpu() - used), 1e3 * (time.monotonic() - began))
        status = os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])
        if status != 0:
            raise MachineError(f"the host ended with status {status}")
        return end

    def close(self) -> None:
        """End all clients."""
        for connection in self._connections:
            connection.close()
        self._connections.clear()
        while self._processes:
            os.kill(self._processes[-1], signal.SIGKILL)
            os.waitpid(self._processes.pop(), 0)


@contextlib.contextmanager
def reference(folder: Path) -> Iterator[Host]:
    """The reference compositor, in an interpreter of its own."""
    ready, told = os.pipe()
    process = subprocess.Popen([sys.executable, __file__, str(told)], pass_fds=[told])
    os.close(told)
    try:
        if os.read(ready, 1) != b"r":
            raise MachineError("the reference compositor did not start")
    finally:
        os.close(ready)
    with _ended(process):
        yield Host(folder / "bench-0", process.pid, process.send_signal)


@contextlib.contextmanager
def _ended(process: subprocess.Popen[bytes]) -> Iterator[None]:
    """Have a process ended, whatever becomes of the measurement."""
    try:
        yield
    finally:
        process.kill()  # nothing where it has ended
        process.wait()


def _serve(told: int) -> None:
    from heapwire.compositor_plugin import rehearse, spare_the_loop
    from heapwire.compositor_plugin.hosts.reference import Compositor

    time_slices()
    platform = Platform.load(PLATFORM)
    with Compositor(platform, socket="bench-0") as compositor:
        others = replace(platform, sources=platform.sources[1:])
        present = True

        def hot_plug(*_: object) -> None:
            nonlocal present
            present = not present
            compositor.plugin.platform_changed(platform if present else others)

        ring = follow_bell(compositor.plugin)
        signal.signal(HOT_PLUG, hot_plug)
        signal.signal(LOOK, lambda *_: ring())
        signal.signal(HANG, lambda *_: hang(compositor.plugin))
        signal.signal(signal.SIGTERM, lambda *_: compositor.stop())
        rehearse(compositor.plugin.platform)
        spare_the_loop()
        os.write(told, b"r")
        os.close(told)
        compositor.run()


@contextlib.contextmanager
def weston(folder: Path) -> Iterator[Host]:
    """A headless Weston with the module; raises `MachineError` if there is none."""
    from heapwire.compositor_plugin.hosts.weston import MODULE, build_module, find_libweston

    module = folder / MODULE
    build_module(module, find_libweston())
    command = ["weston", "--backend=headless-backend.so", "--shell=desktop-shell.so"]
    command += ["--socket=bench-0", "--idle-time=0", "--no-config", f"--log={folder / 'log'}"]
    python = environment(folder / "python")
    process = subprocess.Popen(
        [*command, f"--modules={module}"],
        env={**os.environ, "HEAPWIRE_PLATFORM": PLATFORM, "HEAPWIRE_PYTHON": str(python)},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    while True:
        try:
            with Connection(str(folder / "bench-0")) as connection:
                connection.roundtrip(timeout=30)
            break
        except NoCompositorError:
            time.sleep(0.01)

    def tell(number: int) -> None:
        os.kill(process.pid, number)
        # Python's handlers run when Python does, and it does when its global is bound.
        with Connection(str(folder / "bench-0")) as connection:
            NegotiationManager(connection)

    with _ended(process):
        yield Host(folder / "bench-0", process.pid, tell)


if __name__ == "__main__":
    _serve(int(sys.argv[1]))
