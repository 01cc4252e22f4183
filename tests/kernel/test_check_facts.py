"""The comparison of profiles with the kernel's source, on a tree of a few lines."""

import pytest
from check_facts import MOST_UNCOMPARED, Outcome, check
from check_formats import check_formats
from check_members import INTEL_IDS, members, pci_ids
from kernel_source import KernelSource, SourceError

DRIVER = "drivers/gpu/drm/acme/acme.c"
SOURCE = """
#include "acme.h"
/* DRM_FORMAT_NV16 is not one of them */
static const u32 acme_formats[] = {
    DRM_FORMAT_XRGB8888, // the usual one
    DRM_FORMAT_NV12,
};
static const u64 acme_modifiers[] = {
    DRM_FORMAT_MOD_LINEAR,
    DRM_FORMAT_MOD_ARM_AFBC(AFBC_FORMAT_MOD_BLOCK_SIZE_16x16 |
                AFBC_FORMAT_MOD_SPARSE),
    DRM_FORMAT_MOD_INVALID
};
static const struct acme_size acme_sizes[] = {
    { .fourcc = V4L2_PIX_FMT_NV12, .frmsize = { .max_width = ACME_WIDE, .step = 16 } },
    { .fourcc = V4L2_PIX_FMT_H264, .frmsize = { .max_width = 640, .step = 8 } },
};
static int acme_pitch(int width)
{
    if (acme_formats[0])
        return 7;
    return ALIGN(width * 4, ACME_STEP / 2);
}
static int acme_check(struct drm_plane_state *state)
{
    if (state->fb)
        return check(state, FRAC_16_16(1, 6), FRAC_16_16(5, 1));
    if (state->crtc)
        return check(state, DRM_PLANE_NO_SCALING, DRM_PLANE_NO_SCALING);
    return check(state, (1000 << 16) / 5000, ACME_MOST << 16);
}
static int acme_plane(struct acme *acme)
{
    u32 encodings = BIT(DRM_COLOR_YCBCR_BT601) | BIT(DRM_COLOR_YCBCR_BT709);
    if (acme->new)
        encodings |= BIT(DRM_COLOR_YCBCR_BT2020);
    write(acme, 0x4A8, MATRIX);
    return properties(acme, encodings, BIT(DRM_COLOR_YCBCR_FULL_RANGE), DRM_COLOR_YCBCR_BT709,
                      DRM_COLOR_YCBCR_LIMITED_RANGE);
}
static const struct drm_driver acme_driver = {
    .name = DRIVER_NAME,
    ACME_HELPERS,
};
static struct platform_driver acme_platform_driver = {
    .driver = { .name = "acme-drm", },
};
static const struct of_device_id acme_match[] = {
    { .compatible = "acme,one" },
    { .compatible = "acme,two" },
    {},
};
"""
HEADER = """
#define ACME_WIDE 4096U
#define ACME_STEP SZ_128
#define ACME_MOST 12
#define FRAC_16_16(mult, div) (((mult) << 16) / (div))
#define DRIVER_NAME "acme"
"""
SHARED = {
    "include/uapi/drm/drm_fourcc.h": """
#define fourcc_code(a, b, c, d) ((__u32)(a) | ((__u32)(b) << 8) | \\
                 ((__u32)(c) << 16) | ((__u32)(d) << 24))
#define fourcc_mod_code(vendor, val) \\
    ((((__u64)DRM_FORMAT_MOD_VENDOR_## vendor) << 56) | ((val) & 0x00ffffffffffffffULL))
#define DRM_FORMAT_MOD_VENDOR_NONE 0
#define DRM_FORMAT_MOD_VENDOR_ARM 0x08
#define DRM_FORMAT_XRGB8888 fourcc_code('X', 'R', '2', '4')
#define DRM_FORMAT_NV12 fourcc_code('N', 'V', '1', '2')
#define DRM_FORMAT_MOD_LINEAR fourcc_mod_code(NONE, 0)
#define DRM_FORMAT_MOD_INVALID fourcc_mod_code(NONE, ((1ULL << 56) - 1))
#define DRM_FORMAT_MOD_ARM_CODE(t, v) fourcc_mod_code(ARM, ((__u64)(t) << 52) | (v))
#define DRM_FORMAT_MOD_ARM_AFBC(mode) DRM_FORMAT_MOD_ARM_CODE(0x00, mode)
#define AFBC_FORMAT_MOD_BLOCK_SIZE_16x16 (1ULL)
#define AFBC_FORMAT_MOD_SPARSE (1ULL << 6)
""",
    "include/drm/drm_fourcc.h": "",
    "include/uapi/linux/videodev2.h": """
#define v4l2_fourcc(a, b, c, d) \\
    ((__u32)(a) | ((__u32)(b) << 8) | ((__u32)(c) << 16) | ((__u32)(d) << 24))
#define V4L2_PIX_FMT_NV12 v4l2_fourcc('N', 'V', '1', '2')
#define V4L2_PIX_FMT_NV12M v4l2_fourcc('N', 'M', '1', '2')
#define V4L2_PIX_FMT_NV12MT_16X16 v4l2_fourcc('V', 'M', '1', '2')
#define V4L2_PIX_FMT_RGB24 v4l2_fourcc('R', 'G', 'B', '3')
#define V4L2_PIX_FMT_H264 v4l2_fourcc('H', '2', '6', '4')
#define V4L2_PIX_FMT_SRGGB8 v4l2_fourcc('R', 'G', 'G', 'B')
""",
    "include/linux/sizes.h": "#define SZ_128 0x00000080\n",
    "include/drm/drm_atomic_helper.h": "#define DRM_PLANE_NO_SCALING (1<<16)\n",
}
PROFILE = f"""
title = "Acme"
members-source = "{DRIVER}: acme_pitch"
drivers = ["acme-drm"]
api-drivers = ["acme"]
compatibles = ["acme,one", "acme,two"]

[[use]]
usage = "scanout"
constraints = [
  {{ type = "pitch-alignment", value = 64, source = "{DRIVER}: acme_pitch: ALIGN(width*4, ACME_STEP/2)" }},
]

[[use.set]]
formats = ["XRGB8888"]
modifiers = ["LINEAR", "ARM_AFBC(16x16,SPARSE)"]
source = "{DRIVER}: acme_formats"
modifiers-source = "{DRIVER}: acme_modifiers"

[[use.set]]
formats = ["NV12"]
source = "{DRIVER}: acme_formats"

[[use]]
usage = "decode"
constraints = [
  {{ type = "max-width", value = 4096, source = "{DRIVER}: acme_sizes[V4L2_PIX_FMT_NV12]: .max_width = ACME_WIDE" }},
  {{ type = "width-alignment", value = 16, source = "{DRIVER}: acme_sizes[V4L2_PIX_FMT_NV12]: .step = 16" }},
]

[[use.set]]
formats = ["NV12"]
source = "{DRIVER}: acme_sizes"
"""  # noqa: E501


@pytest.fixture
def tree(tmp_path):
    for file, text in {**SHARED, DRIVER: SOURCE, DRIVER.replace(".c", ".h"): HEADER}.items():
        path = tmp_path / "linux" / file
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return tmp_path


def compared(tree, text):
    (tree / "acme.toml").write_text(text.replace("members-source", "nameless-source"))
    return check(tree, KernelSource(tree / "linux"))


def test_what_agrees_is_no_difference(tree):
    outcome = compared(tree, PROFILE)
    assert outcome.differences == []
    assert (outcome.compared, outcome.uncompared) == (6, [])


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("ARM_AFBC(16x16,SPARSE)", "ARM_AFBC(16x16,YTR)", "the source lacks ARM_AFBC(16x16,YTR)"),
        ('formats = ["XRGB8888"]', 'formats = ["XRGB8888", "NV21"]', "the source lacks NV21"),
        ("value = 64", "value = 32", "32 is not among"),
        ("value = 4096", "value = 1920", "1920 is not among"),
        ("value = 16,", "value = 8,", "8 is not among"),
        ("ALIGN(width*4", "ALIGN(width*8", "acme_pitch does not say"),
        (": acme_formats", ": acme_formatz", "has no acme_formatz"),
        ("acme.c: acme_pitch: ", "acme.c: acme_pitch", "not written as file"),
    ],
)
def test_a_row_that_differs_is_told(tree, old, new, told):
    assert old in PROFILE
    outcome = compared(tree, PROFILE.replace(old, new))
    assert any(told in line for line in outcome.differences), outcome


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("DRM_FORMAT_NV12,", ""),
        ("DRM_FORMAT_NV12,", "DRM_FORMAT_NV12, DRM_FORMAT_XRGB8888 + 1,"),
        ("V4L2_PIX_FMT_H264", "V4L2_PIX_FMT_SRGGB8"),
        ("    DRM_FORMAT_MOD_LINEAR,\n", ""),
        ("ACME_STEP / 2", "ACME_STEP"),
        (".max_width = ACME_WIDE", ".max_width = 640"),
    ],
)
def test_a_kernel_that_differs_is_told(tree, old, new):
    driver = tree / "linux" / DRIVER
    assert old in SOURCE
    driver.write_text(SOURCE.replace(old, new, 1))
    if "+ 1" in new:  # an expression is read for its names, which are the same
        assert compared(tree, PROFILE).differences == []
        return
    assert compared(tree, PROFILE).differences


SCALING = f"""
title = "Acme"

[[use]]
usage = "scanout"
constraints = [
  {{ type = "scaling", value = [LEAST, MOST], source = "{DRIVER}: acme_check: TEXT" }},
]
"""


@pytest.mark.parametrize(
    ("least", "most", "text", "told"),
    [
        (10922, 327680, "FRAC_16_16(1, 6), FRAC_16_16(5, 1)", None),  # a sixth and five
        (10922, 262144, "FRAC_16_16(1, 6), FRAC_16_16(5, 1)", "262144 is not among"),
        (8192, 327680, "FRAC_16_16(1, 6), FRAC_16_16(5, 1)", "8192 is not among"),
        (65536, 65536, "DRM_PLANE_NO_SCALING, DRM_PLANE_NO_SCALING", None),
        (65536, 65536, "if (state->crtc)", None),
        (65536, 65536, "if (state->plane)", "does not say"),
        (13107, 786432, "5000, ACME_MOST << 16", None),  # thousandths, and a factor
        (13108, 786432, "5000, ACME_MOST << 16", "13108 is not among"),
    ],
)
def test_a_scale_is_compared_with_the_factors_that_it_is(tree, least, most, text, told):
    row = SCALING.replace("LEAST", str(least)).replace("MOST]", f"{most}]").replace("TEXT", text)
    outcome = compared(tree, row)
    assert outcome.compared == 1
    assert [told in line for line in outcome.differences] == ([] if told is None else [True])


@pytest.mark.parametrize(
    ("degrees", "text", "told"),
    [
        (["0", "180"], "can_turn(state, DRM_MODE_ROTATE_0 | DRM_MODE_ROTATE_180)", None),
        (["0"], "can_turn(state, DRM_MODE_ROTATE_0 | DRM_MODE_ROTATE_180)", "the rows lack 180"),
        (["0", "90", "180", "270"], "return DRM_MODE_ROTATE_MASK", None),
        (["0", "180"], "return DRM_MODE_ROTATE_MASK", "the rows lack 270, 90"),
        (["0"], "if (state->upright)", None),  # the words are the proof
        (["0"], "if (state->turned)", "does not say"),
    ],
)
def test_rotations_are_compared_with_those_that_are_named(tree, degrees, text, told):
    turns = """
static int acme_turns(struct drm_plane_state *state)
{
    if (state->upright)
        return can_turn(state, DRM_MODE_ROTATE_0 | DRM_MODE_ROTATE_180);
    return DRM_MODE_ROTATE_MASK;
}
"""
    (tree / "linux" / DRIVER).write_text(SOURCE + turns)
    rows = SCALING.replace(
        '"scaling", value = [LEAST, MOST]', f'"when-rotation", value = {degrees}'
    )
    outcome = compared(tree, rows.replace("acme_check: TEXT", f"acme_turns: {text}"))
    assert [told in line for line in outcome.differences] == ([] if told is None else [True])


@pytest.mark.parametrize(
    ("place", "told"),
    [
        ("acme_pitch: return 7", None),
        ("acme_pitch: return 8", "does not say"),
        ("acme_pitch", "say which text of it"),
    ],
)
@pytest.mark.parametrize("said", ["import-is-no-proof", "takes-any-memory"])
def test_what_is_said_of_all_memory_stands_in_the_source(tree, said, place, told):
    use = f'title = "Acme"\n[[use]]\nusage = "scanout"\n{said} = "{DRIVER}: {place}"\n'
    outcome = compared(tree, use)
    assert outcome.compared == 1
    assert [told in line for line in outcome.differences] == ([] if told is None else [True])


COLOURS = f"""
title = "Acme"

[[use]]
usage = "scanout"
constraints = [{{ type = "colours", value = VALUE, source = "{DRIVER}: acme_planeTEXT" }}]

[[use.set]]
formats = ["NV12"]
source = "{DRIVER}: acme_formats: DRM_FORMAT_NV12"
"""
BOTH = "encodings = BIT(DRM_COLOR_YCBCR_BT601) | BIT(DRM_COLOR_YCBCR_BT709); if (acme->new)"


@pytest.mark.parametrize(
    ("value", "text", "told"),
    [
        (["BT.601 full", "BT.709 full"], f": {BOTH}", None),
        (["BT.601 full"], f": {BOTH}", "the rows lack BT.709 full"),
        (["BT.601 full", "BT.709 full", "BT.2020 full"], f": {BOTH}", "lacks BT.2020 full"),
        (["BT.601 limited", "BT.709 full"], f": {BOTH}", "the source lacks BT.601 limited"),
        (["BT.601 limited"], ": write(acme, 0x4A8, MATRIX)", None),
        (["BT.601 limited"], ": write(acme, 0x4A9, MATRIX)", "does not say"),
        (["BT.601 limited"], "", "say which text of it"),
    ],
)
def test_colours_are_compared_with_a_planes_properties(tree, value, text, told):
    outcome = compared(tree, COLOURS.replace("VALUE", str(value)).replace("TEXT", text))
    assert outcome.compared == 2
    assert [told in line for line in outcome.differences] == ([] if told is None else [True])


PIXELS = f"""
title = "Acme"

[[use]]
usage = "sampling"

[[use.set]]
formats = FORMATS
constraints = [
  {{ type = "pitch-alignment", value = VALUE, source = "{DRIVER}: acme_align: return bytespp * ALIGN(width, 32)" }},
]
source = "acme/user-space, acme.c: acme_formats"
"""  # noqa: E501


@pytest.mark.parametrize(
    ("formats", "value", "told"),
    [
        (["XRGB8888", "ABGR8888"], 128, None),
        (["YUYV", "RGB565"], 64, None),
        (["NV12", "YUV420"], 32, None),
        (["RGB565"], 128, "128 is not among"),
        (["XRGB8888"], 32, "32 is not among"),
    ],
)
def test_a_pitch_of_pixels_is_compared_in_bytes(tree, formats, value, told):
    more = (
        "static int acme_align(int width, int bpp)\n{\n    return bytespp * ALIGN(width, 32);\n}\n"
    )
    driver = tree / "linux" / DRIVER
    driver.write_text(driver.read_text() + more)
    row = PIXELS.replace("FORMATS", str(formats).replace("'", '"')).replace("VALUE", str(value))
    outcome = compared(tree, row)
    assert outcome.compared == 1
    assert [told in line for line in outcome.differences] == ([] if told is None else [True])


@pytest.mark.parametrize(
    ("modifier", "value", "told"),
    [
        ("INTEL_Y_TILED", 384, None),  # three tiles of 128 bytes
        ("INTEL_X_TILED", 1536, None),
        ("INTEL_X_TILED", 384, "384 is not among"),
        ("INTEL_Y_TILED", 128, "128 is not among"),
        ("INTEL_Y_TILED", 3, "3 is not among"),
    ],
)
def test_a_pitch_of_tiles_is_compared_in_bytes(tree, modifier, value, told):
    more = "static int acme_align(int tile_width)\n{\n    return tile_width *= 3;\n}\n"
    driver = tree / "linux" / DRIVER
    driver.write_text(driver.read_text() + more)
    row = PIXELS.replace("FORMATS", f'["XRGB8888"]\nmodifiers = ["{modifier}"]')
    row = row.replace("return bytespp * ALIGN(width, 32)", "tile_width *= 3")
    outcome = compared(tree, row.replace("VALUE", str(value)))
    assert outcome.compared == 1
    assert [told in line for line in outcome.differences] == ([] if told is None else [True])


@pytest.mark.parametrize(
    ("value", "text", "differs"),
    [
        ([1, 2560], "width <= 2560", False),
        ([3841, 65536], "p->width > 3840", False),  # it ends nowhere
        ([3842, 65536], "p->width > 3840", True),
        ([1, 2561], "width <= 2560", True),
    ],
)
def test_a_range_of_widths_is_compared_where_it_is_bounded(tree, value, text, differs):
    driver = tree / "linux" / DRIVER
    driver.write_text(
        f"{driver.read_text()}static int acme_wide(int width)\n{{\n    if ({text})\n}}\n"
    )
    row = SCALING.replace("scaling", "when-width").replace("[LEAST, MOST]", str(value))
    outcome = compared(tree, row.replace("acme_check: TEXT", f"acme_wide: {text}"))
    assert outcome.compared == 1
    assert bool(outcome.differences) is differs, outcome.differences


def test_an_entry_is_not_taken_for_another(tree):
    other = PROFILE.replace(
        "acme_sizes[V4L2_PIX_FMT_NV12]: .step", "acme_sizes[V4L2_PIX_FMT_H264]: .step"
    )
    assert any("does not say '.step = 16'" in line for line in compared(tree, other).differences)


def test_a_number_needs_its_text(tree):
    vague = PROFILE.replace("[V4L2_PIX_FMT_NV12]: .max_width = ACME_WIDE", "")
    assert compared(tree, vague.replace("value = 4096", "value = 12345")).differences


ELSEWHERE = "Mesa 25.0.7, src/acme/acme.c: acme_sizes"


def read_elsewhere(tree, place):
    return compared(tree, PROFILE.replace(f'{DRIVER}: acme_sizes"', f'{place}"'))


def test_what_was_read_elsewhere_is_counted_and_told(tree):
    outcome = read_elsewhere(tree, ELSEWHERE)
    assert outcome.uncompared == [f"acme: formats: {ELSEWHERE}"]
    assert outcome.differences == []
    assert outcome.share == pytest.approx(1 / 6)
    assert Outcome().share == 0
    assert MOST_UNCOMPARED == 0.2


@pytest.mark.parametrize(
    ("place", "good"),
    [
        ("Linux 6.14, include/acme.h: ACME_SIZE", True),
        ("acme/linux, drivers/acme.c: acme_sizes[NV12]: .step = 16", True),
        ("acme/firmware acme-6.6.y, acme.c: acme_check: ALIGN(height, 16); seen too", True),
        ("", False),
        ("seen on a board", False),
        ("as for sampling", False),
        ("Mesa acme (the list: unchecked)", False),
        ("Mesa, src/acme/acme.c: acme_sizes", False),  # of which release
        ("acme/linux, acme.c, acme_check: 16", False),
        ("acme/linux, acme.c", False),
        ("acme.c of acme: acme_check", False),
        ("what the display takes; Mesa 25.0.7, src/acme.c: acme_sizes", False),
    ],
)
def test_what_was_read_elsewhere_says_whose_file_and_symbol(tree, place, good):
    outcome = read_elsewhere(tree, place)
    assert len(outcome.uncompared) == 1
    assert [(place or "no source") in line for line in outcome.differences] == [True] * (not good)


def test_the_members_of_a_class_have_all_their_names(tree):
    source = KernelSource(tree / "linux")
    assert members(source, "ACME_HELPERS") == ({"acme-drm"}, {"acme"}, {"acme,one", "acme,two"})
    text = PROFILE.replace('acme.c: acme_pitch"', 'acme.h: ACME_HELPERS"')
    (tree / "linux" / DRIVER.replace(".c", ".h")).write_text(HEADER + "#define ACME_HELPERS 1\n")
    (tree / "acme.toml").write_text(text)
    assert check(tree, source).differences == []
    (tree / "acme.toml").write_text(text.replace('"acme,one", ', ""))
    assert "the rows lack acme,one" in check(tree, source).differences[0]


MODELS = """
static const struct {
    u32 number;
    const struct acme_desc *desc;
} acme_models[] = {
    INTEL_ONE_IDS(ACME_MODEL, &one_desc),
    INTEL_TWO_IDS(ACME_MODEL, &two_desc),
    INTEL_MORE_IDS(ACME_MODEL, &two_desc),
};
"""
NUMBERS = """
#define INTEL_ONE_IDS(MACRO__, ...) \\
    MACRO__(0x1a02, ## __VA_ARGS__), /* the first, 0x1 */ \\
    MACRO__(0x1A03, ## __VA_ARGS__)
#define INTEL_TWO_IDS(MACRO__, ...) \\
    MACRO__(0x0166, ## __VA_ARGS__)
#define INTEL_MORE_IDS(MACRO__, ...) \\
    INTEL_TWO_IDS(MACRO__, ## __VA_ARGS__), \\
    MACRO__(0x0167, ## __VA_ARGS__)
"""


def test_a_model_is_known_by_the_numbers_of_its_list(tree):
    (tree / "linux" / DRIVER).write_text(SOURCE + MODELS)
    ids = tree / "linux" / INTEL_IDS
    ids.parent.mkdir(parents=True)
    ids.write_text(NUMBERS)
    source = KernelSource(tree / "linux")
    one = {"pci:v00008086d00001A02*", "pci:v00008086d00001A03*"}
    two = {"pci:v00008086d00000166*", "pci:v00008086d00000167*"}
    assert pci_ids(source, DRIVER, "acme_models", "&one_desc") == one
    assert pci_ids(source, DRIVER, "acme_models", "&two_desc, &one_desc") == one | two
    with pytest.raises(SourceError, match="acme_models has no &three_desc"):
        pci_ids(source, DRIVER, "acme_models", "&one_desc, &three_desc")
    text = f"""
title = "Two"
members-source = "{DRIVER}: acme_models: &two_desc"
compatibles = ["pci:v00008086d00000166*", "pci:v00008086d00000168*"]
"""
    (tree / "acme.toml").write_text(text)
    [told, unnamed] = check(tree, source).differences
    assert "lacks pci:v00008086d00000168*" in told
    assert "the rows lack pci:v00008086d00000167*" in told
    assert unnamed == "no profile is for &one_desc of acme_models"
    (tree / "one.toml").write_text(text.replace("&two_desc", "&one_desc"))
    assert not [line for line in check(tree, source).differences if "no profile" in line]


@pytest.mark.parametrize(
    ("value", "told"), [(4096, False), (16384, False), (32768, True), (16388, True)]
)
def test_each_bound_of_a_minimum_is_a_number(tree, value, told):
    least = "static int acme_least(int cpp) { return min(4096 * cpp, 16 * 1024); }\n"
    (tree / "linux" / DRIVER).write_text(SOURCE + least)
    row = SCALING.replace("scaling", "max-pitch").replace("[LEAST, MOST]", str(value))
    row = row.replace("acme_check: TEXT", "acme_least: return min(4096 * cpp, 16 * 1024)")
    assert bool(compared(tree, row).differences) is told


def test_what_is_not_there_is_told(tree):
    source = KernelSource(tree / "linux")
    with pytest.raises(SourceError, match="cannot be read"):
        source.region("drivers/none.c", "nothing")
    with pytest.raises(SourceError, match="no number"):
        source.value(DRIVER, "width * 4")


INFO = """
const struct drm_format_info *__drm_format_info(u32 format)
{
    static const struct drm_format_info formats[] = {
        { .format = DRM_FORMAT_XRGB8888, .num_planes = 1, .cpp = { 4, 0, 0 }, .hsub = 1, .vsub = 1 },
#ifdef __BIG_ENDIAN
        { .format = DRM_FORMAT_XRGB8888 | DRM_FORMAT_BIG, .num_planes = 1, .cpp = { 4 }, .hsub = 1, .vsub = 1 },
#endif
        { .format = DRM_FORMAT_NV12, .depth = 0, .num_planes = 2,
          .char_per_block = { 1, 2, 0 }, .block_w = { 1, 1, 0 }, .block_h = { 1, 1, 0 },
          .hsub = 2, .vsub = 2, .is_yuv = true },
        { .format = DRM_FORMAT_YUYV, .num_planes = 1, .cpp = { 2, 0, 0 }, .hsub = 2, .vsub = 1, .is_yuv = true },
        { .format = DRM_FORMAT_Y0L0, .num_planes = 1,
          .char_per_block = { 8, 0, 0 }, .block_w = { 2, 0, 0 }, .block_h = { 2, 0, 0 },
          .hsub = 2, .vsub = 2, .has_alpha = true, .is_yuv = true },
        { .format = DRM_FORMAT_VUY101010, .num_planes = 1, .cpp = { 0, 0, 0 }, .hsub = 1, .vsub = 1, .is_yuv = true },
    };
    return formats;
}
"""  # noqa: E501
V4L2_INFO = """
const struct v4l2_format_info *v4l2_format_info(u32 format)
{
    static const struct v4l2_format_info formats[] = {
        { .format = V4L2_PIX_FMT_RGB24, .mem_planes = 1, .comp_planes = 1, .bpp = { 3, 0, 0, 0 }, .bpp_div = { 1, 1, 1, 1 }, .hdiv = 1, .vdiv = 1 },
        { .format = V4L2_PIX_FMT_NV12, .mem_planes = 1, .comp_planes = 2, .bpp = { 1, 2, 0, 0 }, .bpp_div = { 1, 1, 1, 1 }, .hdiv = 2, .vdiv = 2 },
        { .format = V4L2_PIX_FMT_NV12M, .mem_planes = 2, .comp_planes = 2, .bpp = { 1, 2, 0, 0 }, .bpp_div = { 1, 1, 1, 1 }, .hdiv = 2, .vdiv = 2 },
        { .format = V4L2_PIX_FMT_NV12MT_16X16, .mem_planes = 2, .comp_planes = 2, .bpp = { 1, 2, 0, 0 }, .bpp_div = { 1, 1, 1, 1 }, .hdiv = 2, .vdiv = 2,
          .block_w = { 16, 8, 0, 0 }, .block_h = { 16, 8, 0, 0 }},
        { .format = V4L2_PIX_FMT_SRGGB8, .mem_planes = 1, .comp_planes = 1, .bpp = { 1, 0, 0, 0 }, .bpp_div = { 1, 1, 1, 1 }, .hdiv = 1, .vdiv = 1 },
    };
}
"""  # noqa: E501
CODES = {
    "YUYV": "YUYV",
    "Y0L0": "Y0L0",
    "VUY101010": "VU30",
    "YUV420_8BIT": "YU08",
    "YUV420_10BIT": "YU10",
    "R16": "R16 ",
    "GR88": "GR88",
    "XVUY8888": "XVUY",
    "AVUY8888": "AVUY",
    "BIG": "BIG ",
}


AFBC_BITS = """static __u32 drm_gem_afbc_get_bpp(struct drm_device *dev)
{
	switch (info->format) {
	case DRM_FORMAT_YUV420_8BIT:
		return 12;
	case DRM_FORMAT_YUV420_10BIT:
		return 15;
	case DRM_FORMAT_VUY101010:
		return 30;
	}
}
"""


def formats_compared(tree, text=INFO, v4l2=V4L2_INFO, bits=AFBC_BITS):
    common = tree / "linux/drivers/media/v4l2-core/v4l2-common.c"
    common.parent.mkdir(parents=True)
    common.write_text(v4l2)
    header = tree / "linux/include/uapi/drm/drm_fourcc.h"
    defined = "".join(
        f"#define DRM_FORMAT_{name} fourcc_code({', '.join(map(repr, code))})\n"
        for name, code in CODES.items()
    )
    header.write_text(SHARED["include/uapi/drm/drm_fourcc.h"] + defined)
    (tree / "linux/drivers/gpu/drm/drm_fourcc.c").write_text(text)
    (tree / "linux/drivers/gpu/drm/drm_gem_framebuffer_helper.c").write_text(bits)
    _, faults = check_formats(KernelSource(tree / "linux"))
    return {fault.split(": ")[1]: fault for fault in faults}


def test_the_formats_are_the_kernels(tree):
    told = formats_compared(tree)
    compared = {"XRGB8888", "NV12", "YUYV", "Y0L0", "R16", "GR88", "XVUY8888", "AVUY8888"}
    assert told.keys().isdisjoint(compared)
    assert "lacks it" in told["P010"]  # which this little table has not
    assert "VU30" not in told  # no plane of it is said
    assert not any(name.startswith("V4L2") for name in told)


def test_a_pixel_without_rows_that_differs_is_told(tree):
    told = formats_compared(tree, bits=AFBC_BITS.replace("return 15", "return 16"))
    assert "15 bits a pixel, and 16 in the kernel" in told["YUV420_10BIT"]
    assert "lacks it" in told["YU08"]  # as this little table does


@pytest.mark.parametrize(
    ("old", "new", "name", "said"),
    [
        ("NV12, .depth = 0, .num_planes = 2", "NV12, .num_planes = 1", "NV12", "2 planes"),
        ("{ 1, 2, 0 }", "{ 1, 3, 0 }", "NV12", "plane 1 has 2 bytes a sample, the kernel says 3"),
        (".hsub = 2, .vsub = 2, .is_yuv", ".hsub = 2, .vsub = 1, .is_yuv", "NV12", "other pixels"),
        (".hsub = 2, .vsub = 1, .is_yuv", ".hsub = 4, .vsub = 1, .is_yuv", "YUYV", "whole samples"),
        (".block_h = { 2, 0, 0 }", ".block_h = { 4, 0, 0 }", "Y0L0", "the kernel says 1"),
        (".has_alpha = true, ", "", "Y0L0", "has_alpha"),
        ("VUY101010, .num_planes = 1, .cpp = { 0", "VUY101010, .num_planes = 1, .cpp = { 4", "VU30",
         "the table lacks it"),
    ],
)  # fmt: skip
def test_a_format_that_differs_is_told(tree, old, new, name, said):
    assert old in INFO
    assert said in formats_compared(tree, INFO.replace(old, new, 1))[name]


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("{ 3, 0, 0, 0 }", "{ 4, 0, 0, 0 }", "plane 0 of BGR888 is not V4L2's"),
        ("{ 1, 2, 0, 0 }", "{ 1, 4, 0, 0 }", "plane 1 of NV12 is not V4L2's"),
        ("NV12, .mem_planes = 1", "NV12, .mem_planes = 2", "has 2 buffers"),
        ("NV12M, .mem_planes = 2", "NV12M, .mem_planes = 1", "has 1 buffers"),
        (".vdiv = 2 }", ".vdiv = 1 }", "plane 1 of NV12 is not V4L2's"),
        (".comp_planes = 2", ".comp_planes = 3", "NV12 has 2 planes"),
        (".block_h = { 16, 8,", ".block_h = { 16, 16,", "the tiles of plane 1"),
    ],
)
def test_a_picture_of_v4l2s_that_differs_is_told(tree, old, new, said):
    assert old in V4L2_INFO
    told = formats_compared(tree, v4l2=V4L2_INFO.replace(old, new, 1))
    [fault] = [fault for name, fault in told.items() if name.startswith("V4L2")]
    assert said in fault
