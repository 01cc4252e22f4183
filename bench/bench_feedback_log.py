"""Measure what listening to the host's linux-dmabuf feedback costs every other message.

What `feedback_log.c` adds to a display is called by libwayland for each message of each client.
The same program asks the same of one display without it and with it, in turn, so that the ratio
stands on a busy machine too.
"""

from __future__ import annotations

import statistics
import subprocess
import tempfile
from pathlib import Path

from ratio_table import tell_ratio

from heapwire.kernel.system import c_compiler

HERE = Path(__file__).parent
EMBED = HERE.parent / "compositor_plugin" / "hosts" / "embed" / "c"


def main() -> None:
    """Print nanoseconds a message, and their ratio."""
    with tempfile.TemporaryDirectory() as folder:
        program = Path(folder) / "cost"
        own = ("feedback_log", "gathered_batch", "told_surfaces", "batch_store", "message_log")
        parts = [EMBED / f"{name}.c" for name in own]
        files = (HERE / "hosts/feedback_log_cost.c", *parts)
        flags = subprocess.run(
            ["pkg-config", "--cflags", "--libs", "wayland-server"],
            capture_output=True,
            text=True,
            check=True,
        ).stdout.split()
        command = [*c_compiler(), "-O2", f"-I{EMBED}", *files, "-o", program, *flags]
        subprocess.run(command, check=True)
        done = subprocess.run([program], capture_output=True, text=True, check=True)
    turns = [tuple(map(float, line.split())) for line in done.stdout.splitlines()]
    without = statistics.median(one for one, _ in turns)
    ratio = statistics.median(two / one for one, two in turns)
    print(
        f"a message without the listener: {without:6.0f} ns; with it {ratio:.3f} times that "
        f"(median of {len(turns)} turns)"
    )
    tell_ratio("a message, with the listener", ratio, "without it")


if __name__ == "__main__":
    main()
