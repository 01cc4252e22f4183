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


SCREEN = (1280, 720)
ONE = 1 << 16


@pytest.mark.parametrize(
    ("least", "most", "said", "picture", "planned"),
    [
        (ONE, ONE, "1", SCREEN, True),
        (ONE, ONE, "1", (1280, 719), False),
        (ONE, ONE, "1", (1281, 720), False),
        (ONE // 8, ONE, "0.125 to 1", (160, 90), True),
        (ONE // 8, ONE, "0.125 to 1", (159, 90), False),
        (ONE // 8, ONE, "0.125 to 1", (160, 89), False),
        (ONE // 8, 4 * ONE, "0.125 to 4", (5120, 2880), True),
        (ONE // 8, 4 * ONE, "0.125 to 4", (5121, 2880), False),
    ],
)
def test_a_plane_scales_a_picture_as_far_as_it_can(least, most, said, picture, planned) -> None:
    shown = (display(of(XRGB, need("scaling", (least, most)))),)
    extents = Extents(coded=Extent(*picture), shown=Extent(*SCREEN))
    answer = solve(ask(part("writer", of(XRGB)), shown=shown, extents=extents))
    assert bool(answer.plans) is planned
    if not planned:
        [member] = answer.conflict
        assert (member.participant, member.text) == (
            "display",
            f"display needs a scale that is {said}; "
            f"the picture is {extents.coded}, shown as {extents.shown}",
        )


def test_what_is_visible_is_scaled() -> None:
    shown = (display(of(XRGB, need("scaling", (ONE, ONE)))),)
    coded, visible = Extent(1280, 736), Extent(*SCREEN)
    for seen, planned in ((visible, True), (None, False)):
        extents = Extents(coded=coded, visible=seen, shown=visible)
        answer = solve(ask(part("writer", of(XRGB)), shown=shown, extents=extents))
        assert bool(answer.plans) is planned


def test_another_set_may_scale_what_the_first_does_not() -> None:
    """A display with alternatives: the one that scales serves where the other does not."""
    plain, scaler = need("scaling", (ONE, ONE)), need("scaling", (1, ONE))
    sets = of(XRGB, plain), of(XRGB, scaler, need("pitch-alignment", 4096))
    for size, pitch in ((SCREEN, 5120), ((320, 180), 4096)):
        extents = Extents(coded=Extent(*size), shown=Extent(*SCREEN))
        answer = solve(ask(part("writer", of(XRGB)), shown=(display(*sets),), extents=extents))
        assert answer.plans[0].layout.planes[0].pitch == pitch


def test_a_scale_is_for_who_shows_the_picture() -> None:
    """It merges, and nothing follows where nobody knows what the picture is shown as."""
    one, other = need("scaling", (1 << 15, 1 << 17)), need("scaling", (1 << 16, 1 << 20))
    both = ask(part("a", of(XRGB, one)), shown=(display(of(XRGB, other)),))
    assert solve(both).plans
    apart = need("scaling", (1 << 18, 1 << 20))
    torn = solve(ask(part("a", of(XRGB, one)), shown=(display(of(XRGB, apart)),)))
    assert [member.text for member in torn.conflict] == [
        "a needs a scale that is 0.5 to 2",
        "display needs a scale that is 4 to 16",
    ]
