"""What a measured host does at a signal, beside ending at SIGTERM."""

from __future__ import annotations

import os
import signal
from typing import TYPE_CHECKING

if TYPE_CHECKING:  # a host says what it does at signals before it imports anything
    from heapwire.compositor_plugin import HeapPlugin

# Not SIGUSR1, which Weston takes for itself.
HOT_PLUG, LOOK, HANG = signal.SIGUSR2, signal.SIGRTMIN, signal.SIGRTMIN + 1


def hang(plugin: HeapPlugin) -> None:
    """Let the thread that asks the kernel wait for an answer that never comes, as a driver may."""
    reading, _ = os.pipe2(os.O_CLOEXEC)
    plugin._state.kernel_worker.submit(lambda: os.read(reading, 1), lambda _: None)
