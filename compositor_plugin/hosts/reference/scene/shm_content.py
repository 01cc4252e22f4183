"""The content of a `wl_shm` buffer, copied when it is committed."""

from __future__ import annotations

from heapwire.compositor_plugin.hosts.reference.scene.pixels import (
    READERS,
    Image,
    PlaneBytes,
    read_image,
)
from heapwire.compositor_plugin.server import (
    CData,
    ForeignResource,
    ViolationError,
    ffi,
    library,
)
from heapwire.protocol.late_dataclasses import dataclass
from heapwire.protocol.values import FORMATS, Colour, Extent, parse_fourcc

# wl_shm has numbers of its own for these two, and fourccs for everything else.
_NUMBERS = {0: parse_fourcc("ARGB8888"), 1: parse_fourcc("XRGB8888")}
SHM_FORMATS = tuple(
    code
    for code in READERS
    if code not in _NUMBERS.values() and len(FORMATS[code].planes) == 1 and not FORMATS[code].is_yuv
)
"""The formats that `wl_shm` offers beside the two that every compositor has."""

MAX_PIXELS = 1 << 26  # 8192x8192: every commit copies them

_INVALID_STRIDE = 1  # wl_shm.error, which libwayland too raises on objects made through it
_RELEASE = 0  # the opcode of wl_buffer.release


@dataclass(frozen=True, slots=True)
class ShmContent:
    """A copy of the pixels; the client has its buffer back."""

    extent: Extent
    fourcc: int
    pixels: Image

    @property
    def has_alpha(self) -> bool:
        """Whether the format has alpha."""
        return FORMATS[self.fourcc].has_alpha

    def image(self, colour: Colour | None = None) -> Image:
        """The copy, which is RGB."""
        return self.pixels


def copy_shm_content(buffer: ForeignResource) -> ShmContent | None:
    """The content of a buffer of libwayland's `wl_shm`; None if it is something else.

    libwayland guards the access: where the client has shrunk its pool, zeros
    are read and the client is ended. Raises `ViolationError` for one whose rows are
    longer than its pitch, and `MemoryError` for one that is too large to be copied.
    """
    lib = library()
    shm = lib.wl_shm_buffer_get(buffer.pointer)
    if shm == ffi.NULL:
        return None
    number = lib.wl_shm_buffer_get_format(shm)
    code = _NUMBERS.get(number, number)
    width, height = lib.wl_shm_buffer_get_width(shm), lib.wl_shm_buffer_get_height(shm)
    if width * height > MAX_PIXELS or Extent.fault(width, height) is not None:
        raise MemoryError(f"a wl_shm buffer of {width}x{height}")
    extent = Extent(width, height)
    pixels = _read(buffer.pointer, shm, code, extent)
    return ShmContent(extent, code, pixels)


def send_release(buffer: ForeignResource) -> None:
    """Tell the client that it may write to the buffer again."""
    library().wl_resource_post_event_array(
        buffer.pointer, _RELEASE, ffi.new("union wl_argument[1]")
    )


def _read(buffer: CData, shm: CData, code: int, extent: Extent) -> Image:
    lib = library()
    pitch = lib.wl_shm_buffer_get_stride(shm)
    rows = FORMATS[code].planes[0].rows(extent.height)
    row_bytes = FORMATS[code].planes[0].row_bytes(extent.width)
    if pitch < row_bytes:
        raise ViolationError(
            ForeignResource(buffer),
            _INVALID_STRIDE,
            f"a pitch of {pitch} bytes is less than a row of {row_bytes}",
        )
    lib.wl_shm_buffer_begin_access(shm)
    try:
        size = pitch * (rows - 1) + row_bytes
        data = bytes(ffi.buffer(lib.wl_shm_buffer_get_data(shm), size))
    finally:
        lib.wl_shm_buffer_end_access(shm)
    return read_image([PlaneBytes(data, 0, pitch)], code, extent.width, extent.height)
