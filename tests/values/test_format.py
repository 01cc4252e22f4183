"""Formats, modifiers and their names."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given, strategies as st

from heapwire.protocol import InputError, UsageError
from heapwire.protocol.values import (
    FORMATS,
    INVALID,
    LINEAR,
    SAMSUNG_64_32_TILE,
    TILINGS,
    columns_of,
    format_of,
    fourcc,
    fourcc_name,
    modifier_name,
    parse_fourcc,
    parse_modifier,
    plane_count,
    superblocks_of,
)
from heapwire.protocol.values.pixels.modifier import modifier_code


@pytest.mark.parametrize(
    ("name", "code", "planes", "bits"),
    [
        ("XRGB8888", "XR24", 1, 32),
        ("ARGB8888", "AR24", 1, 32),
        ("XBGR8888", "XB24", 1, 32),
        ("RGB565", "RG16", 1, 16),
        ("ABGR16161616F", "AB4H", 1, 64),
        ("NV12", "NV12", 2, 12),
        ("NV21", "NV21", 2, 12),
        ("NV16", "NV16", 2, 16),
        ("NV61", "NV61", 2, 16),
        ("P010", "P010", 2, 24),
        ("NV15", "NV15", 2, 15),
        ("P030", "P030", 2, 16),
        ("YUV420", "YU12", 3, 12),
        ("YVU420", "YV12", 3, 12),
        ("YUYV", "YUYV", 1, 16),
        ("UYVY", "UYVY", 1, 16),
        ("AYUV", "AYUV", 1, 32),
        ("VUY888", "VU24", 1, 24),
        ("Y210", "Y210", 1, 32),
        ("Y410", "Y410", 1, 32),
        ("XVYU12_16161616", "XV36", 1, 64),
        ("X0L2", "X0L2", 1, 16),
        ("NV30", "NV30", 2, 30),
        ("Q410", "Q410", 3, 48),
        ("YUV410", "YUV9", 3, 9),
        ("YVU411", "YV11", 3, 12),
    ],
)
def test_the_table(name: str, code: str, planes: int, bits: int) -> None:
    format_ = format_of(parse_fourcc(name))
    assert format_ is not None
    assert format_.fourcc == fourcc(code) == int.from_bytes(code.encode(), "little")
    assert len(format_.planes) == planes
    # Of a whole picture without padding.
    assert bits == sum(
        Fraction(
            8 * plane.bytes_per_block,
            plane.block_width * plane.block_height * plane.horizontal * plane.vertical,
        )
        for plane in format_.planes
    )


def test_rows_are_counted_in_whole_samples_and_blocks() -> None:
    luma, chroma = FORMATS[parse_fourcc("NV12")].planes
    assert (luma.row_bytes(101), luma.rows(7)) == (101, 7)
    assert (chroma.row_bytes(101), chroma.rows(7)) == (102, 4)
    (packed,) = FORMATS[parse_fourcc("YUYV")].planes
    assert packed.row_bytes(101) == 204
    ten_bit, _ = FORMATS[parse_fourcc("P030")].planes
    assert ten_bit.row_bytes(96) == 128  # three samples in four bytes


@pytest.mark.parametrize(
    ("name", "width", "row"),
    [
        ("Y210", 1921, 7688), ("Y216", 2, 8), ("Y410", 1921, 7684), ("XV36", 5, 40),
        ("XVYU16161616", 3, 24), ("VU24", 5, 15), ("AYUV", 7, 28), ("AVUY", 7, 28),
    ],
)  # fmt: skip
def test_packed_yuv_has_rows_of_whole_samples(name: str, width: int, row: int) -> None:
    """drm_fourcc.c: cpp 4 or 8, and for Y21x 8 bytes for each two pixels."""
    format_ = FORMATS[parse_fourcc(name)]
    assert format_.is_yuv
    assert [plane.row_bytes(width) for plane in format_.planes] == [row]


def test_a_block_of_two_rows_has_the_pitch_of_one() -> None:
    """DRM's pitch counts by rows: 2x2 pixels in 8 bytes are 2 bytes a pixel."""
    (tiled,) = FORMATS[parse_fourcc("Y0L0")].planes
    assert (tiled.row_bytes(1920), tiled.rows(1080)) == (3840, 1080)
    assert (tiled.row_bytes(101), tiled.rows(7)) == (204, 8)  # the last blocks are whole


def test_alpha_has_an_opaque_twin_with_the_same_planes() -> None:
    for format_ in FORMATS.values():
        assert (format_.opaque is not None) == format_.has_alpha
        if format_.opaque is not None:
            twin = FORMATS[format_.opaque]
            assert twin.planes == format_.planes
            assert not twin.has_alpha


@given(st.integers(0, (1 << 32) - 1))
def test_every_fourcc_has_a_name_that_is_read_back(code: int) -> None:
    assert parse_fourcc(fourcc_name(code)) == code


@given(
    st.one_of(
        st.integers(0, (1 << 64) - 1),
        st.builds(modifier_code, st.integers(0, 12), st.integers(0, 1 << 14)),
    )
)
def test_every_modifier_has_a_name_that_is_read_back(modifier: int) -> None:
    assert parse_modifier(modifier_name(modifier)) == modifier


@pytest.mark.parametrize(
    ("text", "modifier"),
    [
        ("LINEAR", LINEAR),
        ("linear", LINEAR),
        ("INVALID", INVALID),
        ("0x0", LINEAR),
        ("INTEL_X_TILED", 0x0100000000000001),
        ("SAMSUNG_64_32_TILE", 0x0400000000000001),
        ("BROADCOM_SAND128(96)", 0x0700000000006004),
        ("ARM_AFBC(16x16,YTR,SPARSE)", 0x0800000000000051),
        ("NVIDIA(0x15)", 0x0300000000000015),
    ],
)
def test_names_of_modifiers(text: str, modifier: int) -> None:
    assert parse_modifier(text) == modifier
    assert parse_modifier(f"{modifier:#x}") == modifier


@pytest.mark.parametrize(
    "text",
    [
        *("", "TILED", "-1", "0x1ffffffffffffffff", "ARM_AFBC(9x9)", "ARM_AFBC(16x16,LOUD)"),
        *("BROADCOM_SAND7(1)", "BROADCOM_SAND128(-1)", "BROADCOM_SAND128(0x1000000000000)"),
        *("FOO(0x1)", "NVIDIA(0x100000000000000)", "NVIDIA_SAND128(1)", "NVIDIA(-1)"),
    ],
)
def test_what_is_no_modifier(text: str) -> None:
    with pytest.raises(InputError, match="not a format modifier"):
        parse_modifier(text)


@pytest.mark.parametrize("text", ["", "NV123", "0x", "0x1ffffffff", "é"])
def test_what_is_no_format(text: str) -> None:
    with pytest.raises(InputError, match="not a pixel format"):
        parse_fourcc(text)


def test_the_highest_sand_columns() -> None:
    assert parse_modifier("BROADCOM_SAND256(0xffffffffffff)") == 0x07FF_FFFF_FFFF_FF05


@pytest.mark.parametrize("code", ["NV123", "é", "12345"])
def test_what_a_program_cannot_mean_by_a_code(code: str) -> None:
    with pytest.raises(UsageError, match="not a four-character code"):
        fourcc(code)


def test_linear_is_a_tile_of_one_byte() -> None:
    assert (TILINGS[LINEAR].tile_width, TILINGS[LINEAR].tile_rows) == (1, 1)
    assert INVALID not in TILINGS


def test_characters_that_would_read_as_a_number_are_given_as_one() -> None:
    code = fourcc("0xAB")
    assert fourcc_name(code) == "0x42417830"
    assert parse_fourcc(fourcc_name(code)) == code


@pytest.mark.parametrize(
    ("modifier", "name"),
    [
        (1 << 55, "0x0080000000000000"),  # no vendor's
        (
            0x0800_0000_0000_0000 | 0x1FF1,
            "ARM_AFBC(16x16,YTR,SPLIT,SPARSE,CBR,TILED,SC,DB,BCH,USM)",
        ),
        (0x0800_0000_0000_0000 | 0x2001, "ARM(0x2001)"),
        (0x0800_0000_0000_0000 | 0x0005, "ARM(0x5)"),
        (0x0700_0000_0000_0000 | 0x6006, "BROADCOM(0x6006)"),
        (0xEE00_0000_0000_0001, "0xee00000000000001"),
    ],
)
def test_modifiers_that_no_table_names(modifier: int, name: str) -> None:
    assert modifier_name(modifier) == name
    assert parse_modifier(name) == modifier


def test_columns_and_superblocks_are_read_off_the_modifier() -> None:
    assert columns_of(parse_modifier("BROADCOM_SAND128(1632)")) == (128, 1632)
    assert columns_of(parse_modifier("BROADCOM_SAND32(0)")) == (32, 0)
    assert columns_of(parse_modifier("BROADCOM_UIF")) is None
    small = superblocks_of(parse_modifier("ARM_AFBC(16x16,SPARSE)"))
    assert small is not None
    assert (small.alignment, small.tiled) == ((16, 16), False)
    wide = superblocks_of(parse_modifier("ARM_AFBC(32x8,TILED)"))
    assert wide is not None
    assert wide.alignment == (256, 64)
    for other in ("ARM_AFBC(64x4)", "ARM(0x2001)", "ARM_16X16_BLOCK_U_INTERLEAVED", "LINEAR"):
        assert superblocks_of(parse_modifier(other)) is None


def test_paired_tiles_go_two_by_two_through_two_rows():
    """pixfmt-yuv-planar.rst, V4L2_PIX_FMT_NV12MT, has the picture of it."""
    tiling = TILINGS[SAMSUNG_64_32_TILE]
    places = tiling.places(4, 3)
    assert places[:4] == (0, 1, 6, 7)
    assert places[4:8] == (2, 3, 4, 5)
    assert places[8:] == (8, 9, 10, 11)  # a last row without another
    for columns, rows in ((2, 1), (6, 4), (30, 17), (30, 34)):
        assert sorted(tiling.places(columns, rows)) == list(range(columns * rows))
    assert TILINGS[LINEAR].places(2, 2) == (0, 1, 2, 3)


@pytest.mark.parametrize(
    ("fourcc_", "modifier", "planes"),
    [
        ("XRGB8888", "INTEL_Y_TILED", 1),
        ("XRGB8888", "INTEL_Y_TILED_CCS", 2),
        ("NV12", "INTEL_Y_TILED_GEN12_MC_CCS", 4),
        ("YUYV", "INTEL_4_TILED_MTL_MC_CCS", 2),
        ("ARGB8888", "INTEL_Y_TILED_GEN12_RC_CCS_CC", 3),  # the clear colour too
        ("ARGB8888", "INTEL_4_TILED_DG2_RC_CCS_CC", 2),  # what compresses is elsewhere
        ("NV12", "INTEL_4_TILED_DG2_MC_CCS", 2),
        ("XRGB8888", "INTEL_4_TILED_BMG_CCS", 1),
        # AMD: version in bits 0 to 7, DCC in bit 13, tiled anew in bit 14.
        ("XRGB8888", "AMD(0x0000001)", 1),
        ("XRGB8888", "AMD(0x0002001)", 2),
        ("RGB565", "AMD(0x0006004)", 3),
        ("XRGB8888", "AMD(0x0002005)", 1),
        ("NV12", "AMD(0x0002001)", 2),
        ("NV12", "LINEAR", 2),
        ("YUV420", "ARM_AFBC(16x16)", 3),
        ("YU08", "ARM_AFBC(16x16)", 1),
        ("YUV420", "INTEL_Y_TILED_GEN12_MC_CCS", 4),  # nobody lists it; more there are not
    ],
)
def test_planes_in_memory(fourcc_: str, modifier: str, planes: int) -> None:
    assert plane_count(parse_fourcc(fourcc_), parse_modifier(modifier)) == planes


def test_nobody_knows_the_planes_of_a_format_that_nobody_knows() -> None:
    assert plane_count(fourcc("QQ4P"), LINEAR) is None
