"""What a player says of its colours, to a compositor that takes nothing that it did not offer."""

from __future__ import annotations

import pytest
from strict_colours import (
    BT601,
    BT709,
    BT2020,
    FULL,
    LIMITED,
    PQ,
    Plain,
    StrictColours,
    WithoutBt601,
)
from test_colours import SPACES, coloured
from test_player import FAST, platform as platform, play

HERE = {"bt601": BT601, "bt709": BT709, "bt2020": BT2020}
SRGB_PRIMARIES, PAL_PRIMARIES, BT2020_PRIMARIES = 1, 3, 6
POWER_24 = -24_000  # told as a power, in ten thousandths


@pytest.mark.parametrize("fake", [StrictColours, Plain], indirect=True)
@pytest.mark.parametrize("full", [False, True], ids=["limited", "full"])
@pytest.mark.parametrize("matrix", SPACES)
def test_each_matrix_and_range_is_told(fake, tmp_path, platform, matrix, full):
    result = play(fake, coloured(tmp_path / "a.mkv", matrix, full), platform, FAST)
    assert set(fake.told) == {((HERE[matrix], FULL if full else LIMITED), None)}
    assert result.faults == ()


@pytest.mark.parametrize("fake", [WithoutBt601], indirect=True)
def test_what_has_no_name_there_is_not_taken_for_said(fake, tmp_path, platform):
    """Weston 15 takes YCbCr for BT.709 then (libweston/color-representation.c)."""
    result = play(fake, coloured(tmp_path / "a.mkv", "bt601", False), platform, FAST)
    assert set(fake.told) == {(None, None)}
    assert ["BT601 limited" in note for note in result.faults] == [True]


@pytest.mark.parametrize("fake", [StrictColours], indirect=True)
@pytest.mark.parametrize(
    ("primaries", "transfer", "light"),
    [
        (9, 16, (BT2020_PRIMARIES, PQ)),
        (1, 16, (SRGB_PRIMARIES, PQ)),
        (9, 14, (BT2020_PRIMARIES, POWER_24)),
        (5, 6, (PAL_PRIMARIES, POWER_24)),
        (1, 1, None),
        (9, 18, "HLG"),
    ],
)
def test_light_is_told_as_far_as_there_are_names(
    fake, tmp_path, platform, primaries, transfer, light
):
    named = {"color_primaries": primaries, "color_trc": transfer}
    path = coloured(tmp_path / "a.mkv", "bt709", False, **named)
    result = play(fake, path, platform, FAST)
    untold = isinstance(light, str)
    assert {one for _, one in fake.told} == {None if untold else light}
    assert [light in note for note in result.faults] == [True] * untold
    assert not fake.made, "creators are used"
    assert not fake.ready, "and descriptions destroyed"
