"""The host contract: what the plugin asks of the compositor that it runs in.

The plugin never reaches into a compositor. It knows surfaces and buffers by the
address of their `wl_resource` and asks a `Host` about them; the host calls
`HeapPlugin.surface_changed` when an answer of `surface_state` would differ from
the last one, `HeapPlugin.buffer_shown` when what becomes of a surface's buffers
changes and it knows what, and `HeapPlugin.batch_ends` before each `done` of its
linux-dmabuf feedback. Nothing is asked during a repaint in which
nothing changed.

All calls, in both directions, happen on the thread that runs the display's
event loop. A host's method must not block and must not raise; what it raises
all the same is logged and read as "unknown".
"""

from __future__ import annotations

from collections.abc import Callable
from enum import IntEnum
from typing import Protocol

from heapwire.compositor_plugin.clients import SecurityContext
from heapwire.protocol.late_dataclasses import dataclass
from heapwire.protocol.values import DeviceId, Extent, FormatModifier
from heapwire.protocol.wire import DmabufFeedback


class StatusReason(IntEnum):
    """Why a buffer was not scanned out; the values are those of the wire."""

    NONE = 0
    """It was scanned out."""
    NOT_A_CANDIDATE = 1
    """The surface is covered, blended, or does not fill a plane."""
    NO_PLANE = 2
    """No plane was free, or the output is driven without planes."""
    FORMAT = 3
    """No plane takes this format and modifier."""
    MEMORY = 4
    """The memory is not of a kind that the display can read."""
    LAYOUT = 5
    """A pitch, an offset or a size that the plane cannot take."""
    TRANSFORM = 6
    """The plane cannot scale, crop, rotate or convert as this surface wants."""
    PROTECTION = 7
    """Content protection forbids it."""
    REFUSED = 8
    """The display's driver refused, and did not say why."""
    UNKNOWN = 9
    """The compositor does not tell."""


@dataclass(frozen=True, slots=True)
class OutputState:
    """An output that a surface is on: its name, and the device that scans it out.

    `device` is None for an output that has no planes (a nested or remote one).
    """

    name: str
    device: DeviceId | None


@dataclass(frozen=True, slots=True, kw_only=True)
class SurfaceState:
    """What the compositor makes of a surface now.

    `outputs` has the main one first. `size` is the size on screen in pixels, None if
    not known: a candidate's picture is taken to be scaled to it, which is why the host
    leaves it out where no more than a part of a buffer is shown.
    `candidate` says whether the surface could be scanned out if its buffer
    suited the plane; `reason` why not. A surface that has no buffer yet is
    judged by what it has been configured to be, so that a player that asks for
    fullscreen negotiates the right memory for its first frame. `rotation` is
    in degrees counter-clockwise.

    `black` says whether the host takes buffers that its renderer cannot read, which are
    protected or in a format that linux-dmabuf lists and the renderer does not sample, and
    shows black in their place wherever it does not scan them out.
    """

    outputs: tuple[OutputState, ...]
    size: Extent | None
    candidate: bool
    reason: StatusReason = StatusReason.NONE
    rotation: int = 0
    black: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class PlaneTest:
    """A buffer of which a host is asked whether a plane of a display would show it.

    `device` is the card, `plane` the plane's id in KMS (0 on a simulated platform), `planes` the
    offset and pitch in bytes of each plane of the picture, all of which are in `fd`. That stays
    heapwire's, and is open until the test is answered or the plugin closed.
    """

    device: DeviceId
    plane: int
    fourcc: int
    modifier: int
    size: Extent
    fd: int
    planes: tuple[tuple[int, int], ...]


class PlaneTester(Protocol):
    """How a host that is the master of its cards has a commit tested (DRM's TEST_ONLY)."""

    def __call__(self, test: PlaneTest, answered: Callable[[int | None], None]) -> bool:
        """Begin a test and return at once; False if this device cannot be asked.

        `answered` is called on the loop's thread, then or later: with 0 if the plane would show
        the buffer, unscaled and as large as the screen, with the errno if not, and with
        None if that could not be told.
        """


class Host(Protocol):
    """What an integrator provides; `int` arguments are `wl_resource` addresses."""

    def surface_state(self, surface: int) -> SurfaceState | None:
        """What the compositor makes of the surface; None if it knows it not."""

    def importable_formats(self, client: int, surface: int | None) -> frozenset[FormatModifier]:
        """The pairs that linux-dmabuf would take from this `wl_client` for one of its surfaces.

        They are all that the feedback for the surface lists; without a surface, or if there is
        none for it, those of the feedback for none in particular.
        """

    def dmabuf_feedback(self, feedback: int) -> DmabufFeedback | None:
        """What a `zwp_linux_dmabuf_feedback_v1` of the host's said in its last batch.

        Between `HeapPlugin.batch_ends` and the end of that batch it is the one that ends. None
        if it has not said anything, or the host knows it not.
        """

    def security_context(self, client: int) -> SecurityContext | None:
        """What a sandbox has said of this `wl_client` by `wp_security_context_v1`.

        None if none has, or the compositor does not have that protocol. It is asked once
        for each client: it must not change.
        """
