"""Pitches that are tied: each plane's is that of plane 0 times what the format implies.

V4L2 tells one `bytesperline` for all planes of a buffer, so NV12's two planes have one pitch
and YUV420's chroma has half of it. What one plane needs thus bears on all: chroma at multiples
of 64 means luma at multiples of 128. And where planes follow each other without room between
them, a plane begins at a multiple of its alignment only if those before it end at one.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise
from math import gcd, lcm

from heapwire.protocol.late_tuples import NamedTuple


class TiedPlane(NamedTuple):
    """What holds for one plane: its pitch is that of plane 0 times `ratio`, of two numbers.

    The pitch is a multiple of `aligned` from `least` to `most` bytes, and maybe a power of
    two. The plane has `rows` rows and so much `padding`, and begins at a multiple of `start`.
    """

    ratio: tuple[int, int]
    aligned: int
    least: int
    most: int
    power_of_two: bool
    rows: int
    padding: int
    start: int


def tied_pitches(planes: Sequence[TiedPlane], *, adjacent: bool) -> list[int] | None:
    """The least pitches that will do, None when there are none.

    `adjacent`: each plane begins where the one before it ends, the first at 0.
    """
    # The pitch of plane 0 is `step` times something, from `least` to `most`.
    step, least, most = 1, 1, planes[0].most
    for plane in planes:
        over, under = plane.ratio
        step = lcm(step, under * plane.aligned // gcd(plane.aligned, over))
        least = max(least, -(-plane.least * under // over))
        most = min(most, plane.most * under // over)
    steps = _Numbers()
    if adjacent:
        room = padding = 0
        for plane, after in pairwise(planes):
            room += _times(step, plane.ratio) * plane.rows
            padding += plane.padding
            steps = steps.of_which_a_multiple(room, padding, after.start)
    for pitch in _candidates(planes, steps, step, least):
        if pitch > most:
            return None
        if pitch >= least and pitch % step == 0 and pitch // step in steps:
            pitches = [_times(pitch, plane.ratio) for plane in planes]
            if all(
                not plane.power_of_two or own & (own - 1) == 0
                for plane, own in zip(planes, pitches, strict=True)
            ):
                return pitches
    return None


def _times(pitch: int, ratio: tuple[int, int]) -> int:
    """The pitch of a plane for one of plane 0 that is a multiple of `step`: then it is whole."""
    over, under = ratio
    return pitch // under * over


def _candidates(
    planes: Sequence[TiedPlane], steps: _Numbers, step: int, least: int
) -> Iterator[int]:
    """Pitches of plane 0 of which the first that will do is the least, in ascending order."""
    strict = next((plane for plane in planes if plane.power_of_two), None)
    if strict is None:
        first = steps.least(-(-least // step))
        if first is not None:
            yield step * first
        return
    over, under = strict.ratio
    for bit in range(strict.most.bit_length()):
        pitch, rest = divmod((1 << bit) * under, over)
        if not rest:
            yield pitch


class _Numbers(NamedTuple):
    """The numbers that leave a remainder when they are divided; none where `modulus` is 0."""

    remainder: int = 0
    modulus: int = 1

    def of_which_a_multiple(self, factor: int, more: int, divisor: int) -> _Numbers:
        """Those of them of which `factor` times, and so much more, is a multiple of a divisor."""
        # They are remainder + modulus * n: which n?
        each = self.modulus * factor
        shared = gcd(each, divisor)
        rest = -(self.remainder * factor + more)
        if not self.modulus or rest % shared:
            return _Numbers(0, 0)
        period = divisor // shared
        first = rest // shared * pow(each // shared, -1, period) % period
        return _Numbers(self.remainder + self.modulus * first, self.modulus * period)

    def __contains__(self, number: object) -> bool:
        return (
            isinstance(number, int)
            and self.modulus != 0
            and (number - self.remainder) % self.modulus == 0
        )

    def least(self, start: int) -> int | None:
        """The first of them from a number on; None if there are none."""
        return None if not self.modulus else start + (self.remainder - start) % self.modulus
