"""Where the pixels of a buffer are: objects of memory, and planes in them."""

from __future__ import annotations

from enum import IntEnum

from heapwire.protocol.late_dataclasses import dataclass
from heapwire.protocol.values.constraint import Constraint
from heapwire.protocol.values.extents import Extent
from heapwire.protocol.values.source import SourceId


class LayoutKind(IntEnum):
    """Who knows the layout; the values are those of the wire."""

    EXACT = 0
    """Every size, offset and pitch is given: allocate just that."""
    ALLOCATOR = 1
    """Only the source can lay this modifier out: `constraints` say what it must keep to."""
    FIXED = 2
    """The buffer exists, and is good as it is."""


@dataclass(frozen=True, slots=True)
class BufferObject:
    """One dma-buf: its source and its size in bytes (0 where the allocator decides)."""

    source: SourceId
    size: int


@dataclass(frozen=True, slots=True)
class PlaneLayout:
    """One plane: the index of its object, and its offset and pitch in bytes."""

    object: int
    offset: int
    pitch: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """The layout of a whole buffer; `extent` is what it has room for, in pixels.

    An ALLOCATOR layout has no plane entries: each object is one for the
    allocator, and `constraints` is the merge of everyone's. An EXACT one has those flags
    there that a device which allocates it has to be told (`ALLOCATION_FLAGS`).
    """

    kind: LayoutKind
    extent: Extent
    objects: tuple[BufferObject, ...]
    planes: tuple[PlaneLayout, ...]
    constraints: tuple[Constraint, ...] = ()
