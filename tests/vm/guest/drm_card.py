"""A display asked by raw ioctls (include/uapi/drm/drm.h, drm_mode.h): no library in between.

The same on 32 and 64 bits. Refusals are `OSError`, as the driver gave them.
"""

import ctypes
import fcntl
import os
import struct
from contextlib import contextmanager

CLIENT_CAP_UNIVERSAL_PLANES, CLIENT_CAP_ATOMIC = 2, 3
CAP_ADDFB2_MODIFIERS = 0x10
CRTC, CONNECTOR, PLANE = 0xCCCCCCCC, 0xC0C0C0C0, 0xEEEEEEEE
TEST_ONLY, ALLOW_MODESET = 0x100, 0x400
FB_MODIFIERS = 2
CONNECTED, PRIMARY = 1, 1

MODE = struct.Struct("=I10HIII32s")
RESOURCES = struct.Struct("=4Q8I")
GET_CONNECTOR = struct.Struct("=4Q12I")
PLANE_RESOURCES = struct.Struct("=QI4x")
GET_PLANE = struct.Struct("=6IQ")
PROPERTIES = struct.Struct("=QQIII4x")
PROPERTY = struct.Struct("=QQII32sII")
BLOB = struct.Struct("=QII")
COMMIT = struct.Struct("=II6Q")
FRAMEBUFFER = struct.Struct("=5I4I4I4I4x4Q")
DUMB = struct.Struct("=6IQ")
PRIME = struct.Struct("=IIi")
PAIR = struct.Struct("=QQ")
ONE = struct.Struct("=I")
SET_CRTC = struct.Struct(f"=Q7I{MODE.size}s")

RMFB, DESTROY_DUMB, DESTROY_BLOB = 0xAF, 0xB4, 0xBE
GEM_CLOSE = 0x40086409
SET_CLIENT_CAP = 0x4010640D


class Version(ctypes.Structure):
    _fields_ = [
        ("numbers", ctypes.c_int * 3),
        ("name_len", ctypes.c_size_t),
        ("name", ctypes.c_void_p),
        ("date_len", ctypes.c_size_t),
        ("date", ctypes.c_void_p),
        ("desc_len", ctypes.c_size_t),
        ("desc", ctypes.c_void_p),
    ]


def array(code, count):
    """Room for `count` numbers, and its address (never 0, which asks for the count)."""
    number = ctypes.c_uint32 if code == "I" else ctypes.c_uint64
    room = (number * max(count, 1))()
    return room, ctypes.addressof(room)


class Card:
    """A card with the CRTC, connector and primary plane that a picture can be put on."""

    def __init__(self, node):
        self.fd = os.open(node, os.O_RDWR | os.O_CLOEXEC)
        self.atomic = False
        for capability in (CLIENT_CAP_UNIVERSAL_PLANES, CLIENT_CAP_ATOMIC):
            try:
                fcntl.ioctl(self.fd, SET_CLIENT_CAP, PAIR.pack(capability, 1))
                self.atomic = capability == CLIENT_CAP_ATOMIC
            except OSError:
                pass
        self.driver = self._driver()
        self.modifiers = bool(self._capability(CAP_ADDFB2_MODIFIERS))
        self._find()

    def close(self):
        os.close(self.fd)

    def call(self, number, layout, *values):
        """An ioctl that reads and writes a structure; what is in it afterwards."""
        request = bytearray(layout.pack(*values))
        fcntl.ioctl(self.fd, 0xC0006400 | layout.size << 16 | number, request)
        return layout.unpack(request)

    def _driver(self):
        name = ctypes.create_string_buffer(64)
        version = Version(name_len=63, name=ctypes.addressof(name))
        fcntl.ioctl(self.fd, 0xC0006400 | ctypes.sizeof(version) << 16, version)
        return name.value.decode()

    def _capability(self, number):
        try:
            return self.call(0x0C, PAIR, number, 0)[1]
        except OSError:
            return 0

    def _find(self):
        counts = self.call(0xA0, RESOURCES, *[0] * 12)[4:8]
        rooms = [array("I", count) for count in counts]
        answer = self.call(0xA0, RESOURCES, *(address for _, address in rooms), *counts, *[0] * 4)
        least_width, most_width, least_height, most_height = answer[8:]
        self.limits = {
            "least": [least_width, least_height],
            "most": [most_width, most_height],
        }
        self.connector, self.modes = self._connector(rooms[2][0][: counts[2]])
        self.crtc = self._crtc(rooms[1][0][: counts[1]])
        self.plane, self.formats = self._primary(list(rooms[1][0]).index(self.crtc))

    def _connector(self, ids):
        """The first connector that is connected and has modes."""
        for number in ids:
            head = [0] * 4 + [0] * 4 + [number] + [0] * 7
            answer = self.call(0xA7, GET_CONNECTOR, *head)
            count = answer[4]
            room = ctypes.create_string_buffer(MODE.size * max(count, 1))
            answer = self.call(
                0xA7, GET_CONNECTOR, 0, ctypes.addressof(room), 0, 0, count, *head[5:]
            )
            count = min(count, answer[4])
            if answer[11] == CONNECTED and count:
                return number, [
                    room.raw[MODE.size * index : MODE.size * (index + 1)] for index in range(count)
                ]
        raise OSError(0, "no connector has a mode")

    def _crtc(self, ids):
        """The CRTC that the connector's first encoder may use."""
        head = [0] * 4 + [0] * 4 + [self.connector] + [0] * 7
        count = self.call(0xA7, GET_CONNECTOR, *head)[6]
        room, address = array("I", count)
        head[6] = count
        self.call(0xA7, GET_CONNECTOR, address, 0, 0, 0, *head[4:])
        # struct drm_mode_get_encoder: id, type, CRTC, possible CRTCs, possible clones
        possible = self.call(0xA6, struct.Struct("=5I"), room[0], 0, 0, 0, 0)[3]
        return next(crtc for index, crtc in enumerate(ids) if possible >> index & 1)

    def _primary(self, crtc_index):
        count = self.call(0xB5, PLANE_RESOURCES, 0, 0)[1]
        room, address = array("I", count)
        self.call(0xB5, PLANE_RESOURCES, address, count)
        for number in room[:count]:
            answer = self.call(0xB6, GET_PLANE, number, 0, 0, 0, 0, 0, 0)
            formats, where = array("I", answer[5])
            self.call(0xB6, GET_PLANE, number, 0, 0, 0, 0, answer[5], where)
            if answer[3] >> crtc_index & 1 and self.properties(number, PLANE)["type"][1] == PRIMARY:
                return number, list(formats)
        raise OSError(0, "no primary plane")

    def properties(self, thing, kind):
        """Each property by its name: its id and its value."""
        count = self.call(0xB9, PROPERTIES, 0, 0, 0, thing, kind)[2]
        ids, where = array("I", count)
        values, values_where = array("Q", count)
        self.call(0xB9, PROPERTIES, where, values_where, count, thing, kind)
        return {
            self.call(0xAA, PROPERTY, 0, 0, number, 0, b"", 0, 0)[4].rstrip(b"\0").decode(): (
                number,
                value,
            )
            for number, value in zip(ids[:count], values[:count], strict=True)
        }

    def mode(self, width, height):
        """The first mode of this size, None where there is none."""
        return next((one for one in self.modes if size_of(one) == (width, height)), None)

    # --- Memory --------------------------------------------------------------------------

    @contextmanager
    def dumb(self, width, height, bits):
        """A dumb buffer as a dma-buf, which is all that is left of it here.

        Its handle goes at once: an import of it would give the same one again.
        """
        handle = self.call(0xB2, DUMB, height, width, bits, 0, 0, 0, 0)[4]
        try:
            fd = self.call(0x2D, PRIME, handle, os.O_RDWR | os.O_CLOEXEC, -1)[2]
        finally:
            self.call(DESTROY_DUMB, ONE, handle)
        try:
            yield fd
        finally:
            os.close(fd)

    def pitches(self, widths, bits):
        """The pitch of a dumb buffer of each width; none where it makes none of so many bits."""
        found = {}
        for width in widths:
            try:
                handle, pitch = self.call(0xB2, DUMB, 4, width, bits, 0, 0, 0, 0)[4:6]
            except OSError:
                break
            found[width] = pitch
            self.call(DESTROY_DUMB, ONE, handle)
        return found

    # --- The questions ---------------------------------------------------------------------

    @contextmanager
    def imported(self, fd):
        """The handle of a dma-buf."""
        handle = self.call(0x2E, PRIME, 0, 0, fd)[0]
        try:
            yield handle
        finally:
            fcntl.ioctl(self.fd, GEM_CLOSE, struct.pack("=II", handle, 0))

    @contextmanager
    def framebuffer(self, handle, width, height, fourcc, planes):
        """A framebuffer of one object; `planes` has the (offset, pitch) of each plane."""
        count = len(planes)
        handles = [handle] * count + [0] * (4 - count)
        offsets = [offset for offset, _ in planes] + [0] * (4 - count)
        pitches = [pitch for _, pitch in planes] + [0] * (4 - count)
        flags = FB_MODIFIERS if self.modifiers else 0  # and then all of them linear, which is 0
        number = self.call(
            0xB8, FRAMEBUFFER, 0, width, height, fourcc, flags, *handles, *pitches, *offsets,
            *[0] * 4,
        )[0]  # fmt: skip
        try:
            yield number
        finally:
            self.call(RMFB, ONE, number)

    def test(self, framebuffer, mode):
        """A TEST_ONLY commit of this mode with the framebuffer on the primary plane."""
        width, height = size_of(mode)
        room = ctypes.create_string_buffer(mode, MODE.size)
        blob = self.call(0xBD, BLOB, ctypes.addressof(room), MODE.size, 0)[2]
        wanted = [
            (self.crtc, CRTC, {"MODE_ID": blob, "ACTIVE": 1}),
            (self.connector, CONNECTOR, {"CRTC_ID": self.crtc}),
            (
                self.plane,
                PLANE,
                {
                    "FB_ID": framebuffer,
                    "CRTC_ID": self.crtc,
                    "SRC_X": 0,
                    "SRC_Y": 0,
                    "SRC_W": width << 16,
                    "SRC_H": height << 16,
                    "CRTC_X": 0,
                    "CRTC_Y": 0,
                    "CRTC_W": width,
                    "CRTC_H": height,
                },
            ),
        ]
        ids, numbers, values = [], [], []
        for thing, kind, changes in wanted:
            known = self.properties(thing, kind)
            ids += [known[name][0] for name in changes]
            numbers.append(len(changes))
            values += changes.values()
        things = [thing for thing, _, _ in wanted]
        rooms = []
        for code, content in (("I", things), ("I", numbers), ("I", ids), ("Q", values)):
            filled, address = array(code, len(content))
            filled[:] = content
            rooms.append((filled, address))
        addresses = [address for _, address in rooms]
        flags = TEST_ONLY | ALLOW_MODESET
        try:
            self.call(0xBC, COMMIT, flags, len(things), *addresses, 0, 0)
        finally:
            self.call(DESTROY_BLOB, ONE, blob)

    def set(self, framebuffer, mode):
        """Show the framebuffer in this mode, as programs without atomic commits do."""
        room, address = array("I", 1)
        room[0] = self.connector
        self.call(0xA2, SET_CRTC, address, 1, self.crtc, framebuffer, 0, 0, 0, 1, mode)

    def off(self):
        """Show nothing."""
        self.call(0xA2, SET_CRTC, 0, 0, self.crtc, 0, 0, 0, 0, 0, bytes(MODE.size))


def size_of(mode):
    """Width and height of a mode."""
    values = MODE.unpack(mode)
    return values[1], values[6]
