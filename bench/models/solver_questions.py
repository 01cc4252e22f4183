"""Questions of different sizes and kinds, which measurements of the solver ask."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from heapwire.protocol.values import (
    BY_NAME,
    FORMATS,
    LINEAR,
    Constraint,
    ConstraintSet,
    DeviceId,
    Extent,
    Extents,
    FormatModifier,
    Goal,
    HeapId,
    Participant,
    Problem,
    Source,
    SourceId,
    Usage,
    parse_fourcc,
)
from heapwire.protocol.values.pixels.modifier import INTEL_X_TILED, INTEL_Y_TILED, modifier_code

ARM = 8
SETS = 16  # of one participant, as many as the protocol takes alternatives
MODIFIERS = [
    LINEAR, INTEL_X_TILED, INTEL_Y_TILED, *(modifier_code(ARM, code) for code in range(1, 200)),
]  # fmt: skip
FOUR_PLANES = FormatModifier(parse_fourcc("QQ4P"), LINEAR)


def need(name: str, value: int | tuple[SourceId, ...] = 1, planes: int = 0) -> Constraint:
    return Constraint(type=BY_NAME[name].type, value=value, planes=planes)


def heaps(count: int) -> tuple[Source, ...]:
    return sources_of([SourceId.heap(HeapId(254, number)) for number in range(count)])


def drivers(count: int) -> tuple[Source, ...]:
    return sources_of([SourceId.device(DeviceId(226, number)) for number in range(count)])


def sources_of(ids: list[SourceId]) -> tuple[Source, ...]:
    return tuple(
        Source(
            id=id_,
            name=f"source{number}",
            contiguous=number % 2 == 1,
            cached=True,
            capacity=(256 + number) << 20,
        )
        for number, id_ in enumerate(ids)
    )


def pairs(count: int) -> list[FormatModifier]:
    listed = [FormatModifier(fourcc, modifier) for modifier in MODIFIERS for fourcc in FORMATS]
    return listed[:count]


def many_pairs(
    participants: int, count: int, sources: int, sets: int, *, distinct: bool = False
) -> Problem:
    """Participants with their pairs in so many sets, each with its own alignments.

    Sets of a participant say the same, unless they are to be distinct: then no two do.
    """
    listed = pairs(count)
    chunk = -(-count // sets)
    everyone = [
        Participant(
            name=f"device{number}",
            usage=Usage.SCANOUT if number == 0 else Usage.DECODE,
            sets=tuple(
                ConstraintSet(
                    formats=tuple(listed[start : start + chunk]),
                    constraints=(
                        need("pitch-alignment", 64 << number % 3),
                        need("scanline-alignment", 4 << number % 2),
                        need("max-width", 8192 - (start // chunk * distinct)),
                        *((need("contiguous"),) if number == 0 else ()),
                    ),
                )
                for start in range(0, count, chunk)
            ),
        )
        for number in range(participants)
    ]
    return Problem(
        participants=tuple(everyone[1:]),
        goals=(Goal(name="scanout", participants=tuple(everyone[:1]), scanout=True),),
        sources=heaps(sources),
        extents=Extents(coded=Extent(1920, 1080)),
    )


def four_planes(sources: int) -> Problem:
    """Four planes, each from a source of its own, and each with its own order of sources."""
    known = drivers(sources)
    ids = tuple(source.id for source in known)
    banks = tuple(
        need("permitted-sources", ids[plane:] + ids[:plane], 1 << plane) for plane in range(4)
    )
    relations = (need("different-source", 1, 0b0111), need("different-source", 1, 0b1001))
    return Problem(
        participants=(
            Participant(
                name="codec",
                usage=Usage.DECODE,
                sets=(ConstraintSet(formats=(FOUR_PLANES,), constraints=(*banks, *relations)),),
            ),
        ),
        goals=(
            Goal(
                name="scanout",
                participants=(
                    Participant(
                        name="display",
                        usage=Usage.SCANOUT,
                        sets=(
                            ConstraintSet(
                                formats=(FOUR_PLANES,), constraints=(need("max-width", 8192),)
                            ),
                        ),
                    ),
                ),
                scanout=True,
            ),
        ),
        sources=known,
        extents=Extents(coded=Extent(1920, 1080)),
    )


def three_devices(alignments: tuple[int, int, int]) -> Problem:
    """Three devices with five requirements each, which contradict if their pitches are odd."""
    return decoders(
        [
            (
                need("pitch-alignment", alignment),
                need("max-pitch", 16384),
                need("scanline-alignment", 2 << number),
                need("size-alignment", 4096),
                need("max-width", 8192),
            )
        ]
        for number, alignment in enumerate(alignments)
    )


def one_fence_each(unknowns: int) -> Problem:
    """16 participants with a fence in common but for one each, and constraints of no meaning."""
    unknown = [
        Constraint(type=0x7F000100 + n, value=b"", must_understand=False) for n in range(unknowns)
    ]
    return decoders([(all_fences_but(number), *unknown)] for number in range(16))


def all_alternatives() -> Problem:
    """16 participants with 16 alternatives each, which have no fence in common."""
    return decoders(
        [(all_fences_but(number), need("min-pitch", n + 1)) for n in range(SETS)]
        for number in range(16)
    )


def all_fences_but(number: int) -> Constraint:
    return need("fences", 0xFFFF & ~(1 << number))


def decoders(everyone: Iterable[Sequence[tuple[Constraint, ...]]]) -> Problem:
    """What decoders of NV12 ask together, each by the constraints of its sets."""
    nv12 = FormatModifier(parse_fourcc("NV12"), LINEAR)
    return asked_by(
        tuple(
            Participant(
                name=f"device{number}",
                usage=Usage.DECODE,
                sets=tuple(
                    ConstraintSet(formats=(nv12,), constraints=constraints) for constraints in sets
                ),
            )
            for number, sets in enumerate(everyone)
        )
    )


def asked_by(participants: tuple[Participant, ...]) -> Problem:
    return Problem(
        participants=participants,
        goals=(Goal(name="scanout", scanout=True),),
        sources=heaps(4),
        extents=Extents(coded=Extent(1920, 1080)),
    )
