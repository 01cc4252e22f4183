"""How many planes a buffer has in memory: those of its format, and those of its modifier.

Beside the pixels some compressed layouts keep in planes of their own what tells how they are
compressed (Intel's CCS, AMD's DCC), or what colour is clear. DRM and linux-dmabuf count them
like any other plane, after those of the format. `make check-facts` compares the numbers with
the tables of both drivers.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from heapwire.protocol.values.constraint import MAX_PLANES
from heapwire.protocol.values.pixels.format import FORMATS, ROWLESS
from heapwire.protocol.values.pixels.modifier import modifier_code

_INTEL, _AMD = 1, 2
_VERSION_BITS = 0xFF  # AMD_FMT_MOD_TILE_VERSION
_DCC, _DCC_RETILE = 1 << 13, 1 << 14
# From GFX9 to GFX11: before there are no modifiers, and later none of these planes
# (drivers/gpu/drm/amd/amdgpu/amdgpu_display.c, amdgpu_lookup_format_info).
_WITH_DCC_PLANES = range(1, 5)

_OF_INTEL: Mapping[int, tuple[int, int]] = MappingProxyType(
    {
        **{modifier_code(_INTEL, code): (2, 0) for code in (4, 5, 6, 7, 13, 14)},
        **{modifier_code(_INTEL, code): (2, 1) for code in (8, 15)},
        modifier_code(_INTEL, 12): (1, 1),
    }
)
"""For each plane of the format so many, and so many beside them for the clear colour.

drivers/gpu/drm/i915/display/intel_fb.c, intel_modifiers: skl_ccs_formats, gen12_ccs_formats,
gen12_ccs_cc_formats, gen12_flat_ccs_cc_formats.
"""


def plane_count(fourcc: int, modifier: int) -> int | None:
    """The planes of a buffer in memory; None for a format that is not known.

    Of a modifier that is not known, what its driver keeps beside the pixels is not counted.
    """
    format_ = FORMATS.get(fourcc) or ROWLESS.get(fourcc)
    if format_ is None:
        return None
    planes, vendor = len(format_.planes), modifier >> 56
    if vendor == _INTEL:
        each, beside = _OF_INTEL.get(modifier, (1, 0))
        planes = min(planes * each + beside, MAX_PLANES)
    elif vendor == _AMD and planes == 1 and modifier & _VERSION_BITS in _WITH_DCC_PLANES:
        planes += bool(modifier & (_DCC | _DCC_RETILE)) + bool(modifier & _DCC_RETILE)
    return planes
