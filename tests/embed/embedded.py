"""`libheapwire` in this process, as it is built, on a display that a test scripts."""

from __future__ import annotations

import ctypes
import os
import struct
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
from c_host import PLATFORM, CHost
from patience import until
from wire_client import WireClient

from heapwire.compositor_plugin.hosts.embed import attachment as attachment_file, compile_shared
from heapwire.compositor_plugin.hosts.embed.attachment import Attachment
from heapwire.compositor_plugin.hosts.embed.host_table import ffi, pointer_value
from heapwire.compositor_plugin.hosts.reference import interface_table
from heapwire.compositor_plugin.hosts.reference.dmabuf import ZwpLinuxDmabufV1
from heapwire.compositor_plugin.server import (
    Global,
    NewId,
    OwnDisplay,
    Resource,
    core_interface,
    library,
)
from heapwire.compositor_plugin.server.libwayland_server import address
from heapwire.kernel.description import Platform
from heapwire.protocol.values import FormatModifier, Usage
from heapwire.protocol.wire import (
    Argument,
    ArgumentKind,
    Interface,
    Message,
    encode_device,
    encode_table,
)
from heapwire.protocol.wire.bindings import INTERFACES

FEEDBACK = "zwp_linux_dmabuf_feedback_v1"
DMABUF = "zwp_linux_dmabuf_v1"
EXTENSION = "xx_dmabuf_feedback_sources_v1"
NV12, XRGB = 0x3231564E, 0x34325258
TABLE = tuple(FormatModifier(fourcc, 0) for fourcc in (XRGB, NV12))
_GET_DEFAULT_FEEDBACK = 2
RENDERER = next(
    one.id for one in Platform.load(PLATFORM).devices if one.id and Usage.SAMPLING in one.sets
)


def _libwayland() -> str:
    """The copy that displays here are of: other tests may have brought another one."""
    function = address(library().wl_display_create)
    for line in Path("/proc/self/maps").read_text().splitlines():
        span, *_, file = line.split()
        start, end = (int(text, 16) for text in span.split("-"))
        if start <= function < end:
            return file
    raise AssertionError("libwayland-server is not mapped")


def build(folder: Path) -> Path:
    """The library, which calls the libwayland of this process."""
    output = folder / "libheapwire.so"
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CC", "cc -Werror")
        compile_shared(output, (), ("-Wl,--no-as-needed", _libwayland()), what="the library")
    return output


class EmbeddedHost(CHost):
    """A host that calls a library's functions, and not Python's."""

    def __init__(self, file: Path, display: OwnDisplay) -> None:
        super().__init__(display)
        self._library = ctypes.CDLL(str(file))
        self._library.heapwire_attach.restype = ctypes.c_void_p
        self._attached: int | None = None

    def join(self, platform: str = PLATFORM) -> None:
        """Attach to the display."""
        self._name = ffi.new("char[]", platform.encode())
        self.table.platform = self._name
        table = ctypes.c_void_p(pointer_value(self.table))
        self._attached = self._library.heapwire_attach(table)
        assert self._attached, self.text

    def leave(self) -> None:
        """Detach, if that is not done."""
        if self._attached is not None:
            self._library.heapwire_detach(ctypes.c_void_p(self._attached))
            self._attached = None


class Feedback(Resource):
    """One feedback object; a test says what it sends."""

    INTERFACE = interface_table(FEEDBACK)

    def table(self, pairs: Sequence[FormatModifier] = TABLE) -> None:
        content = encode_table(tuple(pairs))
        fd = os.memfd_create("formats")
        os.write(fd, content)
        self.send("format_table", fd, len(content))
        os.close(fd)

    def tranche(self, indices: Sequence[int], *, flags: int = 0) -> None:
        self.send("tranche_target_device", encode_device(RENDERER))
        self.send("tranche_flags", flags)
        self.send("tranche_formats", struct.pack(f"={len(indices)}H", *indices))
        self.send("tranche_done")

    def batch(self, *indices: int) -> None:
        """One tranche, with these of the table's pairs."""
        self.send("main_device", encode_device(RENDERER))
        self.tranche(indices)
        self.send("done")


def say_all(feedback: Feedback) -> None:
    """The batch that tests begin with."""
    feedback.table()
    feedback.batch(0, 1)


class Dmabuf(ZwpLinuxDmabufV1):
    """The bound global, of which no buffers are made."""

    def __init__(self, new_id: NewId, host: DmabufHost) -> None:
        Resource.__init__(self, new_id)
        self._host = host

    def get_default_feedback(self, new_id: NewId) -> None:
        made = Feedback(new_id)
        self._host.made.append(made)
        self._host.script(made)

    def get_surface_feedback(self, new_id: NewId, surface: Resource) -> None:
        self.get_default_feedback(new_id)


def _ignoring(name: str) -> type[Resource]:
    """A resource of a core interface whose requests do nothing."""
    table = core_interface(name)
    ignored = {one.name: lambda self, *_: None for one in table.requests if not one.destructor}
    return type(name, (Resource,), {**ignored, "INTERFACE": table})


Surface, Buffer = _ignoring("wl_surface"), _ignoring("wl_buffer")


class Kit(Resource):
    """A global that makes surfaces and buffers."""

    INTERFACE = Interface(
        "heapwire_embedded_kit",
        1,
        requests=(
            Message("surface", (Argument("id", ArgumentKind.NEW_ID, "wl_surface"),)),
            Message("buffer", (Argument("id", ArgumentKind.NEW_ID, "wl_buffer"),)),
        ),
    )

    def __init__(self, new_id: NewId, host: DmabufHost) -> None:
        super().__init__(new_id)
        self._host = host

    def surface(self, new_id: NewId) -> None:
        self._host.surfaces.append(Surface(new_id))

    def buffer(self, new_id: NewId) -> None:
        self._host.buffers.append(Buffer(new_id))


class DmabufHost:
    """A display with linux-dmabuf of which `script` says what a new feedback object sends."""

    def __init__(self) -> None:
        self.display = OwnDisplay()
        self.made: list[Feedback] = []
        self.surfaces: list[Resource] = []
        self.buffers: list[Resource] = []
        self.script: Callable[[Feedback], None] = say_all
        self._global = Global(self.display, Dmabuf.INTERFACE, lambda id_: Dmabuf(id_, self))
        self._kit = Global(self.display, Kit.INTERFACE, lambda id_: Kit(id_, self))

    def client(self, version: int = 5) -> Client:
        return Client(self, version)

    def turn(self) -> None:
        self.display.dispatch(10)

    def close(self) -> None:
        self.display.destroy()


class Client(WireClient):
    """A client that has bound linux-dmabuf, and the core of ours if it is there."""

    def __init__(self, host: DmabufHost, version: int) -> None:
        tables = (Dmabuf.INTERFACE, Feedback.INTERFACE, Kit.INTERFACE, *INTERFACES)
        super().__init__(host.display, *tables)
        self.host = host
        self.dmabuf = self.bind(DMABUF, version)

    def ask(self, count: int = 1) -> list[int]:
        """Make feedback objects by requests that are read in one go, up to 340 of them."""
        ids = [self.new(FEEDBACK) for _ in range(count)]
        head = (self.dmabuf, 12 << 16 | _GET_DEFAULT_FEEDBACK)
        self.raw(b"".join(struct.pack("=III", *head, id_) for id_ in ids))
        self.pump()
        return ids

    def make(self, what: str) -> tuple[int, Resource]:
        """A surface or a buffer: its id, and the host's side of it."""
        kit, id_ = self.bind("heapwire_embedded_kit"), self.new(f"wl_{what}")
        self.request(kit, what, id_)
        return id_, (self.host.surfaces if what == "surface" else self.host.buffers)[-1]

    def ask_for(self, surface: int) -> tuple[int, Feedback]:
        """A feedback object for a surface: its id, and the host's side of it."""
        id_ = self.new(FEEDBACK)
        self.request(self.dmabuf, "get_surface_feedback", id_, surface)
        return id_, self.host.made[-1]

    def extend(self, feedback: int) -> int:
        sources = self.bind("xx_dmabuf_sources_v1")
        extension = self.new(EXTENSION)
        self.request(sources, "extend_feedback", extension, feedback)
        self.request(sources, "destroy")
        return extension

    def names(self, *ids: int) -> list[str]:
        """What was heard of objects since the last time, `done` and what it is about, in order."""
        found = [event for event in self.events if event.object in ids]
        self.events = [event for event in self.events if event.object not in ids]
        return [
            f"{'told' if event.object != ids[0] else 'done'}{''.join(map(str, event.args))}"
            for event in found
            if event.name == "done"
        ]


def attachment() -> Attachment:
    """The one that there is."""
    [one] = set(attachment_file._attachments.values())
    return one


def formats_known(host: DmabufHost) -> None:
    """Until the plugin has heard what its own question was answered."""
    until(lambda: attachment()._formats_query._source is None, "the formats", host.turn)
