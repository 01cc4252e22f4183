"""Values are checked where they are made, and what comes from elsewhere before that."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from heapwire.protocol import (
    BufferCount,
    CoherencyDomain,
    ColourEncoding,
    ColourRange,
    Content,
    DeviceId,
    DeviceNumber,
    Extent,
    Extents,
    Fence,
    HeapId,
    InputError,
    Place,
    SourceId,
    SourceKind,
    Topology,
    Unit,
    UsageError,
)
from heapwire.protocol.values import agreed_colour, preferred_domain, preferred_fence

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


def test_a_unit_counts() -> None:
    beats = Unit("beats", "beat")
    assert [beats.counted(number) for number in range(3)] == ["0 beats", "1 beat", "2 beats"]
    assert beats.between(0, 16) == "0 to 16 beats"
    assert Unit("bytes", "byte", hexadecimal=True).between(0, 16) == "0x0 to 0x10"


@pytest.mark.parametrize(
    ("lowest", "highest", "told"),
    [
        (1, (1 << 31) - 1, "1/65536 to 32768"),
        (1 << 13, 1 << 18, "0.125 to 4"),
        (655, 656, "1/100 to 0.01001"),
        (1 << 16, 1 << 16, "1"),
        (0, 3 << 15, "0 to 1.5"),
    ],
)
def test_parts_of_one_are_told_without_exponents(lowest, highest, told):
    assert Unit("parts", "part", parts=1 << 16).between(lowest, highest) == told


def test_a_stream_has_room_for_everybodys_buffers() -> None:
    assert BufferCount(minimum=4, queue=3, hold=2).total == 9


@pytest.mark.parametrize(
    ("fences", "best"),
    [
        (0b000, None),
        (0b001, Fence.NONE),
        (0b011, Fence.IMPLICIT),
        (0b110, Fence.EXPLICIT),
        (0b111, Fence.EXPLICIT),
    ],
)
def test_the_fence_that_blocks_nobody_is_the_best(fences: int, best: Fence | None) -> None:
    assert preferred_fence(fences) is best


@pytest.mark.parametrize(
    ("domains", "scanout", "best"),
    [
        (0b111, True, CoherencyDomain.RAM),
        (0b111, False, CoherencyDomain.CPU),
        (0b101, True, CoherencyDomain.CPU),
        (0b110, False, CoherencyDomain.RAM),
        (0b100, False, CoherencyDomain.INACCESSIBLE),
        (0b000, True, None),
    ],
)
def test_a_display_reads_ram_and_all_else_begins_at_the_cpu(
    domains: int, scanout: bool, best: CoherencyDomain | None
) -> None:
    assert preferred_domain(domains, scanout=scanout) is best


BT709, BT601, RGB = ColourEncoding.BT709, ColourEncoding.BT601, ColourEncoding.RGB
LIMITED, FULL = ColourRange.LIMITED, ColourRange.FULL


@pytest.mark.parametrize(
    ("permitted", "content", "agreed"),
    [
        (1 << 1 | 1 << 33, Content(), (BT709, LIMITED)),
        (1 << 33 | 1 << 0, Content(), (BT709, FULL)),
        (1 << 1 | 1 << 33, Content(range=FULL), (BT709, FULL)),
        (1 << 1, Content(range=FULL), None),
        (1 << 1 | 1 << 6, Content(encoding=BT601), (BT601, LIMITED)),
        (1 << 1, Content(encoding=BT601), None),
        (1 << 0 | 1 << 9, Content(), (ColourEncoding.BT2020, LIMITED)),
        (0, Content(), None),
    ],
)
def test_the_colour_is_one_that_is_permitted_and_that_the_content_has(
    permitted: int, content: Content, agreed: object
) -> None:
    assert agreed_colour(permitted, content) == agreed


class TestTopology:
    ROOT, LEFT, RIGHT, DEEP, LOST = (DeviceId(226, minor) for minor in range(5))
    TOPOLOGY = Topology(
        places={
            ROOT: Place(("host",)),
            LEFT: Place(("host", "left", "x")),
            RIGHT: Place(("host", "right", "x")),
            DEEP: Place(("host", "left", "bridge", "y")),
            LOST: Place(),
        },
        peer_links=frozenset({frozenset({LEFT, DEEP})}),
    )

    @pytest.mark.parametrize(
        ("start", "end", "hops"),
        [
            (ROOT, LEFT, 2),
            (LEFT, RIGHT, 4),  # the last parts are called the same on two buses
            (LEFT, DEEP, 3),
            (LEFT, LEFT, 0),
            (LOST, LOST, 0),
            (LEFT, LOST, None),
            (LEFT, DeviceId(1, 1), None),
        ],
    )
    def test_hops_go_through_the_nearest_bridge(
        self, start: DeviceId, end: DeviceId, hops: int | None
    ) -> None:
        assert self.TOPOLOGY.hops(start, end) == self.TOPOLOGY.hops(end, start) == hops

    def test_links(self) -> None:
        assert self.TOPOLOGY.linked(self.LEFT, self.DEEP)
        assert self.TOPOLOGY.linked(self.DEEP, self.LEFT)
        assert self.TOPOLOGY.linked(self.LOST, self.LOST)
        assert not self.TOPOLOGY.linked(self.LEFT, self.RIGHT)
