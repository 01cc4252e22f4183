"""The planes of a display, from what a driver tells."""

import struct
from dataclasses import replace

import pytest

from heapwire.kernel.description import PlaneType, scanout_sets
from heapwire.kernel.discovery.kms import read_planes
from heapwire.kernel.drm import ModeLimits, PlaneRecord
from heapwire.protocol.values import (
    COLOURS,
    INVALID,
    LINEAR,
    REGISTRY,
    FormatModifier,
    Provenance,
    fourcc,
)
from heapwire.protocol.values.pixels.modifier import INTEL_X_TILED

XRGB, NV12, ARGB = fourcc("XR24"), fourcc("NV12"), fourcc("AR24")


def in_formats(codes, modifiers):
    """A blob in which every format has every modifier."""
    at = 24 + 4 * len(codes)
    blob = struct.pack("=6I", 1, 0, len(codes), 24, len(modifiers), at)
    blob += struct.pack(f"={len(codes)}I", *codes)
    for modifier in modifiers:
        blob += struct.pack("=QIIQ", (1 << len(codes)) - 1, 0, 0, modifier)
    return blob


class Display:
    """A driver's answers."""

    def __init__(self, *planes, blobs=None, limits=None):
        self._planes, self._blobs, self._limits = planes, blobs or {}, limits

    def limits(self):
        return self._limits

    def planes(self):
        return self._planes

    def blob(self, number):
        return self._blobs.get(number)


def plane(number, kind, formats=(), crtcs=1, **properties):
    return PlaneRecord(
        id=number, formats=formats, possible_crtcs=crtcs, properties={"type": kind, **properties}
    )


def test_a_plane_takes_the_pairs_of_its_blob():
    display = Display(
        plane(31, 1, (XRGB,), IN_FORMATS=7),
        blobs={7: in_formats([XRGB, NV12], [LINEAR, INTEL_X_TILED])},
    )
    (found,) = read_planes(display)
    (one,) = found.sets
    assert one.formats == tuple(
        FormatModifier(code, modifier)
        for code in (XRGB, NV12)
        for modifier in (LINEAR, INTEL_X_TILED)
    )
    assert (one.provenance, one.source) == (Provenance.KERNEL, "IN_FORMATS")


def test_a_plane_without_a_blob_takes_rows_with_and_without_a_modifier():
    gone = plane(31, 1, (XRGB,), IN_FORMATS=9)  # the blob was destroyed in between
    broken = plane(32, 1, (XRGB,), IN_FORMATS=7)
    for record in (plane(33, 1, (XRGB,)), gone, broken):
        (found,) = read_planes(Display(record, blobs={7: b"\2"}))
        assert found.sets[0].formats == (
            FormatModifier(XRGB, LINEAR),
            FormatModifier(XRGB, INVALID),
        )
        assert found.sets[0].provenance is Provenance.KERNEL
        assert "IN_FORMATS" not in found.sets[0].source


def test_planes_are_told_apart_and_primary_ones_come_first():
    display = Display(
        plane(30, 2, (ARGB,), crtcs=1), plane(31, 0, (NV12,), crtcs=3), plane(32, 1, (XRGB,))
    )
    found = read_planes(display)
    assert [(one.name, one.type, one.crtcs) for one in found] == [
        ("plane-32", PlaneType.PRIMARY, 1),
        ("plane-31", PlaneType.OVERLAY, 3),
        ("plane-30", PlaneType.CURSOR, 1),
    ]
    offered = {pair.fourcc for one in scanout_sets(found) for pair in one.formats}
    assert offered == {XRGB, NV12}  # a cursor shows no pictures


def test_equal_sets_are_given_once():
    display = Display(plane(30, 1, (XRGB,)), plane(31, 0, (XRGB,)), plane(32, 0, (NV12,)))
    assert len(scanout_sets(read_planes(display))) == 2


def test_limits_hold_for_every_plane_and_come_from_the_kernel():
    limits = ModeLimits(min_width=0, max_width=4096, min_height=16, max_height=2160)
    (found,) = read_planes(Display(plane(30, 1, (XRGB,)), limits=limits))
    told = {REGISTRY[c.type].name: (c.value, c.provenance) for c in found.sets[0].constraints}
    kernel = Provenance.KERNEL
    assert told == {
        "max-width": (4096, kernel),
        "max-height": (2160, kernel),
        "least-height": (16, kernel),
    }


def test_a_cursor_is_as_large_as_the_kernel_hints():
    hints = struct.pack("=4H", 64, 64, 256, 128)
    cursor = PlaneRecord(
        id=9, formats=(ARGB,), possible_crtcs=1, properties={"type": 2, "SIZE_HINTS": 5}
    )
    limits = ModeLimits(min_width=0, max_width=4096, min_height=0, max_height=4096)

    def most(blob):
        (plane,) = read_planes(Display(cursor, blobs={5: blob}, limits=limits))
        found = {"max-width": 1 << 32, "max-height": 1 << 32}
        for constraint in plane.sets[0].constraints:
            name = REGISTRY[constraint.type].name
            found[name] = min(found[name], constraint.value)
            assert constraint.provenance is Provenance.KERNEL
        return found["max-width"], found["max-height"]

    assert most(hints) == (256, 128)
    assert most(hints[:-1]) == most(bytes(4)) == most(None) == (4096, 4096)


def test_what_may_tear_is_told_apart_from_what_is_shown():
    record = PlaneRecord(
        id=9,
        formats=(XRGB,),
        possible_crtcs=1,
        properties={"type": 1, "IN_FORMATS": 5, "IN_FORMATS_ASYNC": 6},
    )
    blobs = {5: in_formats([XRGB, NV12], [LINEAR]), 6: in_formats([XRGB], [LINEAR])}
    (plane,) = read_planes(Display(record, blobs=blobs))
    assert plane.tearing == (FormatModifier(XRGB, LINEAR),)
    assert FormatModifier(NV12, LINEAR) in plane.sets[0].formats
    del blobs[6]
    (plane,) = read_planes(Display(record, blobs=blobs))
    assert plane.tearing is None


BT601, BT709 = "ITU-R BT.601 YCbCr", "ITU-R BT.709 YCbCr"
LIMITED, FULL = "YCbCr limited range", "YCbCr full range"


@pytest.mark.parametrize(
    ("choices", "names"),
    [
        (
            {"COLOR_ENCODING": (BT601, BT709), "COLOR_RANGE": (LIMITED, FULL)},
            {"BT.601 limited", "BT.601 full", "BT.709 limited", "BT.709 full"},
        ),
        ({"COLOR_ENCODING": (BT709,), "COLOR_RANGE": (LIMITED,)}, {"BT.709 limited"}),
        ({"COLOR_ENCODING": (BT601, "some other")}, {"BT.601 limited", "BT.601 full"}),
        ({"COLOR_RANGE": (LIMITED,)}, None),
        ({"COLOR_ENCODING": ("some other",)}, None),
        ({}, None),
    ],
)
def test_what_a_plane_converts_is_said_of_ycbcr_alone(choices, names):
    record = replace(plane(30, 1, (XRGB, NV12)), choices=choices)
    (found,) = read_planes(Display(record))
    said = {
        pair.fourcc: [COLOURS.of(one) for one in each.constraints if one.type == COLOURS.type]
        for each in found.sets
        for pair in each.formats
    }
    assert said[XRGB] == []
    masks = [] if names is None else [sum(1 << b for b, n in COLOURS.bits.items() if n in names)]
    assert said[NV12] == masks
