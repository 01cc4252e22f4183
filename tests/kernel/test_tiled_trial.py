"""Trials of layouts in tiles and columns: AddFB2 with the modifier, where it can be laid out."""

import errno
from dataclasses import replace

import pytest
from board_root import in_formats
from fake_card import NV12, VKMS, XRGB, FakeCard
from test_local_platform import Display, opens

from heapwire.kernel.discovery import local_platform
from heapwire.kernel.discovery.trial import (
    DeviceRecord,
    TrialStore,
    Verdict,
    ask_devices,
    with_records,
)
from heapwire.kernel.discovery.trial.tiled_framebuffers import certain, tiled_framebuffers
from heapwire.kernel.drm import PlaneRecord
from heapwire.protocol.values import (
    LINEAR,
    FormatModifier,
    Provenance,
    Usage,
    fourcc,
    parse_modifier,
)

X_TILED, SAND, UNKNOWN = (
    parse_modifier(name) for name in ("INTEL_X_TILED", "BROADCOM_SAND128(0)", "QCOM_COMPRESSED")
)
COLUMNS = parse_modifier("BROADCOM_SAND128(96)")  # of 64 rows of luma
ROWS, TILES, SANDY = (
    FormatModifier(XRGB, LINEAR), FormatModifier(XRGB, X_TILED), FormatModifier(NV12, SAND),
)  # fmt: skip
PAIRS = (ROWS, TILES, SANDY, FormatModifier(NV12, UNKNOWN))
DRIVER = replace(VKMS, formats=(XRGB, NV12))


class Listing(Display):
    """A display of one plane, with modifiers."""

    def planes(self):
        record = PlaneRecord(
            id=31, formats=(XRGB, NV12), possible_crtcs=1, properties={"type": 1, "IN_FORMATS": 9}
        )
        return (record,)

    def blob(self, number):
        return in_formats(PAIRS)


@pytest.fixture
def ask(board):
    """The platform with what a card of this driver said, and the card."""

    def ask(driver):
        card = FakeCard(driver)
        platform = local_platform(board.root, drm=opens({"card0": Listing()}), v4l2=opens({}))
        records = ask_devices(platform, TrialStore(None, ""), board.root, cards=card.open)
        assert card.left == ({}, {}, set())
        return with_records(platform, records), card

    return ask


def permitted(platform, pair):
    """The memory on the rung of a trial for a pair of the display; None where it tells nothing."""
    for each in platform.device("card0").sets[Usage.SCANOUT]:
        if pair in each.formats:
            for one in each.constraints:
                if one.provenance is Provenance.TRIAL:
                    return {platform.source_name(source) for source in one.value}
            return None
    raise AssertionError(pair)


def test_tiles_and_columns_are_tried_as_they_lie_and_nothing_else(ask):
    _, card = ask(DRIVER)
    tried = {(code, modifier) for _, code, modifier, _, _ in card.made}
    assert tried == {(XRGB, LINEAR), (XRGB, X_TILED), (NV12, COLUMNS)}
    [tiles] = {(pitches, offsets) for _, _, modifier, pitches, offsets in card.made
               if modifier == X_TILED}  # fmt: skip
    assert tiles == ((4096, 0, 0, 0), (0, 0, 0, 0))
    [columns] = {(pitches, offsets) for _, _, modifier, pitches, offsets in card.made
                 if modifier == COLUMNS}  # fmt: skip
    assert columns == ((1024, 1024, 0, 0), (0, 64 * 128, 0, 0))


def test_without_modifiers_nothing_in_tiles_is_asked(ask):
    _, card = ask(replace(DRIVER, modifiers=False))
    assert {modifier for _, _, modifier, _, _ in card.made} == {0}


def test_memory_that_one_layout_is_refused_from_is_known_for_that_layout(ask):
    refused = {("system", X_TILED): errno.EINVAL, ("system", COLUMNS): errno.EINVAL}
    platform, _ = ask(replace(DRIVER, tiles=refused))
    others = {"reserved", "udmabuf", "card0"}
    assert permitted(platform, TILES) == permitted(platform, SANDY) == others
    assert permitted(platform, ROWS) in (None, {"system", *others})


def test_what_is_refused_from_everywhere_says_nothing_of_memory(ask):
    """The layout may be another than was made up; the display goes on listing it."""
    everywhere = ("system", "reserved", "udmabuf", "card0")
    refused = {(name, X_TILED): errno.EINVAL for name in everywhere}
    before, _ = ask(DRIVER)
    platform, _ = ask(replace(DRIVER, tiles=refused))
    assert permitted(platform, TILES) != set()
    listed = [pair for one in platform.device("card0").sets[Usage.SCANOUT] for pair in one.formats]
    assert TILES in listed
    assert platform.notes == before.notes


def test_memory_that_is_not_imported_is_good_for_no_layout(ask):
    platform, _ = ask(replace(DRIVER, imports={"reserved": 0}, otherwise=errno.EINVAL))
    for pair in PAIRS:
        assert permitted(platform, pair) == {"reserved", "card0"}


def test_a_refusal_counts_for_the_plane_that_takes_it_from_elsewhere():
    taken = Verdict(source="a", taken=True, pairs=(TILES,), plane="one")
    refused = Verdict(source="b", taken=False, pairs=(ROWS, TILES, SANDY), said="EINVAL")
    assert certain([taken, refused]) == (taken, replace(refused, pairs=(ROWS,)))
    there = replace(refused, plane="one")
    assert certain([taken, there]) == (taken, replace(there, pairs=(ROWS, TILES)))
    only = replace(refused, pairs=(TILES,))
    assert certain([only]) == ()
    whole = Verdict(source="c", taken=False, said="PRIME import: EINVAL")
    assert certain([whole]) == (whole,)


def test_what_only_a_driver_lays_out_is_no_framebuffer():
    pairs = [FormatModifier(NV12, UNKNOWN), FormatModifier(fourcc("QQ4P"), X_TILED), ROWS]
    assert list(tiled_framebuffers(pairs, 64, 64)) == []


def test_what_was_learned_of_a_family_is_kept_as_the_display_lists_it(tmp_path):
    record = DeviceRecord(verdicts=(Verdict(source="system", taken=True, pairs=(SANDY,)),))
    store = TrialStore(tmp_path / "trials.json", "boot")
    store.keep("key", record)
    store.save()
    assert TrialStore(tmp_path / "trials.json", "boot").record("key") == record
