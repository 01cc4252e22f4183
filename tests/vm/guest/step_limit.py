"""Steps of a guest's script that must end: one that does not says where everybody stands.

A guest that hangs until its runner's limit tells nothing. Here each step has a limit, far
beyond what it takes, and what is printed then is what one would ask a living guest for: the
processes with what they wait for in the kernel, and this script's own stack.
"""

from __future__ import annotations

import contextlib
import faulthandler
import os
import sys
import threading
from pathlib import Path

from limits import PATIENCE

# A step waits for several things, each up to PATIENCE where something is wrong.
STEP_SECONDS = 1.5 * PATIENCE


@contextlib.contextmanager
def step_limit(name):
    """End this process, and say who waits for what, if a block takes longer than STEP_SECONDS."""
    timer = threading.Timer(STEP_SECONDS, _give_up, (name,))
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()


def _give_up(name):
    print(f"{name}: not done in {STEP_SECONDS:.0f} s", file=sys.stderr)
    for process in sorted(Path("/proc").glob("[0-9]*"), key=lambda one: int(one.name)):
        with contextlib.suppress(OSError):  # it may end while it is looked at
            for thread in sorted(process.glob("task/*")):
                print(_thread_line(process, thread), file=sys.stderr)
    faulthandler.dump_traceback(sys.stderr, all_threads=True)
    sys.stderr.flush()
    os._exit(1)


def _thread_line(process, thread):
    """One thread: who it is, its state, and what it waits in."""
    state = (thread / "stat").read_text().rpartition(")")[2].split()[0]
    command = (process / "cmdline").read_bytes().replace(b"\0", b" ").decode("utf-8", "replace")
    waits = (thread / "wchan").read_text()
    named = command.strip()[:120] or (thread / "comm").read_text().strip()
    return f"{process.name}/{thread.name} {state} {named}: {waits}"
