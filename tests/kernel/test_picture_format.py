"""What a driver's layout of its pictures demands of a buffer, and whether a plan has it."""

import pytest

from heapwire.kernel.discovery import layout_sets
from heapwire.kernel.video import QueueFormat, is_laid_out_as, layout_constraints
from heapwire.protocol.explain import solve
from heapwire.protocol.values import (
    BY_NAME,
    REGISTRY,
    BufferObject,
    Constraint,
    ConstraintSet,
    Extent,
    Extents,
    FormatModifier,
    Goal,
    HeapId,
    Layout,
    LayoutKind,
    Participant,
    PlaneLayout,
    Problem,
    Source,
    SourceId,
    Usage,
    fourcc,
)

SIZE = Extent(1920, 1088)
HEAP = SourceId.heap(HeapId(254, 0))
NV12 = QueueFormat(fourcc("NV12"), SIZE, (2048,), (3342336,))
YU12 = QueueFormat(fourcc("YU12"), SIZE, (2048,), (3342336,))
NM12 = QueueFormat(fourcc("NM12"), SIZE, (2048, 2048), (2228224, 1114112))
XR24 = QueueFormat(fourcc("XR24"), SIZE, (7680,), (8355840,))
BGR4 = QueueFormat(fourcc("BGR4"), SIZE, (7680,), (8355840,))
SAME_BUFFER = Constraint(type=BY_NAME["same-buffer"].type, value=1, planes=0b11)


def demands(layout):
    return {(REGISTRY[one.type].name, one.planes): one.value for one in layout_constraints(layout)}


def test_pitches_are_just_so_and_there_is_room_for_it_all():
    assert demands(XR24) == {
        ("min-pitch", 1): 7680,
        ("max-pitch", 1): 7680,
        ("min-size", 0): 8355840,
    }


def test_the_pitches_that_a_driver_does_not_tell_follow_from_the_first():
    assert demands(NV12)["max-pitch", 0b10] == 2048
    told = demands(YU12)
    assert (told["min-pitch", 0b10], told["min-pitch", 0b100]) == (1024, 1024)


def test_each_buffer_of_several_has_its_own_pitch_and_the_larger_size():
    told = demands(NM12)
    assert (told["max-pitch", 0b01], told["max-pitch", 0b10]) == (2048, 2048)
    assert told["min-size", 0] == 2228224


def test_a_format_that_drm_does_not_know_demands_nothing():
    assert layout_constraints(QueueFormat(fourcc("????"), SIZE, (1920,), (1,))) == ()


def layout(*planes, sizes):
    objects = tuple(BufferObject(HEAP, size) for size in sizes)
    return Layout(kind=LayoutKind.EXACT, extent=SIZE, objects=objects, planes=planes)


CHROMA = 2048 * 1088  # where a driver puts it: at once behind luma
LUMA = PlaneLayout(0, 0, 2048)
APART = PlaneLayout(1, 0, 2048)
ROOM = 4 << 20


@pytest.mark.parametrize(
    ("driver", "planned", "right"),
    [
        (NV12, layout(LUMA, PlaneLayout(0, CHROMA, 2048), sizes=(3342336,)), True),
        (NV12, layout(LUMA, PlaneLayout(0, CHROMA, 2048), sizes=(3342335,)), False),
        (NV12, layout(LUMA, PlaneLayout(0, CHROMA, 2048), sizes=(ROOM,)), True),
        (NV12, layout(LUMA, PlaneLayout(0, CHROMA + 64, 2048), sizes=(ROOM,)), False),
        (NV12, layout(LUMA, PlaneLayout(0, CHROMA, 1920), sizes=(ROOM,)), False),
        (NV12, layout(LUMA, APART, sizes=(ROOM, ROOM)), False),
        (NM12, layout(LUMA, APART, sizes=(ROOM, ROOM)), True),
        (NM12, layout(LUMA, PlaneLayout(0, CHROMA, 2048), sizes=(ROOM,)), False),
        (NM12, layout(LUMA, APART, sizes=(ROOM, 1 << 20)), False),
        (XR24, layout(PlaneLayout(0, 0, 7680), sizes=(8355840,)), False),
    ],
)
def test_a_driver_fills_only_buffers_that_are_laid_out_as_it_does(driver, planned, right):
    assert is_laid_out_as(driver, fourcc("NV12"), planned) is right


def names(one):
    return [REGISTRY[c.type].name for c in one.constraints]


def test_sets_are_narrowed_to_the_layouts_and_those_alike_stay_together():
    device = (
        ConstraintSet(
            formats=tuple(FormatModifier(fourcc(c), 0) for c in ("NV12", "YU12")),
        ),
        ConstraintSet(formats=(FormatModifier(fourcc("NV12"), 0),), constraints=(SAME_BUFFER,)),
        ConstraintSet(formats=tuple(FormatModifier(fourcc(c), 0) for c in ("XR24", "AR24"))),
    )
    ar24 = QueueFormat(fourcc("AR24"), SIZE, (7680,), (8355840,))
    unknown = QueueFormat(fourcc("????"), SIZE, (1920,), (1,))
    found = layout_sets(device, (NV12, XR24, unknown, NM12, BGR4, ar24))
    assert [[pair.fourcc for pair in one.formats] for one in found] == [
        [fourcc("NV12")],
        [fourcc("XR24"), fourcc("AR24")],
        [fourcc("NV12")],
    ]
    assert "same-buffer" in names(found[0])
    assert "same-buffer" not in names(found[2])


@pytest.mark.parametrize("driver", [NV12, YU12, NM12, XR24])
def test_what_is_planned_by_the_narrowed_sets_is_laid_out_as_the_driver_does(driver):
    code = {fourcc("NM12"): fourcc("NV12")}.get(driver.fourcc, driver.fourcc)
    tied = () if len(driver.sizes) > 1 or code == fourcc("XR24") else (SAME_BUFFER,)
    if code == fourcc("YU12"):
        tied = (Constraint(type=BY_NAME["same-buffer"].type, value=1, planes=0b111),)
    if len(driver.sizes) > 1:  # in two memories, so in two buffers
        tied = (Constraint(type=BY_NAME["different-source"].type, value=1, planes=0b11),)
    known = ConstraintSet(formats=(FormatModifier(code, 0),), constraints=tied)
    sources = (Source(id=HEAP, name="a"), Source(id=SourceId.heap(HeapId(254, 1)), name="b"))
    answer = solve(
        Problem(
            participants=(
                Participant(
                    name="decoder", usage=Usage.DECODE, sets=layout_sets((known,), (driver,))
                ),
            ),
            goals=(Goal(name="shown"),),
            sources=sources,
            extents=Extents(coded=SIZE, visible=Extent(1920, 1080)),
        )
    )
    assert is_laid_out_as(driver, code, answer.plans[0].layout)
