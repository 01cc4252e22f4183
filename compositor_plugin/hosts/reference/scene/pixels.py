"""Pixels on the CPU: every format that is composited, as premultiplied RGBA.

Chroma is taken from the nearest sample, the arithmetic is done in floating point
and the result rounded down, which is what fixed-point converters come to.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, TypeAlias

from heapwire.protocol import MachineError, NotPossibleError, UsageError
from heapwire.protocol.late_tuples import NamedTuple
from heapwire.protocol.values import (
    ALLWINNER_TILED,
    FORMATS,
    LINEAR,
    SAMSUNG_64_32_TILE,
    TILINGS,
    ColourEncoding,
    ColourRange,
    FormatModifier,
    Tiling,
    fourcc_name,
    modifier_name,
    parse_fourcc,
)

try:
    import numpy as np
except ImportError as error:
    raise MachineError(
        "the reference compositor draws with numpy: install heapwire with its extra, [play]"
    ) from error

if TYPE_CHECKING:
    from numpy.typing import NDArray

Image: TypeAlias = "NDArray[np.uint8]"
"""Rows of pixels of 4 bytes: red, green, blue, alpha, premultiplied."""
Reader: TypeAlias = "Callable[[Sequence[PlaneBytes], int, int, Colours], Image]"


class PlaneBytes(NamedTuple):
    """One plane: the bytes of its object, and where in them it is, in bytes."""

    data: bytes | memoryview
    offset: int
    pitch: int


class Colours(NamedTuple):
    """How YCbCr is to be read."""

    encoding: ColourEncoding = ColourEncoding.UNSPECIFIED
    range: ColourRange = ColourRange.UNSPECIFIED


# (Kr, Kb) of each matrix: ITU-R BT.601 section 2.5.1, BT.709 item 3.2, BT.2020 table 4.
_LUMA_WEIGHTS: Mapping[ColourEncoding, tuple[float, float]] = {
    ColourEncoding.BT601: (0.299, 0.114),
    ColourEncoding.BT709: (0.2126, 0.0722),
    ColourEncoding.BT2020: (0.2627, 0.0593),
}


_TILED = (ALLWINNER_TILED, SAMSUNG_64_32_TILE)
_EXACT = 1 / 256  # keeps a level that is whole from falling below itself in 32-bit floats
_UNSPECIFIED = Colours()


def read_image(
    planes: Sequence[PlaneBytes],
    fourcc: int,
    width: int,
    height: int,
    *,
    modifier: int = LINEAR,
    colours: Colours = _UNSPECIFIED,
) -> Image:
    """A picture as (height, width, 4) premultiplied RGBA of 8 bits.

    Unspecified YCbCr is read as BT.601 of limited range, as video players and
    linux-dmabuf's users do. Raises `NotPossibleError` for a format or a modifier that is
    not known here. Planes have to be long enough for it: who imports a buffer checks that.
    """
    reader = READERS.get(fourcc)
    if reader is None or modifier not in TILINGS:
        what = f"{fourcc_name(fourcc)} {modifier_name(modifier)}"
        raise NotPossibleError(f"{what} cannot be drawn on the CPU")
    if modifier in _TILED:
        kinds = FORMATS[fourcc].planes
        planes = [
            _rows_of_tiles(plane, TILINGS[modifier], kind.rows(height))
            for plane, kind in zip(planes, kinds, strict=True)
        ]
    return reader(planes, width, height, colours)


def _rows_of_tiles(plane: PlaneBytes, tiling: Tiling, rows: int) -> PlaneBytes:
    """A plane in tiles as rows."""
    width = tiling.tile_width // (2 if tiling.paired else 1)
    down, across = -(-rows // tiling.tile_rows), plane.pitch // width
    size = down * across * tiling.tile_rows * width
    if plane.pitch % width or plane.offset + size > len(plane.data):
        raise UsageError(f"a plane of {size} bytes of tiles is not within {len(plane.data)} bytes")
    stored = np.frombuffer(plane.data, np.uint8, size, plane.offset)
    tiles = stored.reshape(down * across, tiling.tile_rows, width)
    ordered = tiles[list(tiling.places(across, down))]
    grid = ordered.reshape(down, across, tiling.tile_rows, width)
    return PlaneBytes(grid.swapaxes(1, 2).tobytes(), 0, plane.pitch)


def to_rgb(image: Image) -> Image:
    """(height, width, 3) of an RGBA picture over black."""
    return np.ascontiguousarray(image[..., :3])


def png(image: Image) -> bytes:
    """A (height, width, 3) picture as a PNG file; `MachineError` when Pillow is missing."""
    try:
        from PIL import Image as Picture  # Pillow is only needed for this
    except ImportError as error:
        raise MachineError("PNG needs Pillow: install heapwire with its extra, [play]") from error
    file = io.BytesIO()
    Picture.fromarray(image, "RGB").save(file, format="PNG")
    return file.getvalue()


def _samples(plane: PlaneBytes, rows: int, count: int, kind: str) -> NDArray[np.generic]:
    """(rows, count) samples of a numpy type; pitches need not be whole samples."""
    row_bytes = count * np.dtype(kind).itemsize
    end = plane.offset + plane.pitch * (rows - 1) + row_bytes
    if plane.pitch < row_bytes or end > len(plane.data):
        raise UsageError(
            f"a plane of {rows} rows of {row_bytes} bytes at pitch {plane.pitch} "
            f"and offset {plane.offset} is not within {len(plane.data)} bytes"
        )
    data = np.frombuffer(plane.data, np.uint8, end - plane.offset, plane.offset)
    strided = np.lib.stride_tricks.as_strided(
        data, (rows, row_bytes), (plane.pitch, 1), writeable=False
    )
    return np.ascontiguousarray(strided).view(kind)


def _packed(red: int, green: int, blue: int, alpha: int | None) -> Reader:
    """32 bits a pixel; the arguments are byte positions in memory."""

    def read(planes: Sequence[PlaneBytes], width: int, height: int, _: Colours) -> Image:
        pixels = _samples(planes[0], height, width * 4, "u1").reshape(height, width, 4)
        image = np.empty((height, width, 4), np.uint8)
        for channel, position in enumerate((red, green, blue)):
            image[..., channel] = pixels[..., position]
        image[..., 3] = 255 if alpha is None else pixels[..., alpha]
        return image

    return read


def _rgb565(planes: Sequence[PlaneBytes], width: int, height: int, _: Colours) -> Image:
    pixels = _samples(planes[0], height, width, "<u2").astype(np.uint32)
    image = np.empty((height, width, 4), np.uint8)
    for channel, (shift, bits) in enumerate(((11, 5), (5, 6), (0, 5))):
        level = pixels >> shift & ((1 << bits) - 1)
        image[..., channel] = (level << (8 - bits)) | (level >> (2 * bits - 8))
    image[..., 3] = 255
    return image


def _semiplanar(cb_first: bool, across: int, down: int, kind: str = "u1") -> Reader:
    """Y, and CbCr in pairs, subsampled by `across` and `down`."""

    def read(planes: Sequence[PlaneBytes], width: int, height: int, colours: Colours) -> Image:
        luma = _samples(planes[0], height, width, kind)
        columns, rows = -(-width // across), -(-height // down)
        pairs = _samples(planes[1], rows, columns * 2, kind).reshape(rows, columns, 2)
        cb, cr = (pairs[..., 0], pairs[..., 1]) if cb_first else (pairs[..., 1], pairs[..., 0])
        return _convert(luma, cb, cr, across, down, colours)

    return read


def _planar(cb_plane: int, across: int, down: int) -> Reader:
    """Y, Cb and Cr in planes of their own."""

    def read(planes: Sequence[PlaneBytes], width: int, height: int, colours: Colours) -> Image:
        luma = _samples(planes[0], height, width, "u1")
        columns, rows = -(-width // across), -(-height // down)
        cb = _samples(planes[cb_plane], rows, columns, "u1")
        cr = _samples(planes[3 - cb_plane], rows, columns, "u1")
        return _convert(luma, cb, cr, across, down, colours)

    return read


def _interleaved(luma_at: int, cb_at: int, cr_at: int) -> Reader:
    """Two pixels in four bytes; the arguments are positions in them."""

    def read(planes: Sequence[PlaneBytes], width: int, height: int, colours: Colours) -> Image:
        columns = -(-width // 2)
        pairs = _samples(planes[0], height, columns * 4, "u1").reshape(height, columns, 4)
        luma = pairs[..., luma_at::2].reshape(height, columns * 2)[:, :width]
        cb, cr = pairs[..., cb_at], pairs[..., cr_at]
        return _convert(luma, cb, cr, 2, 1, colours)

    return read


def _convert(
    luma: NDArray[np.generic],
    cb: NDArray[np.generic],
    cr: NDArray[np.generic],
    across: int,
    down: int,
    colours: Colours,
) -> Image:
    """YCbCr of 8 or 16 bits (the upper bits of 16 count, as in P010) to RGBA.

    What chroma adds to a pixel is worked out once for each chroma sample, which
    stands for `across` x `down` pixels.
    """
    scale = 256 if luma.dtype.itemsize == 2 else 1
    full = colours.range is ColourRange.FULL
    black, luma_steps, chroma_steps = (0, 255, 255) if full else (16, 219, 224)
    y = (luma.astype(np.float32) - np.float32(black * scale)) * np.float32(255 / luma_steps / scale)
    y += np.float32(_EXACT)
    u, v = (
        (plane.astype(np.float32) - np.float32(128 * scale))
        * np.float32(255 / chroma_steps / scale)
        for plane in (cb, cr)
    )
    kr, kb = _LUMA_WEIGHTS.get(colours.encoding, _LUMA_WEIGHTS[ColourEncoding.BT601])
    kg = 1 - kr - kb
    red, blue = 2 * (1 - kr) * v, 2 * (1 - kb) * u
    green = -(kr * red + kb * blue) / kg
    height, width = luma.shape
    image = np.empty((height, width, 4), np.uint8)
    for channel, added in enumerate((red, green, blue)):
        level = added.repeat(across, axis=1).repeat(down, axis=0)[:height, :width]
        level += y
        np.clip(level, 0, 255, out=level)
        image[..., channel] = level  # the cast rounds down
    image[..., 3] = 255
    return image


TILED = frozenset(FormatModifier(parse_fourcc("NV12"), modifier) for modifier in _TILED)
"""What is drawn from tiles."""

# Byte positions are those of a little-endian fourcc: XRGB8888 is B, G, R, X in memory.
READERS: Mapping[int, Reader] = {
    parse_fourcc(name): reader
    for name, reader in {
        "XRGB8888": _packed(2, 1, 0, None),
        "ARGB8888": _packed(2, 1, 0, 3),
        "XBGR8888": _packed(0, 1, 2, None),
        "ABGR8888": _packed(0, 1, 2, 3),
        "RGB565": _rgb565,
        "NV12": _semiplanar(cb_first=True, across=2, down=2),
        "NV21": _semiplanar(cb_first=False, across=2, down=2),
        "NV16": _semiplanar(cb_first=True, across=2, down=1),
        "P010": _semiplanar(cb_first=True, across=2, down=2, kind="<u2"),
        "YUV420": _planar(cb_plane=1, across=2, down=2),
        "YVU420": _planar(cb_plane=2, across=2, down=2),
        "YUYV": _interleaved(luma_at=0, cb_at=1, cr_at=3),
        "UYVY": _interleaved(luma_at=1, cb_at=0, cr_at=2),
    }.items()
}
"""What draws each format, by its fourcc."""
