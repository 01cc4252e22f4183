"""The machine itself, where none is simulated: known at the start, and looked at afterwards."""

from __future__ import annotations

import logging
from collections.abc import Callable
from functools import partial

from heapwire.compositor_plugin import HeapPlugin
from heapwire.compositor_plugin.hosts.embed.machine_look import look_beside
from heapwire.kernel.description import Platform
from heapwire.kernel.discovery import HotPlug, TrialStore, local_platform, remembered
from heapwire.kernel.drm import open_drm
from heapwire.protocol import MachineError

log = logging.getLogger("heapwire")


def known_machine(*, as_set: bool) -> Platform:
    """The machine, with what is remembered of its devices: none is asked.

    `as_set` as in `machine_look.look`.
    """
    drm = partial(open_drm, as_set=as_set)
    return remembered(local_platform(drm=drm), TrialStore.of_user())


def follow_hardware(
    plugin: HeapPlugin, apply: Callable[[Platform], Platform], *, as_set: bool
) -> None:
    """Have a plugin look at the machine now, by a process beside the host, and when it changes."""

    def look() -> Platform:
        """With what its devices take when they are asked: not on the host's loop."""
        return apply(look_beside(as_set=as_set))

    try:
        plugin.follow(HotPlug(), look, at_once=True)
    except MachineError as error:
        log.warning("devices that come or go will not be noticed: %s", error)
