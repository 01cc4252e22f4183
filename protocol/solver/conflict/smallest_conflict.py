"""The smallest requirements that cannot be met, of many that cannot.

Which requirements are looked at is read off the merged demand (`ConflictCases.to_blame`), where
that leaves nothing. Where it is a layout that fails, one limit is kept that the others do not
keep to (limit.py). Of what is left one is dropped after the other, in a fixed order; one whose
absence leaves the rest unsatisfiable was not needed for the conflict. What remains is minimal:
without any one of it, the rest can be met. Whole participants are tried first, since most have
nothing to do with it.

A conflict of one or two members is better than a minimal one of more, so where there are more
these are looked for too. What was met while dropping tells of nearly all of them that they can
be met.
"""

from __future__ import annotations

from functools import reduce
from itertools import combinations
from operator import or_
from typing import Final

from heapwire.protocol.late_tuples import NamedTuple
from heapwire.protocol.solver.conflict.atom import bits_of
from heapwire.protocol.solver.conflict.conflict_cases import ConflictCases
from heapwire.protocol.solver.conflict.limit import (
    greatest_of_each_type,
    of_addresses,
    tightest_last,
)
from heapwire.protocol.solver.step_budget import TooComplexError

_TRIED_WHOLE: Final = 2  # conflicts of so many members are looked for: nothing is smaller
_MOST_TRIED_WHOLE: Final = 24  # requirements; more pairs than these make take too long to try


class SmallConflict(NamedTuple):
    """Requirements that cannot be met, as a mask; whether none of them can be left out."""

    kept: int
    proved_minimal: bool


def smallest_conflict(cases: ConflictCases) -> SmallConflict:
    """A minimal set of requirements that cannot be met, or what is known when the steps end."""
    dropping = _Dropping(cases)
    try:
        dropping.narrow()
        # What fails with nothing asked for fails by the picture or the buffer itself.
        if not cases.possible(0):
            return SmallConflict(0, proved_minimal=True)
        dropping.leave_one_limit()
        dropping.drop()
    except TooComplexError:
        return SmallConflict(dropping.kept, proved_minimal=False)
    kept = dropping.kept
    try:
        few = _few(cases, min(kept.bit_count() - 1, _TRIED_WHOLE))
    except TooComplexError:
        few = None  # there may be fewer, and none of these can be left out all the same
    return SmallConflict(kept if few is None else few, proved_minimal=True)


class _Dropping:
    """Drops one requirement after the other; what is `kept` cannot be met, at any time."""

    def __init__(self, cases: ConflictCases) -> None:
        self._cases = cases
        self.kept = cases.everything

    def narrow(self) -> None:
        """Keep those to blame, unless the others cannot be met either."""
        cases = self._cases
        if cases.is_merged and len(cases.atoms) <= _MOST_TRIED_WHOLE:
            return  # no family is to blame by itself, and few are left
        for to_blame in (cases.merged_to_nothing, cases.to_blame):
            cases.blamed = to_blame()
            if cases.blamed and cases.possible(cases.everything & ~cases.blamed):
                break
        else:
            cases.blamed = cases.everything
        self.kept = cases.blamed

    def leave_one_limit(self) -> None:
        """Keep one limit alone, of those that a layout of all else does not keep to."""
        cases = self._cases
        limits = tightest_last(cases.atoms, self.kept & cases.limits)
        broken = cases.not_known(limits)
        if broken and not cases.possible(sum(broken)):
            for limit in reversed(broken):
                if not cases.possible(limit):
                    self.kept = limit
                    return
        others = self.kept & ~sum(limits)
        # One alone of each type first: what is beyond that is in a conflict of few.
        for asked in (greatest_of_each_type(cases.atoms, others), others):
            if not cases.possible(asked):
                self.kept = asked
                return
            beyond = cases.not_known([asked | limit for limit in limits])
            if beyond and not cases.possible(beyond[-1]):
                self.kept = beyond[-1]
                return

    def drop(self) -> None:
        """Drop whatever is not needed."""
        cases = self._cases
        by_participant: dict[str, int] = {}
        for bit in bits_of(self.kept):
            name = cases.atoms[bit.bit_length() - 1].participant
            by_participant[name] = by_participant.get(name, 0) | bit
        for own in by_participant.values():
            if not cases.possible(self.kept & ~own):
                self.kept &= ~own
        # What can be met stays so when less is asked for, so what was needed once stays
        # needed while others go: one pass leaves a minimal set.
        unsure = of_addresses(cases.atoms, self.kept)
        needed, rest = 0, [*bits_of(unsure), *bits_of(self.kept & ~unsure)]
        while rest and cases.possible(needed):
            first = self._first_needed(needed, rest)
            needed |= rest[first]
            rest = rest[first + 1 :]
            self.kept = needed | sum(rest)
        self.kept = needed

    def _first_needed(self, needed: int, rest: list[int]) -> int:
        """How many of the rest, from the first on, can go; the next one cannot go with them."""
        # The steps double, then halve: where few are needed most of the others go at once.
        gone, least = 0, len(rest)
        stride = 1
        while gone + stride < least:
            if self._cases.possible(needed | sum(rest[gone + stride :])):
                least = gone + stride
                break
            gone += stride
            stride *= 2
        while least - gone > 1:
            middle = (gone + least) // 2
            if self._cases.possible(needed | sum(rest[middle:])):
                least = middle
            else:
                gone = middle
        return gone


def _few(cases: ConflictCases, most: int) -> int | None:
    """The first so few of the blamed, or fewer, that cannot be met; None where there are none."""
    # The limits that leave the least come first: what keeps to them keeps to the others too.
    limits = tightest_last(cases.atoms, cases.blamed & cases.limits)[::-1]
    bits = [*limits, *bits_of(cases.blamed & ~sum(limits))]
    sizes = range(1, (most if len(bits) <= _MOST_TRIED_WHOLE else min(most, 1)) + 1)
    waiting = cases.not_known([sum(few) for size in sizes for few in combinations(bits, size)])
    asked = len(bits)
    while waiting:
        # What can be met answers for all in it. Where it cannot, fewer are asked for at a time.
        cases.blamed = reduce(or_, waiting)
        together = cases.joined(waiting, asked)
        if cases.possible(together):
            waiting = cases.not_known(waiting)
        elif together == waiting[0]:
            return together
        else:
            asked = (together.bit_count() + 1) // 2
    return None
