"""`zwp_linux_buffer_params_v1`: dma-bufs become a `wl_buffer`.

What a client can get wrong by itself is a protocol error; what only the import
shows is `failed`. One error, and nothing after it; fds are closed on all paths,
because each has an owner from the moment it arrives.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from heapwire.compositor_plugin.hosts.reference import interface_table
from heapwire.compositor_plugin.hosts.reference.dmabuf.client_descriptors import KeptDescriptor
from heapwire.compositor_plugin.hosts.reference.dmabuf.dmabuf_content import DmabufContent
from heapwire.compositor_plugin.hosts.reference.dmabuf.wl_buffer import WlBuffer
from heapwire.compositor_plugin.server import NewId, ReceivedFd, Resource, ViolationError
from heapwire.protocol.late_tuples import NamedTuple
from heapwire.protocol.values import (
    FORMATS,
    INVALID,
    LINEAR,
    MAX_EXTENT,
    Format,
    FormatModifier,
    fourcc_name,
    modifier_name,
    plane_count,
)
from heapwire.protocol.wire import (
    DMABUF_PLANES,
    BufferFlags,
    BufferParamsError,
    DmabufVersion,
    whole,
)

if TYPE_CHECKING:
    from heapwire.compositor_plugin.hosts.reference.dmabuf.dmabuf_importer import DmabufImporter

_UINT32_MAX = (1 << 32) - 1
_DEV_T_SIZE = 8  # bytes of a dev_t on Linux
# A plain number: the complement of an IntFlag has no bits but those that it names.
_KNOWN_FLAGS = int(BufferFlags.Y_INVERT | BufferFlags.INTERLACED | BufferFlags.BOTTOM_FIRST)


class AddedPlane(NamedTuple):
    """What the client says of a plane; it owns the fd, which `kept` counts."""

    fd: ReceivedFd
    kept: KeptDescriptor
    offset: int
    pitch: int
    modifier: int


class ZwpLinuxBufferParamsV1(Resource):
    """Collects the planes of one buffer and is used up by creating it."""

    INTERFACE = interface_table("zwp_linux_buffer_params_v1")
    VERSION = min(6, INTERFACE.version)

    def __init__(self, new_id: NewId, dmabuf: DmabufImporter) -> None:
        super().__init__(new_id)
        self._dmabuf = dmabuf
        self._planes: dict[int, AddedPlane] = {}
        self._used = False

    # Requests.

    def add(
        self,
        fd: ReceivedFd,
        plane: int,
        offset: int,
        pitch: int,
        modifier_hi: int,
        modifier_lo: int,
    ) -> None:
        """Add one plane."""
        self._check_unused()
        if plane >= DMABUF_PLANES:
            raise self._error(BufferParamsError.PLANE_IDX, f"there is no plane {plane}")
        if plane in self._planes:
            raise self._error(BufferParamsError.PLANE_SET, f"plane {plane} is set already")
        kept = self._dmabuf.descriptors.take(self.client)
        if kept is None:
            self.client.post_no_memory()
            return
        modifier = whole(modifier_hi, modifier_lo)
        self._planes[plane] = AddedPlane(ReceivedFd(fd.take()), kept, offset, pitch, modifier)

    def create(self, width: int, height: int, fourcc: int, flags: int) -> None:
        """Make a buffer and announce it, or say that it failed."""
        content = self._import(width, height, fourcc, flags)
        if content is None:
            self.send("failed")
        else:
            self.send("created", WlBuffer(self.child(), content))

    def create_immed(self, new_id: NewId, width: int, height: int, fourcc: int, flags: int) -> None:
        """Make a buffer at once; a failure ends the client."""
        content = self._import(width, height, fourcc, flags)
        if content is None:
            raise self._error(BufferParamsError.INVALID_WL_BUFFER, "the buffer cannot be imported")
        WlBuffer(new_id, content)

    def set_sampling_device(self, device: bytes) -> None:
        """Name the device that is to sample; there is only one, so any will do."""
        if len(device) != _DEV_T_SIZE:
            raise self._error(
                BufferParamsError.INVALID_DEV_T_SIZE,
                f"a dev_t has {_DEV_T_SIZE} bytes, not {len(device)}",
            )
        self._check_unused()

    def on_destroy(self) -> None:
        """The object is gone, and with it planes that were not used."""
        self._close()

    def _import(self, width: int, height: int, fourcc: int, flags: int) -> DmabufContent | None:
        """Check everything and import; None where that fails without the client's fault."""
        self._check_unused()
        self._used = True
        try:
            planes = self._checked_planes()
            pair = self._checked_pair(planes, fourcc)
            if flags & ~_KNOWN_FLAGS:
                raise self._error(BufferParamsError.INVALID_FORMAT, f"unknown flags {flags:#x}")
            if width < 1 or height < 1:
                raise self._error(
                    BufferParamsError.INVALID_DIMENSIONS, f"{width}x{height} is no size"
                )
            self._check_bounds(planes, FORMATS.get(fourcc), width, height)
            if flags or pair is None or max(width, height) > MAX_EXTENT:
                return None
            return self._dmabuf.import_planes(planes, pair, width, height)
        finally:
            self._close()

    def _checked_planes(self) -> list[AddedPlane]:
        if not self._planes:
            raise self._error(BufferParamsError.INCOMPLETE, "no plane has been added")
        for index in range(max(self._planes) + 1):
            if index not in self._planes:
                raise self._error(BufferParamsError.INCOMPLETE, f"plane {index} is missing")
        return [self._planes[index] for index in range(len(self._planes))]

    def _checked_pair(self, planes: list[AddedPlane], fourcc: int) -> FormatModifier | None:
        """The pair of the buffer; None for one that cannot be imported."""
        modifiers = {plane.modifier for plane in planes}
        if len(modifiers) > 1:
            if self.version >= DmabufVersion.ONE_MODIFIER:
                raise self._error(BufferParamsError.INVALID_FORMAT, "the planes' modifiers differ")
            return None
        modifier = modifiers.pop()
        if modifier == INVALID and self.version < DmabufVersion.FEEDBACK:
            modifier = LINEAR  # a client that knows no modifiers means the usual layout
        pair = FormatModifier(fourcc, modifier)
        offered = pair in self._dmabuf.formats
        if not offered and self.version >= DmabufVersion.FEEDBACK:
            raise self._error(
                BufferParamsError.INVALID_FORMAT,
                f"{fourcc_name(fourcc)} with modifier {modifier:#x} is not on offer",
            )
        count = plane_count(fourcc, modifier)
        # What another driver keeps beside the pixels is not known, and not offered either.
        if (offered or modifier == LINEAR) and count is not None and len(planes) != count:
            raise self._error(
                BufferParamsError.INCOMPLETE,
                f"{fourcc_name(fourcc)} {modifier_name(modifier)} has {count} planes",
            )
        return pair if offered else None

    def _check_bounds(
        self, planes: list[AddedPlane], layout: Format | None, width: int, height: int
    ) -> None:
        for index, plane in enumerate(planes):
            if layout is not None and index < len(layout.planes):
                rows = layout.planes[index].rows(height)
            else:
                rows = height if index == 0 else 1
            end = plane.offset + plane.pitch * rows
            if plane.pitch == 0:
                raise self._out_of_bounds(index, "has no pitch")
            if plane.offset + plane.pitch > _UINT32_MAX or end > _UINT32_MAX:
                raise self._out_of_bounds(index, "ends beyond 32 bits")
            size = _size(plane.fd)
            if size is None:
                continue  # not seekable: the import will show
            if plane.offset + plane.pitch > size or end > size:
                raise self._out_of_bounds(index, f"ends at {end}, and its object at {size}")

    def _out_of_bounds(self, index: int, what: str) -> ViolationError:
        return self._error(BufferParamsError.OUT_OF_BOUNDS, f"plane {index} {what}")

    def _check_unused(self) -> None:
        if self._used:
            raise self._error(BufferParamsError.ALREADY_USED, "a buffer was made of it already")

    def _error(self, code: BufferParamsError, message: str) -> ViolationError:
        return ViolationError(self, code, message)

    def _close(self) -> None:
        for plane in self._planes.values():
            plane.fd.close()
        self._planes.clear()


def _size(fd: ReceivedFd) -> int | None:
    """The size of an object in bytes; None for what has none."""
    try:
        return os.lseek(fd.fileno(), 0, os.SEEK_END)
    except OSError:
        return None
