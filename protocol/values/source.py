"""Sources of memory and what is known of them.

A source is a DMA heap, a device that allocates for itself (the only way to many
tiled layouts), or udmabuf. Constraints are judged against a source's
properties; a property that nobody knows is `None`, and a requirement on it is
not met: "unknown" must never scan out garbage.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import IntEnum

from heapwire.protocol.errors import InputError, UsageError, shown
from heapwire.protocol.late_dataclasses import dataclass, field
from heapwire.protocol.values.constraint import Provenance
from heapwire.protocol.values.device_number import DeviceId, DeviceNumber, HeapId

PAGE_SIZE = 4096
"""Bytes: what a heap rounds a length up to (drivers/dma-buf/dma-heap.c, PAGE_ALIGN)."""


class SourceKind(IntEnum):
    """What kind of thing allocates; the values are those of the wire."""

    HEAP = 0
    DEVICE = 1
    UDMABUF = 2

    __hash__ = int.__hash__  # an enum's own takes longer, and sources are keys everywhere


@dataclass(frozen=True, slots=True, order=True)
class SourceId:
    """A source on the wire: its kind and the (major, minor) of its node.

    `str()` gives `heap 254:0`. Raises `UsageError` where the pair is no device number:
    numbers from elsewhere go through `fault` first.
    """

    kind: SourceKind
    major: int
    minor: int

    def __post_init__(self) -> None:
        fault = DeviceNumber.fault(self.major, self.minor)
        if fault is not None:
            raise UsageError(fault)

    @staticmethod
    def fault(kind: int, major: int, minor: int) -> str | None:
        """What is wrong with the three numbers of a source, None if nothing is."""
        if kind not in SourceKind.__members__.values():
            return f"{kind} is no kind of source"
        return DeviceNumber.fault(major, minor)

    @classmethod
    def parse(cls, text: str) -> SourceId:
        """The source that `str()` printed; `InputError` for anything else."""
        word, _, pair = text.partition(" ")
        kind = SourceKind.__members__.get(word.upper())
        if kind is None:
            raise InputError(f"{shown(text)} is not a source such as 'heap 254:0'")
        number = DeviceNumber.parse(pair)
        return cls(kind, number.major, number.minor)

    @classmethod
    def heap(cls, heap: HeapId) -> SourceId:
        """The source that a DMA heap is."""
        return cls(SourceKind.HEAP, heap.major, heap.minor)

    @classmethod
    def device(cls, device: DeviceId) -> SourceId:
        """The source that a device itself is."""
        return cls(SourceKind.DEVICE, device.major, device.minor)

    def __str__(self) -> str:
        return f"{self.kind.name.lower()} {self.major}:{self.minor}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """A source and its properties.

    `address_range` is inclusive, in bytes of the bus address space that the
    devices of the platform share. `alignment` is the least alignment in bytes
    of a buffer's start. `capacity` is in bytes. `device_local` names the device
    whose own memory this is. `protected` says whether the CPU is kept out; what
    nobody knows to be protected or not is neither. `mappable` is False of memory
    that nobody protects and that its exporter maps for no CPU all the same.
    `substitutes_for` names sources in whose place this one always serves:
    somebody says so, or says of both what it follows from. `rows_only` says of a
    device that it lays out rows and nothing else: a display's dumb buffers. `provenance` says for a
    property where its value comes from; what it leaves out is PROFILE.
    """

    id: SourceId
    name: str
    contiguous: bool | None = None
    address_range: tuple[int, int] | None = None
    alignment: int = PAGE_SIZE
    capacity: int | None = None
    cached: bool | None = None
    protected: bool | None = False
    mappable: bool = True
    numa_node: int | None = None
    device_local: DeviceId | None = None
    substitutes_for: tuple[str, ...] = ()
    area: str = ""
    """What the kernel calls the memory that this is cut from; empty where that is not known.

    Sources of one area are one memory under several names: a CMA area that has a heap for
    each of its names, the page allocator with a heap for each way to map pages.
    """
    rows_only: bool = False
    provenance: Mapping[str, Provenance] = field(default_factory=dict, hash=False)

    def lies_within(self, other: Source) -> bool:
        """Whether its memory is known to be the other's, or a part of it."""
        if self._is_same_as(other):
            return True
        mine, theirs = self._filled, other._filled
        if mine is None or theirs is None:
            return False
        return theirs[0] <= mine[0] and mine[1] <= theirs[1]

    def overlaps(self, other: Source) -> bool:
        """Whether some of its memory is known to be the other's, so that they are not two banks."""
        if self._is_same_as(other):
            return True
        mine, theirs = self._filled, other._filled
        if mine is None or theirs is None:
            return False
        return theirs[0] <= mine[1] and mine[0] <= theirs[1]

    def _is_same_as(self, other: Source) -> bool:
        return self is other or self.area == other.area != "" or self.id == other.id

    @property
    def _filled(self) -> tuple[int, int] | None:
        """The addresses that are all its own: of others it is only known to lie within them."""
        addresses = self.address_range
        if addresses is None or self.capacity != addresses[1] - addresses[0] + 1:
            return None
        return addresses
