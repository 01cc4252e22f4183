"""From what a surface says of its light to a display of today: sRGB, and no brighter than white.

What is brighter than the reference white, or more colourful than the display, is clipped. A
surface that says nothing is taken for what the display shows, and so is every transfer of
standard dynamic range: screens differ more from each other than BT.1886 does from sRGB.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache

import numpy as np
from numpy.typing import NDArray

from heapwire.compositor_plugin.hosts.reference.scene.pixels import Image
from heapwire.protocol.late_tuples import NamedTuple

Levels = NDArray[np.float32]

# wp_color_manager_v1.primaries and .transfer_function: those of video.
SRGB, PAL, NTSC, BT2020 = 1, 3, 4, 6
BT1886, GAMMA22, SRGB_CURVE, PQ, HLG = 1, 2, 9, 11, 13

# x and y of red, green and blue: BT.709 item 1.3, BT.601 table 1 (625 and 525 lines), BT.2020
# table 3. The white of all of them is D65.
PRIMARIES: Mapping[int, tuple[tuple[float, float], ...]] = {
    SRGB: ((0.640, 0.330), (0.300, 0.600), (0.150, 0.060)),
    PAL: ((0.640, 0.330), (0.290, 0.600), (0.150, 0.060)),
    NTSC: ((0.630, 0.340), (0.310, 0.595), (0.155, 0.070)),
    BT2020: ((0.708, 0.292), (0.170, 0.797), (0.131, 0.046)),
}
"""What is known of primaries: the x and y of red, green and blue."""

TRANSFERS: Mapping[int, int] = {
    BT1886: 100,
    GAMMA22: 80,
    SRGB_CURVE: 80,
    PQ: 10_000,
    HLG: 1000,
}
"""What is known of transfers, and how bright they become in cd/m2, as the protocol has it."""

_D65 = (0.3127, 0.3290)
_GAMMA = 2.2  # of the display
_WHITE = 203.0  # cd/m2: BT.2408, the reference level of graphics
_HLG_PEAK = 1000.0  # cd/m2: BT.2100, the display for which its system gamma is 1.2
_HLG_GAMMA = 1.2
# ITU-R BT.2100 table 5.
_HLG_A = 0.17883277
_HLG_B, _HLG_C = 1 - 4 * _HLG_A, 0.5 - _HLG_A * np.log(4 * _HLG_A)
_BT2020_WEIGHTS = np.array([0.2627, 0.6780, 0.0593], np.float32)
_BAND = 1 << 18  # pixels that are converted at once: 3 MiB of each thing that is made of them
_OPAQUE = 255
_STEPS = 1 << 20  # of light between black and white: half a code where it is darkest


class Light(NamedTuple):
    """What a surface says of its RGB, by the protocol's numbers."""

    primaries: int
    transfer: int

    @property
    def as_displayed(self) -> bool:
        """Whether the display shows it as it is."""
        return self.primaries == SRGB and self.transfer not in (PQ, HLG)


DISPLAYED = Light(SRGB, GAMMA22)
"""The light of the display."""


def displayed(image: Image, light: Light | None) -> Image:
    """A picture of premultiplied RGBA, as (height, width, 4), in the display's light."""
    if light is None or light.as_displayed:
        return image
    shown = image.copy()
    rows = max(1, _BAND // shown.shape[1])
    for first in range(0, len(shown), rows):
        band, alpha = np.split(shown[first : first + rows], [3], axis=2)
        if (alpha == _OPAQUE).all():
            band[...] = _converted(band, light)
        else:  # the curves hold for what was multiplied
            wide = alpha.astype(np.uint16)
            straight = (band.astype(np.uint16) * _OPAQUE + wide // 2) // np.maximum(wide, 1)
            codes = np.minimum(straight, _OPAQUE).astype(np.uint8)
            band[...] = (_converted(codes, light) * wide + _OPAQUE // 2) // _OPAQUE
    return shown


def _converted(codes: Image, light: Light) -> Image:
    levels = _linear(light.transfer)[codes]
    if light.transfer == HLG:
        luminance = levels @ _BT2020_WEIGHTS
        gain = np.maximum(luminance, 1e-9) ** (_HLG_GAMMA - 1) * (_HLG_PEAK / _WHITE)
        levels *= gain[..., np.newaxis]
    if light.primaries != SRGB:
        levels = levels @ _to_display(light.primaries).T
    steps = np.clip(levels, 0, 1) * (_STEPS - 1) + 0.5
    return _codes().take(steps.astype(np.intp))


@cache
def _linear(transfer: int) -> Levels:
    """The light of each code, in reference whites; of HLG the scene's (BT.2100 table 5)."""
    codes = np.arange(256) / 255
    if transfer == PQ:  # SMPTE ST 2084 (BT.2100 table 4)
        power = codes ** (1 / 78.84375)
        part = np.maximum(power - 0.8359375, 0) / (18.8515625 - 18.6875 * power)
        levels = part ** (1 / 0.1593017578125) * 10000 / _WHITE
    elif transfer == HLG:
        bright = (np.exp((codes - _HLG_C) / _HLG_A) + _HLG_B) / 12
        levels = np.where(codes <= 0.5, codes**2 / 3, bright)
    else:
        levels = codes**_GAMMA
    return levels.astype(np.float32)


@cache
def _codes() -> NDArray[np.uint8]:
    """The display's code for each step of light."""
    return np.round(np.linspace(0, 1, _STEPS) ** (1 / _GAMMA) * 255).astype(np.uint8)


@cache
def _to_display(primaries: int) -> Levels:
    return (np.linalg.inv(_to_xyz(SRGB)) @ _to_xyz(primaries)).astype(np.float32)


def _to_xyz(primaries: int) -> NDArray[np.float64]:
    """RGB to XYZ, with white at a luminance of 1 (SMPTE RP 177)."""
    columns = np.array([_xyz(*one) for one in PRIMARIES[primaries]]).T
    return np.asarray(columns * np.linalg.solve(columns, _xyz(*_D65)))


def _xyz(x: float, y: float) -> NDArray[np.float64]:
    return np.array([x / y, 1, (1 - x - y) / y])
