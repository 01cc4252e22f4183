"""What the plugin costs a compositor before anybody asks, next to Python alone in the same process.

A host in C (`load_host.c`) starts Python with cffi, then attaches the plugin, then answers the
first question of a first client. Each step's processor time and memory are told: time is the
least of some runs, its ratio the median of those within each, and memory is what belongs to the
process alone (Private_Clean and Private_Dirty).
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

import shared_modules
from bench_answer import Plugin
from ratio_table import tell_ratio

from heapwire.compositor_plugin.hosts.embed import build_library
from heapwire.compositor_plugin.hosts.embed.build import BuiltPython
from heapwire.kernel.system import c_compiler
from heapwire.protocol import MachineError

RUNS = 15
PLATFORM = "raspberry-pi-4"
STEPS = ("started", "python", "attached", "asked")
MOST_TIMES = 15.8  # of Python: half of what it took before it was looked at
MOST_MEMORY = 15 * 1024  # KiB


def built(folder: Path) -> Path:
    """The host, with the library beside it."""
    build_library(folder)
    python, program = BuiltPython.running(), folder / "load_host"
    flags = subprocess.run(
        ["pkg-config", "--cflags", "--libs", "wayland-server"],
        capture_output=True,
        text=True,
        check=True,
    ).stdout.split()
    command = [*c_compiler(), "-O2", f"-I{folder}", f"-isystem{python.headers}", f"-o{program}"]
    command += [str(Path(__file__).parent / "hosts/load_host.c"), str(folder / "libheapwire.so")]
    command += [str(python.library), f"-Wl,-rpath,{folder}:{python.library.parent}", *flags]
    subprocess.run(command, check=True)
    return program


def steps(program: Path, platform: str) -> dict[str, tuple[int, int]]:
    """Microseconds and KiB up to each step of one run."""
    command = [str(program), sys.executable, "bench-0", platform]
    rows: dict[str, tuple[int, int]] = {}
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as host:
        assert host.stdout is not None
        for step in STEPS:
            if step == "asked":
                Plugin(Path(os.environ["XDG_RUNTIME_DIR"]) / "bench-0").socket.close()
                host.terminate()
            name, microseconds, kib = host.stdout.readline().split()
            assert name == step
            rows[step] = int(microseconds), int(kib)
    return rows


def main() -> None:
    with tempfile.TemporaryDirectory(prefix="heapwire-") as name:
        os.environ["XDG_RUNTIME_DIR"] = name
        try:
            program = built(Path(name))
        except (MachineError, OSError, subprocess.CalledProcessError) as error:
            print(f"load: not measured: {error}")
            return
        runs = [steps(program, PLATFORM) for _ in range(RUNS)]
        print(f"  {'':34} processor time   times Python   private memory")
        for before, after, label in (
            ("started", "python", "Python and cffi, nothing else"),
            ("python", "attached", "the plugin, attached"),
            ("attached", "asked", "the first client's first question"),
        ):
            time = min(run[after][0] - run[before][0] for run in runs)
            ratio = statistics.median(
                (run[after][0] - run[before][0]) / (run["python"][0] - run["started"][0])
                for run in runs
            )
            kib = min(run[after][1] - run[before][1] for run in runs)
            print(f"  {label:34} {time / 1e3:11.1f} ms {ratio:14.1f} {kib / 1024:12.1f} MiB")
            if before == "started":
                continue
            limit = MOST_TIMES if after == "attached" else None
            base = "Python and cffi, started in the same process"
            tell_ratio(label, ratio, base, limit=limit)
            if after == "attached":
                base = f"the {MOST_MEMORY} KiB that it may have"
                tell_ratio("private memory of the plugin", kib / MOST_MEMORY, base, limit=1)


if __name__ == "__main__":
    main()
