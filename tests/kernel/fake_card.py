"""Cards whose kernel answers as the real drivers were seen to, ioctl by ioctl.

What each refuses, and with which errno, was observed with Linux 6.12 in QEMU.
"""

import ctypes
import errno
import os
import struct
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from ioctl_bytes import ioctl_bytes

from heapwire.kernel.drm import Card
from heapwire.protocol.values import fourcc

XRGB, XBGR, RGB565, NV12 = (fourcc(code) for code in ("XR24", "XB24", "RG16", "NV12"))


PROPERTIES = (
    *("MODE_ID", "ACTIVE", "CRTC_ID", "FB_ID", "SRC_X", "SRC_Y", "SRC_W", "SRC_H"),
    *("CRTC_X", "CRTC_Y", "CRTC_W", "CRTC_H"),
)


def fill(data, pointer, counter, values, code="I"):
    """Numbers where a struct points, if it has room, and how many there are."""
    address = struct.unpack_from("=Q", data, pointer)[0]
    if address and struct.unpack_from("=I", data, counter)[0] >= len(values):
        packed = struct.pack(f"={len(values)}{code}", *values)
        ctypes.memmove(address, packed, len(packed))
    struct.pack_into("=I", data, counter, len(values))


def read(address, count, code="I"):
    return struct.unpack(
        f"={count}{code}", ctypes.string_at(address, count * struct.calcsize(code))
    )


@dataclass
class FakeDriver:
    """How a driver behaves. `imports` says of a memory's name what import comes to."""

    imports: dict[str, int] = field(default_factory=dict)
    otherwise: int = 0  # the errno for memory that `imports` does not name
    formats: tuple[int, ...] = (XRGB, XBGR, RGB565)
    refused: dict[tuple[str, int], int] = field(default_factory=dict)  # memory, format: AddFB2
    pitch_rule: int = 4
    bits: tuple[int, ...] = (8, 16, 24, 32)  # of which CREATE_DUMB makes pictures
    exports: bool = True
    least: int = 1
    largest: int = 8192
    modifiers: bool = False
    tiles: dict[tuple[str, int], int] = field(default_factory=dict)  # memory, modifier: AddFB2
    shows: dict[tuple[int, str, int], int] = field(default_factory=dict)  # plane, memory, format
    modes: tuple[tuple[int, int], ...] = ((1024, 768), (640, 480))
    master: int = 0  # the errno for a commit


PL111 = FakeDriver(imports={"reserved": 0}, otherwise=errno.EINVAL, largest=1024)
BOCHS = FakeDriver(otherwise=errno.EINVAL, formats=(XRGB,), bits=(32,))
QXL = FakeDriver(otherwise=errno.ENOSYS, bits=(16, 32))
VIRTIO = FakeDriver(otherwise=errno.ENODEV, formats=(XRGB, XBGR), bits=(32,), least=32)
VKMS = FakeDriver(refused={("reserved", XBGR): errno.EINVAL}, least=10, modifiers=True)


class FakeCard:
    """The kernel's side of one card; counts what is asked, and what is left behind."""

    def __init__(self, driver, own="card0"):
        self.driver, self.own = driver, own
        self.handles = {}  # memory by handle
        self.dumbs = {}  # pitch by handle
        self.framebuffers = {}  # memory, format and size by id
        self.blobs = set()
        self.asked = []
        self.made = []  # of framebuffers: memory, format, modifier, pitches and offsets
        self.next = 1

    @contextmanager
    def open(self, node, master=False):
        fd = os.open(node, os.O_RDWR | os.O_CLOEXEC)
        try:
            yield Card(fd, self)
        finally:
            os.close(fd)

    def __call__(self, fd, number, argument):
        os.fstat(fd)  # it is asked through an fd that is open
        name = {
            0xC010640C: "get_cap", 0x40086409: "gem_close", 0xC00C642E: "fd_to_handle",
            0xC00C642D: "handle_to_fd", 0xC06864B8: "add_fb2", 0xC00464AF: "rm_fb",
            0xC02064B2: "create_dumb", 0xC00464B4: "destroy_dumb", 0x4010640D: "set_cap",
            0xC04064A0: "get_resources", 0xC05064A7: "get_connector", 0xC01464A6: "get_encoder",
            0xC02064B9: "get_properties", 0xC04064AA: "get_property",
            0xC01064BD: "make_blob", 0xC00464BE: "destroy_blob", 0xC03864BC: "commit",
        }[number]  # fmt: skip
        self.asked.append(name)
        getattr(self, name)(ioctl_bytes(argument))
        return 0

    def get_cap(self, data):
        assert struct.unpack_from("=Q", data) == (0x10,)
        struct.pack_into("=Q", data, 8, int(self.driver.modifiers))

    def fd_to_handle(self, data):
        link = str(Path(f"/proc/self/fd/{struct.unpack_from('=i', data, 8)[0]}").readlink())
        memory = link.removeprefix("/memfd:").removesuffix(" (deleted)")
        self.fail(self.driver.imports.get(memory, self.driver.otherwise))
        self.next += 1
        self.handles[self.next] = memory
        struct.pack_into("=I", data, 0, self.next)

    def gem_close(self, data):
        del self.handles[struct.unpack_from("=I", data)[0]]

    def create_dumb(self, data):
        height, width, bits = struct.unpack_from("=III", data)
        self.fail(0 if bits in self.driver.bits else errno.EINVAL)
        rule = self.driver.pitch_rule
        pitch = -(-width * bits // 8 // rule) * rule
        self.next += 1
        self.handles[self.next], self.dumbs[self.next] = self.own, pitch
        struct.pack_into("=IIQ", data, 16, self.next, pitch, -(-pitch * height // 4096) * 4096)

    def destroy_dumb(self, data):
        handle = struct.unpack_from("=I", data)[0]
        del self.handles[handle], self.dumbs[handle]

    def handle_to_fd(self, data):
        self.fail(0 if self.driver.exports else errno.ENOSYS)
        assert struct.unpack_from("=I", data)[0] in self.handles
        fd = os.memfd_create(self.own)
        os.ftruncate(fd, 1 << 23)
        struct.pack_into("=i", data, 8, fd)

    def add_fb2(self, data):
        _, width, height, code, flags = struct.unpack_from("=5I", data)
        handles = struct.unpack_from("=4I", data, 20)
        pitches = struct.unpack_from("=4I", data, 36)
        memory = self.handles[handles[0]]
        assert flags in ((0, 2) if self.driver.modifiers else (0,))
        within = all(self.driver.least <= side <= self.driver.largest for side in (width, height))
        self.fail(0 if within and pitches[0] % self.driver.pitch_rule == 0 else errno.EINVAL)
        self.fail(0 if code in self.driver.formats else errno.EINVAL)
        self.fail(self.driver.refused.get((memory, code), 0))
        modifier = struct.unpack_from("=Q", data, 72)[0] if flags else 0
        self.fail(self.driver.tiles.get((memory, modifier), 0))
        self.made.append((memory, code, modifier, pitches, struct.unpack_from("=4I", data, 52)))
        self.next += 1
        self.framebuffers[self.next] = (memory, code, (width, height))
        struct.pack_into("=I", data, 0, self.next)

    def rm_fb(self, data):
        del self.framebuffers[struct.unpack_from("=I", data)[0]]

    # --- What a commit that only tests needs: CRTC 40, encoder 45, connector 50, and the planes.

    def set_cap(self, data):
        pass

    def get_resources(self, data):
        fill(data, 8, 36, [40])
        fill(data, 16, 40, [50])

    def get_connector(self, data):
        assert struct.unpack_from("=I", data, 48) == (50,)
        fill(data, 0, 40, [45])
        modes = b"".join(
            struct.pack("=I10H44x", 0, w, *[0] * 4, h, *[0] * 4) for w, h in self.modes
        )
        address, count = struct.unpack_from("=Q", data, 8)[0], struct.unpack_from("=I", data, 32)[0]
        if count:
            ctypes.memmove(address, modes, len(modes))
        struct.pack_into("=I", data, 32, len(self.modes))
        struct.pack_into("=I", data, 60, 1)  # connected

    def get_encoder(self, data):
        struct.pack_into("=I", data, 12, 1)

    def get_properties(self, data):
        fill(data, 0, 16, list(range(1, len(PROPERTIES) + 1)))
        fill(data, 8, 16, [0] * len(PROPERTIES), code="Q")

    def get_property(self, data):
        name = PROPERTIES[struct.unpack_from("=I", data, 16)[0] - 1].encode()
        data[24 : 24 + len(name)] = name

    def make_blob(self, data):
        self.next += 1
        self.blobs.add(self.next)
        address, size = struct.unpack_from("=QI", data)
        self.mode = struct.unpack_from("=I10H", ctypes.string_at(address, size))
        struct.pack_into("=I", data, 12, self.next)

    def destroy_blob(self, data):
        self.blobs.remove(struct.unpack_from("=I", data)[0])

    def commit(self, data):
        flags, count, objects, counts, names, values = struct.unpack_from("=II4Q", data)
        assert flags & 0x100, "this would be seen"
        self.fail(self.driver.master)
        objects, counts = (read(where, count) for where in (objects, counts))
        names, values = read(names, sum(counts)), read(values, sum(counts), "Q")
        said, start = {}, 0
        for thing, size in zip(objects, counts, strict=True):
            of_it = zip(names[start : start + size], values[start : start + size], strict=True)
            said[thing] = {PROPERTIES[name - 1]: value for name, value in of_it}
            start += size
        for thing, asked in said.items():
            if "FB_ID" in asked:
                memory, code, size = self.framebuffers[asked["FB_ID"]]
                assert size == (self.mode[1], self.mode[6]) == min(self.modes)
                assert (asked["CRTC_W"], asked["SRC_H"]) == (size[0], size[1] << 16)
                assert (said[40]["ACTIVE"], said[50]["CRTC_ID"]) == (1, 40)
                assert said[40]["MODE_ID"] in self.blobs
                self.fail(self.driver.shows.get((thing, memory, code), 0))

    @property
    def modes(self):
        return self.driver.modes

    @property
    def left(self):
        """What a trial should have let go."""
        return self.handles, self.dumbs, set(self.framebuffers) | self.blobs

    @staticmethod
    def fail(number):
        if number:
            raise OSError(number, os.strerror(number))
