"""What a client is going to do, made up beforehand from a seed: nothing depends on what comes back.

So a seed makes the same bytes on every machine. A script knows which objects there would be
if all went well; where it breaks the rules on purpose, the compositor ends it somewhere.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from random import Random

from signatures import Argument, Interface, Message

DISPLAY, REGISTRY = 1, 2
SERVER_IDS = 0xFF000000
FOURCCS = (0x3231564E, 0x34325258, 0x34325241, 0x32315559, 0x30313050, 0, 1)
MODIFIERS = (0, 0, 0, 1, 0x0100000000000001, 1 << 56, 2**64 - 1)
NUMBERS = (0, 1, 2, 3, 4, 7, 8, 16, 64, 90, 256, 640, 4096, 65536, 65537, 1 << 31, 2**32 - 1)
STRINGS = (b"", b"decoder", b"\xff\xfe\x80", b"%s%n%x", "ü".encode() * 40, b"x" * 128, b"x" * 2000)
SIZE, HUGE = 1 << 16, 1 << 30  # bytes of each file that is sent, and of one that is all holes
# Of buffers of wl_shm; the last two have rows that are longer than their pitch, and too many
# pixels to be copied.
SHAPES = (*[(64, 64, 256)] * 8, (1, 1, 4), (64, 8, 64), (16384, 16384, 65536))
SHM_FORMATS = (1, 1, 0, 0x36314752, 0x34324742)  # XRGB, ARGB, RG16, BG24
FILES = ("heap", "heap", "cma", "memfd", "shrunk", "null", "pipe", "folder", "socket")
SOURCES = ((0, 250, 0), (0, 250, 1), (0, 250, 2), (2, 10, 125), (1, 226, 0), (0, 4095, 9))


class MissingGlobalError(Exception):
    """What a client would do needs a global that the compositor does not have."""


@dataclass(frozen=True)
class Send:
    """Bytes and what kinds of files go with them. `messages` is how many that makes."""

    data: bytes
    files: tuple[str, ...] = ()
    messages: int = 1
    words: str = ""


@dataclass(frozen=True)
class Read:
    """Read what has come; a client that never does has none of these."""


@dataclass(frozen=True)
class Sync:
    """Wait until all that was sent is handled, or the connection ended. `id` is the callback's.

    `acknowledges` is the `xdg_surface` whose configure event, if one came, is acknowledged:
    the one thing that is made of what comes back.
    """

    id: int
    data: bytes
    acknowledges: int = 0


Step = Send | Read | Sync


@dataclass
class Script:
    """One connection's steps, and the objects that they would make."""

    random: Random
    interfaces: Mapping[str, Interface]
    globals: Mapping[str, tuple[int, int]]
    values: Mapping[int, Sequence[bytes]]  # that a type of constraint may have
    steps: list[Step] = field(default_factory=list)
    live: dict[int, str] = field(default_factory=lambda: {DISPLAY: "wl_display"})
    dead: list[int] = field(default_factory=list)
    bound: dict[str, int] = field(default_factory=dict)
    next: int = REGISTRY

    def __post_init__(self) -> None:
        self.request(DISPLAY, "get_registry", self.new("wl_registry"))

    # Messages.

    def new(self, interface: str) -> int:
        id_ = self.next
        self.next += 1
        self.live[id_] = interface
        return id_

    def request(self, object_: int, name: str, *values: int | bytes, files: Sequence[str] = ()):
        """Send a request as it should be."""
        message = self.interfaces[self.live[object_]].request(name)
        self.steps.append(self._send(object_, message, values, files))
        if message.destructor:
            self.destroyed(object_)

    def _send(self, object_: int, message: Message, values, files: Sequence[str] = ()) -> Send:
        words = f"{self.live.get(object_, '?')}@{object_}.{message.name}"
        return Send(message.encode(object_, values), tuple(files), 1, words)

    def destroyed(self, object_: int) -> None:
        self.dead.append(object_)
        del self.live[object_]

    def sync(self, acknowledges: int = 0) -> None:
        callback = self.new("wl_callback")
        message = self.interfaces["wl_display"].request("sync")
        self.steps.append(Sync(callback, message.encode(DISPLAY, (callback,)), acknowledges))
        self.destroyed(callback)

    def bind(self, interface: str, version: int | None = None) -> int:
        """The object of a global, bound once unless a version is named."""
        if version is None and interface in self.bound and self.bound[interface] in self.live:
            return self.bound[interface]
        if interface not in self.globals:
            raise MissingGlobalError(interface)
        number, highest = self.globals[interface]
        id_ = self.new(interface)
        name = interface.encode()
        self.request(REGISTRY, "bind", number, name, version or highest, id_)
        self.bound[interface] = id_
        return id_

    def make(self, factory: int, request: str, interface: str, *values: int | bytes) -> int:
        """An object that a request makes, whose id is the first argument."""
        id_ = self.new(interface)
        self.request(factory, request, id_, *values)
        return id_

    def any(self, interface: str, make: Callable[[], int]) -> int:
        """One that there is, more often than a new one."""
        found = [id_ for id_, name in self.live.items() if name == interface]
        return self.random.choice(found) if found and self.random.random() < 0.7 else make()

    # Objects, as a client that keeps to the rules makes them.

    def manager(self) -> int:
        return self.bind("xx_dmabuf_negotiation_manager_v1")

    def surface(self) -> int:
        return self.make(self.bind("wl_compositor"), "create_surface", "wl_surface")

    def window(self) -> int:
        """A surface that is going to be shown."""
        surface = self.surface()
        shell = self.bind("xdg_wm_base")
        xdg = self.make(shell, "get_xdg_surface", "xdg_surface", surface)
        top = self.make(xdg, "get_toplevel", "xdg_toplevel")
        if self.random.random() < 0.5:
            self.request(top, "set_fullscreen", 0)
        self.request(surface, "commit")
        self.sync(acknowledges=xdg)  # a buffer before that is an error
        return surface

    def constraint_set(self) -> int:
        creator = self.make(
            self.manager(), "create_constraint_set", "xx_dmabuf_constraint_set_creator_v1"
        )
        self.request(creator, "add_formats", 0, self.formats())
        for type_ in self.random.sample(list(self.values), self.random.randrange(4)):
            value = self.random.choice(self.values[type_])
            self.request(creator, "add", type_, 0, 0, self.random.randrange(4), value)
        set_ = self.new("xx_dmabuf_constraint_set_v1")
        self.request(creator, "create", set_)
        return set_

    def negotiation(self) -> int:
        interface = "xx_dmabuf_negotiation_v1"
        if self.random.random() < 0.5:
            return self.make(self.manager(), "get_default_negotiation", interface)
        surface = self.any("wl_surface", self.surface)
        return self.make(self.manager(), "get_surface_negotiation", interface, surface)

    def ask(self) -> int:
        """A question of one to three participants."""
        negotiation = self.any("xx_dmabuf_negotiation_v1", self.negotiation)
        for id_ in range(1, self.random.randrange(2, 5)):
            usage = 1 << self.random.randrange(8)
            name = self.random.choice(STRINGS[:6])
            self.request(negotiation, "set_participant", id_, usage, 81, id_, name)
            for _ in range(self.random.randrange(3)):
                set_ = self.any("xx_dmabuf_constraint_set_v1", self.constraint_set)
                self.request(negotiation, "add_alternative", id_, set_)
        width, height = self.random.choice(((64, 64), (640, 480), (1920, 1088), (65536, 65536)))
        self.request(negotiation, "set_extents", width, height, 0, 0, 0, 0)
        if self.random.random() < 0.2:
            self.request(negotiation, "set_buffer_count", self.random.randrange(1, 33), 4)
        if self.random.random() < 0.2:
            self.request(negotiation, "set_openable", self.sources())
        if self.random.random() < 0.2:
            self.request(negotiation, "set_fixed_layout", *self.layout())
        self.request(negotiation, "commit", self.random.randrange(1, 100))
        return negotiation

    def heavy(self) -> None:
        """A question that is not solved on the host's thread."""
        creator = self.make(
            self.manager(), "create_constraint_set", "xx_dmabuf_constraint_set_creator_v1"
        )
        for chunk in range(8):
            pairs = [(FOURCCS[0], 0, 1 << 56 | chunk << 8 | n) for n in range(150)]
            self.request(
                creator, "add_formats", 0, b"".join(struct.pack("=IIQ", *p) for p in pairs)
            )
        set_ = self.new("xx_dmabuf_constraint_set_v1")
        self.request(creator, "create", set_)
        negotiation = self.negotiation()
        self.request(negotiation, "set_participant", 1, 1, 81, 1, b"heavy")
        self.request(negotiation, "add_alternative", 1, set_)
        self.request(negotiation, "set_extents", 64, 64, 0, 0, 0, 0)
        self.request(negotiation, "commit", 1)

    def allocate(self) -> int:
        """Memory of a layout; a plan's would be like it."""
        manager = self.bind("xx_dmabuf_allocation_manager_v1")
        allocation = self.new("xx_dmabuf_allocation_v1")
        self.request(manager, "allocate", allocation, *self.layout())
        return allocation

    def dmabuf_buffer(self, file: str = "heap", size: int = 64) -> int:
        """A `wl_buffer` of simulated memory, of `size` by `size` pixels."""
        dmabuf = self.bind("zwp_linux_dmabuf_v1")
        params = self.make(dmabuf, "create_params", "zwp_linux_buffer_params_v1")
        self.request(params, "add", 0, 0, 256, 0, 0, files=(file,))
        buffer = self.new("wl_buffer")
        self.request(params, "create_immed", buffer, size, size, FOURCCS[1], 0)
        self.request(params, "destroy")
        return buffer

    def dmabuf_trial(self) -> None:
        """A buffer of any files, of which the compositor says whether it takes it."""
        dmabuf = self.bind("zwp_linux_dmabuf_v1")
        params = self.make(dmabuf, "create_params", "zwp_linux_buffer_params_v1")
        fourcc, planes = self.random.choice(((FOURCCS[0], 2), (FOURCCS[1], 1)))
        pitch = self.random.choice((64, 256, 300))
        for plane in range(planes):
            offset = self.random.choice((0, 32768))
            self.request(
                params, "add", plane, offset, pitch, 0, 0, files=(self.random.choice(FILES),)
            )
        if self.random.random() < 0.8:
            size = self.random.choice((1, 2, 64))
            self.request(params, "create", size, size, fourcc, self.random.choice((0, 0, 1)))
        if self.random.random() < 0.8:
            self.request(params, "destroy")

    def shm_buffer(self) -> int:
        shm = self.bind("wl_shm")
        pool = self.new("wl_shm_pool")
        file = self.random.choice(("memfd", "memfd", "memfd", "shrunk", "huge"))
        size = HUGE if file == "huge" else SIZE
        self.request(shm, "create_pool", pool, size, files=(file,))
        width, height, pitch = self.random.choice(SHAPES if file == "huge" else SHAPES[:-1])
        form = self.random.choice(SHM_FORMATS)
        return self.make(pool, "create_buffer", "wl_buffer", 0, width, height, pitch, form)

    def show(self) -> None:
        """Put a watched buffer on a window."""
        surface = self.window()
        self.use_plan(self.ask())
        for _ in range(self.random.randrange(1, 4)):
            buffer = self.dmabuf_buffer() if self.random.random() < 0.7 else self.shm_buffer()
            self.watch(buffer)
            self.request(surface, "attach", buffer, 0, 0)
            self.request(surface, "damage", 0, 0, 64, 64)
            self.request(surface, "commit")
            if self.random.random() < 0.3:
                self.request(buffer, "destroy")

    def watch(self, buffer: int) -> int:
        manager = self.bind("xx_dmabuf_buffer_status_manager_v1")
        return self.make(manager, "get_buffer_status", "xx_dmabuf_buffer_status_v1", buffer)

    def use_plan(self, negotiation: int) -> None:
        serial, plan = self.random.randrange(4), self.random.choice((0, 0, 1, 99))
        self.request(negotiation, "use_plan", serial, plan)

    def dmabuf_feedback(self) -> int:
        dmabuf = self.bind("zwp_linux_dmabuf_v1")
        interface = "zwp_linux_dmabuf_feedback_v1"
        if self.random.random() < 0.5:
            return self.make(dmabuf, "get_default_feedback", interface)
        surface = self.any("wl_surface", self.surface)
        return self.make(dmabuf, "get_surface_feedback", interface, surface)

    def extended_feedback(self) -> int:
        """A feedback object whose tranches are described."""
        feedback = self.any("zwp_linux_dmabuf_feedback_v1", self.dmabuf_feedback)
        sources = self.bind("xx_dmabuf_sources_v1")
        interface = "xx_dmabuf_feedback_sources_v1"
        return self.make(sources, "extend_feedback", interface, feedback)

    def any_global(self) -> int:
        """Any of the globals, for arbitrary requests to have it."""
        return self.bind(self.random.choice(list(self.globals)))

    def light(self) -> int:
        """Of which light a surface is, described by names or not wholly."""
        manager = self.bind("wp_color_manager_v1")
        creator = self.make(
            manager, "create_parametric_creator", "wp_image_description_creator_params_v1"
        )
        for request in ("set_tf_named", "set_primaries_named"):
            if self.random.random() < 0.9:
                self.request(creator, request, self.random.choice((1, 2, 6, 9, 11)))
        image = self.new("wp_image_description_v1")
        self.request(creator, "create", image)
        if self.random.random() < 0.3:
            self.make(image, "get_information", "wp_image_description_info_v1")
        surface = self.any("wl_surface", self.surface)
        interface = "wp_color_management_surface_v1"
        lit = self.any(interface, lambda: self.make(manager, "get_surface", interface, surface))
        self.request(lit, "set_image_description", image, self.random.choice((0, 0, 0, 1)))
        self.request(surface, "commit")
        return image

    def explicit_sync(self) -> int:
        """Buffers with points of a timeline: that have come, or that never will."""
        surface = self.window()
        manager = self.bind("wp_linux_drm_syncobj_manager_v1")
        sync = self.make(manager, "get_surface", "wp_linux_drm_syncobj_surface_v1", surface)
        timeline = self.new("wp_linux_drm_syncobj_timeline_v1")
        file = self.random.choice(("timeline", "timeline", "timeline", "memfd"))
        self.request(manager, "import_timeline", timeline, files=(file,))
        for _ in range(self.random.randrange(1, 5)):
            acquire, release = self.random.choice(((0, 1), (0, 1), (0, 1), (5, 6), (1, 1)))
            self.request(sync, "set_acquire_point", timeline, 0, acquire)
            if self.random.random() < 0.95:
                self.request(sync, "set_release_point", timeline, 0, release)
            self.request(surface, "attach", self.dmabuf_buffer(), 0, 0)
            self.request(surface, "commit")
        return timeline

    def destroy_any(self) -> None:
        """Destroy anything that can be, but for what takes others with it in error."""
        found = [
            (id_, message.name)
            for id_, name in self.live.items()
            if not name.startswith(("xdg_", "wl_surface"))
            for message in self.interfaces[name].requests
            if message.destructor and not message.arguments
        ]
        if found:
            self.request(*self.random.choice(found))

    # Values.

    def formats(self) -> bytes:
        most = len(FOURCCS) * len(set(MODIFIERS))
        pairs = [(code, 0, modifier) for code in FOURCCS for modifier in sorted(set(MODIFIERS))]
        count = min(most, self.random.choice((1, 1, 2, 5)))
        return b"".join(
            struct.pack("=IIQ", *one)
            for one in [(FOURCCS[0], 0, 0), *self.random.sample(pairs[1:], count)]
        )

    def sources(self) -> bytes:
        chosen = self.random.sample(SOURCES, self.random.randrange(1, 4))
        return b"".join(struct.pack("=III", *one) for one in chosen)

    def layout(self) -> tuple[int | bytes, ...]:
        objects = struct.pack("=IIIIQ", *SOURCES[0], 0, 1 << 20)
        planes = struct.pack("=IIIIII", 0, 0, 64, 0, 4096, 64)
        return (FOURCCS[0], 0, 0, 64, 64, objects, planes)

    def arbitrary(self, argument: Argument) -> int | bytes:
        """A value of the right shape, and of any meaning."""
        match argument.kind:
            case "string":
                return self.random.choice(STRINGS)
            case "array":
                unit = self.random.choice((1, 2, 8, 12, 16, 24))
                return self.random.randbytes(unit * self.random.choice((0, 1, 2, 10, 80)))
            case "object":
                same = [id_ for id_, name in self.live.items() if name == argument.interface]
                pool = same if same and self.random.random() < 0.8 else [0, *self.live, *self.dead]
                return self.random.choice(pool)
            case "new_id":
                return self.next
            case "int":
                return self.random.choice((-1, -(2**31), 2**31 - 1, *NUMBERS[:13]))
            case _:
                return self.random.choice(NUMBERS)
