"""A fake compositor with windows: it shows each frame at once and remembers its pixels."""

from __future__ import annotations

import os
import time
from dataclasses import dataclass, field
from typing import Any

import fake_compositor
from fake_compositor import NV12, XRGB, FakeCompositor, plan, plans
from pywayland.protocol.presentation_time import WpPresentation, WpPresentationFeedback
from pywayland.protocol.viewporter import WpViewport, WpViewporter
from pywayland.protocol.wayland import WlRegion
from pywayland.protocol.xdg_shell import XdgSurface, XdgToplevel, XdgWmBase

from heapwire.protocol.values import FORMATS
from heapwire.protocol.wire import decode_formats
from heapwire.protocol.wire.bindings import BufferStatusReason, BufferStatusResult

fake_compositor.TABLES.update(
    {
        one.name: fake_compositor._table(one)
        for one in (
            WlRegion,
            XdgWmBase,
            XdgSurface,
            XdgToplevel,
            WpViewporter,
            WpViewport,
            WpPresentation,
            WpPresentationFeedback,
        )
    }
)

SCANOUT = (BufferStatusResult.SCANOUT, BufferStatusReason.NONE)
COMPOSITED = (BufferStatusResult.COMPOSITED, BufferStatusReason.NOT_A_CANDIDATE)


@dataclass
class Imported:
    """A buffer as it was imported."""

    size: tuple[int, int]
    fourcc: int
    planes: dict[int, tuple[int, int, int]]
    watch: int | None = None
    told: Any = None


@dataclass
class Shown:
    """A frame that was on the screen: its format, size, and the bytes of its planes."""

    fourcc: int
    size: tuple[int, int]
    planes: tuple[bytes, ...]


@dataclass
class Pending:
    buffer: int | None = None
    callbacks: list[int] = field(default_factory=list)
    feedbacks: list[int] = field(default_factory=list)


class PlayingCompositor(FakeCompositor):
    globals = (
        ("wl_compositor", 6),
        ("xdg_wm_base", 6),
        ("wp_viewporter", 1),
        ("wp_presentation", 1),
        ("zwp_linux_dmabuf_v1", 5),
        ("xx_dmabuf_negotiation_manager_v1", 1),
        ("xx_dmabuf_buffer_status_manager_v1", 1),
    )
    pair = NV12
    bounds = (0, 0)
    refresh = 16_666_667
    status = SCANOUT

    def __init__(self) -> None:
        self.shown: list[Shown] = []
        self.times: list[float] = []
        self.torn: list[int] = []
        self.transforms: list[int] = []
        self.destinations: list[tuple[int, int]] = []
        self.negotiation = 0
        self.surface = 0
        self._params: dict[int, dict[int, tuple[int, int, int]]] = {}
        self._buffers: dict[int, Imported] = {}
        self._pending = Pending()
        self._current: int | None = None
        self._roles: dict[str, int] = {}
        self._coded = (64, 48)
        self._mapped = False
        super().__init__()

    def role(self, interface: str) -> int:
        """The latest object of an interface."""
        return max(id_ for id_, name in self.objects.items() if name == interface)

    def answer(self, negotiation: int, cookie: int) -> None:
        self.negotiation = negotiation
        batch = plans(plan(pair=self.plan_pair(), size=self._coded))
        self.send_batch(negotiation, fake_compositor.replace(batch, cookie=cookie))

    def plan_pair(self) -> Any:
        """The best pair of the client's that this compositor takes."""
        offered = [
            pair
            for request in self.of("xx_dmabuf_constraint_set_creator_v1")
            if request.name == "add_formats"
            for pair in decode_formats(request.args[1])
        ]
        return self.pair if self.pair in offered else offered[0]

    def on_xx_dmabuf_negotiation_v1_set_extents(self, _id: int, *sizes: int) -> None:
        self._coded = sizes[0], sizes[1]

    def on_zwp_linux_buffer_params_v1_add(
        self, id_: int, fd: int, index: int, offset: int, pitch: int, *_modifier: int
    ) -> None:
        self._params.setdefault(id_, {})[index] = (fd, offset, pitch)

    def on_zwp_linux_buffer_params_v1_create(
        self, id_: int, width: int, height: int, code: int, _flags: int
    ) -> None:
        buffer = self.server_object("wl_buffer")
        self._buffers[buffer] = Imported((width, height), code, self._params.pop(id_))
        self.event(id_, "created", buffer)

    def on_wl_buffer_destroy(self, id_: int) -> None:
        self._buffers.pop(id_)
        if id_ == self._current and self.surface in self.objects:
            self.torn.append(id_)

    def on_xx_dmabuf_buffer_status_manager_v1_get_buffer_status(
        self, _id: int, new: int, buffer: int
    ) -> None:
        self._buffers[buffer].watch = new

    def on_wp_presentation_feedback(self, _id: int, _surface: int, new: int) -> None:
        self._pending.feedbacks.append(new)

    def on_wl_surface_attach(self, _id: int, buffer: int, *_at: int) -> None:
        self._pending.buffer = buffer

    def on_wl_surface_frame(self, _id: int, callback: int) -> None:
        self._pending.callbacks.append(callback)

    def on_wp_viewport_set_destination(self, _id: int, *size: int) -> None:
        self.destinations.append(size)

    def on_wl_surface_set_buffer_transform(self, _id: int, transform: int) -> None:
        self.transforms.append(transform)

    def on_wl_surface_commit(self, id_: int) -> None:
        self.surface = id_
        if not self._mapped:
            self._mapped = True
            self.configure()
            return
        if self._pending.buffer is None:
            assert self._current is None, "what is shown stays, and its state changes with a buffer"
            return
        pending, self._pending = self._pending, Pending()
        self.display(pending)

    def configure(self) -> None:
        self.event(self.role("xdg_toplevel"), "configure", *self.bounds, b"")
        self.event(self.role("xdg_surface"), "configure", 1)

    def display(self, pending: Pending) -> None:
        buffer = self._buffers[pending.buffer]
        self.shown.append(self._pixels(buffer))
        self.times.append(time.monotonic())
        if self._current is not None and self._current in self._buffers:
            self.event(self._current, "release")
        self._current = pending.buffer
        if buffer.watch is not None and buffer.told != self.status:
            buffer.told = self.status
            self.event(buffer.watch, "shown", *self.status)
        now = time.clock_gettime_ns(time.CLOCK_MONOTONIC)
        for feedback in pending.feedbacks:
            seconds, rest = divmod(now, 10**9)
            self.event(feedback, "presented", 0, seconds, rest, self.refresh, 0, 0, 0)
            self.delete(feedback)
        for callback in pending.callbacks:
            self.event(callback, "done", 0)
            self.delete(callback)

    def on_wl_registry_bind(
        self, _id: int, _number: int, interface: str, _version: int, new: int
    ) -> None:
        super().on_wl_registry_bind(_id, _number, interface, _version, new)
        if interface == "wp_presentation":
            self.event(new, "clock_id", time.CLOCK_MONOTONIC)

    def _pixels(self, buffer: Imported) -> Shown:
        width, height = buffer.size
        planes = []
        for index, plane in enumerate(FORMATS[buffer.fourcc].planes):
            fd, offset, pitch = buffer.planes[index]
            row = plane.row_bytes(width)
            rows = (os.pread(fd, row, offset + pitch * y) for y in range(plane.rows(height)))
            planes.append(b"".join(rows))
        return Shown(buffer.fourcc, buffer.size, tuple(planes))


class RgbCompositor(PlayingCompositor):
    """Takes XRGB8888."""

    pair = XRGB
