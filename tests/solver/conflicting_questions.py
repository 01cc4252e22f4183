"""Questions that cannot be met, and the same ones with numbers that can."""

from __future__ import annotations

from problem_building import NV12, XRGB, ask, need, of, part

from heapwire.protocol.values import Constraint, Problem


def unknown(number: int) -> Constraint:
    return Constraint(type=0x7F000100 + number, value=b"vendor", must_understand=False)


def everyone_without_one_fence(unknowns: int) -> Problem:
    """16 participants, of which each two have a fence in common, and all together none."""
    return ask(
        *(
            part(
                f"p{n:02}",
                of(
                    XRGB,
                    need("fences", 0xFFFF & ~(1 << n)),
                    *(unknown(number) for number in range(unknowns)),
                ),
            )
            for n in range(16)
        )
    )


def three_devices(alignments: tuple[int, int, int]) -> Problem:
    """Three devices with five requirements each, which agree or not by their pitches."""
    return ask(
        *(
            part(
                f"device{n}",
                of(
                    NV12,
                    need("pitch-alignment", alignment),
                    need("max-pitch", 16384),
                    need("scanline-alignment", 2 << n),
                    need("size-alignment", 4096),
                    need("max-width", 8192),
                ),
            )
            for n, alignment in enumerate(alignments)
        )
    )
