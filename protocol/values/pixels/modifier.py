"""Format modifiers: how they are called, and which layouts can be computed.

A modifier is a u64: the vendor in the top 8 bits, the vendor's own code below
(include/uapi/drm/drm_fourcc.h). For most of them only their own driver can say
where the pixels are: those are laid out by whoever allocates. The few whose
layout is rows of equal tiles are rows of `TILINGS` (tiling.py), and linear is one of them;
Broadcom's columns and Arm's superblocks have sizes that follow from the modifier.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from types import MappingProxyType

from heapwire.protocol.errors import InputError, shown
from heapwire.protocol.late_tuples import NamedTuple

LINEAR = 0
"""Rows of pixels one after the other (DRM_FORMAT_MOD_LINEAR)."""

INVALID = (1 << 56) - 1
"""No modifier was given: the driver's own, implicit layout (DRM_FORMAT_MOD_INVALID)."""

_MAX_MODIFIER = (1 << 64) - 1

VENDORS: Mapping[int, str] = MappingProxyType(
    {
        0x00: "NONE",
        0x01: "INTEL",
        0x02: "AMD",
        0x03: "NVIDIA",
        0x04: "SAMSUNG",
        0x05: "QCOM",
        0x06: "VIVANTE",
        0x07: "BROADCOM",
        0x08: "ARM",
        0x09: "ALLWINNER",
        0x0A: "AMLOGIC",
        0x0B: "MTK",
        0x0C: "APPLE",
    }
)
"""The vendor ids of drm_fourcc.h, which constraint types use too."""


def modifier_code(vendor: int, value: int) -> int:
    """A modifier from a vendor id and a code of at most 56 bits."""
    return vendor << 56 | value


_INTEL, _NVIDIA, _SAMSUNG, _QCOM, _VIVANTE, _BROADCOM, _ARM, _ALLWINNER = (1, 3, 4, 5, 6, 7, 8, 9)
_MTK = 0x0B

INTEL_X_TILED = modifier_code(_INTEL, 1)
INTEL_Y_TILED = modifier_code(_INTEL, 2)
INTEL_YF_TILED = modifier_code(_INTEL, 3)
INTEL_Y_TILED_CCS = modifier_code(_INTEL, 4)
INTEL_YF_TILED_CCS = modifier_code(_INTEL, 5)
INTEL_4_TILED = modifier_code(_INTEL, 9)
SAMSUNG_16_16_TILE = modifier_code(_SAMSUNG, 2)
MTK_16L_32S_TILE = modifier_code(_MTK, 1)
SAMSUNG_64_32_TILE = modifier_code(_SAMSUNG, 1)
"""Tiles of 64 bytes by 32 rows, two by two through two rows of them (V4L2's NV12MT)."""

ALLWINNER_TILED = modifier_code(_ALLWINNER, 1)
"""Tiles of 32 bytes by 32 rows, in order (V4L2's NV12_32L32)."""


_NAMES: Mapping[int, str] = MappingProxyType(
    {
        LINEAR: "LINEAR",
        INVALID: "INVALID",
        INTEL_X_TILED: "INTEL_X_TILED",
        INTEL_Y_TILED: "INTEL_Y_TILED",
        INTEL_YF_TILED: "INTEL_YF_TILED",
        INTEL_Y_TILED_CCS: "INTEL_Y_TILED_CCS",
        INTEL_YF_TILED_CCS: "INTEL_YF_TILED_CCS",
        modifier_code(_INTEL, 6): "INTEL_Y_TILED_GEN12_RC_CCS",
        modifier_code(_INTEL, 7): "INTEL_Y_TILED_GEN12_MC_CCS",
        modifier_code(_INTEL, 8): "INTEL_Y_TILED_GEN12_RC_CCS_CC",
        INTEL_4_TILED: "INTEL_4_TILED",
        modifier_code(_INTEL, 10): "INTEL_4_TILED_DG2_RC_CCS",
        modifier_code(_INTEL, 11): "INTEL_4_TILED_DG2_MC_CCS",
        modifier_code(_INTEL, 12): "INTEL_4_TILED_DG2_RC_CCS_CC",
        modifier_code(_INTEL, 13): "INTEL_4_TILED_MTL_RC_CCS",
        modifier_code(_INTEL, 14): "INTEL_4_TILED_MTL_MC_CCS",
        modifier_code(_INTEL, 15): "INTEL_4_TILED_MTL_RC_CCS_CC",
        modifier_code(_INTEL, 16): "INTEL_4_TILED_LNL_CCS",
        modifier_code(_INTEL, 17): "INTEL_4_TILED_BMG_CCS",
        modifier_code(_NVIDIA, 1): "NVIDIA_TEGRA_TILED",
        SAMSUNG_64_32_TILE: "SAMSUNG_64_32_TILE",
        SAMSUNG_16_16_TILE: "SAMSUNG_16_16_TILE",
        modifier_code(_QCOM, 1): "QCOM_COMPRESSED",
        modifier_code(_QCOM, 2): "QCOM_TILED2",
        modifier_code(_QCOM, 3): "QCOM_TILED3",
        modifier_code(_VIVANTE, 1): "VIVANTE_TILED",
        modifier_code(_VIVANTE, 2): "VIVANTE_SUPER_TILED",
        modifier_code(_VIVANTE, 3): "VIVANTE_SPLIT_TILED",
        modifier_code(_VIVANTE, 4): "VIVANTE_SPLIT_SUPER_TILED",
        modifier_code(_BROADCOM, 1): "BROADCOM_VC4_T_TILED",
        modifier_code(_BROADCOM, 6): "BROADCOM_UIF",
        modifier_code(_ARM, 1 << 52 | 1): "ARM_16X16_BLOCK_U_INTERLEAVED",
        ALLWINNER_TILED: "ALLWINNER_TILED",
        MTK_16L_32S_TILE: "MTK_16L_32S_TILE",  # from Linux 6.14 on
    }
)
_VALUES: Mapping[str, int] = MappingProxyType({name: value for value, name in _NAMES.items()})

# Broadcom's column formats: the code says the column's width, and the parameter
# (bits 8 and up) the column's height in rows.
_SAND: Mapping[int, int] = MappingProxyType({2: 32, 3: 64, 4: 128, 5: 256})
_SAND_CODE: Mapping[int, int] = MappingProxyType({width: code for code, width in _SAND.items()})
_MAX_SAND_PARAMETER = (1 << 48) - 1

_AFBC_BLOCKS: Mapping[int, str] = MappingProxyType(
    {1: "16x16", 2: "32x8", 3: "64x4", 4: "32x8_64x4"}
)
_AFBC_FLAGS: tuple[str, ...] = (
    "YTR", "SPLIT", "SPARSE", "CBR", "TILED", "SC", "DB", "BCH", "USM",
)  # bits 4 and up  # fmt: skip


_SAND_MASK = 0xFF << 56 | 0xFF

MODIFIER_FAMILIES: Mapping[int, int] = MappingProxyType(
    {modifier_code(_BROADCOM, code): _SAND_MASK for code in _SAND}
)
"""Modifiers that stand for a whole family where a device lists them, each with the mask of the
bits that its members share: the others are a parameter that follows from the picture. A display
that lists BROADCOM_SAND128(0) takes columns of any height (vc4_plane.c,
vc4_format_mod_supported); a decoder of 1080 rows writes those of 1620 or 1632."""


def family_of(modifier: int) -> int | None:
    """The modifier that stands for the family of this one; None where it is in none."""
    if modifier >> 56 != _BROADCOM:
        return None
    family = modifier & _SAND_MASK
    return family if family in MODIFIER_FAMILIES else None


def columns_so_high(family: int, height: int) -> int:
    """The member of a family of columns (`family_of`) that are so many rows high."""
    return family | height << 8


class Superblocks(NamedTuple):
    """What AFBC compresses at once: so many pixels, with headers in tiles or one by one."""

    width: int
    height: int
    tiled: bool

    @property
    def alignment(self) -> tuple[int, int]:
        """What the width and the height of a buffer are multiples of, pixels."""
        many = 8 if self.tiled else 1  # drm_gem_framebuffer_helper.c, AFBC_TH_LAYOUT_ALIGNMENT
        return self.width * many, self.height * many


def columns_of(modifier: int) -> tuple[int, int] | None:
    """The width in bytes and the height in rows of Broadcom's columns; None for other modifiers.

    The height is 0 where the modifier stands for columns of any.
    """
    if modifier >> 56 != _BROADCOM or modifier & 0xFF not in _SAND:
        return None
    return _SAND[modifier & 0xFF], (modifier & INVALID) >> 8


def superblocks_of(modifier: int) -> Superblocks | None:
    """The superblocks of AFBC; None for others, and for sizes that the kernel knows no use of."""
    code = modifier & INVALID
    if modifier >> 56 != _ARM or code >> 4 + len(_AFBC_FLAGS) or code & 0xF not in (1, 2):
        return None
    width, height = (16, 16) if code & 0xF == 1 else (32, 8)
    return Superblocks(width, height, tiled=bool(code >> 4 & 1 << _AFBC_FLAGS.index("TILED")))


def _sand(code: int) -> str | None:
    width = _SAND.get(code & 0xFF)
    return None if width is None else f"BROADCOM_SAND{width}({code >> 8})"


def _afbc(code: int) -> str | None:
    block = _AFBC_BLOCKS.get(code & 0xF)
    flags = code >> 4
    if block is None or flags >> len(_AFBC_FLAGS):
        return None
    said = [name for bit, name in enumerate(_AFBC_FLAGS) if flags >> bit & 1]
    return f"ARM_AFBC({','.join([block, *said])})"


_DESCRIBED: Mapping[int, Callable[[int], str | None]] = MappingProxyType(
    {_BROADCOM: _sand, _ARM: _afbc}
)


def modifier_name(modifier: int) -> str:
    """A modifier for people: `LINEAR`, `INTEL_X_TILED`, `BROADCOM_SAND128(96)`, `AMD(0x1a)`.

    What no name is known for is its vendor with a number, and `parse_modifier`
    reads all of them back.
    """
    name = _NAMES.get(modifier)
    if name is not None:
        return name
    vendor, code = modifier >> 56, modifier & INVALID
    describe = _DESCRIBED.get(vendor)
    described = describe(code) if describe is not None else None
    if described is not None:
        return described
    if vendor and vendor in VENDORS:
        return f"{VENDORS[vendor]}({code:#x})"
    return f"{modifier:#018x}"


def parse_modifier(text: str) -> int:
    """The modifier that `modifier_name` printed, or a number (`0x...` or decimal).

    Raises `InputError` for anything else.
    """
    spelled = text.strip()
    upper = spelled.upper()
    if upper in _VALUES:
        return _VALUES[upper]
    spelled_out = re.fullmatch(r"([A-Z]+)(?:_(SAND|AFBC)(\d*))?\((.*)\)", upper)
    if spelled_out is not None:
        vendor, scheme, width, inside = spelled_out.groups()
        try:
            return _parse_called(vendor, scheme, width, inside)
        except (ValueError, KeyError):
            raise InputError(f"{shown(text)} is not a format modifier") from None
    try:
        number = int(spelled, 0)
    except ValueError:
        number = -1
    if not 0 <= number <= _MAX_MODIFIER:
        what = f"give a name or a number from 0x0 to {_MAX_MODIFIER:#x}"
        raise InputError(f"{shown(text)} is not a format modifier: {what}")
    return number


def _parse_called(vendor: str, scheme: str | None, width: str, inside: str) -> int:
    """The modifier of `VENDOR_SCHEMEwidth(inside)`; ValueError or KeyError if it is none."""
    if scheme == "SAND" and vendor == "BROADCOM":
        column_height = int(inside, 0)
        if not 0 <= column_height <= _MAX_SAND_PARAMETER:
            raise ValueError(inside)
        return modifier_code(_BROADCOM, column_height << 8 | _SAND_CODE[int(width)])
    if scheme == "AFBC" and vendor == "ARM":
        block, *flags = inside.split(",")
        code = {name.upper(): bits for bits, name in _AFBC_BLOCKS.items()}[block]
        for flag in flags:
            code |= 1 << 4 + _AFBC_FLAGS.index(flag)
        return modifier_code(_ARM, code)
    code = int(inside, 0)
    if scheme is not None or not 0 <= code <= INVALID:
        raise ValueError(inside)
    return modifier_code({name: bits for bits, name in VENDORS.items()}[vendor], code)
