"""A stand-in for a kernel with a decoder that parses nothing: V4L2 and media ioctls, to the byte.

The codec is FWHT in its headers; of its data the first byte is what is added to each byte of the
picture before, or to none. A picture that is referred to is read from the memory that its slot
was last given with, so that one which was overwritten shows.
"""

from __future__ import annotations

import ctypes
import errno
import os
import select
import struct

from ioctl_bytes import ioctl_bytes

from heapwire.kernel.video import FWHT_MAGIC

NODE, MEDIA = "/dev/video9", "/dev/media3"
I_FRAME, YUV, RGB = 1 << 10, 1 << 19 | 2 << 16, 2 << 19 | 3 << 16 | 3 << 7
PIXELS = 3 << 19
OUTPUT, CAPTURE = 10, 9
PLANE = 64
# The formats that it lists, whose streams they are, bytes a pixel, and bytes of a picture by 2.
FORMATS = {b"YU12": (YUV, 1, 3), b"NV12": (YUV, 1, 3), b"XR24": (RGB, 4, 8), b"AR24": (RGB, 4, 8)}
NAMES = {
    0x80685600: "querycap", 0xC0405602: "enum_fmt", 0xC0D05605: "s_fmt", 0xC0D05640: "try_fmt",
    0xC0145608: "reqbufs", 0xC0585609: "querybuf", 0xC058560F: "qbuf", 0xC0585611: "dqbuf",
    0x40045612: "streamon", 0x40045613: "streamoff", 0xC0205648: "s_ext_ctrls",
    0xC0205649: "try_ext_ctrls", 0x80047C05: "request_alloc", 0x7C80: "request_queue",
    0x7C81: "request_reinit",
}  # fmt: skip
PARAMS = 0x00A40964  # V4L2_CID_STATELESS_FWHT_PARAMS
DAMAGE = 0xFF


def frame(
    value, *, key=False, size=(640, 480), pixels=RGB, version=3, colours=(3, 2, 1, 2), length=9
):
    data = bytes([value]) * length
    flags = pixels | (I_FRAME if key else 0)
    return FWHT_MAGIC + struct.pack(">9I", version, *size, flags, *colours, len(data)) + data


class Side:
    def __init__(self):
        self.size, self.code, self.count = (1280, 720), b"", 0
        self.on = False
        self.queued, self.done = [], []  # indices, in order


class StatelessKernel:
    """Give its methods to a `StatelessDecoder`; `work` has the driver decode one picture."""

    def __init__(
        self, *, smallest=(640, 360), largest=(4096, 2160), codes=(b"SFWH",), most=1 << 16
    ):
        self.smallest, self.largest, self.codes = smallest, largest, codes
        self.most = most  # bytes of a packet's buffer
        self.room = most
        self.sides = {OUTPUT: Side(), CAPTURE: Side()}
        self.refuses = {}  # errno by the name of an ioctl
        self.late = False  # a request is completed after its buffer
        self.gone = False
        self.calls = []
        self.requests = {}  # by fd: [state, controls, output index]
        self.outputs = {}  # output index: (stamp, used)
        self.slots = {}  # by slot: [fd, stamp]
        self.told = []  # the parameters of each picture
        self.completing = []
        self.watched = {}
        self.fds = {}

    # What a decoder is made with.

    def opened(self, node, _flags):
        if node in self.refuses:
            raise OSError(self.refuses[node], os.strerror(self.refuses[node]), node)
        fd = os.memfd_create("node")
        os.ftruncate(fd, 1 << 22)
        self.fds[node] = fd
        return fd

    def media_of(self, fd):
        assert fd == self.fds[NODE]
        return MEDIA

    def poller(self):
        return self

    def fileno(self):
        return self.fds[NODE]

    def close(self):
        self.watched.clear()

    def register(self, fd, events):
        assert fd not in self.watched
        self.watched[fd] = events

    def unregister(self, fd):
        del self.watched[fd]

    def poll(self, timeout):
        assert timeout == 0
        found = []
        for fd, events in self.watched.items():
            if fd == self.fds[NODE]:
                found.append((fd, self._node_events() & (events | select.EPOLLERR)))
            elif self.requests[fd][0] != "queued":
                complete = self.requests[fd][0] == "complete"
                found.append((fd, select.EPOLLPRI if complete else select.EPOLLERR))
        return [(fd, ready) for fd, ready in found if ready]

    def _node_events(self):
        sides = self.sides.values()
        if self.gone or not any(side.on and (side.queued or side.done) for side in sides):
            return select.EPOLLERR
        ready = 0
        if self.sides[OUTPUT].done:
            ready |= select.EPOLLOUT
        if self.sides[CAPTURE].done:
            ready |= select.EPOLLIN
        return ready

    def __call__(self, fd, number, argument):
        name = NAMES[number]
        data = ioctl_bytes(argument)
        if not name.startswith("request_"):
            assert number >> 16 & 0x3FFF == len(data)  # the size that the number speaks of
            assert fd == self.fds[NODE]
        self.calls.append(name)
        if name in self.refuses:
            raise OSError(self.refuses[name], os.strerror(self.refuses[name]))
        getattr(self, f"_{name}")(fd, data)
        return 0

    # V4L2.

    def _querycap(self, _fd, data):
        struct.pack_into("=II", data, 84, 0x80000000, 0x4004000)

    def _enum_fmt(self, _fd, data):
        index, kind = struct.unpack_from("=II", data)
        codes = self.codes if kind == OUTPUT else tuple(FORMATS)
        if index >= len(codes):
            raise OSError(errno.EINVAL, "Invalid argument")
        struct.pack_into("=I", data, 8, kind == OUTPUT)
        struct.pack_into("=4s", data, 44, codes[index])

    def _try_fmt(self, _fd, data):
        (kind,) = struct.unpack_from("=I", data)
        width, height, code = struct.unpack_from("=II4s", data, 8)
        width = min(max(width, self.smallest[0]), self.largest[0])
        height = min(max(height, self.smallest[1]), self.largest[1])
        if kind == OUTPUT:
            (wished,) = struct.unpack_from("=I", data, 28)
            code, pitch = self.codes[0], 0
            room = min(wished or width * height // 64, self.most)  # as hantro_try_fmt
        else:
            code = code if code in FORMATS else next(iter(FORMATS))
            _, bytes_a_pixel, halves = FORMATS[code]
            pitch, room = width * bytes_a_pixel, width * height * halves // 2
        struct.pack_into("=II4s", data, 8, width, height, code)
        struct.pack_into("=II", data, 28, room, pitch)
        data[188] = 1

    def _s_fmt(self, fd, data):
        self._try_fmt(fd, data)
        (kind,) = struct.unpack_from("=I", data)
        if self.sides[kind].count:
            raise OSError(errno.EBUSY, "Device or resource busy")
        width, height, code = struct.unpack_from("=II4s", data, 8)
        self.sides[kind].size, self.sides[kind].code = (width, height), code
        if kind == OUTPUT:
            (self.room,) = struct.unpack_from("=I", data, 28)

    def _reqbufs(self, _fd, data):
        count, kind, memory = struct.unpack_from("=III", data)
        if count:
            assert memory == (1 if kind == OUTPUT else 4)
        self.sides[kind].count = count
        if kind == CAPTURE:
            self.slots = {index: [None, 0] for index in range(count)}

    def _querybuf(self, _fd, data):
        index, kind = struct.unpack_from("=II", data)
        assert kind == OUTPUT
        struct.pack_into("=II", self._planes(data), 4, self.room, index << 16)

    def _planes(self, data):
        (address,) = struct.unpack_from("=Q", data, 64)
        (count,) = struct.unpack_from("=I", data, 72)
        return memoryview((ctypes.c_ubyte * (PLANE * count)).from_address(address)).cast("B")

    def _qbuf(self, _fd, data):
        index, kind = struct.unpack_from("=II", data)
        (flags,) = struct.unpack_from("=I", data, 12)
        planes, side = self._planes(data), self.sides[kind]
        assert index < side.count
        if kind == CAPTURE:
            assert index not in side.queued
            self.slots[index] = [struct.unpack_from("=i", planes, 8)[0], 0]
            side.queued.append(index)
            return
        (request,) = struct.unpack_from("=i", data, 80)
        if not flags & 0x00800000:  # V4L2_BUF_FLAG_REQUEST_FD
            raise OSError(errno.EBADR, "Invalid request descriptor")
        assert self.requests[request][0] == "idle"
        seconds, microseconds = struct.unpack_from("=qq", data, 24)
        self.outputs[index] = (
            seconds * 1_000_000 + microseconds,
            struct.unpack_from("=I", planes)[0],
        )
        self.requests[request][2] = index

    def _dqbuf(self, _fd, data):
        (kind,) = struct.unpack_from("=I", data, 4)
        index = self.sides[kind].done.pop(0)
        struct.pack_into("=I", data, 0, index)
        if kind == CAPTURE:
            stamp, damaged = self.slots[index][1], self.slots[index][2:] == [True]
            struct.pack_into("=I", data, 12, 0x40 if damaged else 0)
            struct.pack_into("=qq", data, 24, *divmod(stamp, 1_000_000))
            struct.pack_into("=I", self._planes(data), 0, 1)

    def _streamon(self, _fd, data):
        self.sides[struct.unpack("=i", data)[0]].on = True

    def _streamoff(self, _fd, data):
        side = self.sides[struct.unpack("=i", data)[0]]
        side.on = False
        side.queued, side.done = [], []

    def _try_ext_ctrls(self, _fd, data):
        self._values(data)

    def _s_ext_ctrls(self, _fd, data):
        which, _, _, request = struct.unpack_from("=IIIi", data)
        assert which == 0x0F010000  # V4L2_CTRL_WHICH_REQUEST_VAL
        state = self.requests[request]
        assert state[0] == "idle"
        state[1] = self._values(data)

    def _values(self, data):
        """The parameters, if they go with the format of the pictures (vicodec_try_ctrl)."""
        _, count, _, _, _, address = struct.unpack_from("=IIIiI4xQ", data)
        assert count == 1
        number, size, _, value = struct.unpack("=IIIQ", ctypes.string_at(address, 20))
        assert (number, size) == (PARAMS, 40)
        params = struct.unpack("=Q8I", ctypes.string_at(value, size))
        _, version, width, height, flags, *_ = params
        side = self.sides[CAPTURE]
        wanted, _, _ = FORMATS[side.code]
        sound = version == 3 and width <= side.size[0] and height <= side.size[1]
        if not sound or flags & PIXELS != wanted & PIXELS or width < self.smallest[0]:
            raise OSError(errno.EINVAL, "Invalid argument")
        return params

    # Requests.

    def _request_alloc(self, fd, data):
        assert fd == self.fds[MEDIA]
        request = os.eventfd(0)
        self.requests[request] = ["idle", None, None]
        struct.pack_into("=i", data, 0, request)

    def _request_queue(self, request, _data):
        state = self.requests[request]
        assert state[0] == "idle"
        if state[1] is None or state[2] is None:
            raise OSError(errno.ENOENT, "No such file or directory")
        state[0] = "queued"
        self.sides[OUTPUT].queued.append((state[2], request))

    def _request_reinit(self, request, _data):
        if self.requests[request][0] not in ("idle", "complete"):
            raise OSError(errno.EBUSY, "Device or resource busy")
        self.requests[request] = ["idle", None, None]

    def work(self):
        """Decode what can be decoded: one picture, if there is a packet and a slot for it."""
        for request in self.completing:
            self.requests[request][0] = "complete"
        self.completing = []
        fed, filled = self.sides[OUTPUT], self.sides[CAPTURE]
        if not (fed.on and filled.on and fed.queued and filled.queued):
            return
        index, request = fed.queued.pop(0)
        slot = filled.queued.pop(0)
        stamp, used = self.outputs[index]
        _, params, _ = self.requests[request]
        self.told.append(params)
        packet = os.pread(self.fds[NODE], used, index << 16)
        value = 0 if params[4] & I_FRAME else self._referred_to(params[0])
        damaged = value is None or packet[0] == DAMAGE
        if not damaged:
            os.pwrite(self.slots[slot][0], bytes([(value + packet[0]) % 256]) * 64, 0)
        self.slots[slot] = [self.slots[slot][0], stamp, damaged]
        fed.done.append(index)
        filled.done.append(slot)
        if self.late:
            self.completing.append(request)
        else:
            self.requests[request][0] = "complete"

    def _referred_to(self, nanoseconds):
        """The byte of the picture with a stamp, None if there is no such picture."""
        for fd, stamp, *_ in self.slots.values():
            if stamp and stamp * 1000 == nanoseconds:
                return os.pread(fd, 1, 0)[0]
        return None
