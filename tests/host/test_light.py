"""What a surface's light becomes on the display, beside the formulas, and what that takes."""

from __future__ import annotations

import tracemalloc

import numpy as np
import pytest

from heapwire.compositor_plugin.hosts.reference.scene import PRIMARIES, Light, light
from heapwire.compositor_plugin.hosts.reference.scene.light import displayed

SRGB, BT2020, GAMMA22, PQ, HLG = 1, 6, 2, 11, 13
WHITE = 203


def xyz_of(primaries: int) -> np.ndarray:
    """Columns that add up to D65."""
    columns = np.array([[x / y, 1, (1 - x - y) / y] for x, y in PRIMARIES[primaries]]).T
    return columns * np.linalg.solve(columns, [0.3127 / 0.3290, 1, (1 - 0.3127 - 0.3290) / 0.3290])


def by_formula(image: np.ndarray, said: Light) -> np.ndarray:
    """Pixel by pixel in 64-bit floats, as ST 2084, BT.2100 and RP 177 have it."""
    codes = image[..., :3] / 255
    if said.transfer == PQ:
        power = codes ** (1 / (2523 / 4096 * 128))
        part = np.maximum(power - 3424 / 4096, 0) / (2413 / 128 - 2392 / 128 * power)
        levels = 10_000 / WHITE * part ** (1 / (2610 / 16384))
    elif said.transfer == HLG:
        a = 0.17883277
        b, c = 1 - 4 * a, 0.5 - a * np.log(4 * a)
        scene = np.where(codes > 0.5, (np.exp((codes - c) / a) + b) / 12, codes**2 / 3)
        luminance = scene @ [0.2627, 0.6780, 0.0593]
        levels = scene * (1000 / WHITE * luminance**0.2)[..., np.newaxis]
    else:
        levels = codes**2.2
    levels = levels @ (np.linalg.inv(xyz_of(SRGB)) @ xyz_of(said.primaries)).T
    shown = image.copy()
    shown[..., :3] = np.round(np.clip(levels, 0, 1) ** (1 / 2.2) * 255)
    return shown


@pytest.mark.parametrize("primaries", PRIMARIES)
@pytest.mark.parametrize("transfer", [GAMMA22, PQ, HLG])
def test_it_is_what_the_formulas_say(monkeypatch, primaries: int, transfer: int) -> None:
    monkeypatch.setattr(light, "_BAND", 1000)  # of more than one row, and not all of them
    image = np.random.default_rng(primaries).integers(0, 256, (64, 300, 4), np.uint8)
    image[..., 3] = 255
    image[0, :256, :3] = np.arange(256)[:, np.newaxis]  # greys
    before = image.copy()
    found = displayed(image, Light(primaries, transfer)).astype(int)
    wanted = by_formula(image, Light(primaries, transfer)).astype(int)
    assert np.abs(found - wanted).max() <= 1
    assert (found == wanted).mean() > 0.99
    assert (image == before).all()


def test_what_is_translucent_is_as_bright_as_what_is_not() -> None:
    """Its codes are multiplied by its alpha (color-representation: premultiplied_electrical)."""
    straight = np.random.default_rng(3).integers(0, 256, (40, 256, 4), np.uint8)
    straight[..., 3] = np.arange(256)  # each alpha, over columns
    alpha = straight[..., 3:] / 255
    opaque, given = straight.copy(), straight.copy()
    opaque[..., 3] = 255
    given[..., :3] = np.round(straight[..., :3] * alpha)
    for said in (Light(BT2020, PQ), Light(BT2020, HLG), Light(BT2020, GAMMA22)):
        found = displayed(given, said)
        assert (found[..., 3] == given[..., 3]).all()
        assert (found[..., :3] <= given[..., 3:]).all(), "no brighter than white"
        wanted = np.round(displayed(opaque, said)[..., :3] * alpha)
        off = np.abs(found[..., :3] - wanted)
        assert off[:, 128:].mean() < 2, "a code of 255 is divided by alpha, and rounded twice"
    assert (displayed(np.zeros((2, 2, 4), np.uint8), Light(BT2020, PQ)) == 0).all()


@pytest.mark.parametrize("transfer", [GAMMA22, PQ, HLG])
def test_a_large_picture_takes_little_more_memory_than_itself(transfer: int) -> None:
    """A client has a picture of 8192 x 8192 with one request."""
    small = np.zeros((1, 1, 4), np.uint8)
    displayed(small, Light(BT2020, transfer))  # the tables are there
    image = np.full((4096, 2048, 4), 100, np.uint8)
    tracemalloc.start()
    try:
        displayed(image, Light(BT2020, transfer))
        _, most = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert most < 2 * image.nbytes
