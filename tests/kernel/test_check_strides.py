"""The comparison of Intel's longest pitches with i915's functions, on a tree of a few lines."""

import pytest
from check_facts import check
from kernel_source import KernelSource

FILE = "drivers/gpu/drm/i915/display/acme_plane.c"
SOURCE = """
static unsigned int old_max_stride(struct intel_plane *plane, u32 pixel_format, u64 modifier)
{
    int cpp = info->cpp[0];
    /* No further than the register says */
    if (modifier == I915_FORMAT_MOD_X_TILED)
        return min(4096 * cpp, 16 * 1024);
    else
        return 32 * 1024;
}
static unsigned int of_three_max_stride(struct intel_plane *plane)
{
    if (plane->number == PLANE_C)
        return 4 * 1024;
    else
        return 8 * 1024;
}
static unsigned int even_max_stride(struct intel_plane *plane)
{
    return min(8192 * cpp, 16 * 1024);
}
static unsigned int
plane_max_stride(unsigned int rotation, unsigned int max_pixels, unsigned int max_bytes)
{
    if (drm_rotation_90_or_270(rotation))
        return min(max_pixels, max_bytes / cpp);
    else
        return min(max_pixels * cpp, max_bytes);
}
static unsigned int new_max_stride(struct intel_plane *plane)
{
    unsigned int max_pixels = 8192; /* of an offset */
    unsigned int max_bytes = 32 * 1024;

    return plane_max_stride(rotation, max_pixels, max_bytes);
}
static unsigned int void_max_stride(struct intel_plane *plane)
{
    ask(cpp);
}
"""
FOURCCS = "include/uapi/drm/drm_fourcc.h"
SHARED = {
    FILE: SOURCE,
    FOURCCS: "#define I915_FORMAT_MOD_X_TILED ((1ULL << 56) | 1)\n",
    **dict.fromkeys(
        ("include/drm/drm_fourcc.h", "include/uapi/linux/videodev2.h", "include/linux/sizes.h"), ""
    ),
    "include/drm/drm_atomic_helper.h": "",
}
OLD = "old_max_stride: return min(4096 * cpp, 16 * 1024)"
OLD_LINEAR = "old_max_stride: else return 32 * 1024"
OF_THREE = "of_three_max_stride: else return 8 * 1024"
EVEN = "even_max_stride: return min(8192 * cpp, 16 * 1024)"
NEW = "new_max_stride: max_pixels = 8192"


@pytest.fixture
def tree(tmp_path):
    for file, text in SHARED.items():
        path = tmp_path / "linux" / file
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return tmp_path


def row(value, where):
    return f'''{{ type = "max-pitch", value = {value}, source = "{FILE}: {where}" }},'''


def profile(formats, modifier, *of_set, of_use=(), extends=()):
    return f"""
extends = {list(extends)}
[[use]]
usage = "scanout"
constraints = [{"".join(of_use)}]
[[use.set]]
formats = {formats}
modifiers = ["{modifier}"]
constraints = [{"".join(of_set)}]
source = "seen"
"""


def told(tree, text, **others):
    for name, one in {"acme": text, **others}.items():
        (tree / f"{name}.toml").write_text(one)
    differences = check(tree, KernelSource(tree / "linux")).differences
    return [line for line in differences if line.startswith("acme: ")]


@pytest.mark.parametrize(
    ("fourcc", "modifier", "right", "where"),
    [
        ("C8", "INTEL_X_TILED", 4096, OLD),
        ("RGB565", "INTEL_X_TILED", 8192, OLD),
        ("YUYV", "INTEL_X_TILED", 8192, OLD),  # two pixels in four bytes
        ("XRGB8888", "INTEL_X_TILED", 16384, OLD),
        ("XBGR16161616F", "INTEL_X_TILED", 16384, OLD),
        ("C8", "LINEAR", 32768, OLD_LINEAR),
        ("XRGB8888", "LINEAR", 8192, OF_THREE),
        ("NV12", "LINEAR", 8192, EVEN),
        ("P010", "LINEAR", 16384, EVEN),
        ("NV12", "INTEL_Y_TILED", 8192, NEW),
        ("Y210", "INTEL_Y_TILED", 32768, NEW),
    ],
)
def test_the_longest_pitch_is_the_functions_for_each_format(tree, fourcc, modifier, right, where):
    assert told(tree, profile([fourcc], modifier, row(right, where))) == []
    for wrong in (right // 2, 2 * right):
        [line] = told(tree, profile([fourcc], modifier, row(wrong, where)))
        assert line.endswith(f"{wrong} for {fourcc} {modifier}, and {right} there")


def test_formats_of_one_set_are_compared_each_by_itself(tree):
    [line] = told(tree, profile(["XRGB8888", "RGB565"], "INTEL_X_TILED", row(16384, OLD)))
    assert "16384 for RGB565" in line


def test_a_number_of_all_sets_is_bounded_by_those_of_one(tree):
    of_use = [row(32768, NEW)]
    assert told(tree, profile(["XRGB8888"], "LINEAR", of_use=of_use)) == []
    [line] = told(tree, profile(["NV12"], "LINEAR", of_use=of_use))
    assert "32768 for NV12 LINEAR, and 8192 there" in line
    assert told(tree, profile(["NV12"], "LINEAR", row(8192, NEW), of_use=of_use)) == []


def test_what_a_profile_extends_bounds_its_formats_too(tree):
    base = profile(["RGB565"], "LINEAR", row(16384, NEW), of_use=[row(32768, NEW)])
    middle = profile(["P010"], "LINEAR", row(16384, NEW), extends=["base"])
    text = profile(["NV12", "RGB565", "P010"], "LINEAR", extends=["middle"])
    [line] = told(tree, text, base=base, middle=middle)
    assert "32768 for NV12 LINEAR, and 8192 there" in line


def test_a_text_that_is_not_there_is_told(tree):
    [line] = told(tree, profile(["C8"], "INTEL_X_TILED", row(4096, f"{OLD} + 1")))
    assert "does not say" in line


@pytest.mark.parametrize(
    ("fourcc", "where", "said"),
    [
        ("XRGB8888", "void_max_stride: ask(cpp)", "returns nothing"),
        ("YU08", OLD_LINEAR, "YU08 has no bytes a pixel"),
    ],
)
def test_what_cannot_be_followed_is_told(tree, fourcc, where, said):
    [line] = told(tree, profile([fourcc], "LINEAR", row(4096, where)))
    assert said in line
