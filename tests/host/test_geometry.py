"""Rectangles, regions and sizes, to the pixel."""

from __future__ import annotations

import pytest

from heapwire.compositor_plugin.hosts.reference.scene import (
    EMPTY,
    Crop,
    Rect,
    SizeError,
    surface_size,
)
from heapwire.compositor_plugin.hosts.reference.scene.region import MAX_RECTS
from heapwire.compositor_plugin.hosts.reference.scene.surface_commit import Presenting
from heapwire.protocol import Extent


def rows(count: int) -> list[Rect]:
    """Rectangles that touch nothing of each other."""
    return [Rect(0, 2 * number, 1, 1) for number in range(count)]


def test_a_region_is_kept_up_to_its_limit() -> None:
    region = EMPTY
    for rect in rows(MAX_RECTS):
        region = region.plus(rect)
    assert len(region.rects) == MAX_RECTS
    assert region.plus(Rect(0, -2, 1, 1)).rects == ()


def test_nothing_is_covered_by_anything() -> None:
    assert EMPTY.covers(Rect(5, 5, 0, 10))
    assert not EMPTY.covers(Rect(5, 5, 1, 1))


@pytest.mark.parametrize("x", [0, 4])
def test_a_crop_may_reach_the_edge(x: int) -> None:
    crop = Crop(x, 0, 4, 8)
    assert surface_size(Extent(8, 8), Presenting(crop=crop)) == (4, 8)


@pytest.mark.parametrize("crop", [Crop(4.25, 0, 4, 8), Crop(0, 0.25, 4, 8)])
def test_a_crop_may_not_reach_beyond_it(crop: Crop) -> None:
    with pytest.raises(SizeError, match="is not within 8x8"):
        surface_size(Extent(8, 8), Presenting(crop=crop))
