"""Pixel formats: what a fourcc says of the planes of a buffer.

The codes, names and numbers are those of include/uapi/drm/drm_fourcc.h and of
__drm_format_info in drivers/gpu/drm/drm_fourcc.c, with which `make check-facts` compares
them. All YCbCr formats of Linux 6.12 are here whose planes they say; VUY101010,
YUV420_8BIT and YUV420_10BIT, which have no rows, have a table of their own. A format
of this table has a layout that can be computed for a modifier that has one
(modifier.py); any other fourcc may still be negotiated, and is laid out by its driver.
"""

from __future__ import annotations

from collections.abc import Mapping
from math import gcd
from types import MappingProxyType

from heapwire.protocol.errors import InputError, UsageError, shown
from heapwire.protocol.late_dataclasses import dataclass

_MAX_FOURCC = (1 << 32) - 1


@dataclass(frozen=True, slots=True, kw_only=True)
class PlaneFormat:
    """One plane: its subsampling, and the blocks that its samples are packed in.

    A block is `block_width` x `block_height` samples of this plane in
    `bytes_per_block` bytes. `horizontal` and `vertical` say how many pixels of
    the picture one sample stands for. A row is one of samples, also where a block
    has more than one: that is what DRM's pitch counts by
    (drivers/gpu/drm/drm_fourcc.c, drm_format_info_min_pitch; drivers/gpu/drm/arm/malidp_planes.c,
    malidp_de_set_plane_pitches), and a block's bytes are shared by its rows.
    """

    bytes_per_block: int
    horizontal: int = 1
    vertical: int = 1
    block_width: int = 1
    block_height: int = 1

    def row_bytes(self, width: int) -> int:
        """Bytes for each row of samples of a picture `width` pixels wide, without padding."""
        # Rounded up twice: the last pixels of an odd width have a sample of their own, and the
        # last samples a whole block, which is why it is not width * bits / 8.
        samples = -(-width // self.horizontal)
        return -(-samples // self.block_width) * self.bytes_per_block // self.block_height

    def pitch_ratio(self, other: PlaneFormat) -> tuple[int, int]:
        """The bytes of a row of many pixels here, for how many of a row of another plane.

        In lowest terms: (1, 2) is half as many.
        """
        here = self.bytes_per_block * other._pixels_a_row
        there = other.bytes_per_block * self._pixels_a_row
        shared = gcd(here, there)
        return here // shared, there // shared

    def rows(self, height: int) -> int:
        """Rows of samples of a picture `height` pixels high; the last block is whole."""
        samples = -(-height // self.vertical)
        return -(-samples // self.block_height) * self.block_height

    @property
    def bytes_per_sample(self) -> int:
        """What DRM calls cpp; 0 where that is no whole number."""
        size, rest = divmod(self.bytes_per_block, self.block_width * self.block_height)
        return 0 if rest else size

    @property
    def _pixels_a_row(self) -> int:
        """Of the picture's width, for each `bytes_per_block` of a row."""
        return self.block_width * self.block_height * self.horizontal


@dataclass(frozen=True, slots=True, kw_only=True)
class Format:
    """A pixel format. `opaque` is the fourcc of the same layout without alpha.

    `opaque` is None where `has_alpha` is False: the format is its own twin.
    """

    name: str
    fourcc: int
    planes: tuple[PlaneFormat, ...]
    is_yuv: bool = False
    has_alpha: bool = False
    opaque: int | None = None


def fourcc(code: str) -> int:
    """The u32 of a code that a program spells; one of fewer characters is filled with blanks.

    Raises `UsageError` for what is no code; `parse_fourcc` reads what a person wrote.
    """
    padded = code.ljust(4)
    if len(padded) != 4 or not padded.isascii():
        raise UsageError(f"{code!r} is not a four-character code")
    return int.from_bytes(padded.encode("ascii"), "little")


def _rgb(name: str, code: str, size: int, opaque: str | None = None) -> Format:
    return Format(
        name=name,
        fourcc=fourcc(code),
        planes=(PlaneFormat(bytes_per_block=size),),
        has_alpha=opaque is not None,
        opaque=fourcc(opaque) if opaque is not None else None,
    )


def _yuv(name: str, code: str, *planes: PlaneFormat, opaque: str | None = None) -> Format:
    return Format(
        name=name,
        fourcc=fourcc(code),
        planes=planes,
        is_yuv=True,
        has_alpha=opaque is not None,
        opaque=fourcc(opaque) if opaque is not None else None,
    )


def _plane(size: int, horizontal: int = 1, vertical: int = 1, block: int = 1) -> PlaneFormat:
    return PlaneFormat(
        bytes_per_block=size, horizontal=horizontal, vertical=vertical, block_width=block
    )


# Two by two pixels in 64 bits.
_TWO_BY_TWO = PlaneFormat(bytes_per_block=8, block_width=2, block_height=2)


_ROWS: tuple[Format, ...] = (
    _rgb("R8", "R8", 1),
    _rgb("R10", "R10", 2),
    _rgb("R12", "R12", 2),
    _rgb("GR88", "GR88", 2),
    _rgb("R16", "R16", 2),
    _rgb("RGB332", "RGB8", 1),
    _rgb("BGR233", "BGR8", 1),
    _rgb("XRGB4444", "XR12", 2),
    _rgb("ARGB4444", "AR12", 2, "XR12"),
    _rgb("XBGR4444", "XB12", 2),
    _rgb("ABGR4444", "AB12", 2, "XB12"),
    _rgb("RGBX4444", "RX12", 2),
    _rgb("RGBA4444", "RA12", 2, "RX12"),
    _rgb("BGRX4444", "BX12", 2),
    _rgb("BGRA4444", "BA12", 2, "BX12"),
    _rgb("XRGB1555", "XR15", 2),
    _rgb("ARGB1555", "AR15", 2, "XR15"),
    _rgb("XBGR1555", "XB15", 2),
    _rgb("ABGR1555", "AB15", 2, "XB15"),
    _rgb("RGBX5551", "RX15", 2),
    _rgb("RGBA5551", "RA15", 2, "RX15"),
    _rgb("BGRX5551", "BX15", 2),
    _rgb("BGRA5551", "BA15", 2, "BX15"),
    _rgb("RGB565", "RG16", 2),
    _rgb("BGR565", "BG16", 2),
    _rgb("RGB888", "RG24", 3),
    _rgb("BGR888", "BG24", 3),
    _rgb("XRGB8888", "XR24", 4),
    _rgb("XBGR8888", "XB24", 4),
    _rgb("RGBX8888", "RX24", 4),
    _rgb("BGRX8888", "BX24", 4),
    _rgb("ARGB8888", "AR24", 4, "XR24"),
    _rgb("ABGR8888", "AB24", 4, "XB24"),
    _rgb("RGBA8888", "RA24", 4, "RX24"),
    _rgb("BGRA8888", "BA24", 4, "BX24"),
    _rgb("XRGB2101010", "XR30", 4),
    _rgb("XBGR2101010", "XB30", 4),
    _rgb("ARGB2101010", "AR30", 4, "XR30"),
    _rgb("ABGR2101010", "AB30", 4, "XB30"),
    _rgb("RGBX1010102", "RX30", 4),
    _rgb("RGBA1010102", "RA30", 4, "RX30"),
    _rgb("BGRX1010102", "BX30", 4),
    _rgb("BGRA1010102", "BA30", 4, "BX30"),
    _rgb("XRGB16161616", "XR48", 8),
    _rgb("XBGR16161616", "XB48", 8),
    _rgb("ARGB16161616", "AR48", 8, "XR48"),
    _rgb("ABGR16161616", "AB48", 8, "XB48"),
    _rgb("XRGB16161616F", "XR4H", 8),
    _rgb("XBGR16161616F", "XB4H", 8),
    _rgb("ARGB16161616F", "AR4H", 8, "XR4H"),
    _rgb("ABGR16161616F", "AB4H", 8, "XB4H"),
    _yuv("YUYV", "YUYV", _plane(4, block=2)),
    _yuv("YVYU", "YVYU", _plane(4, block=2)),
    _yuv("UYVY", "UYVY", _plane(4, block=2)),
    _yuv("VYUY", "VYUY", _plane(4, block=2)),
    # 4:2:2 with two pixels in four samples, and 4:4:4 with each pixel by itself.
    _yuv("Y210", "Y210", _plane(8, block=2)),
    _yuv("Y212", "Y212", _plane(8, block=2)),
    _yuv("Y216", "Y216", _plane(8, block=2)),
    _yuv("VUY888", "VU24", _plane(3)),
    _yuv("XYUV8888", "XYUV", _plane(4)),
    _yuv("XVUY8888", "XVUY", _plane(4)),
    _yuv("XVYU2101010", "XV30", _plane(4)),
    _yuv("XVYU12_16161616", "XV36", _plane(8)),
    _yuv("XVYU16161616", "XV48", _plane(8)),
    _yuv("AYUV", "AYUV", _plane(4), opaque="XYUV"),
    _yuv("AVUY8888", "AVUY", _plane(4), opaque="XVUY"),
    _yuv("Y410", "Y410", _plane(4), opaque="XV30"),
    _yuv("Y412", "Y412", _plane(8), opaque="XV36"),
    _yuv("Y416", "Y416", _plane(8), opaque="XV48"),
    # 4:2:0 with four pixels in 64 bits.
    _yuv("X0L0", "X0L0", _TWO_BY_TWO),
    _yuv("X0L2", "X0L2", _TWO_BY_TWO),
    _yuv("Y0L0", "Y0L0", _TWO_BY_TWO, opaque="X0L0"),
    _yuv("Y0L2", "Y0L2", _TWO_BY_TWO, opaque="X0L2"),
    _yuv("NV12", "NV12", _plane(1), _plane(2, 2, 2)),
    _yuv("NV21", "NV21", _plane(1), _plane(2, 2, 2)),
    _yuv("NV16", "NV16", _plane(1), _plane(2, 2, 1)),
    _yuv("NV61", "NV61", _plane(1), _plane(2, 2, 1)),
    _yuv("NV24", "NV24", _plane(1), _plane(2)),
    _yuv("NV42", "NV42", _plane(1), _plane(2)),
    _yuv("NV15", "NV15", _plane(5, block=4), _plane(5, 2, 2, block=2)),
    _yuv("NV20", "NV20", _plane(5, block=4), _plane(5, 2, 1, block=2)),
    _yuv("NV30", "NV30", _plane(5, block=4), _plane(5, block=2)),
    _yuv("P010", "P010", _plane(2), _plane(4, 2, 2)),
    _yuv("P012", "P012", _plane(2), _plane(4, 2, 2)),
    _yuv("P016", "P016", _plane(2), _plane(4, 2, 2)),
    _yuv("P030", "P030", _plane(4, block=3), _plane(8, 2, 2, block=3)),
    _yuv("P210", "P210", _plane(2), _plane(4, 2, 1)),
    _yuv("Q410", "Q410", _plane(2), _plane(2), _plane(2)),
    _yuv("Q401", "Q401", _plane(2), _plane(2), _plane(2)),
    _yuv("YUV410", "YUV9", _plane(1), _plane(1, 4, 4), _plane(1, 4, 4)),
    _yuv("YVU410", "YVU9", _plane(1), _plane(1, 4, 4), _plane(1, 4, 4)),
    _yuv("YUV411", "YU11", _plane(1), _plane(1, 4, 1), _plane(1, 4, 1)),
    _yuv("YVU411", "YV11", _plane(1), _plane(1, 4, 1), _plane(1, 4, 1)),
    _yuv("YUV420", "YU12", _plane(1), _plane(1, 2, 2), _plane(1, 2, 2)),
    _yuv("YVU420", "YV12", _plane(1), _plane(1, 2, 2), _plane(1, 2, 2)),
    _yuv("YUV422", "YU16", _plane(1), _plane(1, 2, 1), _plane(1, 2, 1)),
    _yuv("YVU422", "YV16", _plane(1), _plane(1, 2, 1), _plane(1, 2, 1)),
    _yuv("YUV444", "YU24", _plane(1), _plane(1), _plane(1)),
    _yuv("YVU444", "YV24", _plane(1), _plane(1), _plane(1)),
)

FORMATS: Mapping[int, Format] = MappingProxyType({row.fourcc: row for row in _ROWS})
"""Every known format by its fourcc."""

ROWLESS: Mapping[int, Format] = MappingProxyType(
    {
        row.fourcc: row
        for row in (
            _yuv("YUV420_8BIT", "YU08", PlaneFormat(bytes_per_block=3, block_width=2)),
            _yuv("YUV420_10BIT", "YU10", PlaneFormat(bytes_per_block=15, block_width=8)),
            _yuv("VUY101010", "VU30", PlaneFormat(bytes_per_block=15, block_width=4)),
        )
    }
)
"""Formats without rows, by their fourcc: for compressed layouts only, so they are in no table else.

The one plane has the bits of a pixel, in whole bytes (drivers/gpu/drm/drm_gem_framebuffer_helper.c,
drm_gem_afbc_get_bpp: 12, 15 and 30), and its pitch counts by them
(drivers/gpu/drm/rockchip/rockchip_drm_vop2.c, vop2_plane_atomic_update: pitches[0] << 3, by bpp).
"""

_BY_NAME: Mapping[str, Format] = MappingProxyType({row.name: row for row in _ROWS})


def format_of(code: int) -> Format | None:
    """The format with this fourcc, None where the table does not know it."""
    return FORMATS.get(code)


def fourcc_name(code: int) -> str:
    """A fourcc for people: `XRGB8888`; else its four characters, else `0x...`."""
    row = FORMATS.get(code)
    if row is not None:
        return row.name
    if 0 <= code <= _MAX_FOURCC:
        text = code.to_bytes(4, "little")
        stripped = text.rstrip(b" ")
        if stripped and all(0x21 <= byte < 0x7F for byte in stripped):
            spelled = stripped.decode("ascii")
            if spelled not in _BY_NAME and not spelled.lower().startswith("0x"):
                return spelled
    return f"{code:#010x}"


def parse_fourcc(text: str) -> int:
    """The fourcc that `fourcc_name` printed, or that four characters or a number name.

    Raises `InputError` for anything else.
    """
    row = _BY_NAME.get(text) or _BY_NAME.get(text.upper())
    if row is not None:
        return row.fourcc
    if text.lower().startswith("0x"):
        try:
            number = int(text, 16)
        except ValueError:
            number = -1
        if 0 <= number <= _MAX_FOURCC:
            return number
    elif 0 < len(text) <= 4 and text.isascii() and text.isprintable():
        return fourcc(text)
    what = f"a name such as NV12, four characters or a number from 0x0 to {_MAX_FOURCC:#x}"
    raise InputError(f"{shown(text)} is not a pixel format: give {what}")
