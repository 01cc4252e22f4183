"""The formats of pictures as V4L2 and as DRM name them, and what a driver's layout means.

The numbers are those of include/uapi/linux/videodev2.h and drm_fourcc.h.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from types import MappingProxyType

from heapwire.kernel.video.v4l2_queue import QueueFormat
from heapwire.protocol.values import (
    ADJACENT_PLANES,
    FORMATS,
    MAX_PITCH,
    MIN_PITCH,
    MIN_SIZE,
    PADDING,
    PITCH_ALIGNMENT,
    TILINGS,
    Constraint,
    ConstraintType,
    FormatModifier,
    Layout,
    PlaneLayout,
    Provenance,
    fourcc,
    parse_modifier,
)

_SAND128 = parse_modifier("BROADCOM_SAND128(0)")


def _pairs(names: str, modifier: str = "LINEAR") -> dict[int, FormatModifier]:
    """Of words such as `RGB3=BG24`: V4L2's code, and DRM's where that is another."""
    found = {}
    for word in names.split():
        v4l2, _, drm = word.partition("=")
        found[fourcc(v4l2)] = FormatModifier(fourcc(drm or v4l2), parse_modifier(modifier))
    return found


# What has all planes in one buffer. V4L2 names RGB and packed YUV by bytes in memory, and
# where it has 16 bits or less, or ten a part, by bits of a word; DRM names all by bits of a
# word. So V4L2's AYUV is none of DRM's, and its VUYA is DRM's AYUV. Grey is DRM's red alone:
# 10 and 12 bits are the low ones of two bytes, the lower byte first, and the others 0. Their
# big-endian namesakes (bit 31 of V4L2's code) have no name there, and neither have those that
# are packed, or in the high bits.
_ONE_BUFFER: Mapping[int, FormatModifier] = MappingProxyType(
    _pairs(
        """
        AR24 XR24 RA24 RX24 AB24 XB24 BA24 BX24 BGR4=XR24 RGB4=BX24 RGB3=BG24 BGR3=RG24
        RGBP=RG16 RGB1=RGB8 R444=XR12 RGBO=XR15 RX30 RA30 AR30
        AR12 XR12 RA12 RX12 AB12 XB12 GA12=BA12 BX12
        AR15 XR15 RA15 RX15 AB15 XB15 BA15 BX15
        YUYV YVYU UYVY VYUY VUYA=AYUV VUYX=XYUV YUVA=AVUY YUVX=XVUY YUV3=VU24 Y210 Y212 Y216
        NV12 NV21 NV16 NV61 NV24 NV42 P010 P012 NV15 NV20
        YUV9 YVU9 411P=YU11 422P=YU16 YU12 YV12
        GREY=R8 Y10=R10 Y12=R12 Y16=R16
        """
    )
    | _pairs("ST12=NV12", "ALLWINNER_TILED")
    | _pairs("NC12=NV12 NC30=P030", "BROADCOM_SAND128(0)")
    | _pairs("Q08C=NV12 Q10C=P010", "QCOM_COMPRESSED")
)
# What has a buffer for each plane.
_BUFFER_A_PLANE: Mapping[int, FormatModifier] = MappingProxyType(
    _pairs(
        """
        NM12=NV12 NM21=NV21 NM16=NV16 NM61=NV61 PM12=P012
        YM12=YU12 YM21=YV12 YM16=YU16 YM61=YV16 YM24=YU24 YM42=YV24
        """
    )
    | _pairs("TM12=NV12", "SAMSUNG_64_32_TILE")
    | _pairs("VM12=NV12", "SAMSUNG_16_16_TILE")
    | _pairs("MM21=NV12", "MTK_16L_32S_TILE")
)


def drm_format(v4l2: int, *, buffer_a_plane: bool) -> FormatModifier | None:
    """DRM's fourcc and modifier of a format of V4L2's; None if there is none.

    V4L2 has two names for many formats: one whose planes share a buffer, and one
    whose planes have a buffer each. `buffer_a_plane` says which kind is meant.
    A modifier whose parameter follows from the picture is the one that stands for its family.
    """
    return (_BUFFER_A_PLANE if buffer_a_plane else _ONE_BUFFER).get(v4l2)


def has_drm_format(v4l2: int) -> bool:
    """Whether DRM has a name for a format of V4L2's, in however many buffers."""
    return v4l2 in _ONE_BUFFER or v4l2 in _BUFFER_A_PLANE


def layout_format(layout: QueueFormat) -> FormatModifier | None:
    """The fourcc and modifier of pictures that are laid out so; None if DRM has none.

    A driver of Broadcom's columns tells their height as its pitch.
    """
    pair = drm_format(layout.fourcc, buffer_a_plane=len(layout.sizes) > 1)
    if pair is None or pair.modifier != _SAND128:
        return pair
    return FormatModifier(pair.fourcc, parse_modifier(f"BROADCOM_SAND128({layout.pitches[0]})"))


def layout_constraints(layout: QueueFormat) -> tuple[Constraint, ...]:
    """What a driver's layout demands of a buffer: its pitches, and room for it all.

    They are just these, or those that may be asked for. A format that DRM does not know has
    no demands, and one whose rows are not told by a pitch has none of that kind.
    """
    pair = layout_format(layout)
    if pair is None:
        return ()
    demands = [*_asked_pitches(layout, pair)] or [
        _demand(bound, pitch, 1 << plane)
        for plane, pitch in enumerate(_pitches(layout, pair))
        for bound in (MIN_PITCH, MAX_PITCH)
    ]
    return (*demands, _demand(MIN_SIZE, max(layout.sizes)))


def _asked_pitches(layout: QueueFormat, pair: FormatModifier) -> Iterator[Constraint]:
    """The pitches that may be asked for: that of the first plane, from which the others follow."""
    if not layout.pitch_step or pair.modifier not in TILINGS:
        return
    yield _demand(PITCH_ALIGNMENT, layout.pitch_step, 1)
    yield _demand(MIN_PITCH, layout.pitches[0], 1)
    yield _demand(MAX_PITCH, layout.most_pitch, 1)
    planes = FORMATS[pair.fourcc].planes
    if len(planes) > 1:
        yield _demand(ADJACENT_PLANES, 1)
    tiling, pitches = TILINGS[pair.modifier], _pitches(layout, pair)
    filled = sum(
        pitch * _up(plane.rows(layout.extent.height), tiling.size_of(plane)[1])
        for plane, pitch in zip(planes, pitches, strict=True)
    )
    # What the driver has behind its pictures stays there when they get wider.
    behind = max(layout.sizes) - filled
    if behind > 0:
        yield _demand(PADDING, behind, 1 << len(planes) - 1)


def _demand(row: ConstraintType, value: int, planes: int = 0) -> Constraint:
    return Constraint(type=row.type, value=value, planes=planes, provenance=Provenance.KERNEL)


def laid_out_planes(driver: QueueFormat) -> tuple[PlaneLayout, ...]:
    """Where the planes of a driver's pictures are, in objects that are its memory planes.

    A driver begins each of its buffers with a plane, and further planes follow at once,
    `height` rows further on: it cannot be told any other offset. Empty where that cannot be
    computed.
    """
    pair = layout_format(driver)
    tiling = None if pair is None else TILINGS.get(pair.modifier)
    if pair is None or tiling is None:
        return ()
    forms = FORMATS[pair.fourcc].planes
    apart = len(driver.sizes) > 1
    if apart and len(driver.sizes) != len(forms):
        return ()
    planes, offset = [], 0
    for plane, (form, pitch) in enumerate(zip(forms, _pitches(driver, pair), strict=True)):
        planes.append(PlaneLayout(plane if apart else 0, 0 if apart else offset, pitch))
        rows, (_, whole) = form.rows(driver.extent.height), tiling.size_of(form)
        offset += pitch * _up(rows, whole)
    return tuple(planes)


def is_laid_out_as(driver: QueueFormat, pair: FormatModifier, layout: Layout) -> bool:
    """Whether a driver that lays its pictures out so fills buffers of a format rightly.

    False where that cannot be computed.
    """
    if layout_format(driver) != pair or len(layout.objects) != len(driver.sizes):
        return False
    enough = all(
        entry.size >= size for entry, size in zip(layout.objects, driver.sizes, strict=True)
    )
    expected = laid_out_planes(driver)
    return enough and bool(expected) and expected == layout.planes


def _pitches(layout: QueueFormat, pair: FormatModifier) -> tuple[int, ...]:
    """The pitch of each plane in bytes; a driver tells that of the first in each buffer only."""
    if pair.modifier not in TILINGS:
        return ()
    if len(layout.pitches) > 1:
        return layout.pitches
    first, *others = FORMATS[pair.fourcc].planes
    ratios = [plane.pitch_ratio(first) for plane in others]
    return (layout.pitches[0], *(layout.pitches[0] * over // under for over, under in ratios))


def _up(rows: int, whole: int) -> int:
    """The rows that tiles of so many fill."""
    return -(-rows // whole) * whole
