"""Layouts of pictures as a whole, to the byte: columns and superblocks."""

from __future__ import annotations

import pytest
from problem_building import SYSTEM, ask, heap, need, of, pair, part

from heapwire.protocol.explain import solve
from heapwire.protocol.values import (
    Constraint,
    DeviceId,
    FormatModifier,
    Layout,
    LayoutKind,
    Source,
    SourceId,
)


def layout_of(
    format_: FormatModifier, *constraints: Constraint, size: tuple[int, int] = (1920, 1080)
) -> Layout:
    answer = solve(ask(part("device", of(format_, *constraints)), size=size))
    return answer.plans[0].layout


def is_its_drivers(format_: FormatModifier) -> bool:
    """Whether only its driver knows the layout: no heap has a plan for it."""
    driver = Source(id=SourceId.device(DeviceId(226, 1)), name="driver")
    asked = ask(part("device", of(format_)), sources=(SYSTEM, driver))
    layouts = [plan.layout for plan in solve(asked).plans]
    assert {one.source for layout in layouts for one in layout.objects} <= {SYSTEM.id, driver.id}
    return [(layout.kind, layout.objects[0].source) for layout in layouts] == [
        (LayoutKind.ALLOCATOR, driver.id)
    ]


class TestColumns:
    """drm_fourcc.h, DRM_FORMAT_MOD_BROADCOM_SAND128_COL_HEIGHT; vc4_plane.c."""

    @pytest.mark.parametrize(
        ("name", "height", "size", "pitch", "chroma", "bytes_"),
        [
            # 15 columns of 128 bytes; two thirds of the rows are luma's.
            ("NV12", 1632, (1920, 1080), 1920, 1088 * 128, 15 * 128 * 1632),
            ("NV12", 1152, (1366, 768), 1366, 768 * 128, 11 * 128 * 1152),
            # 96 pixels a column, in 128 bytes: 20 columns.
            ("P030", 1620, (1920, 1080), 2560, 1080 * 128, 20 * 128 * 1620),
            ("P030", 3240, (3840, 2160), 5120, 2160 * 128, 40 * 128 * 3240),
        ],
    )
    def test_they_are_as_high_as_the_modifier_says(
        self, name: str, height: int, size: tuple[int, int], pitch: int, chroma: int, bytes_: int
    ) -> None:
        layout = layout_of(pair(name, f"BROADCOM_SAND128({height})"), size=size)
        assert layout.kind is LayoutKind.EXACT
        assert [(plane.offset, plane.pitch) for plane in layout.planes] == [
            (0, pitch), (chroma, pitch),
        ]  # fmt: skip
        assert [one.size for one in layout.objects] == [bytes_]

    def test_a_picture_that_is_higher_is_not_laid_out(self) -> None:
        low = pair("NV12", "BROADCOM_SAND128(1617)")  # 1078 rows of luma
        assert not solve(ask(part("device", of(low)), size=(1920, 1080))).plans
        assert solve(ask(part("device", of(low)), size=(1920, 1078))).plans

    def test_chroma_is_in_the_same_memory_and_where_it_is(self) -> None:
        columns = pair("NV12", "BROADCOM_SAND128(1632)")
        apart = need("different-source", 1, 0, 1)
        two = (heap("other", 9), SYSTEM)
        assert solve(ask(part("device", of(columns)), sources=two)).plans
        assert not solve(ask(part("device", of(columns, apart)), sources=two)).plans
        assert layout_of(columns, need("offset-alignment", 4096)).planes[1].offset == 139264
        odd = ask(part("device", of(columns, need("offset-alignment", 5))))
        assert not solve(odd).plans

    def test_a_tied_pitch_is_that_of_both(self) -> None:
        columns = pair("NV12", "BROADCOM_SAND128(1632)")
        wide = layout_of(columns, need("tied-pitch"), need("pitch-alignment", 512, 1))
        assert [plane.pitch for plane in wide.planes] == [2048, 2048]

    @pytest.mark.parametrize("height", [0, 1631])
    def test_a_height_that_tells_nothing_is_left_to_its_driver(self, height: int) -> None:
        assert is_its_drivers(pair("NV12", f"BROADCOM_SAND128({height})"))


class TestSuperblocks:
    """drm_gem_framebuffer_helper.c, drm_gem_afbc_min_size."""

    @pytest.mark.parametrize(
        ("modifier", "size", "pitch", "bytes_"),
        [
            # 86 x 48 superblocks: headers of 16 bytes, bodies of 256 pixels.
            ("ARM_AFBC(16x16,YTR,SPARSE)", (1366, 768), 1376 * 4, 4128 * (16 + 1024)),
            # 43 x 96 of 32 by 8.
            ("ARM_AFBC(32x8)", (1366, 768), 1376 * 4, 4128 * (16 + 1024)),
            # One superblock: the header takes 64 bytes.
            ("ARM_AFBC(16x16)", (16, 16), 64, 64 + 1024),
            # Tiled headers: multiples of 128 pixels, the body begins at 4096: 11 x 6 tiles.
            ("ARM_AFBC(16x16,TILED)", (1366, 768), 1408 * 4, 69632 + 88 * 48 * 1024),
        ],
    )
    def test_headers_and_bodies(
        self, modifier: str, size: tuple[int, int], pitch: int, bytes_: int
    ) -> None:
        layout = layout_of(pair("XRGB8888", modifier), size=size)
        assert layout.kind is LayoutKind.EXACT
        assert (layout.planes[0].pitch, layout.objects[0].size) == (pitch, bytes_)

    def test_a_wider_pitch_has_more_of_them(self) -> None:
        wide = layout_of(
            pair("RGB565", "ARM_AFBC(16x16)"), need("pitch-alignment", 4096), size=(1366, 768)
        )
        assert (wide.planes[0].pitch, wide.objects[0].size) == (4096, 128 * 48 * (16 + 512))

    @pytest.mark.parametrize(
        "format_", [pair("XRGB8888", "ARM_AFBC(64x4)"), pair("NV12", "ARM_AFBC(16x16)")]
    )
    def test_what_the_kernel_does_not_count_is_left_to_its_driver(
        self, format_: FormatModifier
    ) -> None:
        assert is_its_drivers(format_)

    @pytest.mark.parametrize(
        ("fourcc", "pitch", "body"),
        # 12, 15 and 30 bits a pixel; bodies are multiples of 128 bytes.
        [
            ("YU08", 1920 * 3 // 2, 384),
            ("YU10", 1920 * 15 // 8, 512),
            ("VU30", 1920 * 15 // 4, 1024),
        ],
    )
    def test_formats_without_rows(self, fourcc: str, pitch: int, body: int) -> None:
        layout = layout_of(pair(fourcc, "ARM_AFBC(16x16,SPARSE)"))
        assert layout.planes[0].pitch == pitch
        assert layout.objects[0].size == 120 * 68 * (16 + body)
        # 100 pixels are 7 superblocks, whose headers end at a multiple of 64 bytes.
        small = layout_of(pair(fourcc, "ARM_AFBC(16x16)"), size=(100, 16))
        assert small.planes[0].pitch == pitch * 112 // 1920
        assert small.objects[0].size == 128 + 7 * body
        assert is_its_drivers(pair(fourcc)), "they have no rows"
