"""Which card drives an output, from the connectors that sysfs lists."""

from __future__ import annotations

import pytest

from heapwire.kernel.discovery import card_of_connector
from heapwire.protocol.values import DeviceId

CARD0, CARD1 = DeviceId(226, 0), DeviceId(226, 1)


@pytest.fixture
def drm(tmp_path):
    """Two cards: card0 with HDMI-A-1 and DP-1, card1 with HDMI-A-1 and Virtual-1."""
    for card, number, connectors in (
        ("card0", "226:0", ("HDMI-A-1", "DP-1")),
        ("card1", "226:1", ("HDMI-A-1", "Virtual-1")),
    ):
        (tmp_path / card).mkdir()
        (tmp_path / card / "dev").write_text(f"{number}\n")
        for connector in connectors:
            entry = tmp_path / f"{card}-{connector}"
            entry.mkdir()
            (entry / "device").symlink_to(tmp_path / card)
    return tmp_path


@pytest.mark.parametrize(
    ("name", "cards", "found"),
    [
        ("DP-1", {CARD0, CARD1}, CARD0),
        ("Virtual-1", {CARD0, CARD1}, CARD1),
        ("HDMI-A-1", {CARD1}, CARD1),
        ("HDMI-A-1", {CARD0, CARD1}, None),
        ("DP-1", {CARD1}, None),
        ("DP-1", set(), None),
        ("headless", {CARD0, CARD1}, None),
        ("", {CARD0, CARD1}, None),
        ("*", {CARD0}, None),
        ("../card0", {CARD0}, None),
    ],
)
def test_the_card_that_is_open_and_has_the_connector(drm, name, cards, found):
    assert card_of_connector(name, frozenset(cards), drm) == found


def test_a_card_without_a_number_is_none(drm):
    (drm / "card0" / "dev").write_text("what\n")
    assert card_of_connector("DP-1", frozenset({CARD0}), drm) is None
