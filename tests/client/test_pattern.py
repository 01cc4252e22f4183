"""Test patterns: each pixel is known, on the screen too, in RGB and in YCbCr."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest
from patience import PATIENCE

from heapwire.client_lib.player import PATTERNS, PatternMaterial, Player, PlayOptions
from heapwire.client_lib.player.pattern.drawing import BITS, Drawing, square_side
from heapwire.compositor_plugin.hosts.reference import Compositor
from heapwire.kernel.description import Platform
from heapwire.protocol import InputError
from heapwire.protocol.values import Extent, parse_fourcc

SIZE = Extent(320, 200)
FAST = PlayOptions(paced=False, fullscreen=True, timeout=PATIENCE)


def number_in(picture):
    """What the squares say."""
    side = square_side(SIZE)
    row = picture[-side // 2, side // 2 :: side, 0][:BITS]
    return int("".join("1" if code > 127 else "0" for code in row), 2)


def bars_in(picture, pattern):
    """The colour in the middle of each bar, above the counter."""
    count = len(PATTERNS[pattern])
    columns = [(2 * bar + 1) * SIZE.width // (2 * count) for bar in range(count)]
    return [tuple(map(int, picture[10, column, :3])) for column in columns]


def shown(material, **options):
    """The pictures on the screen of the reference compositor, and the player's result."""
    platform, pictures = Platform.load("raspberry-pi-4"), []
    compositor = Compositor(
        platform, size=SIZE, on_frame=lambda record, pixels: pictures.append(pixels().copy())
    )
    with compositor, compositor.running():
        result = Player(
            material,
            display=compositor.connect(),
            platform=platform,
            options=replace(FAST, **options),
        ).play()
    return pictures, result


@pytest.mark.parametrize("pattern", PATTERNS)
@pytest.mark.parametrize("number", [0, 1, 12345, 65535])
def test_the_drawing_is_what_the_table_says(pattern, number):
    picture = Drawing(pattern, SIZE).picture(number)
    assert picture.shape == (200, 320, 3)
    assert bars_in(picture, pattern) == list(PATTERNS[pattern])
    assert number_in(picture) == number


def test_each_number_is_written_in_other_digits():
    drawing = Drawing("bars", SIZE)
    middles = {drawing.picture(number)[60:140].tobytes() for number in range(1000)}
    assert len(middles) == 1000


@pytest.mark.parametrize("extent", [Extent(1, 1), Extent(7, 3), Extent(33, 17)])
def test_a_pattern_has_any_size(extent):
    picture = Drawing("full", extent).picture(7)
    assert picture.shape == (extent.height, extent.width, 3)


@pytest.mark.parametrize("name", ["XRGB8888", "NV12"])
@pytest.mark.parametrize("pattern", ["bars", "full"])
def test_its_colours_and_numbers_arrive(name, pattern):
    material = PatternMaterial(pattern, SIZE, Fraction(30), formats=[parse_fourcc(name)])
    pictures, result = shown(material, frames=5)
    assert [number_in(one) for one in pictures] == [0, 1, 2, 3, 4]
    told = np.array(bars_in(pictures[-1], pattern))
    assert np.abs(told - np.array(PATTERNS[pattern])).max() <= 2
    assert result.frames.scanned_out == 5


def test_it_begins_at_any_time():
    material = PatternMaterial("bars", SIZE, Fraction(30))
    pictures, _ = shown(material, frames=2, start=3.0)
    assert [number_in(one) for one in pictures] == [90, 91]


def test_a_pattern_that_is_none_is_said():
    with pytest.raises(InputError, match="bars, full, steps"):
        PatternMaterial("testcard", SIZE, Fraction(30))
