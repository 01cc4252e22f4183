"""The hosts whose loop is measured: the reference compositor, and Weston with the module."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

from machine_bell import follow_bell
from weston_hot_plug import environment

from heapwire.client_lib import NoCompositorError
from heapwire.client_lib.negotiation import NegotiationManager
from heapwire.client_lib.wayland import Connection
from heapwire.kernel.description import Platform

PLATFORM = "raspberry-pi-4"
SLICE_LIMIT = 4.0  # milliseconds that a slice may take


class Host:
    """What is measured: where it listens, its process, and what its machine can be made to do.

    `hot_plug` takes a source away or gives it back, `look` has the machine looked at.
    """

    def __init__(
        self, path: Path, pid: int, hot_plug: Callable[[], None], look: Callable[[], None]
    ) -> None:
        self.path = path
        self.pid = pid
        self.hot_plug = hot_plug
        self.look = look
        self._connections: list[Connection] = []

    def cpu(self) -> float:
        """Seconds of processor time so far."""
        return time.clock_gettime((~self.pid << 3) | 2)

    def client(self) -> NegotiationManager:
        """A new client, until `close`."""
        self._connections.append(Connection(str(self.path)))
        return NegotiationManager(self._connections[-1])

    def end(self) -> None:
        """End it, and wait for that."""
        os.kill(self.pid, signal.SIGTERM)
        os.waitpid(self.pid, 0)

    def close(self) -> None:
        """End all clients."""
        for connection in self._connections:
            connection.close()
        self._connections.clear()


@contextlib.contextmanager
def reference(folder: Path) -> Iterator[Host]:
    """The reference compositor, with a hot-plug at SIGUSR1 and a look at SIGUSR2."""
    ready, told = os.pipe()
    pid = os.fork()
    if pid == 0:
        _serve(told)
        os._exit(0)
    os.close(told)
    os.read(ready, 1)
    yield Host(
        folder / "bench-0",
        pid,
        lambda: os.kill(pid, signal.SIGUSR1),
        lambda: os.kill(pid, signal.SIGUSR2),
    )


def _serve(told: int) -> None:
    from heapwire.compositor_plugin import rehearse, spare_the_loop
    from heapwire.compositor_plugin.answering.answer_schedule import AnswerSchedule
    from heapwire.compositor_plugin.hosts.reference import Compositor

    slices: list[float] = []
    slice_ = AnswerSchedule._slice

    def timed(schedule: AnswerSchedule) -> None:
        before = time.thread_time()
        slice_(schedule)
        slices.append(time.thread_time() - before)

    AnswerSchedule._slice = timed  # type: ignore[method-assign]  # to time it
    platform = Platform.load(PLATFORM)
    with Compositor(platform, socket="bench-0") as compositor:
        others = replace(platform, sources=platform.sources[1:])
        present = True

        def hot_plug(*_: object) -> None:
            nonlocal present
            present = not present
            compositor.plugin.platform_changed(platform if present else others)

        ring = follow_bell(compositor.plugin)
        signal.signal(signal.SIGUSR1, hot_plug)
        signal.signal(signal.SIGUSR2, lambda *_: ring())
        signal.signal(signal.SIGTERM, lambda *_: compositor.stop())
        rehearse(compositor.plugin.platform)
        spare_the_loop()
        os.write(told, b"r")
        compositor.run()
    longest = [1e3 * one for one in sorted(slices)[-3:]]  # each row is measured three times
    verdict = "" if longest[0] <= SLICE_LIMIT else f"  ABOVE {SLICE_LIMIT:g} ms"
    each = " ".join(f"{one:.2f}" for one in longest)
    print(f"  longest slices of {len(slices)}: {each} ms{verdict}", flush=True)


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

    yield Host(
        folder / "bench-0",
        process.pid,
        lambda: tell(signal.SIGUSR2),
        lambda: tell(signal.SIGUSR1),
    )
