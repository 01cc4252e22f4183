"""Deviations of explicit synchronisation."""

from __future__ import annotations

import os
from typing import Any

import pytest
from deviations import LEAKED, deviation, die, wrap
from extension_deviations import DEVIATIONS, harmless, of

from heapwire.compositor_plugin.hosts.reference import WlSurface
from heapwire.compositor_plugin.hosts.reference.scene import SyncPoint
from heapwire.compositor_plugin.hosts.reference.scene.buffer_hold import BufferHold
from heapwire.compositor_plugin.hosts.reference.sync import (
    ClientTimelines,
    WpLinuxDrmSyncobjManagerV1 as Manager,
    WpLinuxDrmSyncobjSurfaceV1 as SyncSurface,
)
from heapwire.compositor_plugin.server import ViolationError
from heapwire.compositor_plugin.server.resource import live_resources

__all__ = ["DEVIATIONS"]  # with those that are added here

_SHOWN = "frame destroyed-timeline destroyed-manager destroyed-object replaced-point without-buffer"
_MISUSE = (
    "no-buffer no-buffer-acquire no-buffer-release no-acquire-point no-release-point "
    "equal-points late-acquire null-buffer"
)


@deviation("a buffer is read before its point", *of("sync", "acquire"))
def _(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(SyncPoint, "signalled", property(lambda self: True))


@deviation("a buffer is never read", *of("sync", f"acquire {_SHOWN}"))
def _(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(SyncPoint, "signalled", property(lambda self: False))


@deviation(
    "no release point is signalled",
    *of("sync", "release release-unmapped destroyed-timeline replaced-point"),
)
def _(patch: pytest.MonkeyPatch) -> None:
    def init(method: Any, self: BufferHold, *arguments: Any) -> None:
        method(self, *arguments)
        self._held = False

    wrap(patch, BufferHold, "__init__", init)


@deviation("any points go with any buffer", *of("sync", _MISUSE))
def _(patch: pytest.MonkeyPatch) -> None:
    def take(method: Any, self: SyncSurface, buffer: Any) -> Any:
        try:
            return method(self, buffer)
        except ViolationError:
            return None

    wrap(patch, SyncSurface, "take", take)


@deviation("points that were set once are those of each commit", *of("sync", "without-buffer"))
def _(patch: pytest.MonkeyPatch) -> None:
    def take(method: Any, self: SyncSurface, buffer: Any) -> Any:
        points = self._acquire, self._release
        try:
            return method(self, buffer)
        finally:
            self._acquire, self._release = points

    wrap(patch, SyncSurface, "take", take)


@deviation("the first point that is set counts", *of("sync", "replaced-point"))
def _(patch: pytest.MonkeyPatch) -> None:
    def first(method: Any, self: SyncSurface, *arguments: Any) -> None:
        if self._acquire is None:
            method(self, *arguments)

    wrap(patch, SyncSurface, "set_acquire_point", first)


@deviation("a surface has as many objects as are asked for", *of("sync", "surface-exists"))
def _(patch: pytest.MonkeyPatch) -> None:
    def get_surface(_method: Any, _self: Manager, new_id: Any, surface: Any) -> None:
        surface.sync = None
        SyncSurface(new_id, surface)

    wrap(patch, Manager, "get_surface", get_surface)


@deviation("what was destroyed counts as a surface's object still", *of("sync", "destroyed-object"))
def _(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(SyncSurface, "on_destroy", lambda self: None)


@deviation("timelines and surfaces go with the manager", *of("sync", "destroyed-manager"))
def _(patch: pytest.MonkeyPatch) -> None:
    def destroy(method: Any, self: Manager) -> None:
        for one in live_resources():
            if isinstance(one, SyncSurface):
                one.destroy_resource()
        method(self)

    wrap(patch, Manager, "destroy", destroy)


@deviation(
    "points are set of surfaces that are gone", *of("sync", "no-surface-acquire no-surface-release")
)
def _(patch: pytest.MonkeyPatch) -> None:
    harmless(patch, SyncSurface, "set_acquire_point", "set_release_point")


@deviation(
    "a surface that goes ends the client", *of("sync", "no-surface-acquire no-surface-release")
)
def _(patch: pytest.MonkeyPatch) -> None:
    def destroy(method: Any, self: WlSurface) -> None:
        synchronised = self.sync is not None
        method(self)
        if synchronised:
            die(self)

    wrap(patch, WlSurface, "destroy", destroy)


@deviation("anything is a timeline", "sync/invalid-timeline", "descriptors/timeline")
def _(patch: pytest.MonkeyPatch) -> None:
    def imported(_method: Any, self: ClientTimelines, _client: Any, fd: int) -> Any:
        LEAKED.append(os.dup(fd))
        return self._devices[0].create()

    wrap(patch, ClientTimelines, "imported", imported)
