"""The comparison of numbers of planes with the drivers' tables, on a tree of a few lines."""

import pytest
from check_planes import check_planes
from kernel_source import KernelSource
from test_check_facts import SHARED

PLANES = {
    "drivers/gpu/drm/i915/display/intel_fb.c": """
static const struct drm_format_info ccs_formats[] = {
    { .format = DRM_FORMAT_XRGB8888, .depth = 24, .num_planes = 2,
      .cpp = { 4, 1, }, },
    { .format = DRM_FORMAT_NV12, .num_planes = 4, .cpp = { 1, 2, 1, 1 }, },
};
static const struct intel_modifier_desc intel_modifiers[] = {
    {
        .modifier = I915_FORMAT_MOD_MC_CCS,
        FORMAT_OVERRIDE(ccs_formats),
    }, {
        .modifier = DRM_FORMAT_MOD_LINEAR,
    },
};
""",
    "drivers/gpu/drm/amd/amdgpu/amdgpu_display.c": """
static const struct drm_format_info dcc_formats[] = {
    { .format = DRM_FORMAT_XRGB8888, .num_planes = 2, },
};
static const struct drm_format_info dcc_retile_formats[] = {
    { .format = DRM_FORMAT_XRGB8888, .num_planes = 3, },
};
""",
}


@pytest.fixture
def linux(tmp_path):
    """A tree of the headers that the profiles' test has, and of these drivers."""
    for file, text in {**SHARED, **PLANES}.items():
        path = tmp_path / file
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    header = tmp_path / "include/uapi/drm/drm_fourcc.h"
    header.write_text(f"{header.read_text()}#define I915_FORMAT_MOD_MC_CCS ((1ULL << 56) | 7)\n")
    return tmp_path


def test_the_planes_are_the_drivers(linux):
    count, faults = check_planes(KernelSource(linux))
    assert faults == []
    assert count > 2 + 8  # every format that has no more planes than its own is one


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        (".num_planes = 4", ".num_planes = 3", "NV12 INTEL_Y_TILED_GEN12_MC_CCS: 4, and 3 there"),
        (".num_planes = 2, }", ".num_planes = 1, }", "XRGB8888 AMD(0x2001): 2, and 1 there"),
        (".num_planes = 3, }", ".num_planes = 4, }", "XRGB8888 AMD(0x6004): 3, and 4 there"),
        ("dcc_retile_formats", "dcc_other_formats", "has no dcc_retile_formats"),
        (
            "DRM_FORMAT_MOD_LINEAR",
            "I915_FORMAT_MOD_MC_CCS",
            "XRGB8888 INTEL_Y_TILED_GEN12_MC_CCS: 2, and 1 there",
        ),
    ],
)
def test_a_number_of_planes_that_differs_is_told(linux, old, new, told):
    for file in PLANES:
        path = linux / file
        path.write_text(path.read_text().replace(old, new))
    _, faults = check_planes(KernelSource(linux))
    assert any(told in fault for fault in faults), faults
