"""Buffers that a client may ask for, row by row, and what the text lets come of each."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial

from heapwire.client_lib.compliance.case import CaseGroup
from heapwire.client_lib.compliance.own_buffers import OwnBuffers
from heapwire.client_lib.compliance.probe import (
    CREATED,
    FAILED,
    HEIGHT,
    NV12,
    PITCH,
    WIDTH,
    XRGB,
    Plane,
    Probe,
)
from heapwire.client_lib.compliance.verdict import SkippedCaseError
from heapwire.protocol.late_dataclasses import dataclass
from heapwire.protocol.values import parse_fourcc

GROUP = CaseGroup("params")

SIZE = PITCH * HEIGHT
U32 = 2**32 - 1
FOREIGN = 0x7F00_0000_0000_0001
"""A modifier that no driver can have: of a vendor that drm_fourcc.h does not know."""
UNHEARD_OF = 0x3130_7878
"""A format that drm_fourcc.h does not know: `xx01`."""
INVALID_WL_BUFFER = "invalid_wl_buffer"

BOUNDS = ("out_of_bounds", FAILED)
DIMENSIONS = ("invalid_dimensions", FAILED)
COUNT = ("incomplete", FAILED)
TAKEN = (CREATED, FAILED)
ALL, FEEDBACK, ONE_MODIFIER = (3, 4, 5, 6), (4, 5, 6), (5, 6)

Object = Callable[[OwnBuffers], int]


def anything(buffers: OwnBuffers) -> int:
    """A dma-buf where there is one, else a memfd: what only arguments decide comes to the same."""
    return buffers.anything(SIZE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Added:
    """A plane to add; `modifier` None is the one that the format is on offer with."""

    index: int = 0
    offset: int = 0
    pitch: int = PITCH
    modifier: int | None = None
    object: Object = anything


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """A buffer to ask for; `expected` are the words of the answers that the text allows."""

    name: str
    says: str
    expected: tuple[str, ...]
    planes: tuple[Added, ...] = (Added(),)
    fourcc: int = XRGB
    asked: int | None = None  # the format that is asked for, where it is not that of the planes
    width: int = WIDTH
    height: int = HEIGHT
    flags: int = 0
    versions: tuple[int, ...] = ALL


# NV12 of WIDTH x HEIGHT: rows of WIDTH bytes, in the second plane half as many of them.
Y, UV = Added(pitch=WIDTH), Added(index=1, pitch=WIDTH)

_BAD = "bad offset or stride may be indicated by out_of_bounds, and the buffer is not made"
_MISMATCH = "a mismatch between planes and format may be indicated by incomplete"
_UNADVERTISED = "invalid_format is sent if the format and modifier were not advertised"
_POSITIVE = "non-positive width or height may be indicated by invalid_dimensions"
_IMPORT = "import errors that are no obvious bug of the client's are returned via failed"


def _heap(buffers: OwnBuffers) -> int:
    return buffers.heap(SIZE)


def _udmabuf(buffers: OwnBuffers) -> int:
    return buffers.udmabuf(SIZE)


def _memfd(buffers: OwnBuffers) -> int:
    return buffers.memfd(SIZE)


def _read_only(buffers: OwnBuffers) -> int:
    return buffers.read_only(SIZE)


def _page(buffers: OwnBuffers) -> int:
    """One page, the half of what the second plane would have with as many rows as the first."""
    return buffers.anything(4096)


_PLANES = "planes may be added in any order"
ROWS = (
    Row(name="heap", says="success triggers created", expected=(CREATED,),
        planes=(Added(object=_heap),)),
    Row(name="udmabuf", says="success triggers created", expected=(CREATED,),
        planes=(Added(object=_udmabuf),)),
    Row(name="nv12", says="success triggers created", expected=(CREATED,), planes=(Y, UV),
        fourcc=NV12),
    Row(name="nv12-reversed", says=_PLANES, expected=(CREATED,), planes=(UV, Y), fourcc=NV12),
    Row(name="nv12-short-chroma", says="only the rows that a plane has can be out of bounds",
        expected=TAKEN, planes=(Y, Added(index=1, pitch=128, object=_page)), fourcc=NV12),
    Row(name="read-only", says=_IMPORT, expected=TAKEN, planes=(Added(object=_read_only),)),
    Row(name="memfd", says=_IMPORT, expected=(FAILED,), planes=(Added(object=_memfd),)),
    Row(name="socket", says=_IMPORT, expected=(FAILED,),
        planes=(Added(object=OwnBuffers.socket),)),
    Row(name="device-node", says=_IMPORT, expected=BOUNDS,
        planes=(Added(object=OwnBuffers.device),)),
    Row(name="empty-file", says=_BAD, expected=BOUNDS, planes=(Added(object=OwnBuffers.empty),)),
    Row(name="plane-4", says="plane_idx is raised if the index is too large",
        expected=("plane_idx",), planes=(Added(index=4),)),
    Row(name="plane-far", says="plane_idx is raised if the index is too large",
        expected=("plane_idx",), planes=(Added(index=U32),)),
    Row(name="plane-twice", says="plane_set is raised for a plane that was already set",
        expected=("plane_set",), planes=(Added(), Added())),
    Row(name="modifiers-differ", says="invalid_format is sent if planes' modifiers differ",
        expected=("invalid_format",), planes=(Y, Added(index=1, pitch=WIDTH, modifier=FOREIGN)),
        fourcc=NV12, versions=ONE_MODIFIER),
    Row(name="modifiers-differ-reversed",
        says="invalid_format is sent if planes' modifiers differ, in any order",
        expected=("invalid_format",), planes=(Added(index=1, pitch=WIDTH, modifier=FOREIGN), Y),
        fourcc=NV12, versions=ONE_MODIFIER),
    Row(name="no-planes", says=_MISMATCH, expected=COUNT, planes=()),
    Row(name="plane-0-missing", says=_MISMATCH, expected=COUNT, planes=(UV,), fourcc=NV12),
    Row(name="gap", says=_MISMATCH, expected=COUNT,
        planes=(Y, Added(index=2, pitch=WIDTH)), fourcc=NV12),
    Row(name="too-few-planes", says=_MISMATCH, expected=COUNT, planes=(Y,), fourcc=NV12),
    Row(name="too-many-planes", says=_MISMATCH, expected=COUNT,
        planes=(Added(), Added(index=1))),
    Row(name="unknown-flags", says="nothing says what flags beyond the enum would mean",
        expected=("invalid_format", FAILED), flags=8),
    Row(name="unknown-flags-among-known", says="nothing says what flags beyond the enum would mean",
        expected=("invalid_format", FAILED), flags=0x8000_0001),
    Row(name="y-invert", says="what cannot be imported is told by failed", expected=TAKEN, flags=1),
    Row(name="interlaced", says="compositors are recommended to just reject interlaced buffers",
        expected=TAKEN, flags=6),
    Row(name="width-0", says=_POSITIVE, expected=DIMENSIONS, width=0),
    Row(name="height-0", says=_POSITIVE, expected=DIMENSIONS, height=0),
    Row(name="width-negative", says=_POSITIVE, expected=DIMENSIONS, width=-1),
    Row(name="height-negative", says=_POSITIVE, expected=DIMENSIONS, height=-(2**31)),
    Row(name="unknown-format", says=_UNADVERTISED, expected=("invalid_format",),
        asked=UNHEARD_OF, versions=FEEDBACK),
    Row(name="unknown-format", says="a bad format may be indicated by invalid_format",
        expected=("invalid_format", FAILED), asked=UNHEARD_OF, versions=(3,)),
    Row(name="unknown-modifier", says=_UNADVERTISED, expected=("invalid_format",),
        planes=(Added(modifier=FOREIGN),), versions=FEEDBACK),
    Row(name="unknown-modifier", says=_IMPORT, expected=("invalid_format", FAILED),
        planes=(Added(modifier=FOREIGN),), versions=(3,)),
    Row(name="offset-overflow", says=_BAD, expected=BOUNDS, planes=(Added(offset=U32 - 1),)),
    Row(name="pitch-overflow", says=_BAD, expected=BOUNDS, planes=(Added(pitch=1 << 30),)),
    Row(name="chroma-overflow", says=_BAD, expected=BOUNDS,
        planes=(Y, Added(index=1, pitch=1 << 30)), fourcc=NV12),
    Row(name="offset-at-end", says=_BAD, expected=BOUNDS, planes=(Added(offset=SIZE),)),
    Row(name="offset-beyond", says=_BAD, expected=BOUNDS, planes=(Added(offset=1 << 20),)),
    Row(name="one-row-too-many", says=_BAD, expected=BOUNDS, height=HEIGHT + 1),
    Row(name="one-pixel-too-far", says=_BAD, expected=BOUNDS, planes=(Added(offset=4),)),
    Row(name="chroma-too-far", says=_BAD, expected=BOUNDS,
        planes=(Y, Added(index=1, pitch=WIDTH, offset=SIZE - WIDTH)), fourcc=NV12),
    Row(name="pitch-0", says=_BAD, expected=BOUNDS, planes=(Added(pitch=0),)),
    Row(name="chroma-pitch-0", says=_BAD, expected=BOUNDS, planes=(Y, Added(index=1, pitch=0)),
        fourcc=NV12),
    Row(name="pitch-short", says=_BAD, expected=BOUNDS, planes=(Added(pitch=PITCH - 4),)),
    Row(name="enormous", says=_BAD, expected=("out_of_bounds", "invalid_dimensions", FAILED),
        width=2**31 - 1, height=1),
)  # fmt: skip


def _run(row: Row, version: int, immediately: bool, probe: Probe) -> None:
    modifier = probe.modifier(version, row.fourcc)
    if row.expected == (CREATED,) and not _is_taken(probe, row, version, modifier):
        raise SkippedCaseError("the compositor does not take such a buffer of this machine's")
    params = probe.params(version)
    for plane in _planes(row, modifier, probe.buffers):
        probe.add(params, plane)
    fourcc = row.fourcc if row.asked is None else row.asked
    geometry = {"width": row.width, "height": row.height, "flags": row.flags}
    probe.create(params, fourcc=fourcc, immediately=immediately, **geometry)
    answer = probe.answer(params, immediately=immediately)
    expected = row.expected
    if immediately and FAILED in expected:
        expected += (INVALID_WL_BUFFER,)
    probe.expect(answer, expected)


def _planes(row: Row, modifier: int, buffers: OwnBuffers) -> Iterator[Plane]:
    for plane in row.planes:
        own = modifier if plane.modifier is None else plane.modifier
        yield Plane(plane.object(buffers), plane.index, plane.offset, plane.pitch, own)


def _is_taken(probe: Probe, row: Row, version: int, modifier: int) -> bool:
    """Whether the compositor takes the row's buffer, with its planes in order."""
    params = probe.params(version)
    for plane in sorted(_planes(row, modifier, probe.buffers), key=lambda one: one.index):
        probe.add(params, plane)
    probe.create(params, fourcc=row.fourcc)
    answer = probe.answer(params)
    probe.expect(answer, TAKEN)
    return answer.word == CREATED


for _row in ROWS:
    for _version in _row.versions:
        for _immediately, _suffix in ((False, ""), (True, "/immed")):
            _name = f"{_row.name}/v{_version}{_suffix}"
            GROUP.add(_name, _row.says, partial(_run, _row, _version, _immediately))


_RARE = ("C8", "RGB233", "BGR233", "R8", "XRGB16161616F", "P030", "YUV410")


@GROUP.case_in("unadvertised-format", FEEDBACK)
def unadvertised_format(probe: Probe, version: int) -> None:
    """invalid_format is sent if the format and modifier were not advertised."""
    offered = {pair.fourcc for pair in probe.pairs(version)}
    fourcc = next((one for one in map(parse_fourcc, _RARE) if one not in offered), None)
    if fourcc is None:
        raise SkippedCaseError(f"all of {', '.join(_RARE)} are on offer")
    params = probe.params(version)
    probe.add(params, Plane(probe.buffers.anything(SIZE)))
    probe.create(params, fourcc=fourcc, width=16, height=16)
    probe.expect(probe.answer(params), ("invalid_format",))
