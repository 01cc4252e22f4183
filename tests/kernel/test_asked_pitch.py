"""A driver that may be asked for a wider pitch: what it is asked, and what is planned then."""

from __future__ import annotations

from dataclasses import replace

import pytest

from heapwire.kernel.discovery import layout_sets
from heapwire.kernel.video import QueueFormat, is_laid_out_as, layout_constraints, videodev2
from heapwire.kernel.video.v4l2_queue import V4l2Queue
from heapwire.kernel.video.videodev2 import Queue
from heapwire.protocol.explain import solve
from heapwire.protocol.values import (
    BY_NAME,
    REGISTRY,
    Constraint,
    ConstraintSet,
    Extent,
    Extents,
    FormatModifier,
    Goal,
    HeapId,
    Participant,
    Plan,
    Problem,
    Source,
    SourceId,
    Usage,
    fourcc,
)

NV12 = fourcc("NV12")
SIZE = Extent(1312, 736)
HEAP = SourceId.heap(HeapId(254, 0))


class Driver:
    """Lays NV12 out with a pitch that is a multiple of `step`, if it listens at all."""

    def __init__(self, *, step: int = 1, most: int = 4096, listens: bool = True, behind: int = 0):
        self.step, self.most, self.listens, self.behind = step, most, listens, behind
        self.wishes: list[int] = []

    def __call__(self, fd: int, number: int, asked: videodev2.Format) -> int:
        assert number in (videodev2.TRY_FMT, videodev2.S_FMT)
        planar = Queue(asked.type).is_multiplanar
        pix = asked.fmt.pix_mp if planar else asked.fmt.pix
        told = pix.plane_fmt[0] if planar else pix
        self.wishes.append(told.bytesperline)
        least = -(-pix.width // self.step) * self.step
        wish = min(told.bytesperline, self.most) if self.listens else 0
        told.bytesperline = max(least, -(-wish // self.step) * self.step)
        told.sizeimage = told.bytesperline * pix.height * 3 // 2 + self.behind
        if planar:
            pix.num_planes = 1
        return 0


def asked(driver: Driver, kind: Queue = Queue.CAPTURE) -> QueueFormat:
    queue = V4l2Queue(-1, kind, driver)
    return queue.with_pitches(queue.try_format(NV12, SIZE))


@pytest.mark.parametrize("kind", [Queue.CAPTURE, Queue.CAPTURE_MPLANE])
@pytest.mark.parametrize("step", [1, 2, 32])
def test_what_may_be_asked_for_is_found_by_asking(kind, step) -> None:
    driver = Driver(step=step)
    layout = asked(driver, kind)
    assert layout.pitches == (1312,)
    assert (layout.pitch_step, layout.most_pitch) == (step, 4096)
    assert len(driver.wishes) <= 4


@pytest.mark.parametrize("driver", [Driver(listens=False), Driver(most=1312)])
def test_a_driver_that_does_not_listen_has_its_own(driver) -> None:
    layout = asked(driver)
    assert (layout.pitch_step, layout.most_pitch) == (0, 0)


def test_several_memory_planes_have_their_own() -> None:
    apart = QueueFormat(fourcc("NM12"), SIZE, (1312, 1312), (965_632, 482_816))
    driver = Driver()
    assert V4l2Queue(-1, Queue.CAPTURE_MPLANE, driver).with_pitches(apart) == apart
    assert driver.wishes == []


def test_a_wish_goes_to_the_driver_with_the_format() -> None:
    for kind in (Queue.CAPTURE, Queue.CAPTURE_MPLANE):
        driver = Driver(step=64)
        assert V4l2Queue(-1, kind, driver).set_format(NV12, SIZE, pitch=1400).pitches == (1408,)


def plans(layout: QueueFormat, *display: tuple[str, int]) -> tuple[Plan, ...]:
    """What is planned for a decoder of this layout and a display."""
    together = Constraint(type=BY_NAME["same-buffer"].type, value=1, planes=0b11)
    known = ConstraintSet(formats=(FormatModifier(NV12, 0),), constraints=(together,))
    shown = ConstraintSet(
        formats=known.formats,
        constraints=tuple(Constraint(type=BY_NAME[name].type, value=n) for name, n in display),
    )
    return solve(
        Problem(
            participants=(
                Participant(
                    name="codec", usage=Usage.DECODE, sets=layout_sets((known,), (layout,))
                ),
            ),
            goals=(
                Goal(
                    name="scanout",
                    participants=(Participant(name="screen", usage=Usage.SCANOUT, sets=(shown,)),),
                    scanout=True,
                ),
            ),
            sources=(Source(id=HEAP, name="a"),),
            extents=Extents(coded=SIZE),
        )
    ).plans


@pytest.mark.parametrize("behind", [0, 8192])
def test_a_display_that_wants_more_gets_what_the_driver_does_then(behind) -> None:
    driver = Driver(step=32, behind=behind)
    [plan] = plans(asked(driver), ("pitch-alignment", 64))
    assert [plane.pitch for plane in plan.layout.planes] == [1344, 1344]
    granted = V4l2Queue(-1, Queue.CAPTURE, driver).try_format(NV12, SIZE, pitch=1344)
    assert is_laid_out_as(granted, FormatModifier(NV12, 0), plan.layout)
    assert plan.layout.objects[0].size == granted.sizes[0]
    # With nothing asked for, nothing is wasted.
    assert plans(asked(driver))[0].layout.planes[0].pitch == 1312


def test_there_is_no_plan_beyond_what_may_be_asked_for() -> None:
    assert not plans(asked(Driver(step=32, most=1400)), ("min-pitch", 1600))
    assert not plans(asked(Driver(listens=False)), ("pitch-alignment", 64))


def test_what_is_demanded_is_a_range_and_its_step() -> None:
    layout = asked(Driver(step=16, most=2048))
    said = {REGISTRY[one.type].name: one.value for one in layout_constraints(layout)}
    assert said == {
        "pitch-alignment": 16,
        "min-pitch": 1312,
        "max-pitch": 2048,
        "adjacent-planes": 1,
        "min-size": 1312 * 736 * 3 // 2,
    }
    exact = layout_constraints(replace(layout, pitch_step=0, most_pitch=0))
    assert "pitch-alignment" not in {REGISTRY[one.type].name for one in exact}
