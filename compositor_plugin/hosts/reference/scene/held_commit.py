"""A commit that takes effect later: all that it sets, taken out of what comes after it."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from heapwire.compositor_plugin.hosts.reference.scene.surface_commit import SurfaceCommit
from heapwire.protocol.late_dataclasses import dataclass

if TYPE_CHECKING:
    from heapwire.compositor_plugin.hosts.reference import WlSurface
    from heapwire.compositor_plugin.hosts.reference.wl_subsurface import WlSubsurface


@dataclass(slots=True, eq=False)
class HeldCommit:
    """What one surface is to be.

    `stack` has the surface and its subsurfaces from bottom to top, `positions` where these are
    on it; `role` has the rest take effect that the surface's role knows of. `told` says that the
    kernel tells when the acquire point of `state` comes.
    """

    surface: WlSurface
    state: SurfaceCommit
    stack: list[WlSurface]
    positions: list[tuple[WlSubsurface, tuple[int, int]]]
    role: Callable[[], None] | None
    told: bool = False
