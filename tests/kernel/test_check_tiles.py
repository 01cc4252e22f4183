"""The comparison of Intel's tiles, on a driver of a few lines."""

import pytest
from check_tiles import FILE, check_tiles
from kernel_source import KernelSource, SourceError

pytestmark = pytest.mark.system

HEADER = """
#define I915_FORMAT_MOD_X_TILED ((1ULL << 56) | 1)
#define I915_FORMAT_MOD_Y_TILED ((1ULL << 56) | 2)
#define I915_FORMAT_MOD_Yf_TILED ((1ULL << 56) | 3)
#define I915_FORMAT_MOD_Y_TILED_CCS ((1ULL << 56) | 4)
#define I915_FORMAT_MOD_Yf_TILED_CCS ((1ULL << 56) | 5)
#define I915_FORMAT_MOD_4_TILED ((1ULL << 56) | 9)
"""
DRIVER = """
static const struct drm_format_info skl_ccs_formats[] = {
    { .format = DRM_FORMAT_XRGB8888, .num_planes = 2, .cpp = { 4, 1, }, .hsub = 8, .vsub = 16, },
    { .format = DRM_FORMAT_XBGR8888, .num_planes = 2, .cpp = { 4, 1, }, .hsub = 8, .vsub = 16, },
    { .format = DRM_FORMAT_ARGB8888, .num_planes = 2, .cpp = { 4, 1, }, .hsub = 8, .vsub = 16, },
    { .format = DRM_FORMAT_ABGR8888, .num_planes = 2, .cpp = { 4, 1, }, .hsub = 8, .vsub = 16, },
};
unsigned int intel_tile_size(const struct drm_i915_private *i915)
{
    return DISPLAY_VER(i915) == 2 ? 2048 : 4096;
}
unsigned int
intel_tile_width_bytes(const struct drm_framebuffer *fb, int color_plane)
{
    unsigned int cpp = fb->format->cpp[color_plane];

    switch (fb->modifier) {
    case I915_FORMAT_MOD_X_TILED:
        return 512;
    case I915_FORMAT_MOD_Yf_TILED_CCS:
        if (intel_fb_is_ccs_aux_plane(fb, color_plane))
            return 128;
        fallthrough;
    case I915_FORMAT_MOD_Yf_TILED:
        return cpp == 1 ? 64 : cpp > 4 ? 256 : 128;
    default:
        return 128;
    }
}
unsigned int intel_tile_height(const struct drm_framebuffer *fb, int color_plane)
{
    return intel_tile_size(to_i915(fb->dev)) / intel_tile_width_bytes(fb, color_plane);
}
"""


@pytest.fixture
def tree(tmp_path):
    def made(driver: str) -> KernelSource:
        for file, text in ((FILE, driver), ("include/uapi/drm/drm_fourcc.h", HEADER)):
            (tmp_path / file).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / file).write_text(text)
        return KernelSource(tmp_path)

    return made


def test_the_tiles_are_the_drivers(tree) -> None:
    compared, differences = check_tiles(tree(DRIVER))
    assert compared > 400
    assert differences == []


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("return 512", "return 256", "INTEL_X_TILED: a tile of plane 0 of R8 is 512 bytes by 8"),
        ("cpp > 4 ? 256", "cpp > 8 ? 256", "INTEL_YF_TILED: a tile of plane 0 of ABGR16161616"),
        ("            return 128;", "            return 64;",
         "_YF_TILED_CCS: a tile of plane 1 of XRGB8888 is 128 bytes by 32 rows, and i915's 64"),
        (": 4096;", ": 8192;", "and i915's 128 by 64"),
        (".hsub = 8, .vsub = 16, },\n};", ".hsub = 8, .vsub = 32, },\n};", "are compressed"),
        ("DRM_FORMAT_ABGR8888", "DRM_FORMAT_RGB565", "are compressed"),
    ],
)  # fmt: skip
def test_a_tile_that_differs_is_told(tree, old, new, told) -> None:
    assert old in DRIVER
    assert any(told in line for line in check_tiles(tree(DRIVER.replace(old, new)))[1])


def test_what_cannot_be_compiled_is_told(tree) -> None:
    with pytest.raises(SourceError, match="cannot be compiled"):
        check_tiles(tree(DRIVER.replace("return 512", "return width_of(fb->what)")))
