"""Planes that a modifier adds to those of the format are placed and judged like any other."""

from __future__ import annotations

import pytest
from problem_building import ask, device_source, need, of, pair, part

from heapwire.protocol.explain import solve
from heapwire.protocol.values import (
    BufferObject,
    DeviceId,
    Extent,
    FixedBuffer,
    Layout,
    LayoutKind,
    PlaneLayout,
)

ONE, TWO = DeviceId(226, 128), DeviceId(226, 129)
SOURCES = (device_source("one", ONE), device_source("two", TWO))
CCS = pair("XRGB8888", "INTEL_Y_TILED_GEN12_RC_CCS")
TILES = pair("XRGB8888", "INTEL_4_TILED_DG2_RC_CCS")  # compressed, without a plane of its own


@pytest.mark.parametrize(("what", "objects"), [(CCS, 2), (TILES, 1)])
def test_what_is_beside_the_pixels_may_be_elsewhere(what, objects: int) -> None:
    first = need("permitted-sources", (SOURCES[0].id,), 0)
    second = need("permitted-sources", (SOURCES[1].id,), 1)
    answer = solve(ask(part("gpu", of(what, first, second)), sources=SOURCES))
    assert [one.source for one in answer.plans[0].layout.objects] == [
        source.id for source in SOURCES[:objects]
    ]


def test_a_demand_of_it_rules_out_what_does_not_meet_it() -> None:
    apart = need("different-source", 1, 0, 1)
    assert not solve(ask(part("gpu", of(CCS, apart)), sources=SOURCES[:1])).plans
    assert solve(ask(part("gpu", of(TILES, apart)), sources=SOURCES[:1])).plans


@pytest.mark.parametrize(
    ("what", "planes", "good"),
    [(CCS, 2, True), (CCS, 1, False), (CCS, 3, False), (TILES, 1, True), (TILES, 2, False)],
)
def test_a_buffer_has_just_these(what, planes: int, good: bool) -> None:
    layout = Layout(
        kind=LayoutKind.FIXED,
        extent=Extent(640, 480),
        objects=(BufferObject(SOURCES[0].id, 4 << 20),),
        planes=tuple(PlaneLayout(0, number << 20, 2560) for number in range(planes)),
    )
    asked = ask(
        part("gpu", of(what)), sources=SOURCES, size=(640, 480), fixed=FixedBuffer(what, layout)
    )
    assert bool(solve(asked).plans) is good


@pytest.mark.parametrize(
    ("pitch", "offset", "good"),
    [
        (128, 4096 * 736, True),  # 720 rows are 23 of tiles
        (128, 4096 * 735, False),  # in the last tiles of the pixels
        (128, 4096 * 736 + 64, False),  # in the middle of a tile
        (192, 4096 * 736, False),
        (256, 4096 * 736, True),
    ],
)
def test_what_says_how_it_is_compressed_begins_with_a_tile(pitch, offset, good: bool) -> None:
    what = pair("XRGB8888", "INTEL_YF_TILED_CCS")
    layout = Layout(
        kind=LayoutKind.FIXED,
        extent=Extent(1024, 720),
        objects=(BufferObject(SOURCES[0].id, 4 << 20),),
        planes=(PlaneLayout(0, 0, 4096), PlaneLayout(0, offset, pitch)),
    )
    asked = ask(
        part("gpu", of(what)), sources=SOURCES, size=(1024, 720), fixed=FixedBuffer(what, layout)
    )
    assert bool(solve(asked).plans) is good
