"""The reference compositor in step with clients that speak the wire themselves."""

from __future__ import annotations

import fcntl
import os
import socket
import struct
from collections.abc import Callable
from typing import Any

import numpy as np
from patience import until
from wire_client import DISPLAY, Wire

from heapwire.compositor_plugin import Policy
from heapwire.compositor_plugin.hosts.reference import Compositor, interface_table
from heapwire.compositor_plugin.server.resource import live_resources
from heapwire.kernel.description import Platform
from heapwire.protocol.values import Extent, parse_fourcc
from heapwire.protocol.wire import Interface
from heapwire.protocol.wire.bindings import INTERFACES

OUTPUT = Extent(320, 200)
XRGB_SHM = 1  # wl_shm.format.xrgb8888
ARGB_SHM = 0
XRGB, NV12 = parse_fourcc("XRGB8888"), parse_fourcc("NV12")
ARGB = parse_fourcc("ARGB8888")
_EXTENSION = {one.name: one for one in INTERFACES}


class HostStage:
    """A compositor, its clients, and what it has shown."""

    def __init__(self, platform: str | Platform = "raspberry-pi-4", **options: Any) -> None:
        self.platform = platform if isinstance(platform, Platform) else Platform.load(platform)
        self.images: list[np.ndarray] = []
        options.setdefault("size", OUTPUT)
        options.setdefault("policy", Policy(debounce=1))
        options.setdefault("record", True)
        self.compositor = Compositor(self.platform, on_frame=self._shown, **options)
        # One slice is enough for all that is to be answered, however slow the machine.
        self.compositor.plugin._state.answers._clock = lambda: 0.0
        self.clients: list[HostClient] = []

    def _shown(self, _record: object, pixels: Callable[[], np.ndarray]) -> None:
        self.images.append(np.array(pixels()))

    @property
    def frames(self):
        return self.compositor.frames

    def client(self) -> HostClient:
        client = HostClient(self)
        self.clients.append(client)
        return client

    def until(self, condition: Callable[[], object]) -> None:
        """Let the compositor run until something is so."""
        until(condition, "the compositor to come to that", self._turn)

    def _turn(self) -> None:
        self.compositor.dispatch(50)
        for client in self.clients:
            client.read()

    def refresh(self) -> None:
        """Let the screen show what has been committed."""
        watcher = self.client()
        window = watcher.window()
        watcher.shm(window.surface, 1, 1)
        callback = watcher.frame(window.surface)
        self.until(lambda: watcher.take(callback))
        watcher.close()
        self.clients.remove(watcher)
        self.until(lambda: not [one for one in live_resources() if not one.client.address])
        for _ in range(3):
            self.compositor.dispatch(0)
        for client in self.clients:
            client.read()

    def pixel(self, x: int, y: int) -> tuple[int, ...]:
        """The colour of a pixel of the screen."""
        return tuple(int(value) for value in self.compositor.screenshot()[y, x])

    def close(self) -> None:
        for client in self.clients:
            client.close()
        self.clients.clear()
        self.compositor.close()
        assert live_resources() == ()


class Window:
    """A toplevel: the ids of its objects."""

    def __init__(self, client: HostClient, surface: int, xdg_surface: int, toplevel: int) -> None:
        self.client = client
        self.surface = surface
        self.xdg_surface = xdg_surface
        self.toplevel = toplevel

    def configured(self) -> tuple[int, int, set[int]]:
        """Acknowledge the newest configure; its size and states."""
        _, width, height, states = self.client.take(self.toplevel)[-1]
        _, serial = self.client.take(self.xdg_surface)[-1]
        self.client.request(self.xdg_surface, "ack_configure", serial)
        return width, height, set(struct.unpack(f"={len(states) // 4}I", states))


class HostClient(Wire):
    """A client of the reference compositor."""

    def __init__(self, stage: HostStage, ours: socket.socket | None = None) -> None:
        ours = ours or socket.socket(fileno=stage.compositor.connect())
        super().__init__(ours, stage.compositor.dispatch)
        self.stage = stage
        self._bound: dict[tuple[str, int], int] = {}

    def interface_table(self, name: str) -> Interface:
        return _EXTENSION.get(name) or interface_table(name)

    def the(self, name: str, version: int = 0) -> int:
        """A global, bound once."""
        if (name, version) not in self._bound:
            self._bound[name, version] = self.bind(name, version or None)
        return self._bound[name, version]

    def make(self, of: int, request: str, interface: str, *args: Any) -> int:
        """The object that a request with its id first creates."""
        id_ = self.new(interface)
        self.request(of, request, id_, *args)
        return id_

    def surface(self) -> int:
        return self.make(self.the("wl_compositor"), "create_surface", "wl_surface")

    def window(self, *, fullscreen: bool = False, configure: bool = True) -> Window:
        """A window that can show buffers."""
        surface = self.surface()
        base = self.the("xdg_wm_base")
        xdg_surface = self.make(base, "get_xdg_surface", "xdg_surface", surface)
        toplevel = self.make(xdg_surface, "get_toplevel", "xdg_toplevel")
        if fullscreen:
            self.request(toplevel, "set_fullscreen", None)
        window = Window(self, surface, xdg_surface, toplevel)
        if configure:
            self.request(surface, "commit")
            window.configured()
        return window

    def frame(self, surface: int) -> int:
        """A frame callback, committed."""
        callback = self.make(surface, "frame", "wl_callback")
        self.request(surface, "commit")
        return callback

    def settle(self, surface: int) -> None:
        """Commit once more, and wait until that is on the screen or the client is gone."""
        callback = self.frame(surface)
        self.stage.until(lambda: self.take(callback) or self.closed)

    def ended_by(self) -> tuple[int, int]:
        """The object and the code of the error that ended the client."""
        assert self.error is not None
        return self.error.object, self.error.code

    def sync(self) -> None:
        callback = self.make(DISPLAY, "sync", "wl_callback")
        self.stage.until(lambda: self.take(callback) or self.closed)

    # Buffers.

    def shm_buffer(self, pixels: np.ndarray, code: int = XRGB_SHM) -> int:
        """A wl_shm buffer of (height, width, 4) bytes."""
        height, width, _ = pixels.shape
        fd = memfd(pixels.tobytes())
        pool = self.make(self.the("wl_shm"), "create_pool", "wl_shm_pool", fd, width * height * 4)
        os.close(fd)
        args = (0, width, height, width * 4, code)
        buffer = self.make(pool, "create_buffer", "wl_buffer", *args)
        self.request(pool, "destroy")
        return buffer

    def shm(
        self,
        surface: int,
        width: int,
        height: int,
        colour: tuple[int, int, int] = (255, 255, 255),
        *,
        alpha: int | None = None,
    ) -> int:
        """Show a colour (red, green, blue; premultiplied if there is an alpha)."""
        pixels = np.zeros((height, width, 4), np.uint8)
        pixels[:] = (*colour[::-1], 255 if alpha is None else alpha)
        buffer = self.shm_buffer(pixels, XRGB_SHM if alpha is None else ARGB_SHM)
        self.show(surface, buffer)
        return buffer

    def show(self, surface: int, buffer: int | None) -> None:
        self.request(surface, "attach", buffer, 0, 0)
        self.request(surface, "damage", 0, 0, 2**31 - 1, 2**31 - 1)
        self.request(surface, "commit")

    def params(self, version: int = 5) -> int:
        """A linux-dmabuf params object."""
        dmabuf = self.the("zwp_linux_dmabuf_v1", version)
        return self.make(dmabuf, "create_params", "zwp_linux_buffer_params_v1")

    def dmabuf(
        self, width: int, height: int, source: str = "linux,cma", pitch: int | None = None
    ) -> int:
        """An XRGB8888 buffer from a simulated heap, all of it the byte 0x40."""
        pitch = pitch or -(-width * 4 // 64) * 64
        memory = self.stage.platform.memory
        found = self.stage.platform.source(source).id
        params = self.params()
        with memory.allocate(found, pitch * height) as object_:
            os.pwrite(object_.fd, b"\x40" * pitch * height, 0)
            self.request(params, "add", object_.fd, 0, 0, pitch, 0, 0)
        buffer = self.new("wl_buffer")
        self.request(params, "create_immed", buffer, width, height, XRGB, 0)
        self.request(params, "destroy")
        assert self.error is None, self.error
        return buffer


def memfd(content: bytes, *, seal: bool = False) -> int:
    """A file that the caller closes."""
    fd = os.memfd_create("heapwire-test", os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)
    os.write(fd, content)
    if seal:
        fcntl.fcntl(fd, fcntl.F_ADD_SEALS, fcntl.F_SEAL_SHRINK | fcntl.F_SEAL_GROW)
    return fd
