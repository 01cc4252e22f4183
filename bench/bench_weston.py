"""What the module costs a headless Weston: start-up, memory, and time for each frame.

Compares Weston with the module to Weston without. The start is over when Weston has nothing left
to do: its processor time and private memory are told then, the least of some. What the module adds
to that time is told beside what Python and cffi alone take in a process in C. A frame is one that a
client commits, with a buffer that is tagged, while idle clients hold feedback objects.
Needs weston and what `heapwire weston build` needs; `make bench-weston` runs it, before the others
that have a Weston.
"""

from __future__ import annotations

import os
import signal
import subprocess
import tempfile
import time
from pathlib import Path

import shared_modules
from bench_load import PLATFORM, built, steps
from ratio_table import tell_ratio
from windows import Client, Extent

from heapwire.client_lib import NoCompositorError
from heapwire.client_lib.wayland import Connection
from heapwire.compositor_plugin.hosts.weston import MODULE, build_module, find_libweston
from heapwire.protocol import MachineError

ROUNDS = 5
STILL = 1.0  # seconds without any processor time, after which a start is over
FRAMES = 600
MOST_TIMES = 19.4  # of Python that the module may add: half of what it did before it was looked at
MOST_MEMORY = 15 * 1024  # KiB that the module may add
IDLE_CLIENTS = 20
SIZE = Extent(32, 32)  # small, so that what Weston does with pixels counts for little
TICK = os.sysconf("SC_CLK_TCK")


def start(folder: Path, module: Path | None) -> subprocess.Popen[bytes]:
    """A Weston that takes connections, and has nothing to do."""
    socket = folder / "bench-0"
    socket.unlink(missing_ok=True)
    command = ["weston", "--backend=headless-backend.so", "--shell=desktop-shell.so"]
    command += ["--socket=bench-0", "--idle-time=0", "--no-config", f"--log={folder / 'log'}"]
    weston = subprocess.Popen(
        [*command, *([f"--modules={module}"] if module else [])],
        env={**os.environ, "HEAPWIRE_PLATFORM": PLATFORM},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    while True:
        try:
            with Connection(str(socket)) as connection:
                connection.roundtrip(timeout=30)
            break
        except NoCompositorError:
            time.sleep(0.01)
    used = -1.0
    while used != (used := cpu_seconds(weston.pid)):
        time.sleep(STILL)
    return weston


def python_alone(folder: Path) -> float:
    """Seconds of processor time that Python takes to start with cffi, in a host of nothing."""
    program = built(folder)
    runs = [steps(program, PLATFORM) for _ in range(ROUNDS)]
    return min(run["python"][0] - run["started"][0] for run in runs) / 1e6


def end(weston: subprocess.Popen[bytes]) -> None:
    weston.send_signal(signal.SIGTERM)
    weston.wait()


def private_memory(pid: int) -> int:
    """KiB that belong to the process alone."""
    lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    return sum(int(line.split()[1]) for line in lines if line.startswith("Private_"))


def cpu_seconds(pid: int) -> float:
    """User and system time of a process so far."""
    fields = Path(f"/proc/{pid}/schedstat").read_text().split()
    return int(fields[0]) / 1e9


def seconds_of_frames(weston: subprocess.Popen[bytes], folder: Path, *, extension: bool) -> float:
    """Weston's CPU time for `FRAMES` frames of a fullscreen window, in seconds a frame."""
    target = str(folder / "bench-0")
    idle = [Connection(target) for _ in range(IDLE_CLIENTS)] if extension else []
    kept = [Client(one) for one in idle]
    with Connection(target) as connection:
        client = Client(connection, extension=extension)
        buffers = [client.shm_buffer(SIZE) for _ in range(2)]
        if extension:
            client.negotiate()
            for buffer in buffers:
                client.negotiation.watch(buffer, client.statuses.append)
        for frame in range(60):  # the fade at start-up is over then
            client.show(buffers[frame % 2], SIZE)
        before = cpu_seconds(weston.pid)
        for frame in range(FRAMES):
            client.show(buffers[frame % 2], SIZE)
        used = cpu_seconds(weston.pid) - before
    del kept
    for one in idle:
        one.close()
    return used / FRAMES


def main() -> None:
    with tempfile.TemporaryDirectory(prefix="heapwire-") as name:
        folder = Path(name)
        os.environ["XDG_RUNTIME_DIR"] = name
        try:
            module = folder / MODULE
            build_module(module, find_libweston())
        except MachineError as error:
            print(f"weston: not measured: {error}")
            return
        cost: dict[str, tuple[float, float]] = {}  # start and frame, in seconds
        private: dict[str, int] = {}
        for label, loaded in (("without", None), ("with", module)):
            starts, memory = [], []
            for _ in range(ROUNDS):
                weston = start(folder, loaded)
                starts.append(cpu_seconds(weston.pid))
                memory.append(private_memory(weston.pid))
                end(weston)
            weston = start(folder, loaded)
            frame = seconds_of_frames(weston, folder, extension=loaded is not None)
            end(weston)
            cost[label], private[label] = (min(starts), frame), min(memory)
            print(
                f"weston {label} the module: start {min(starts) * 1e3:.0f} ms of processor time, "
                f"private memory {min(memory) / 1024:.1f} MiB, "
                f"CPU {frame * 1e6:.0f} us a frame"
            )
        for what, ours, bare in zip(("start", "frame"), cost["with"], cost["without"], strict=True):
            tell_ratio(f"a {what} of Weston, with the module", ours / bare, "without it")
        added = cost["with"][0] - cost["without"][0]
        times = added / python_alone(folder)
        print(f"to the start it adds {added * 1e3:.0f} ms, {times:.1f} times Python and cffi alone")
        base = "Python and cffi, started in a process in C"
        tell_ratio("what the module adds to Weston's start", times, base, limit=MOST_TIMES)
        added = (private["with"] - private["without"]) / MOST_MEMORY
        base = f"the {MOST_MEMORY} KiB that it may have"
        tell_ratio("private memory that the module adds to Weston", added, base, limit=1)


if __name__ == "__main__":
    main()
