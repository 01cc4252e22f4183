"""What a driver's layout of its pictures demands of a buffer, and whether a plan has it."""

from dataclasses import replace

import pytest

from heapwire.kernel.discovery import layout_sets
from heapwire.kernel.video import (
    QueueFormat,
    drm_format,
    has_drm_format,
    is_laid_out_as,
    layout_constraints,
    layout_format,
)
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
    fourcc_name,
    modifier_name,
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


def named(v4l2, *, buffer_a_plane):
    pair = drm_format(fourcc(v4l2), buffer_a_plane=buffer_a_plane)
    return pair and f"{fourcc_name(pair.fourcc)} {modifier_name(pair.modifier)}"


@pytest.mark.parametrize(
    ("v4l2", "together", "apart"),
    [
        ("NV12", "NV12 LINEAR", None),
        ("NM12", None, "NV12 LINEAR"),
        ("ST12", "NV12 ALLWINNER_TILED", None),
        ("TM12", None, "NV12 SAMSUNG_64_32_TILE"),
        ("VM12", None, "NV12 SAMSUNG_16_16_TILE"),
        ("MM21", None, "NV12 MTK_16L_32S_TILE"),
        ("NC12", "NV12 BROADCOM_SAND128(0)", None),
        ("NC30", "P030 BROADCOM_SAND128(0)", None),
        ("Q08C", "NV12 QCOM_COMPRESSED", None),
        ("Q10C", "P010 QCOM_COMPRESSED", None),
        ("NV15", "NV15 LINEAR", None),
        ("PM12", None, "P012 LINEAR"),
        ("422P", "YUV422 LINEAR", None),
        ("GA12", "BGRA4444 LINEAR", None),
        # Bytes in memory there, bits of a word here: A Y U V is none of DRM's.
        ("AYUV", None, None),
        ("VUYA", "AYUV LINEAR", None),
        ("YUVA", "AVUY8888 LINEAR", None),
        ("RGB4", "BGRX8888 LINEAR", None),
        ("BA12", None, None),  # of V4L2's a Bayer pattern
        ("GREY", "R8 LINEAR", None),
        ("Y10", "R10 LINEAR", None),  # in the low bits, the lower byte first
        ("Y12", "R12 LINEAR", None),
        ("Y16", "R16 LINEAR", None),
        ("Y10B", None, None),  # bits without a gap
        ("Y012", None, None),  # in the high bits
        ("MT21", None, None),
    ],
)
def test_what_drm_calls_a_picture_of_v4l2s(v4l2, together, apart):
    assert named(v4l2, buffer_a_plane=False) == together
    assert named(v4l2, buffer_a_plane=True) == apart
    assert has_drm_format(fourcc(v4l2)) is (together is not None or apart is not None)


def test_columns_are_as_high_as_the_driver_says_in_place_of_a_pitch():
    columns = QueueFormat(fourcc("NC12"), SIZE, (1632,), (3133440,))
    pair = layout_format(columns)
    assert modifier_name(pair.modifier) == "BROADCOM_SAND128(1632)"
    assert demands(columns) == {("min-size", 0): 3133440}
    device = (
        ConstraintSet(formats=(drm_format(fourcc("NC12"), buffer_a_plane=False),)),
        ConstraintSet(formats=(FormatModifier(fourcc("NV12"), 0),)),
    )
    assert layout_sets(device, (columns,)) == ()  # of two planes, and not for one buffer
    tied = (replace(device[0], constraints=(SAME_BUFFER,)),)
    (narrowed,) = layout_sets(tied, (columns,))
    assert narrowed.formats == (pair,)


def test_tiles_have_pitches_and_their_last_rows_are_whole():
    """Cedrus: 32 by 32, chroma behind whole tiles of luma."""
    pair = drm_format(fourcc("ST12"), buffer_a_plane=False)
    driver = QueueFormat(fourcc("ST12"), Extent(1920, 1080), (1920,), (3133440,))
    chroma = 1920 * 1088
    good = layout(PlaneLayout(0, 0, 1920), PlaneLayout(0, chroma, 1920), sizes=(3133440,))
    short = layout(PlaneLayout(0, 0, 1920), PlaneLayout(0, 1920 * 1080, 1920), sizes=(3133440,))
    assert is_laid_out_as(driver, pair, good)
    assert not is_laid_out_as(driver, pair, short)
    assert not is_laid_out_as(driver, FormatModifier(fourcc("NV12"), 0), good)


def test_what_only_its_driver_lays_out_is_not_said_to_be_laid_out_right():
    pair = drm_format(fourcc("Q08C"), buffer_a_plane=False)
    driver = QueueFormat(fourcc("Q08C"), SIZE, (2048,), (4 << 20,))
    assert demands(driver) == {("min-size", 0): 4 << 20}
    planned = layout(LUMA, PlaneLayout(0, CHROMA, 2048), sizes=(4 << 20,))
    assert not is_laid_out_as(driver, pair, planned)


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
    assert is_laid_out_as(driver, FormatModifier(fourcc("NV12"), 0), planned) is right


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
    assert is_laid_out_as(driver, FormatModifier(code, 0), answer.plans[0].layout)


def test_big_endian_grey_is_none_of_drms():
    for code in ("Y10", "Y12", "Y16"):
        assert not has_drm_format(fourcc(code) | 1 << 31)
