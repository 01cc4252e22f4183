"""Layouts to the byte: the worked numbers of real devices."""

from __future__ import annotations

import pytest
from problem_building import NV12, SYSTEM, XRGB, ask, heap, need, of, pair, part

from heapwire.protocol.explain import solve
from heapwire.protocol.values import Constraint, Extent, Extents, FormatModifier, Layout, LayoutKind


def layout_of(
    format_: FormatModifier, *constraints: Constraint, size: tuple[int, int] = (1920, 1080)
) -> Layout:
    answer = solve(ask(part("device", of(format_, *constraints)), size=size))
    return answer.plans[0].layout


VENUS = (
    need("pitch-alignment", 128),
    need("scanline-alignment", 32, 0),
    need("scanline-alignment", 16, 1),
    need("size-alignment", 4096),
)


def sizes_of_planes(layout: Layout) -> list[int]:
    """The bytes of each plane, from its start to the next one's or the object's end."""
    starts = [plane.offset for plane in layout.planes]
    return [
        end - start
        for start, end in zip(starts, [*starts[1:], layout.objects[0].size], strict=True)
    ]


class TestNv12At1080p:
    def test_venus(self) -> None:
        layout = layout_of(NV12, *VENUS)
        assert [plane.pitch for plane in layout.planes] == [1920, 1920]
        assert sizes_of_planes(layout) == [2_088_960, 1_044_480]
        assert [one.size for one in layout.objects] == [3_133_440]

    def test_venus_before_its_padding_was_removed(self) -> None:
        """4 KiB and 8 KiB more, rounded up to 4096 (venus/helpers.c before 2025)."""
        layout = layout_of(NV12, *VENUS, need("padding", 12288, 1))
        assert [one.size for one in layout.objects] == [3_145_728]

    def test_cedrus_tiles_of_32_by_32(self) -> None:
        layout = layout_of(pair("NV12", "ALLWINNER_TILED"))
        assert layout.kind is LayoutKind.EXACT
        assert [plane.pitch for plane in layout.planes] == [1920, 1920]
        assert sizes_of_planes(layout) == [2_088_960, 1_044_480]

    def test_exynos_mfc_version_8(self) -> None:
        layout = layout_of(
            NV12,
            need("pitch-alignment", 16),
            need("scanline-alignment", 32),
            need("padding", 64),
        )
        assert sizes_of_planes(layout) == [2_089_024, 1_044_544]

    def test_amd_luma_pitch(self) -> None:
        assert layout_of(NV12, need("pitch-alignment", 256)).planes[0].pitch == 2048

    def test_rk3399_has_128_bytes_more_for_each_macroblock(self) -> None:
        plain = layout_of(NV12, need("height-alignment", 16)).objects[0].size
        padded = (
            layout_of(NV12, need("height-alignment", 16), need("macroblock-padding", 128))
            .objects[0]
            .size
        )
        assert plain == 1920 * 1088 * 3 // 2
        assert padded == plain + 120 * 68 * 128


class TestXrgbOf1366Pixels:
    @pytest.mark.parametrize(
        ("format_", "alignment", "pitch"),
        [
            (XRGB, 64, 5504),  # Rockchip, and Intel linear
            (XRGB, 256, 5632),  # AMD
            (pair("XRGB8888", "INTEL_X_TILED"), 64, 5632),
        ],
    )
    def test_pitch(self, format_: FormatModifier, alignment: int, pitch: int) -> None:
        layout = layout_of(format_, need("pitch-alignment", alignment), size=(1366, 768))
        assert layout.planes[0].pitch == pitch

    def test_x_tiles_come_in_whole_rows_of_8(self) -> None:
        layout = layout_of(pair("XRGB8888", "INTEL_X_TILED"), size=(1366, 761))
        assert layout.objects[0].size == 5632 * 768

    def test_y_tiles_are_128_bytes_by_32_rows(self) -> None:
        layout = layout_of(pair("XRGB8888", "INTEL_Y_TILED"), size=(1366, 761))
        assert (layout.planes[0].pitch, layout.objects[0].size) == (5504, 5504 * 768)


class TestTiles:
    """Pictures of 1366x768 and 1920x1080, with their rows and columns made up to whole tiles."""

    def test_intels_4_tiles_are_128_bytes_by_32_rows(self) -> None:
        """i915/display/intel_fb.c, intel_tile_width_bytes: 128, of 4096 bytes a tile."""
        layout = layout_of(pair("XRGB8888", "INTEL_4_TILED"), size=(1366, 761))
        assert layout.kind is LayoutKind.EXACT
        # 1366 * 4 = 5464 bytes are 43 tiles, 761 rows are 24.
        assert (layout.planes[0].pitch, layout.objects[0].size) == (43 * 128, 43 * 24 * 4096)

    @pytest.mark.parametrize(
        ("name", "planes"),
        [
            # By the bytes of a sample: columns of tiles, rows of tiles, bytes of a tile's row.
            ("R8", [(22, 12, 64)]),  # 1366 bytes, 761 rows
            ("RGB565", [(22, 24, 128)]),  # 2732 bytes
            ("YUYV", [(22, 24, 128)]),
            ("XRGB8888", [(43, 24, 128)]),  # 5464 bytes
            ("XBGR16161616F", [(43, 48, 256)]),  # 10928 bytes
            ("NV12", [(22, 12, 64), (11, 12, 128)]),  # 683 samples of 2 bytes, 381 rows
            ("P010", [(22, 24, 128), (22, 12, 128)]),  # 683 samples of 4 bytes
        ],
    )
    def test_intels_yf_tiles_are_as_wide_as_the_samples_ask_for(self, name, planes) -> None:
        """i915/display/intel_fb.c, intel_tile_width_bytes: 64, 128 or 256, of 4096 bytes a tile."""
        layout = layout_of(pair(name, "INTEL_YF_TILED"), size=(1366, 761))
        assert layout.kind is LayoutKind.EXACT
        assert [plane.pitch for plane in layout.planes] == [
            columns * width for columns, _, width in planes
        ]
        sizes = [columns * rows * 4096 for columns, rows, _ in planes]
        assert sizes_of_planes(layout) == sizes

    def test_samples_of_three_bytes_have_no_yf_tile(self) -> None:
        wanted = part("device", of(pair("RGB888", "INTEL_YF_TILED")))
        assert not solve(ask(wanted)).plans

    @pytest.mark.parametrize("modifier", ["INTEL_Y_TILED_CCS", "INTEL_YF_TILED_CCS"])
    def test_a_byte_beside_the_pixels_is_for_8_by_16_of_them(self, modifier) -> None:
        """i915/display/intel_fb.c, skl_ccs_formats; tiles of 128 bytes by 32 rows too."""
        layout = layout_of(pair("XRGB8888", modifier), size=(1366, 761))
        assert layout.kind is LayoutKind.EXACT
        # 171 bytes are two tiles, 48 rows as well.
        assert [plane.pitch for plane in layout.planes] == [43 * 128, 2 * 128]
        assert sizes_of_planes(layout) == [43 * 24 * 4096, 2 * 2 * 4096]
        assert layout.planes[1].offset % 4096 == 0
        assert not solve(ask(part("device", of(pair("RGB565", modifier))))).plans

    def test_macroblocks_have_chroma_of_8_rows(self) -> None:
        """v4l2_format_info, V4L2_PIX_FMT_NV12MT_16X16: blocks of 16x16 and 8x8 samples."""
        layout = layout_of(pair("NV12", "SAMSUNG_16_16_TILE"), size=(1366, 1090))
        assert [plane.pitch for plane in layout.planes] == [1376, 1376]  # 86 of 16
        # 1090 rows are 69 macroblocks; 545 of chroma are 69 of 8 rows.
        assert sizes_of_planes(layout) == [1376 * 1104, 1376 * 552]
        [rgb] = layout_of(pair("XRGB8888", "SAMSUNG_16_16_TILE"), size=(1366, 1090)).planes
        assert rgb.pitch == 1376 * 4  # of 16 pixels too

    def test_mediateks_tiles_are_32_rows_of_luma_and_16_of_chroma(self) -> None:
        """pixfmt-yuv-planar.rst, V4L2_PIX_FMT_MM21."""
        layout = layout_of(pair("NV12", "MTK_16L_32S_TILE"))
        assert [plane.pitch for plane in layout.planes] == [1920, 1920]
        assert sizes_of_planes(layout) == [1920 * 1088, 1920 * 544]

    @pytest.mark.parametrize(
        ("gobs", "rows"), [(0, 1080), (1, 1088), (2, 1088), (3, 1088), (4, 1152), (5, 1280)]
    )
    def test_tegras_blocks_are_64_bytes_by_8_rows_and_up_to_32_high(
        self, gobs: int, rows: int
    ) -> None:
        """drm_fourcc.h, DRM_FORMAT_MOD_NVIDIA_16BX2_BLOCK."""
        layout = layout_of(pair("XRGB8888", f"NVIDIA({0x10 | gobs:#x})"), size=(1366, 1080))
        assert layout.kind is LayoutKind.EXACT
        assert (layout.planes[0].pitch, layout.objects[0].size) == (5504, 5504 * rows)

    def test_blocks_that_no_tile_has_whole_are_their_drivers(self) -> None:
        assert not solve(ask(part("device", of(pair("P030", "SAMSUNG_16_16_TILE"))))).plans


def test_tiles_merge_with_alignments_that_are_no_powers_of_two() -> None:
    layout = layout_of(
        pair("R8", "ALLWINNER_TILED"),
        need("pitch-alignment", 48),
        need("scanline-alignment", 48),
        size=(100, 100),
    )
    assert layout.planes[0].pitch == 192  # of 48 and of 32 bytes
    assert layout.objects[0].size == 192 * 192  # of 48 and of 32 rows


def test_alignments_merge_before_anything_is_aligned() -> None:
    """The greatest of pitches aligned one by one, 48 and 64, satisfies neither for many widths."""
    for width in (1, 33, 100, 700, 4096):
        answer = solve(
            ask(
                part("one", of(pair("R8"), need("pitch-alignment", 48))),
                part("other", of(pair("R8"), need("pitch-alignment", 64))),
                size=(width, 4),
            )
        )
        pitch = answer.plans[0].layout.planes[0].pitch
        assert pitch % 48 == 0
        assert pitch % 64 == 0
        assert width <= pitch < width + 192


def test_how_often_the_greatest_of_aligned_pitches_is_wrong() -> None:
    """The count in the literature, so that the test above is about something."""
    wrong = sum(
        max(-(-width // 48) * 48, -(-width // 64) * 64) % 48 != 0
        or max(-(-width // 48) * 48, -(-width // 64) * 64) % 64 != 0
        for width in range(1, 4097)
    )
    assert wrong == 2752


@pytest.mark.parametrize(
    ("constraint", "pitch"),
    [
        (need("min-pitch", 8192), 8192),
        (need("min-pitch", 8193), 8193),
        (need("power-of-two-pitch"), 8192),
        (need("width-alignment", 64), 1408 * 4),
        (need("must-fit-width", 2000), 8000),
        (need("min-width", 1500), 6000),
    ],
    ids=lambda value: str(value) if isinstance(value, int) else hex(value.type),
)
def test_each_reason_for_a_wider_pitch(constraint: Constraint, pitch: int) -> None:
    assert layout_of(XRGB, constraint, size=(1366, 768)).planes[0].pitch == pitch


def test_a_pitch_ends_with_a_whole_pixel_where_that_is_asked_for() -> None:
    rgb = pair("RGB888")
    assert layout_of(rgb, need("pitch-alignment", 64), size=(101, 8)).planes[0].pitch == 320
    whole = layout_of(rgb, need("pitch-alignment", 64), need("pixel-boundary-pitch"), size=(101, 8))
    assert whole.planes[0].pitch == 384


@pytest.mark.parametrize(
    ("width", "constraints", "pitches"),
    [
        (1366, (), [5464]),
        (1366, (need("pitch-alignment", 8),), [5464]),
        (1280, (need("pitch-alignment", 64), need("width-alignment", 64)), [5120]),
        (1366, (need("pitch-alignment", 64),), None),
        (1366, (need("min-pitch", 5465),), None),
        (1366, (need("width-alignment", 4),), None),  # the room is wider than the picture
        (1024, (need("must-fit-width", 1280),), None),
        (1024, (need("must-fit-least-width", 640),), None),
    ],
    ids=str,
)  # fmt: skip
def test_an_exact_pitch_has_no_room_behind_a_row(width, constraints, pitches) -> None:
    asked = ask(
        part("device", of(XRGB, *constraints)),
        part("lcdif", of(XRGB, need("exact-pitch"))),
        size=(width, 480),
    )
    answer = solve(asked)
    if pitches is not None:
        assert [plane.pitch for plane in answer.plans[0].layout.planes] == pitches
    else:
        assert [member.constraint for member in answer.conflict] == [
            *constraints,
            need("exact-pitch"),
        ]


def test_an_exact_pitch_can_be_that_of_one_plane_alone() -> None:
    """And where pitches are tied, that of the others with it."""
    luma, coarse = need("exact-pitch", 1, 0), need("pitch-alignment", 64)
    assert not solve(ask(part("a", of(NV12, luma, coarse)), size=(1000, 8))).plans
    fine = (luma, need("pitch-alignment", 64, 1))
    layout = layout_of(NV12, *fine, size=(1000, 8))
    assert [plane.pitch for plane in layout.planes] == [1000, 1024]
    asked = ask(part("a", of(NV12, *fine, need("tied-pitch"))), size=(1000, 8))
    assert not solve(asked).plans


def test_planes_start_where_they_must_and_objects_end_where_they_must() -> None:
    layout = layout_of(
        NV12,
        need("offset-alignment", 4096, 1),
        need("size-alignment", 8192),
        size=(100, 7),
    )
    assert [plane.offset for plane in layout.planes] == [0, 4096]
    assert layout.objects[0].size == 8192


def test_an_address_alignment_holds_in_a_source_that_starts_so() -> None:
    coarse = heap("coarse", 3, alignment=1 << 17)
    fine = heap("fine", 2)
    answer = solve(
        ask(part("mfc", of(NV12, need("address-alignment", 1 << 17))), sources=(fine, coarse))
    )
    assert [plan.layout.objects[0].source for plan in answer.plans] == [coarse.id]
    assert answer.plans[0].layout.planes[1].offset % (1 << 17) == 0


def test_the_room_is_for_the_greatest_picture_of_the_stream() -> None:
    extents = Extents(
        coded=Extent(1280, 720), visible=Extent(1280, 718), maximum=Extent(1920, 1080)
    )
    answer = solve(ask(part("decoder", of(NV12)), extents=extents))
    assert answer.plans[0].layout.extent == Extent(1920, 1080)
    assert answer.plans[0].layout.planes[0].pitch == 1920


def test_a_greatest_width_limits_the_picture_and_not_its_padding() -> None:
    answer = solve(
        ask(
            part("decoder", of(NV12, need("height-alignment", 16))),
            part("display", of(NV12, need("max-height", 1080))),
        )
    )
    assert answer.plans[0].layout.extent == Extent(1920, 1088)


@pytest.mark.parametrize("limit", ["max-width", "max-height", "max-area", "max-pitch", "max-size"])
def test_a_picture_beyond_a_limit_is_refused_by_that_limit(limit: str) -> None:
    values = {"max-area": 1920 * 1080 - 1, "max-size": 1920 * 1080 * 3 // 2 - 1, "max-height": 1079}
    value = values.get(limit, 1919)
    just = ask(part("decoder", of(NV12, need(limit, value + 1))), sources=(SYSTEM,))
    assert solve(just).plans
    answer = solve(ask(part("decoder", of(NV12, need(limit, value))), sources=(SYSTEM,)))
    assert [member.constraint for member in answer.conflict] == [need(limit, value)]


def test_pitches_and_sizes_beyond_what_a_kernel_takes_are_no_plan() -> None:
    huge = (65536, 65536)
    deep = pair("XRGB16161616")
    assert (
        solve(ask(part("device", of(deep)), size=huge)).plans[0].layout.objects[0].size == 1 << 35
    )
    answer = solve(ask(part("device", of(deep, need("pitch-alignment", (1 << 33) + 1))), size=huge))
    assert not answer.plans
    beyond = solve(ask(part("device", of(deep, need("size-alignment", 1 << 63))), size=huge))
    assert not beyond.plans


class TestTiedPitches:
    """One pitch is told for all planes, and what one plane needs bears on all."""

    @pytest.mark.parametrize(
        ("format_", "width", "constraints", "pitches"),
        [
            (NV12, 1000, (need("pitch-alignment", 64, 0),), [1024, 1024]),
            (NV12, 1000, (need("pitch-alignment", 48, 0), need("pitch-alignment", 64, 1)),
             [1152, 1152]),
            (pair("YUV420"), 1000, (need("pitch-alignment", 64, 1),), [1024, 512, 512]),
            (pair("YUV420"), 1001, (need("pitch-alignment", 1),), [1002, 501, 501]),
            (pair("YUV422"), 1000, (need("min-pitch", 600, 2),), [1200, 600, 600]),
            (pair("YUV444"), 1000, (need("pitch-alignment", 48, 2),), [1008, 1008, 1008]),
            (pair("NV24"), 100, (need("pitch-alignment", 64, 1),), [128, 256]),
            (pair("NV15"), 64, (need("pitch-alignment", 32, 0),), [96, 96]),
            (pair("P010"), 1000, (need("power-of-two-pitch"),), [2048, 2048]),
            (pair("YUV420"), 1000, (need("power-of-two-pitch", 1, 1),), [1024, 512, 512]),
            (XRGB, 1000, (need("pitch-alignment", 64),), [4032]),
        ],
        ids=str,
    )  # fmt: skip
    @pytest.mark.parametrize("tie", ["tied-pitch", "adjacent-planes"])
    def test_are_the_least_that_every_plane_can_have(
        self, tie, format_, width, constraints, pitches
    ) -> None:
        layout = layout_of(format_, *constraints, need(tie), size=(width, 64))
        assert [plane.pitch for plane in layout.planes] == pitches

    @pytest.mark.parametrize("tie", ["tied-pitch", "adjacent-planes"])
    def test_a_pitch_that_one_plane_cannot_have_is_a_conflict_with_the_tie(self, tie) -> None:
        luma, chroma = need("pitch-alignment", 512, 0), need("max-pitch", 1023, 1)
        asked = ask(part("a", of(NV12, luma, chroma)), part("b", of(NV12, need(tie))),
                    size=(1000, 64))  # fmt: skip
        answer = solve(asked)
        assert [member.constraint for member in answer.conflict] == [luma, chroma, need(tie)]
        assert solve(ask(part("a", of(NV12, luma, chroma)), size=(1000, 64))).plans

    def test_adjacent_planes_begin_where_alignments_permit(self) -> None:
        """13 rows of 100 bytes end at no multiple of 256: the pitch has to grow."""
        layout = layout_of(
            NV12, need("adjacent-planes"), need("offset-alignment", 256), size=(100, 13)
        )
        assert [plane.pitch for plane in layout.planes] == [256, 256]
        assert [plane.offset for plane in layout.planes] == [0, 256 * 13]

    def test_padding_between_planes_counts_for_where_the_next_begins(self) -> None:
        """64 bytes follow luma, so that it has to end 64 bytes before a multiple of 128."""
        layout = layout_of(
            NV12,
            need("adjacent-planes"),
            need("pitch-alignment", 64),
            need("padding", 64, 0),
            need("offset-alignment", 128, 1),
            size=(100, 15),
        )
        assert [plane.pitch for plane in layout.planes] == [192, 192]
        assert layout.planes[1].offset == 192 * 15 + 64

    def test_planes_that_follow_each_other_are_not_put_into_two_banks(self) -> None:
        apart, follow = need("different-source", 1, 0, 1), need("adjacent-planes")
        answer = solve(ask(part("a", of(NV12, apart)), part("b", of(NV12, follow))))
        assert {member.constraint for member in answer.conflict} == {apart, follow}

    def test_preferences_for_two_heaps_do_not_part_them(self) -> None:
        one, other = heap("one", 0), heap("other", 1)
        liked = (
            need("permitted-sources", (one.id, other.id), 0),
            need("permitted-sources", (other.id, one.id), 1),
        )
        answer = solve(
            ask(part("a", of(NV12, *liked, need("adjacent-planes"))), sources=(one, other))
        )
        assert all(len(plan.layout.objects) == 1 for plan in answer.plans)
