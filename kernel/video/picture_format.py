"""The formats of pictures as V4L2 and as DRM name them, and what a driver's layout means.

The numbers are those of include/uapi/linux/videodev2.h and drm_fourcc.h.
"""

from __future__ import annotations

from collections.abc import Mapping

from heapwire.kernel.video.v4l2_queue import QueueFormat
from heapwire.protocol.values import (
    FORMATS,
    MAX_PITCH,
    MIN_PITCH,
    MIN_SIZE,
    Constraint,
    Layout,
    PlaneLayout,
    Provenance,
    fourcc,
)

# V4L2's fourccs that drm_fourcc.h spells otherwise. RGB is named by bytes in
# memory there and by bits of a word here, so it is not the same letters; NM12 and
# its like have a buffer for each plane.
_ALIASES: Mapping[str, str] = {
    "BGR4": "XR24",
    "XR24": "XR24",
    "AR24": "AR24",
    "XB24": "XB24",
    "AB24": "AB24",
    "RGBP": "RG16",
    "RGB3": "BG24",
    "BGR3": "RG24",
}
_SEPARATE: Mapping[str, str] = {
    "NM12": "NV12",
    "NM21": "NV21",
    "NM16": "NV16",
    "NM61": "NV61",
    "YM12": "YU12",
    "YM21": "YV12",
    "YM16": "YU16",
    "YM61": "YV16",
    "YM24": "YU24",
    "YM42": "YV24",
}
_SAME = (
    *("NV12", "NV21", "NV16", "NV61", "NV24", "NV42", "YUYV", "YVYU", "UYVY", "VYUY"),
    *("P010", "P012", "YU12", "YV12"),
)
_ONE_BUFFER = {fourcc(v4l2): fourcc(drm) for v4l2, drm in _ALIASES.items()} | {
    fourcc(name): fourcc(name) for name in _SAME
}
_BUFFER_A_PLANE = {fourcc(v4l2): fourcc(drm) for v4l2, drm in _SEPARATE.items()}


def drm_format(v4l2: int, *, buffer_a_plane: bool) -> int | None:
    """DRM's fourcc of a format of V4L2's; None if there is none.

    V4L2 has two names for many formats: one whose planes share a buffer, and one
    whose planes have a buffer each. `buffer_a_plane` says which kind is meant.
    """
    code = (_BUFFER_A_PLANE if buffer_a_plane else _ONE_BUFFER).get(v4l2)
    return code if code in FORMATS else None


def layout_constraints(layout: QueueFormat) -> tuple[Constraint, ...]:
    """What a driver's layout demands of a buffer: just these pitches, and room for it all.

    A format that DRM does not know has no demands.
    """
    pitches = _pitches(layout)
    demands = [
        Constraint(type=bound.type, value=pitch, planes=1 << plane, provenance=Provenance.KERNEL)
        for plane, pitch in enumerate(pitches)
        for bound in (MIN_PITCH, MAX_PITCH)
    ]
    if pitches:
        room = max(layout.sizes)
        demands.append(Constraint(type=MIN_SIZE.type, value=room, provenance=Provenance.KERNEL))
    return tuple(demands)


def is_laid_out_as(driver: QueueFormat, code: int, layout: Layout) -> bool:
    """Whether a driver that lays its pictures out so fills buffers of a DRM format rightly.

    A driver begins each of its buffers with a plane, and further planes follow
    at once, `height` rows further on: it cannot be told any other offset.
    """
    apart = len(driver.sizes) > 1
    named = drm_format(driver.fourcc, buffer_a_plane=apart)
    if named != code or len(layout.objects) != len(driver.sizes):
        return False
    expected, offset = [], 0
    for plane, (form, pitch) in enumerate(zip(FORMATS[code].planes, _pitches(driver), strict=True)):
        expected.append(PlaneLayout(plane if apart else 0, 0 if apart else offset, pitch))
        offset += pitch * form.rows(driver.extent.height)
    enough = all(
        entry.size >= size for entry, size in zip(layout.objects, driver.sizes, strict=True)
    )
    return enough and tuple(expected) == layout.planes


def _pitches(layout: QueueFormat) -> tuple[int, ...]:
    """The pitch of each plane in bytes; a driver tells that of the first in each buffer only."""
    if len(layout.pitches) > 1:
        return layout.pitches
    code = drm_format(layout.fourcc, buffer_a_plane=False)
    if code is None:
        code = drm_format(layout.fourcc, buffer_a_plane=True)
    if code is None:
        return ()
    first, *others = FORMATS[code].planes
    scales = [plane.pitch_ratio(first) for plane in others]
    return (layout.pitches[0], *(int(layout.pitches[0] * scale) for scale in scales))
