"""Decoded pictures, written by the CPU into the planes of a buffer.

Every format here is one of two shapes. An RGB format is a picture of one plane
that swscale makes. A YUV format is the three component planes of a planar
picture, put side by side: NV12 is Y alone and U beside V. Where the decoder's
picture is that planar picture already, its components are stored where they
belong and nothing else is copied; otherwise swscale converts it first.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from types import MappingProxyType
from typing import TYPE_CHECKING

from heapwire.client_lib.buffers import PlaneView
from heapwire.client_lib.player.pictures.plane_stores import (
    component_of,
    rows_of,
    store,
    store_pairs,
    target_of,
)
from heapwire.client_lib.player.pictures.stream_colours import picture_colour
from heapwire.protocol import InputError, UsageError
from heapwire.protocol.late_dataclasses import dataclass, replace
from heapwire.protocol.values import (
    ALLWINNER_TILED,
    FORMATS,
    LINEAR,
    SAMSUNG_64_32_TILE,
    TILINGS,
    ColourEncoding,
    ColourRange,
    ConstraintSet,
    FormatModifier,
    Participant,
    Usage,
    fourcc_name,
    modifier_name,
    parse_fourcc,
)

if TYPE_CHECKING:
    import av

WRITER_NAME = "cpu"
_BLOCK = 8  # pixels that swscale's vector code makes at a time
_MOST_INTERLEAVED = 16  # bits of a sample
_FULL = 2  # libavutil/pixfmt.h, AVCOL_RANGE_JPEG
_RANGES = {ColourRange.LIMITED: 1, ColourRange.FULL: _FULL}
# libswscale/swscale.h, SWS_CS_*.
_MATRICES = {ColourEncoding.BT709: 1, ColourEncoding.BT601: 5, ColourEncoding.BT2020: 9}


@dataclass(frozen=True, slots=True)
class _Recipe:
    """How a format is made: the picture it is made from, and what goes where.

    `columns` has an entry for each plane: the components that repeat along its
    rows. None: the picture's only plane is stored as it is. `shift` moves a
    component's bits up.
    """

    picture: str
    columns: tuple[tuple[int, ...], ...] | None = None
    bytes_per_component: int = 1
    shift: int = 0


_NV12 = parse_fourcc("NV12")
_TILED = (SAMSUNG_64_32_TILE, ALLWINNER_TILED)  # of which codecs write NV12
_SEMI = ((0,), (1, 2))
_SEMI_SWAPPED = ((0,), (2, 1))
_PLANAR = ((0,), (1,), (2,))
_PLANAR_SWAPPED = ((0,), (2,), (1,))

_RECIPES: Mapping[int, _Recipe] = MappingProxyType(
    {
        parse_fourcc(name): recipe
        for name, recipe in {
            "YUV420": _Recipe("yuv420p", _PLANAR),
            "YVU420": _Recipe("yuv420p", _PLANAR_SWAPPED),
            "NV12": _Recipe("yuv420p", _SEMI),
            "NV21": _Recipe("yuv420p", _SEMI_SWAPPED),
            "P010": _Recipe("yuv420p10le", _SEMI, 2, 6),
            "YUV422": _Recipe("yuv422p", _PLANAR),
            "YVU422": _Recipe("yuv422p", _PLANAR_SWAPPED),
            "NV16": _Recipe("yuv422p", _SEMI),
            "NV61": _Recipe("yuv422p", _SEMI_SWAPPED),
            "YUYV": _Recipe("yuv422p", ((0, 1, 0, 2),)),
            "YVYU": _Recipe("yuv422p", ((0, 2, 0, 1),)),
            "UYVY": _Recipe("yuv422p", ((1, 0, 2, 0),)),
            "VYUY": _Recipe("yuv422p", ((2, 0, 1, 0),)),
            "YUV444": _Recipe("yuv444p", _PLANAR),
            "YVU444": _Recipe("yuv444p", _PLANAR_SWAPPED),
            "NV24": _Recipe("yuv444p", _SEMI),
            "NV42": _Recipe("yuv444p", _SEMI_SWAPPED),
            # FFmpeg names bytes in memory order, DRM the bits of a little-endian word.
            "XRGB8888": _Recipe("bgra"),
            "ARGB8888": _Recipe("bgra"),
            "XBGR8888": _Recipe("rgba"),
            "ABGR8888": _Recipe("rgba"),
            "RGBX8888": _Recipe("abgr"),
            "BGRX8888": _Recipe("argb"),
            "RGB888": _Recipe("bgr24"),
            "BGR888": _Recipe("rgb24"),
            "RGB565": _Recipe("rgb565le"),
        }.items()
    }
)

# FFmpeg's pictures whose planes are those of a format.
_STORED_SO: Mapping[int, str] = MappingProxyType(
    {
        parse_fourcc(name): picture
        for name, picture in {
            "NV12": "nv12",
            "NV21": "nv21",
            "P010": "p010le",
            "NV16": "nv16",
            "NV24": "nv24",
            "NV42": "nv42",
            "YUYV": "yuyv422",
            "YVYU": "yvyu422",
            "UYVY": "uyvy422",
        }.items()
    }
)

_UNCOMMON = 1  # as much as platform files let the formats cost that a player can write too

# What a conversion loses or costs: the cost of a format, and by it their order.
_SHUFFLED, _CONVERTED, _RGB, _LOSSY = 1, 16, 32, 64
_SAME_PICTURE: Mapping[str, str] = {
    "yuvj420p": "yuv420p",
    "yuvj422p": "yuv422p",
    "yuvj444p": "yuv444p",
}


def writable_formats() -> tuple[int, ...]:
    """The fourccs that pictures can be written in."""
    return tuple(_RECIPES)


def picture_format(code: int) -> str | None:
    """FFmpeg's name of the picture whose planes are those of a fourcc; None if it has none."""
    if code in _STORED_SO:
        return _STORED_SO[code]
    recipe = _RECIPES.get(code)
    stored = recipe is not None and recipe.columns in (None, _PLANAR)
    return recipe.picture if recipe is not None and stored else None


def writer_participant(
    picture: str, formats: Sequence[int] = (), *, tiles: bool = False
) -> Participant:
    """The CPU as a participant that writes pictures of an FFmpeg pixel format.

    It prefers what costs it least. `formats` are the only fourccs that it may
    use, where given; `InputError` if one of them cannot be written, or none could.
    It writes rows (LINEAR); with `tiles` also the tiles that some decoders write, in
    whose place it stands then.
    """
    for code in formats:
        if code not in _RECIPES:
            raise InputError(f"pictures cannot be written as {fourcc_name(code)}")
    codes = tuple(formats) or writable_formats()
    if not _is_converted(picture):
        codes = tuple(code for code in codes if _is_stored_as_it_is(picture, code))
    if not codes:
        raise InputError(f"its pictures are {picture}, which is converted to nothing that is shown")
    pairs = {FormatModifier(code, LINEAR): _cost(picture, code) for code in codes}
    if tiles:
        pairs |= {
            FormatModifier(code, modifier): _cost(picture, code) + _SHUFFLED
            for code in codes
            if code == _NV12
            for modifier in _TILED
        }
    return Participant(
        name=WRITER_NAME,
        usage=Usage.CPU_WRITE,
        sets=(ConstraintSet(formats=tuple(pairs), costs=tuple(pairs.values())),),
    )


def with_all_formats(cpu: Participant) -> Participant:
    """A platform's CPU, which writes rows of all that pictures can be written in here.

    A platform file names the formats that are common, which makes a short answer to a question
    without a picture; who has one of 10 bits needs one more, and pays `_UNCOMMON` for it.
    """
    if not cpu.sets:
        return cpu  # whatever it is
    named = {pair for one in cpu.sets for pair in one.formats}
    rows = (FormatModifier(code, LINEAR) for code in writable_formats())
    others = tuple(pair for pair in rows if pair not in named)
    if not others:
        return cpu
    first, *further = cpu.sets
    shared = tuple(
        one for one in first.constraints if all(one in other.constraints for other in further)
    )
    more = ConstraintSet(formats=others, costs=(_UNCOMMON,) * len(others), constraints=shared)
    return replace(cpu, sets=(*cpu.sets, more))


def stored_as_they_are(writer: Participant) -> Participant:
    """A writer with the formats that are the pictures without a conversion."""
    (own,) = writer.sets
    kept = [
        (pair, cost) for pair, cost in zip(own.formats, own.costs, strict=True) if cost < _CONVERTED
    ]
    if not kept:
        return replace(writer, sets=())
    formats, costs = zip(*kept, strict=True)
    return replace(writer, sets=(replace(own, formats=formats, costs=costs),))


def write_picture(
    picture: av.VideoFrame, code: int, planes: Sequence[PlaneView], modifier: int = LINEAR
) -> int:
    """Store a picture in the planes of a buffer; returns the bytes that were copied.

    The count is of all bytes that the CPU has stored since the decoder gave the
    picture away, those of an intermediate picture of swscale's included. Raises
    `UsageError` for a format that is not one of `writable_formats`, and for a modifier
    that `writer_participant` does not offer.
    """
    if modifier != LINEAR:
        return _write_tiles(picture, code, planes, modifier)
    recipe = _RECIPES.get(code)
    if recipe is None:
        raise UsageError(f"pictures cannot be written as {fourcc_name(code)}")
    if _STORED_SO.get(code) == picture.format.name:
        return _copy_rows(picture, code, planes)
    copied = 0
    if _SAME_PICTURE.get(picture.format.name, picture.format.name) != recipe.picture:
        picture = _convert(picture, recipe)
        copied += sum(plane.buffer_size for plane in picture.planes)
    if recipe.columns is None:
        source = rows_of(picture.planes[0], 1)
        width = picture.width * picture.format.padded_bits_per_pixel // 8
        target = target_of(planes[0], 1)
        target[: picture.height, :width] = source[:, :width]
        return copied + picture.height * width
    item = recipe.bytes_per_component
    components = [component_of(plane, item) for plane in picture.planes]
    for columns, plane in zip(recipe.columns, planes, strict=True):
        if len(columns) == 2:
            pair = [components[index] for index in columns]
            copied += store_pairs(pair, plane, item=item, shift=recipe.shift)
            continue
        target = target_of(plane, item)
        for start, index in enumerate(columns):
            copied += store(
                components[index], target, columns, start, item=item, shift=recipe.shift
            )
    return copied


def _copy_rows(picture: av.VideoFrame, code: int, planes: Sequence[PlaneView]) -> int:
    """Store planes that are those of the format, row by row."""
    copied = 0
    shapes = FORMATS[code].planes
    for shape, source, plane in zip(shapes, picture.planes, planes, strict=True):
        rows, width = shape.rows(picture.height), shape.row_bytes(picture.width)
        target_of(plane, 1)[:rows, :width] = rows_of(source, 1)[:rows, :width]
        copied += rows * width
    return copied


def _write_tiles(
    picture: av.VideoFrame, code: int, planes: Sequence[PlaneView], modifier: int
) -> int:
    """Store a picture as rows, and then the rows as tiles."""
    import numpy as np

    if modifier not in _TILED:
        raise UsageError(f"pictures cannot be written as {modifier_name(modifier)}")
    tiling = TILINGS[modifier]
    images = [
        np.zeros((-(-plane.rows // tiling.tile_rows) * tiling.tile_rows, plane.pitch), np.uint8)
        for plane in planes
    ]
    copied = write_picture(
        picture,
        code,
        [
            replace(plane, memory=image.data.cast("B"))
            for plane, image in zip(planes, images, strict=True)
        ],
    )
    width = tiling.tile_width // (2 if tiling.paired else 1)
    for plane, image in zip(planes, images, strict=True):
        down, across = image.shape[0] // tiling.tile_rows, image.shape[1] // width
        tiles = image.reshape(down, tiling.tile_rows, across, width).swapaxes(1, 2)
        target = np.ndarray((down * across, tiling.tile_rows * width), np.uint8, plane.memory)
        target[list(tiling.places(across, down))] = tiles.reshape(target.shape)
        copied += image.size
    return copied


def _is_stored_as_it_is(picture: str, code: int) -> bool:
    same = _SAME_PICTURE.get(picture, picture) == _RECIPES[code].picture
    return same or _STORED_SO.get(code) == picture


@cache
def _is_converted(picture: str) -> bool:
    """Whether swscale takes pictures of a format, which it tells only when it is asked to.

    Those of a device's own memory have no components here. Samples of more than 16 bits that
    are interleaved are not even tried: for some of them (yaf32) it ends the process.
    """
    import av

    format_ = av.VideoFormat(picture)
    bits = max((component.bits for component in format_.components), default=0)
    interleaved = len(format_.components) > 1 and not format_.is_planar
    if bits == 0 or (bits > _MOST_INTERLEAVED and interleaved):
        return False
    try:
        # Whatever the memory holds: of a format that is taken all of its values are.
        av.VideoFrame(_BLOCK, _BLOCK, picture).reformat(format="bgra", threads=1)
    except (OSError, ValueError):
        return False
    return True


def _cost(picture: str, code: int) -> int:
    recipe = _RECIPES[code]
    if _STORED_SO.get(code) == picture:
        return 0
    if _is_stored_as_it_is(picture, code):
        plain = recipe.columns in (None, _PLANAR, _PLANAR_SWAPPED)
        return 0 if plain else _SHUFFLED
    # RGB is made into YCbCr where nothing else is taken: half of its chroma goes. So it is with
    # 4:4:4, which is rather made into RGB, and loses none.
    if recipe.columns is not None:
        if _is_rgb(picture):
            return _LOSSY + 1
        return _RGB + 2 if _has_all_chroma(picture) else _CONVERTED
    return _LOSSY if recipe.picture == "rgb565le" else _RGB


@cache
def _is_rgb(picture: str) -> bool:
    import av

    return bool(av.VideoFormat(picture).is_rgb)


@cache
def _has_all_chroma(picture: str) -> bool:
    """Whether each pixel has chroma of its own, as in 4:4:4."""
    import av

    known = av.VideoFormat(picture)
    block = (known.chroma_width(_BLOCK), known.chroma_height(_BLOCK))
    return len(known.components) >= len(_PLANAR) and block == (_BLOCK, _BLOCK)


def _convert(picture: av.VideoFrame, recipe: _Recipe) -> av.VideoFrame:
    """The picture as the recipe wants it, the same each time.

    swscale's vector code stores whole blocks, past the end of a row if the row's
    padding has room. The next row then overwrites what does not belong there, but
    only if it comes later: with a thread for each slice of the picture it may have
    come before, so there is one thread.
    """
    from av.video.reformatter import Interpolation

    encoding, range_ = picture_colour(picture)
    matrix = _MATRICES[encoding]
    from_rgb, to_rgb = picture.format.is_rgb, recipe.columns is None
    how = Interpolation.BILINEAR
    # Without room the fast way from YUV to RGB leaves the last columns as they were in
    # memory (libswscale/x86/yuv2rgb_template.c, YUV2RGB_LOOP); the accurate one does not.
    if to_rgb and picture.width % _BLOCK and not from_rgb:
        how |= Interpolation.ACCURATE_RND
    # From YUV to YUV the codes keep their matrix, and their range, which swscale would reduce.
    return picture.reformat(
        format=recipe.picture,
        src_colorspace=matrix,
        dst_colorspace=matrix,
        src_color_range=_FULL if from_rgb else _RANGES[range_],
        dst_color_range=_FULL if to_rgb else _RANGES[range_],
        interpolation=how,
        threads=1,
    )
