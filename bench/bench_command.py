"""What the command takes before it does anything, next to Python that does nothing.

Each in a process of its own, in turn; processor time, the least of some runs. The aim is for
`--help`, which whoever has just installed it asks for first: five times `python -c pass`.
"""

from __future__ import annotations

import os
import subprocess
import sys

from ratio_table import tell_ratio

RUNS = 9
AIM = 5
COMMANDS = ("--help", "--version", "list --help", "play --help")
HEAPWIRE = ("-m", "heapwire.cli.main")


def processor_time(*arguments: str) -> float:
    """Milliseconds of one run of Python."""
    process = subprocess.Popen([sys.executable, *arguments], stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)  # it has been waited for
    assert process.returncode == 0, arguments
    return 1e3 * (usage.ru_utime + usage.ru_stime)


def main() -> None:
    """Measure and print."""
    nothing: list[float] = []
    times: dict[str, list[float]] = {command: [] for command in COMMANDS}
    for _ in range(RUNS):
        nothing.append(processor_time("-c", "pass"))
        for command, found in times.items():
            found.append(processor_time(*HEAPWIRE, *command.split()))
    print(f"  python -c pass           {min(nothing):6.1f} ms")
    for command, found in times.items():
        ratio = min(found) / min(nothing)
        verdict = f"  ABOVE {AIM} times" if command == "--help" and ratio > AIM else ""
        print(f"  heapwire {command:15} {min(found):6.1f} ms, {ratio:4.1f} times{verdict}")
        limit = AIM if command == "--help" else None
        tell_ratio(f"heapwire {command}", ratio, "python -c pass", limit=limit)


if __name__ == "__main__":
    main()
