"""How a DRM node is opened, for looking only, and what it says there."""

import ctypes
import os
import struct

import pytest
from fake_card import fill
from ioctl_bytes import ioctl_bytes

from heapwire.kernel.drm import DrmDevice, ModeLimits, card, open_card, open_drm
from heapwire.protocol.values import fourcc

XRGB, NV12 = fourcc("XR24"), fourcc("NV12")


@pytest.fixture
def calls(monkeypatch):
    """What is asked of the card on opening it; nothing is behind it."""
    asked = []
    drop_master = 0x641F  # include/uapi/drm/drm.h, DRM_IOCTL_DROP_MASTER
    said = {drop_master: "drop master"}
    monkeypatch.setattr(card, "plain_ioctl", lambda fd, number: asked.append((said[number], fd)))
    return asked


@pytest.fixture
def node(tmp_path):
    path = tmp_path / "card0"
    path.touch()
    return str(path)


def test_whoever_looks_is_not_the_master(node, calls):
    """Else a compositor that starts now finds the card taken."""
    with open_drm(node):
        ((what, fd),) = calls
        assert what == "drop master"
        assert os.fstat(fd)
        assert not os.get_inheritable(fd)
    with pytest.raises(OSError, match="Bad file descriptor"):
        os.fstat(fd)


def test_who_asks_to_be_the_master_stays_it(node, calls):
    with open_card(node, master=True):
        assert calls == []


def test_the_node_is_closed_when_looking_fails(node, calls):
    with pytest.raises(ZeroDivisionError), open_drm(node):
        raise ZeroDivisionError  # the fixture of the room sees an fd that is left


class Kernel:
    """Planes 31 and 32, of which the second is unplugged; two properties; a blob of 5 bytes."""

    def __init__(self, *, display=True):
        self.display = display
        self.names = {7: b"type", 9: b"IN_FORMATS"}
        self.values = {}
        self.asked = []

    def __call__(self, fd, number, argument):
        name = {
            0xA0: "resources", 0xB5: "planes", 0xB6: "plane", 0xB9: "properties",
            0xAA: "property", 0xAC: "blob", 0x00: "version", 0x0D: "capability",
        }[number & 0xFF]  # fmt: skip
        self.asked.append(name)
        getattr(self, name)(argument if name == "version" else ioctl_bytes(argument))
        return 0

    def version(self, struct_):
        ctypes.memmove(struct_.name, b"vendor", min(6, struct_.name_len))
        struct_.name_len = 6

    def capability(self, data):
        assert struct.unpack("=QQ", data) == (2, 1)

    def resources(self, data):
        if not self.display:
            raise OSError(95, "Operation not supported")
        struct.pack_into("=IIII", data, 48, 10, 4096, 20, 2048)

    def planes(self, data):
        fill(data, 0, 8, [31, 32])

    def plane(self, data):
        if struct.unpack_from("=I", data)[0] == 32:
            raise OSError(2, "No such file or directory")
        struct.pack_into("=I", data, 12, 0b101)
        fill(data, 24, 20, [XRGB, NV12])

    def properties(self, data):
        assert struct.unpack_from("=II", data, 20) == (31, 0xEEEEEEEE)
        fill(data, 0, 16, list(self.names))
        fill(data, 8, 16, [1, 1 << 40], code="Q")

    def property(self, data):
        number = struct.unpack_from("=I", data, 16)[0]
        name = self.names[number]
        data[24 : 24 + len(name)] = name
        values = self.values.get(number, ())
        if struct.unpack_from("=I", data, 60)[0] >= len(values):
            numbered = enumerate(values, 1 << 40)
            records = b"".join(struct.pack("=Q32s", *one) for one in numbered)
            address = struct.unpack_from("=Q", data, 8)[0]
            ctypes.memmove(address, records, len(records))
        struct.pack_into("=I", data, 60, len(values))

    def blob(self, data):
        number, size, address = struct.unpack("=IIQ", data)
        if number != 3:
            raise OSError(2, "No such file or directory")
        if size == 5:
            ctypes.memmove(address, b"\0\1\2\3\4", 5)
        struct.pack_into("=I", data, 4, 5)


def test_what_a_device_says():
    kernel = Kernel()
    device = DrmDevice(0, kernel)
    assert device.driver == "vendor"
    assert device.limits() == ModeLimits(
        min_width=10, max_width=4096, min_height=20, max_height=2048
    )
    [plane] = device.planes()  # the other went in the meantime
    assert (plane.id, plane.formats, plane.possible_crtcs) == (31, (XRGB, NV12), 0b101)
    assert plane.properties == {"type": 1, "IN_FORMATS": 1 << 40}
    assert device.blob(3) == bytes(range(5))
    assert device.blob(4) is None
    # The names of properties are the same for all planes, and are asked for once.
    assert device.planes() == (plane,)
    assert kernel.asked.count("property") == 2


def test_what_has_no_display_says_so():
    device = DrmDevice(0, Kernel(display=False))
    assert device.limits() is None
    assert device.crtcs_and_connectors() == ((), ())


def test_what_is_no_card_has_no_name_and_no_planes(tmp_path):
    with (tmp_path / "file").open("w+b") as file:
        device = DrmDevice(file.fileno())
        assert (device.driver, device.limits(), device.planes()) == ("", None, ())
        assert device.blob(1) is None


def test_the_values_of_the_colour_properties_have_names():
    kernel = Kernel()
    kernel.names = {7: b"COLOR_ENCODING", 9: b"zpos"}
    kernel.values = {7: (b"ITU-R BT.601 YCbCr", b"something new"), 9: (b"some",)}
    [plane] = DrmDevice(0, kernel).planes()
    assert plane.choices == {"COLOR_ENCODING": ("ITU-R BT.601 YCbCr", "something new")}


@pytest.mark.parametrize("as_set", [False, True])
def test_the_bits_of_rotation_have_names_for_who_may_set_them(as_set):
    kernel = Kernel()
    kernel.names = {7: b"zpos", 9: b"rotation"}
    kernel.values = {9: (b"rotate-0", b"rotate-180", b"reflect-x")}
    [plane] = DrmDevice(0, kernel, as_set=as_set).planes()
    told = {"rotation": ("rotate-0", "rotate-180", "reflect-x")}
    assert plane.choices == ({} if as_set else told)


@pytest.mark.parametrize(("name", "told"), [(b"type", ""), (b"IN_FORMATS", "ITU-R BT.601 YCbCr")])
def test_who_sets_none_of_them_is_told_what_they_are_set_to(name, told):
    """The fake's properties have the values 1, which has no name here, and 1 << 40."""
    kernel = Kernel()
    [number] = [one for one, own in kernel.names.items() if own == name]
    kernel.names = {**kernel.names, number: b"COLOR_ENCODING"}
    kernel.values = {number: (b"ITU-R BT.601 YCbCr", b"something new")}
    [plane] = DrmDevice(0, kernel, as_set=True).planes()
    assert plane.choices == {"COLOR_ENCODING": (told,)}
