"""Pictures that are too small for who is to show them: no room around them helps."""

from __future__ import annotations

import pytest
from problem_building import NV12, XRGB, ask, display, need, of, part

from heapwire.protocol.explain import solve
from heapwire.protocol.values import Extent, Extents

LEAST = (need("least-width", 33), need("least-height", 20))


@pytest.mark.parametrize(
    ("size", "planned"), [((33, 20), True), ((32, 20), False), ((33, 19), False), ((900, 1), False)]
)
def test_the_picture_itself_counts(size: tuple[int, int], planned: bool) -> None:
    roomy = part("writer", of(XRGB, need("min-width", 64), need("min-height", 64)))
    answer = solve(ask(roomy, shown=(display(of(XRGB, *LEAST)),), size=size))
    assert bool(answer.plans) is planned
    if planned:
        assert answer.plans[0].layout.extent == Extent(64, 64)
    else:
        [member] = answer.conflict
        assert member.participant == "display"
        assert member.text.endswith(f"the picture is {size[0]}x{size[1]}")


def test_who_reuses_buffers_says_how_small_pictures_are() -> None:
    shown = (display(of(NV12, *LEAST)),)
    for least, planned in ((33, True), (16, False)):
        reusing = part("writer", of(NV12, need("must-fit-least-width", least)))
        assert bool(solve(ask(reusing, shown=shown, size=(640, 480))).plans) is planned


def test_a_larger_buffer_for_later_pictures_is_no_larger_picture() -> None:
    extents = Extents(coded=Extent(20, 20), maximum=Extent(640, 480))
    asked = ask(part("writer", of(XRGB)), shown=(display(of(XRGB, *LEAST)),), extents=extents)
    assert not solve(asked).plans


def test_nothing_is_at_least_more_than_at_most() -> None:
    for most in ("max-width", "must-fit-least-width"):
        torn = part("torn", of(XRGB, need("least-width", 100), need(most, 99)))
        conflict = solve(ask(torn, size=(99, 99))).conflict
        assert need("least-width", 100) in [member.constraint for member in conflict]
    area = part("torn", of(XRGB, *LEAST, need("max-area", 33 * 20 - 1)))
    assert not solve(ask(area, size=(33, 20))).plans


def test_a_scale_is_for_who_shows_the_picture() -> None:
    """It merges, and nothing of a buffer follows from it."""
    one, other = need("scaling", (1 << 15, 1 << 17)), need("scaling", (1 << 16, 1 << 20))
    both = ask(part("a", of(XRGB, one)), shown=(display(of(XRGB, other)),))
    assert solve(both).plans
    apart = need("scaling", (1 << 18, 1 << 20))
    torn = solve(ask(part("a", of(XRGB, one)), shown=(display(of(XRGB, apart)),)))
    assert [member.text for member in torn.conflict] == [
        "a needs a scale that is 32768 to 131072 65536ths",
        "display needs a scale that is 262144 to 1048576 65536ths",
    ]
