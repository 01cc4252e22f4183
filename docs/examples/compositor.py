"""A Python compositor on libwayland-server through cffi, with heapwire in it.

It has surfaces and one output of 1920x1080 that it does not really have: what a
compositor does with pixels is left out, and what it tells heapwire is left in.
The surface that was committed last is on top and fills the output.

    python compositor.py wayland-5 raspberry-pi-4

Whatever binds libwayland-server will do, as long as the process has one copy of
it and the address of the `wl_display` can be had.
"""

from __future__ import annotations

import signal
import sys

from cffi import FFI

from heapwire.compositor_plugin import (
    HeapPlugin,
    OutputState,
    SecurityContext,
    StatusReason,
    SurfaceState,
)
from heapwire.kernel import Platform
from heapwire.protocol import LINEAR, Extent, FormatModifier, Usage, parse_fourcc

FORMATS = frozenset(FormatModifier(parse_fourcc(name), LINEAR) for name in ("XRGB8888", "NV12"))


class Compositor:
    """The surfaces that have shown a buffer, the top one last; also heapwire's `Host`.

    heapwire knows surfaces, buffers and clients by the addresses of their resources.
    """

    def __init__(self, display: int, platform: Platform) -> None:
        self.surfaces: list[int] = []
        device = next(entry.id for entry in platform.devices if Usage.SCANOUT in entry.sets)
        self.output = OutputState("example-1", device)
        self.plugin = HeapPlugin(display, platform, self)

    # What heapwire asks.

    def surface_state(self, surface: int) -> SurfaceState | None:
        on_top = not self.surfaces or self.surfaces[-1] == surface
        reason = StatusReason.NONE if on_top else StatusReason.NOT_A_CANDIDATE
        outputs, size = (self.output,), Extent(1920, 1080)
        return SurfaceState(outputs=outputs, size=size, candidate=on_top, reason=reason)

    def importable_formats(self, client: int, surface: int | None) -> frozenset[FormatModifier]:
        return FORMATS  # those of the linux-dmabuf, if there were one

    def dmabuf_feedback(self, feedback: int) -> None:
        return None  # there is no linux-dmabuf here

    def security_context(self, client: int) -> SecurityContext | None:
        return None  # there is no wp_security_context here

    # What heapwire is told.

    def show(self, surface: int, buffer: int) -> None:
        if self.surfaces[-1:] != [surface]:
            self.surfaces = [*(other for other in self.surfaces if other != surface), surface]
            self.tell_of_change()
        # Here the pixels would go to a plane or through a renderer.
        self.plugin.buffer_shown(buffer, scanned_out=False, reason=StatusReason.NO_PLANE)

    def surface_gone(self, surface: int) -> None:
        if surface in self.surfaces:
            self.surfaces.remove(surface)
            self.tell_of_change()

    def tell_of_change(self) -> None:
        # Not every surface is another than before; to tell of too many does no harm.
        for surface in self.surfaces:
            self.plugin.surface_changed(surface)


# The rest has nothing to do with heapwire: wl_surface, wl_compositor and the event loop.

ffi = FFI()
ffi.cdef("""
struct wl_interface { const char *name; int version; int counts[2]; void *messages[2]; };
struct wl_list { struct wl_list *prev, *next; };
struct wl_listener { struct wl_list link; void (*notify)(struct wl_listener *, void *); };
extern struct wl_interface wl_compositor_interface, wl_surface_interface, wl_callback_interface;
void *wl_display_create(void);
int wl_display_add_socket(void *display, const char *name);
int wl_display_init_shm(void *display);
void *wl_display_get_event_loop(void *display);
int wl_event_loop_dispatch(void *loop, int timeout);
void wl_display_flush_clients(void *display);
void wl_display_destroy_clients(void *display);
void wl_display_destroy(void *display);
typedef void (*bind)(void *client, void *data, uint32_t version, uint32_t id);
void *wl_global_create(void *display, struct wl_interface *, int version, void *data, bind);
typedef void (*gone)(void *resource);
void *wl_resource_create(void *client, struct wl_interface *, int version, uint32_t id);
void wl_resource_set_implementation(void *resource, void *requests, void *data, gone);
void wl_resource_destroy(void *resource);
void wl_resource_post_event(void *resource, uint32_t opcode, ...);
void wl_resource_add_destroy_listener(void *resource, struct wl_listener *);
typedef void (*request)(void *client, void *resource, uintptr_t, uintptr_t, uintptr_t, uintptr_t);
""")
lib = ffi.dlopen("libwayland-server.so.0")


def number(pointer) -> int:
    return int(ffi.cast("uintptr_t", pointer))


def main(socket: str, platform: str) -> None:
    display = lib.wl_display_create()
    if lib.wl_display_add_socket(display, socket.encode()) != 0:
        sys.exit(f"no socket {socket} can be made in $XDG_RUNTIME_DIR")
    lib.wl_display_init_shm(display)
    compositor = Compositor(number(display), Platform.load(platform))
    attached: dict[int, int] = {}  # buffers by surfaces, until their commit
    listeners = {}  # by buffers, for their destruction

    @ffi.callback("request")
    def ignore(_client, _resource, *_arguments):
        pass

    @ffi.callback("request")
    def destroy(_client, resource, *_arguments):
        lib.wl_resource_destroy(resource)

    @ffi.callback("void(struct wl_listener *, void *)")
    def buffer_gone(_listener, buffer):
        del listeners[number(buffer)]
        for surface in [one for one, of in attached.items() if of == number(buffer)]:
            del attached[surface]

    @ffi.callback("request")
    def attach(_client, surface, buffer, *_arguments):
        attached[number(surface)] = buffer
        if buffer and buffer not in listeners:
            listeners[buffer] = ffi.new("struct wl_listener *", {"notify": buffer_gone})
            lib.wl_resource_add_destroy_listener(ffi.cast("void *", buffer), listeners[buffer])

    @ffi.callback("request")
    def frame(client, _surface, new_id, *_arguments):
        # Nothing is painted, so that it is always time for the next frame.
        interface = ffi.addressof(lib.wl_callback_interface)
        callback = lib.wl_resource_create(client, interface, 1, new_id)
        lib.wl_resource_post_event(callback, 0, ffi.cast("uint32_t", 0))  # done
        lib.wl_resource_destroy(callback)

    @ffi.callback("request")
    def commit(_client, surface, *_arguments):
        buffer = attached.pop(number(surface), 0)
        if buffer:
            compositor.show(number(surface), buffer)
            lib.wl_resource_post_event(ffi.cast("void *", buffer), 0)  # release

    @ffi.callback("gone")
    def surface_gone(surface):
        attached.pop(number(surface), None)
        compositor.surface_gone(number(surface))

    # Requests are in the order of wayland.xml.
    of_surface = ffi.new("request[]", [destroy, attach, ignore, frame, ignore, ignore, commit])

    @ffi.callback("request")
    def create_surface(client, _resource, new_id, *_arguments):
        interface = ffi.addressof(lib.wl_surface_interface)
        surface = lib.wl_resource_create(client, interface, 1, new_id)
        lib.wl_resource_set_implementation(surface, of_surface, ffi.NULL, surface_gone)

    of_compositor = ffi.new("request[]", [create_surface, ignore])

    @ffi.callback("bind")
    def bind(client, _data, version, new_id):
        interface = ffi.addressof(lib.wl_compositor_interface)
        bound = lib.wl_resource_create(client, interface, version, new_id)
        lib.wl_resource_set_implementation(bound, of_compositor, ffi.NULL, ffi.NULL)

    lib.wl_global_create(display, ffi.addressof(lib.wl_compositor_interface), 1, ffi.NULL, bind)

    ended: list[int] = []
    for end in (signal.SIGINT, signal.SIGTERM):
        signal.signal(end, lambda *_: ended.append(1))
    while not ended:
        lib.wl_display_flush_clients(display)
        lib.wl_event_loop_dispatch(lib.wl_display_get_event_loop(display), 500)
    compositor.plugin.close()
    lib.wl_display_destroy_clients(display)
    lib.wl_display_destroy(display)


if __name__ == "__main__":
    main(*sys.argv[1:3])
