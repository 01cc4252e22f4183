"""The arrays of the protocol: formats, sources, objects, planes, indices.

Decoders raise `PeerError` with a sentence; whoever received a request with the
array knows which protocol error that is. Encoders that can exceed one message
yield chunks.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Iterator, Sequence
from functools import partial

from heapwire.protocol.errors import PeerError
from heapwire.protocol.values import BufferObject, FormatModifier, PlaneLayout, SourceId, SourceKind
from heapwire.protocol.wire.limits import MAX_ARRAY

_FORMAT = struct.Struct("=I4xQ")
_SOURCE = struct.Struct("=III")
_OBJECT = struct.Struct("=IIIIQ")
_PLANE = struct.Struct("=III")
# What `FormatModifier._make` does; it is Python, and arrays have a thousand pairs, tables 65,536.
_PAIR = partial(tuple.__new__, FormatModifier)


def encode_formats(formats: Iterable[FormatModifier]) -> bytes:
    """Entries of 16 bytes, as in the format table of linux-dmabuf."""
    return b"".join(_FORMAT.pack(pair.fourcc, pair.modifier) for pair in formats)


def encode_table(table: Iterable[FormatModifier]) -> bytes:
    """The content of the file of linux-dmabuf's `format_table` event."""
    return encode_formats(table)


def decode_formats(raw: bytes) -> tuple[FormatModifier, ...]:
    """The pairs in an array or a format table."""
    _check(raw, _FORMAT, "formats")
    return tuple(map(_PAIR, _FORMAT.iter_unpack(raw)))


def format_chunks(formats: Sequence[FormatModifier]) -> Iterator[bytes]:
    """The pairs in arrays that fit into one message each."""
    step = MAX_ARRAY // _FORMAT.size
    for start in range(0, len(formats), step):
        yield encode_formats(formats[start : start + step])


def decode_source(kind: int, major: int, minor: int) -> SourceId:
    """The source that three numbers of a message or an array are."""
    fault = SourceId.fault(kind, major, minor)
    if fault is not None:
        raise PeerError(fault)
    return SourceId(SourceKind(kind), major, minor)


def encode_sources(sources: Iterable[SourceId]) -> bytes:
    """Entries of 12 bytes."""
    return b"".join(_SOURCE.pack(source.kind, source.major, source.minor) for source in sources)


def decode_sources(raw: bytes) -> tuple[SourceId, ...]:
    """The sources in an array."""
    _check(raw, _SOURCE, "sources")
    return tuple(decode_source(*entry) for entry in _SOURCE.iter_unpack(raw))


def encode_objects(objects: Iterable[BufferObject]) -> bytes:
    """Entries of 24 bytes."""
    return b"".join(
        _OBJECT.pack(entry.source.kind, entry.source.major, entry.source.minor, 0, entry.size)
        for entry in objects
    )


def decode_objects(raw: bytes) -> tuple[BufferObject, ...]:
    """The objects of a fixed layout."""
    _check(raw, _OBJECT, "objects")
    return tuple(
        BufferObject(decode_source(kind, major, minor), size)
        for kind, major, minor, _, size in _OBJECT.iter_unpack(raw)
    )


def encode_planes(planes: Iterable[PlaneLayout]) -> bytes:
    """Entries of 12 bytes."""
    return b"".join(_PLANE.pack(plane.object, plane.offset, plane.pitch) for plane in planes)


def decode_planes(raw: bytes) -> tuple[PlaneLayout, ...]:
    """The planes of a fixed layout."""
    _check(raw, _PLANE, "planes")
    return tuple(PlaneLayout(*entry) for entry in _PLANE.iter_unpack(raw))


def index_chunks(indices: Sequence[int]) -> Iterator[bytes]:
    """16-bit indices in arrays that fit into one message each."""
    step = MAX_ARRAY // 2
    for start in range(0, len(indices), step):
        part = indices[start : start + step]
        yield struct.pack(f"={len(part)}H", *part)


def decode_indices(raw: bytes) -> tuple[int, ...]:
    """The 16-bit indices in an array."""
    if len(raw) % 2:
        raise PeerError(f"an array of 16-bit indices has {len(raw)} bytes")
    return struct.unpack(f"={len(raw) // 2}H", raw)


def _check(raw: bytes, entry: struct.Struct, what: str) -> None:
    if len(raw) % entry.size:
        raise PeerError(f"{what} has entries of {entry.size} bytes, not {len(raw)} bytes")
