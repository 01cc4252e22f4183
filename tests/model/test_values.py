"""Values are checked where they are made, and what comes from elsewhere before that."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from heapwire.protocol import (
    DeviceId,
    DeviceNumber,
    Extent,
    Extents,
    HeapId,
    InputError,
    SourceId,
    SourceKind,
    UsageError,
)

GOOD_SIZES = [(1, 1), (65536, 65536), (1, 65536)]
BAD_SIZES = [(0, 1), (1, 0), (65537, 1), (1, 65537), (-1, 1)]
GOOD_NUMBERS = [(0, 0), (4095, 1048575), (254, 0)]
BAD_NUMBERS = [(4096, 0), (0, 1048576), (-1, 0), (0, -1)]


@pytest.mark.parametrize(("width", "height"), GOOD_SIZES)
def test_a_size(width: int, height: int) -> None:
    assert Extent.fault(width, height) is None
    assert Extent.parse(str(Extent(width, height))) == Extent(width, height)


@pytest.mark.parametrize(("width", "height"), BAD_SIZES)
def test_what_is_no_size(width: int, height: int) -> None:
    assert "is not a size" in (Extent.fault(width, height) or "")
    with pytest.raises(UsageError, match="is not a size from 1x1 to 65536x65536"):
        Extent(width, height)
    with pytest.raises(InputError):
        Extent.parse(f"{width}x{height}")


@pytest.mark.parametrize("text", ["", "1920", "1920x", "x1080", "1920x1080x1", "1_0x10", " 1x1"])
def test_what_is_not_written_like_a_size(text: str) -> None:
    with pytest.raises(InputError, match="is not WIDTHxHEIGHT"):
        Extent.parse(text)


def test_a_buffer_has_room_for_the_larger_in_each_direction() -> None:
    extents = Extents(coded=Extent(100, 20), maximum=Extent(30, 40))
    assert extents.allocated == Extent(100, 40)
    assert Extents(coded=Extent(100, 20), visible=Extent(1, 1)).allocated == Extent(100, 20)


@pytest.mark.parametrize("kind", [DeviceNumber, DeviceId, HeapId])
@pytest.mark.parametrize(("major", "minor"), GOOD_NUMBERS)
def test_a_device_number(kind: type[DeviceNumber], major: int, minor: int) -> None:
    assert DeviceNumber.fault(major, minor) is None
    number = kind(major, minor)
    assert kind.parse(str(number)) == kind.from_dev_t(number.dev_t) == number
    assert kind.parse(f"{number}\n") == number  # as sysfs has it


@pytest.mark.parametrize(("major", "minor"), BAD_NUMBERS)
@pytest.mark.parametrize(
    "make", [DeviceId, lambda major, minor: SourceId(SourceKind.HEAP, major, minor)]
)
def test_what_is_no_device_number(make: Callable[..., object], major: int, minor: int) -> None:
    said = f"{major}:{minor} is not a Linux device number"
    assert DeviceNumber.fault(major, minor) == SourceId.fault(0, major, minor) == said
    with pytest.raises(UsageError, match=said):
        make(major, minor)
    with pytest.raises(InputError):
        DeviceId.parse(f"{major}:{minor}")


@pytest.mark.parametrize("text", ["", "254", "254:", ":0", "254:0:0", "a:b", "1_0:0"])
def test_what_is_not_written_like_a_device_number(text: str) -> None:
    with pytest.raises(InputError, match="is not MAJOR:MINOR"):
        DeviceNumber.parse(text)


@pytest.mark.parametrize("kind", SourceKind)
def test_a_source(kind: SourceKind) -> None:
    assert SourceId.fault(kind, 254, 1) is None
    source = SourceId(kind, 254, 1)
    assert SourceId.parse(str(source)) == source


def test_what_is_no_source() -> None:
    assert SourceId.fault(3, 254, 1) == "3 is no kind of source"
    assert SourceId.fault(-1, 254, 1) == "-1 is no kind of source"
    for text in ("", "heap", "lake 254:0", "254:0", "heap 254"):
        with pytest.raises(InputError):
            SourceId.parse(text)
