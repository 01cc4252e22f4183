"""A look at the machine whenever a bell is rung, as a plugin in C has it after a hot-plug."""

from __future__ import annotations

import os
from collections.abc import Callable

from heapwire.compositor_plugin import HeapPlugin
from heapwire.compositor_plugin.hosts.embed.machine_look import look_beside
from heapwire.kernel.description import Platform


class Bell:
    """Stands for the kernel's word that something happened."""

    def __init__(self) -> None:
        self._fd = os.eventfd(0, os.EFD_NONBLOCK | os.EFD_CLOEXEC)

    def ring(self) -> None:
        os.eventfd_write(self._fd, 1)

    def fileno(self) -> int:
        return self._fd

    def changed(self) -> bool:
        return os.eventfd_read(self._fd) > 0

    def close(self) -> None:
        os.close(self._fd)


def follow_bell(plugin: HeapPlugin) -> Callable[[], None]:
    """Have a plugin look when what is returned is called; what it knows of the machine stays."""
    bell, platform = Bell(), plugin.platform

    def discover() -> Platform:
        look_beside()
        return platform

    plugin.follow(bell, discover)  # type: ignore[arg-type]  # all of `HotPlug` that is used
    return bell.ring
