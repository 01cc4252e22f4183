"""A Python compositor on libwayland-server through cffi, with heapwire in it.

It has surfaces and one output of 1920x1080 that it does not really have: what a
compositor does with pixels is left out, and what it tells heapwire is left in.
A surface that has shown a buffer is on top and fills the output.

    python compositor.py wayland-5 raspberry-pi-4

Whatever binds libwayland-server will do, as long as the process has one copy of
it and the address of the `wl_display` can be had.
"""

from __future__ import annotations

import signal
import sys
from typing import Any

from cffi import FFI

from heapwire.compositor_plugin.host import (
    BufferAttributes,
    OutputState,
    StatusReason,
    SurfaceState,
)
from heapwire.compositor_plugin.plugin import HeapPlugin
from heapwire.kernel.platform import Platform
from heapwire.protocol.model.constraint_set import FormatModifier
from heapwire.protocol.model.extents import Extent
from heapwire.protocol.model.format import parse_fourcc
from heapwire.protocol.model.modifier import LINEAR
from heapwire.protocol.model.participant import Usage

CData = Any  # cffi's types exist at run time only

ffi = FFI()
ffi.cdef("""
struct wl_interface { const char *name; int version; int counts[2]; void *messages[2]; };
struct wl_list { struct wl_list *prev, *next; };
struct wl_listener { struct wl_list link; void (*notify)(struct wl_listener *, void *); };
struct wl_display; struct wl_client; struct wl_resource;
extern struct wl_interface wl_compositor_interface, wl_surface_interface, wl_callback_interface;
struct wl_display *wl_display_create(void);
int wl_display_add_socket(struct wl_display *, const char *);
int wl_display_init_shm(struct wl_display *);
void *wl_display_get_event_loop(struct wl_display *);
int wl_event_loop_dispatch(void *, int);
void wl_display_flush_clients(struct wl_display *);
void wl_display_destroy_clients(struct wl_display *);
void wl_display_destroy(struct wl_display *);
void *wl_global_create(struct wl_display *, const struct wl_interface *, int, void *,
    void (*)(struct wl_client *, void *, uint32_t, uint32_t));
struct wl_resource *wl_resource_create(struct wl_client *, const struct wl_interface *, int,
    uint32_t);
void wl_resource_set_implementation(struct wl_resource *, const void *, void *,
    void (*)(struct wl_resource *));
void wl_resource_destroy(struct wl_resource *);
void wl_resource_add_destroy_listener(struct wl_resource *, struct wl_listener *);
void wl_list_remove(struct wl_list *);
void wl_resource_post_event(struct wl_resource *, uint32_t, ...);
typedef void (*request)(struct wl_client *, struct wl_resource *, uintptr_t, uintptr_t, uintptr_t,
    uintptr_t);
""")
lib = ffi.dlopen("libwayland-server.so.0")


def number(pointer: CData) -> int:
    """The address in a pointer, by which heapwire knows surfaces, buffers and clients."""
    return int(ffi.cast("uintptr_t", pointer))


class Compositor:
    """The surfaces, the top one last; also the `Host` that heapwire asks."""

    def __init__(self, platform: Platform) -> None:
        self.attached: dict[int, Attached] = {}  # by surface
        self.frames: dict[int, int] = {}  # callback to surface
        self.shown: list[int] = []
        self.plugin: HeapPlugin | None = None
        display = next(one.id for one in platform.devices if Usage.SCANOUT in one.sets)
        self.output = OutputState("example-1", display)

    # What heapwire asks.

    def surface_state(self, surface: int) -> SurfaceState | None:
        on_top = not self.shown or self.shown[-1] == surface
        reason = StatusReason.NONE if on_top else StatusReason.NOT_A_CANDIDATE
        outputs, size = (self.output,), Extent(1920, 1080)
        return SurfaceState(outputs=outputs, size=size, candidate=on_top, reason=reason)

    def importable_formats(self, client: int) -> frozenset[FormatModifier]:
        return frozenset(FormatModifier(parse_fourcc(n), LINEAR) for n in ("XRGB8888", "NV12"))

    def buffer_attributes(self, buffer: int) -> BufferAttributes | None:
        return None  # there is no linux-dmabuf here

    # What heapwire is told.

    def commit(self, surface: int) -> None:
        attached = self.attached.pop(surface, None)
        if attached is not None and attached.forget():
            below = self.shown[-1:]
            self.shown = [*(one for one in self.shown if one != surface), surface]
            for changed in {surface, *below} if below != [surface] else ():
                self.plugin.surface_changed(changed)
            # Here the pixels would go to a plane or through a renderer.
            buffer = number(attached.buffer)
            self.plugin.buffer_shown(buffer, scanned_out=False, reason=StatusReason.NO_PLANE)
            lib.wl_resource_post_event(attached.buffer, 0)  # release
        for callback in [one for one, of in self.frames.items() if of == surface]:
            resource = ffi.cast("struct wl_resource *", callback)
            lib.wl_resource_post_event(resource, 0, ffi.cast("uint32_t", 0))  # done
            lib.wl_resource_destroy(resource)

    def gone(self, surface: int) -> None:
        attached = self.attached.pop(surface, None)
        if attached is not None:
            attached.forget()
        if surface in self.shown:
            self.shown.remove(surface)
            for uncovered in self.shown[-1:]:
                self.plugin.surface_changed(uncovered)


class Attached:
    """A buffer that waits for a commit, and may be destroyed before that."""

    def __init__(self, buffer: CData) -> None:
        self.buffer = buffer
        self.alive = True
        self.callback = ffi.callback("void(struct wl_listener *, void *)", self.destroyed)
        self.listener = ffi.new("struct wl_listener *", {"notify": self.callback})
        lib.wl_resource_add_destroy_listener(buffer, self.listener)

    def forget(self) -> bool:
        """Listen no longer; whether the buffer is still there."""
        alive, self.alive = self.alive, False
        if alive:
            lib.wl_list_remove(ffi.addressof(self.listener, "link"))
        return alive

    def destroyed(self, _listener: CData, _data: CData) -> None:
        self.forget()


def main(socket: str, platform_name: str) -> None:
    platform = Platform.load(platform_name)
    compositor = Compositor(platform)
    display = lib.wl_display_create()
    if lib.wl_display_add_socket(display, socket.encode()) != 0:
        sys.exit(f"no socket {socket} can be made in $XDG_RUNTIME_DIR")

    @ffi.callback("request")
    def ignore(_client, _resource, *_arguments):
        pass

    @ffi.callback("request")
    def destroy(_client, resource, *_arguments):
        lib.wl_resource_destroy(resource)

    @ffi.callback("request")
    def attach(_client, resource, buffer, *_arguments):
        before = compositor.attached.pop(number(resource), None)
        if before is not None:
            before.forget()
        if buffer:
            resource_of_buffer = ffi.cast("struct wl_resource *", buffer)
            compositor.attached[number(resource)] = Attached(resource_of_buffer)

    @ffi.callback("void(struct wl_resource *)")
    def callback_gone(resource):
        compositor.frames.pop(number(resource), None)

    @ffi.callback("request")
    def frame(client, resource, new_id, *_arguments):
        interface = ffi.addressof(lib.wl_callback_interface)
        callback = lib.wl_resource_create(client, interface, 1, new_id)
        lib.wl_resource_set_implementation(callback, ffi.NULL, ffi.NULL, callback_gone)
        compositor.frames[number(callback)] = number(resource)

    @ffi.callback("request")
    def commit(_client, resource, *_arguments):
        compositor.commit(number(resource))

    @ffi.callback("void(struct wl_resource *)")
    def surface_gone(resource):
        compositor.gone(number(resource))

    @ffi.callback("request")
    def create_surface(client, _resource, new_id, *_arguments):
        interface = ffi.addressof(lib.wl_surface_interface)
        surface = lib.wl_resource_create(client, interface, 4, new_id)
        lib.wl_resource_set_implementation(surface, of_surface, ffi.NULL, surface_gone)

    # In the order of wayland.xml; what this compositor has no use for is ignored.
    of_surface = ffi.new(
        "request[]", [destroy, attach, ignore, frame, ignore, ignore, commit] + [ignore] * 3
    )
    of_compositor = ffi.new("request[]", [create_surface, ignore])

    @ffi.callback("void(struct wl_client *, void *, uint32_t, uint32_t)")
    def bind(client, _data, version, new_id):
        interface = ffi.addressof(lib.wl_compositor_interface)
        bound = lib.wl_resource_create(client, interface, version, new_id)
        lib.wl_resource_set_implementation(bound, of_compositor, ffi.NULL, ffi.NULL)

    lib.wl_display_init_shm(display)
    lib.wl_global_create(display, ffi.addressof(lib.wl_compositor_interface), 4, ffi.NULL, bind)
    compositor.plugin = HeapPlugin(number(display), platform, compositor)

    ended: list[int] = []
    for end in (signal.SIGINT, signal.SIGTERM):
        signal.signal(end, lambda *_: ended.append(1))
    loop = lib.wl_display_get_event_loop(display)
    while not ended:
        lib.wl_display_flush_clients(display)
        lib.wl_event_loop_dispatch(loop, 500)
    compositor.plugin.close()
    lib.wl_display_destroy_clients(display)
    lib.wl_display_destroy(display)


if __name__ == "__main__":
    main(*sys.argv[1:3])
