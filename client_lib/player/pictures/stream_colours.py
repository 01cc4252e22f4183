"""Which colours a picture has: what its stream says, and a guess where it says nothing."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from heapwire.client_lib.buffers import Light
from heapwire.protocol.values import FORMATS, Colour, ColourEncoding, ColourRange, Content, Extent

if TYPE_CHECKING:
    import av

# libavutil/pixfmt.h, AVColorSpace, which numbers as H.273 does. 5 and 6 are the same matrix; 10
# is BT.2020 with constant luminance, whose matrix is 9's. The weights of FCC (4: 0.30, 0.11) are
# those of BT.601 but for rounding, and nothing is closer to SMPTE 240M (7: 0.212, 0.087) than
# BT.709.
_ENCODINGS: Mapping[int, ColourEncoding] = {
    1: ColourEncoding.BT709,
    4: ColourEncoding.BT601,
    5: ColourEncoding.BT601,
    6: ColourEncoding.BT601,
    7: ColourEncoding.BT709,
    9: ColourEncoding.BT2020,
    10: ColourEncoding.BT2020,
}
_RANGES: Mapping[int, ColourRange] = {1: ColourRange.LIMITED, 2: ColourRange.FULL}
_BT2020_PRIMARIES = 9  # libavutil/pixfmt.h, AVCOL_PRI_BT2020
# AVColorTransferCharacteristic of what is brighter than a screen of today, and of what is shown
# by it as it is: BT.709, unspecified, BT.601, IEC 61966-2-4 and -2-1, BT.2020 twice.
_HIGH_DYNAMIC_RANGE: Mapping[int, str] = {16: "PQ", 18: "HLG"}
_USUAL_TRANSFERS = frozenset((0, 1, 2, 3, 6, 11, 13, 14, 15))
# AVColorPrimaries, likewise: nothing is said, or BT.709 is.
_USUAL_PRIMARIES = frozenset((0, 1, 2, 3))
_BT709 = 1  # of either
# Pictures larger than one of standard definition are taken for high definition, as mpv
# (video/csputils.c, mp_csp_guess_colorspace) and browsers do.
_SD_WIDTH, _SD_HEIGHT = 1280, 576


def guessed_encoding(extent: Extent, primaries: int = 0) -> ColourEncoding:
    """The matrix of a stream that names none, by its size in pixels and its primaries."""
    if primaries == _BT2020_PRIMARIES:
        return ColourEncoding.BT2020
    high = extent.width >= _SD_WIDTH or extent.height > _SD_HEIGHT
    return ColourEncoding.BT709 if high else ColourEncoding.BT601


def picture_colour(picture: av.VideoFrame) -> Colour:
    """The matrix and range of a decoded picture; of an RGB one those of what it is made into."""
    encoding = _ENCODINGS.get(int(picture.colorspace)) or guessed_encoding(
        Extent(picture.width, picture.height), int(picture.color_primaries)
    )
    if picture.format.is_rgb:
        return encoding, ColourRange.LIMITED
    if picture.format.name.startswith("yuvj"):
        return encoding, ColourRange.FULL
    return encoding, _RANGES.get(int(picture.color_range), ColourRange.LIMITED)


def buffer_colour(code: int, content: Content, extent: Extent) -> Colour | None:
    """The colour of pictures in buffers of a fourcc, guessed as far as the content leaves it open.

    None for RGB. `extent` is the pictures' size in pixels.
    """
    known = FORMATS.get(code)
    if known is not None and not known.is_yuv:
        return None
    encoding, range_ = content.encoding, content.range
    if encoding in (ColourEncoding.UNSPECIFIED, ColourEncoding.RGB):
        encoding = guessed_encoding(extent)
    return encoding, range_ or ColourRange.LIMITED


def picture_light(picture: av.VideoFrame) -> Light | None:
    """The primaries and the transfer of a decoded picture, as far as its stream names them.

    None for what every screen shows as it is. Primaries that go unnamed are those of
    BT.2020 beside PQ and HLG (BT.2100), else of BT.709.
    """
    transfer, primaries = int(picture.color_trc), int(picture.color_primaries)
    if transfer in _USUAL_TRANSFERS:
        transfer = _BT709
    if primaries in _USUAL_PRIMARIES:
        unnamed = primaries != _BT709 and transfer in _HIGH_DYNAMIC_RANGE
        primaries = _BT2020_PRIMARIES if unnamed else _BT709
    light = Light(primaries, transfer)
    return None if light == (_BT709, _BT709) else light


def untold_light_text(light: Light) -> str:
    """The note on pictures of a light that the compositor has no ears for."""
    name = _HIGH_DYNAMIC_RANGE.get(light.transfer)
    if name is not None:
        return f"its pictures are {name}, which is shown as it is stored"
    return (
        f"the compositor cannot be told of the primaries {light.primaries} and the transfer "
        f"{light.transfer} of H.273: it may show other colours"
    )
