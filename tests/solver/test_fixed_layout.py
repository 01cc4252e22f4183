"""A buffer that already exists is good as it is, or the least change is named."""

from __future__ import annotations

from dataclasses import replace

import pytest
from problem_building import (
    CMA,
    NV12,
    SYSTEM,
    YUV420,
    ask,
    display,
    need,
    of,
    pair,
    part,
)

from heapwire.protocol.explain import solve
from heapwire.protocol.values import (
    Answer,
    BufferObject,
    Constraint,
    Extent,
    FixedBuffer,
    FormatModifier,
    Layout,
    LayoutKind,
    PlaneLayout,
    Source,
)

SIZE = 1920 * 1088 * 3 // 2


def buffer(
    *,
    source: Source = CMA,
    pitch: int = 1920,
    chroma: int = 1920 * 1088,
    size: int = SIZE,
    format_: FormatModifier = NV12,
) -> FixedBuffer:
    return FixedBuffer(
        format_,
        Layout(
            kind=LayoutKind.FIXED,
            extent=Extent(1920, 1088),
            objects=(BufferObject(source.id, size),),
            planes=(PlaneLayout(0, 0, pitch), PlaneLayout(0, chroma, pitch)),
        ),
    )


def judged(fixed: FixedBuffer, *constraints: Constraint) -> Answer:
    return solve(
        ask(
            part("decoder", of(fixed.format)),
            shown=(display(of(fixed.format, *constraints)),),
            fixed=fixed,
        )
    )


def test_a_good_buffer_is_the_plan_as_it_is() -> None:
    fixed = buffer()
    answer = judged(fixed, need("contiguous"), need("pitch-alignment", 64), need("max-pitch", 2048))
    assert [plan.layout for plan in answer.plans] == [fixed.layout]
    assert answer.plans[0].layout.kind is LayoutKind.FIXED


def test_memory_of_the_wrong_kind_is_refused_by_name() -> None:
    answer = judged(buffer(source=SYSTEM), need("contiguous"))
    assert [member.text for member in answer.conflict] == [
        "display needs memory that is contiguous; heap system is not"
    ]


WIDE = buffer(pitch=1984, chroma=1984 * 1088, size=1984 * 1088 * 3 // 2)


@pytest.mark.parametrize(
    ("fixed", "constraint", "number", "wanted"),
    [
        (buffer(), need("pitch-alignment", 256), "pitch of plane 0 is 1920", 2048),
        (buffer(), need("min-pitch", 2000), "pitch of plane 0 is 1920", 2000),
        (WIDE, need("max-pitch", 1950), "pitch of plane 0 is 1984", 1920),
        (buffer(), need("max-pitch", 1900), "pitch of plane 0 is 1920", None),
        (WIDE, need("exact-pitch"), "pitch of plane 0 is 1984", 1920),
        (buffer(), need("offset-alignment", 28672, 1), "offset of plane 1 is 2088960", 2093056),
        (buffer(), need("min-size", 4 << 20), f"size is {SIZE}", 4 << 20),
        (buffer(), need("max-size", 1 << 20), f"size is {SIZE}", None),
        (buffer(), need("padding", 9000, 1), f"end of plane 1 is {SIZE}", SIZE + 9000 - 4 * 1920),
    ],
)
def test_the_least_change_is_named(
    fixed: FixedBuffer, constraint: Constraint, number: str, wanted: int | None
) -> None:
    answer = judged(fixed, constraint)
    assert not answer.plans
    assert [member.constraint for member in answer.conflict] == [constraint]
    change = (
        f"the {number}, and no other would do"
        if wanted is None
        else f"the {number} and would have to be {wanted}"
    )
    assert change in answer.message.split("; ")


@pytest.mark.parametrize(("name", "number"), [("max-size", SIZE), ("min-size", SIZE)])
def test_a_buffer_of_just_the_size_is_good(name: str, number: int) -> None:
    assert judged(buffer(), need(name, number)).plans


def test_planes_that_do_not_fit_into_the_buffer_are_refused() -> None:
    answer = judged(buffer(size=SIZE - 1920 * 100))
    assert not answer.plans
    assert "the end of plane 1" in answer.message


def test_the_last_row_may_end_with_its_last_pixel() -> None:
    """As drm_framebuffer.c judges it: nothing is read behind the last pixel of the last row."""
    rows = 1080
    fixed = buffer(pitch=2048, chroma=2048 * rows, size=2048 * (rows + rows // 2 - 1) + 1920)
    assert judged(fixed).plans
    fixed = buffer(pitch=2048, chroma=2048 * rows, size=2048 * (rows + rows // 2 - 1) + 1919)
    assert not judged(fixed).plans


def test_planes_that_must_share_a_buffer_are_in_one() -> None:
    layout = Layout(
        kind=LayoutKind.FIXED,
        extent=Extent(1920, 1080),
        objects=(BufferObject(CMA.id, 1920 * 1080), BufferObject(CMA.id, 1920 * 540)),
        planes=(PlaneLayout(0, 0, 1920), PlaneLayout(1, 0, 1920)),
    )
    fixed = FixedBuffer(NV12, layout)
    assert judged(fixed).plans
    refused = judged(fixed, need("same-buffer"))
    assert "the object of plane 1 is 1 and would have to be 0" in refused.message


def test_a_layout_that_only_its_driver_knows_is_judged_by_its_numbers() -> None:
    tiled = pair("NV12", "SAMSUNG_64_32_TILE")
    assert judged(buffer(format_=tiled), need("pitch-alignment", 64)).plans
    assert not judged(buffer(format_=tiled), need("pitch-alignment", 256)).plans


def test_a_buffer_from_memory_that_nobody_knows_is_refused() -> None:
    """And told as that: nothing of the buffer would have to change, if its memory were known."""
    stranger = Source(id=CMA.id.__class__(CMA.id.kind, 1, 1), name="stranger")
    answer = judged(buffer(source=stranger))
    assert not answer.plans
    nothing = "the buffer is in memory of heap 1:1, of which nothing is known here"
    assert answer.message == nothing
    assert {verdict.text.rpartition("; ")[2] for verdict in answer.verdicts} == {
        "the buffer exists, and is not there"
    }
    also = judged(buffer(source=stranger, pitch=1930), need("pitch-alignment", 64)).message
    assert also.startswith(f"{nothing}; the pitch of plane 0 is 1930")


@pytest.mark.parametrize("planes", [3, 4])
def test_a_buffer_with_more_planes_than_its_format_is_refused(planes: int) -> None:
    """Whoever asks may say so many: it is for us to find that NV12 has two."""
    made = buffer()
    more = tuple(PlaneLayout(0, 4096 * index, 1920) for index in range(planes))
    problem = replace(
        ask(part("decoder", of(NV12))),
        fixed=FixedBuffer(made.format, replace(made.layout, planes=more)),
        sources=(CMA,),
    )
    answer = solve(problem)
    assert answer.plans == ()
    assert f"the number of planes is {planes} and would have to be 2" in answer.message


def test_a_pitch_that_is_tied_to_another_is_named_with_what_it_has_to_be() -> None:
    good = FixedBuffer(
        YUV420,
        Layout(
            kind=LayoutKind.FIXED,
            extent=Extent(1920, 1088),
            objects=(BufferObject(CMA.id, SIZE),),
            planes=(
                PlaneLayout(0, 0, 1920),
                PlaneLayout(0, 1920 * 1088, 960),
                PlaneLayout(0, 1920 * 1360, 960),
            ),
        ),
    )
    tied, follow = need("tied-pitch"), need("adjacent-planes")
    rows = need("height-alignment", 16)
    assert judged(good, tied, follow, rows).plans
    wide = replace(good.layout, planes=(*good.layout.planes[:2], PlaneLayout(0, 2611200, 896)))
    answer = judged(replace(good, layout=wide), tied, rows)
    assert answer.message == "the pitch of plane 2 is 896 and would have to be 960"
    # The picture has 1080 rows: without a word about more, chroma is expected behind these.
    answer = judged(good, follow)
    assert answer.message == (
        "the offset of plane 1 is 2088960 and would have to be 2073600;"
        " the offset of plane 2 is 2611200 and would have to be 2607360"
    )
