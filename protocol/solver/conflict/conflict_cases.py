"""Whether some requirements can be met, asked for many subsets of the same ones.

A subset is a mask: bit n is `atoms[n]`. For each pair everyone has alternatives, and each of
these is the mask of what it demands. Taking a set of each participant gives one mask; pairs
that are laid out alike are one. So the pairs and sets are gone through once, and asking for a
subset is a merge of what is in it, and a layout where the merge leaves something.

What was found out is used again (known_subsets.py), and so is a layout that was made: it
answers for whatever else it keeps to (met_layout.py).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from functools import reduce
from itertools import product
from math import prod
from operator import or_
from typing import Final, TypeAlias

from heapwire.protocol.solver.conflict.atom import Atom, alike_of, bits_of, matters
from heapwire.protocol.solver.conflict.blamed_families import BY_THEMSELVES, blamed_families
from heapwire.protocol.solver.conflict.known_subsets import KnownSubsets
from heapwire.protocol.solver.conflict.limit import limits_of, one_of_each_type
from heapwire.protocol.solver.conflict.met_layout import MetLayout
from heapwire.protocol.solver.demand import BOTTOM, Bottom, Demand, join, lift
from heapwire.protocol.solver.group_layout import (
    TRIED_FIRST,
    any_layout,
    can_be_met_at_best,
    domains_of_class,
    ground_of,
    rooms_of,
)
from heapwire.protocol.solver.layout import LayoutClass, class_of
from heapwire.protocol.solver.merged_group import NO_CHOICE, MergedGroup, group_with
from heapwire.protocol.solver.prepared_goal import PreparedGoal
from heapwire.protocol.solver.search import Search
from heapwire.protocol.solver.step_budget import PAIRS_A_STEP
from heapwire.protocol.values import (
    ALL_PLANES,
    FORMATS,
    MAX_PLANES,
    Constraint,
    FormatModifier,
    plane_count,
)

_Options: TypeAlias = tuple[tuple[int, ...], ...]
"""Masks of alternatives, of which one of each tuple is chosen."""

_Layouts: TypeAlias = "dict[LayoutClass | None, FormatModifier]"
"""A pair of each class; of None are those of unknown formats, with the planes spoken of."""

_STREAM: Final = 1  # the first requirement: that all the buffers fit at the same time

_STEPS_OF_A_MERGE: Final = 3  # beside its constraints
_STEPS_OF_A_GROUP: Final = 7


class ConflictCases:
    """The requirements of a goal that has no plan; `search` has looked for one in vain."""

    def __init__(self, search: Search, atoms: Sequence[Atom]) -> None:
        goal = search.goal
        self._goals = (goal.whatever_its_size(), goal)
        self._budget = goal.budget
        self._substitutes = goal.sources.substitutes
        unknown_formats = any(
            pair.fourcc not in FORMATS for pairs in search.common.values() for pair in pairs
        )
        self.atoms = [atom for atom in atoms if matters(atom, spoken_of=unknown_formats)]
        self.blamed = self.everything
        self.limits = limits_of(self.atoms)
        self._cases = self._all_cases(search)
        said = [mask for options in self._cases for masks in options for mask in masks]
        self._alike = alike_of(self.atoms, _union(said))
        self._same: dict[int, int] = {}  # all that say the same as the first of them
        self._repeated = 0  # these, without the first
        for number, first in enumerate(self._alike):
            bit = 1 << number
            self._same[first] = self._same.get(first, 0) | bit
            if first != bit:
                self._repeated |= bit
        # Where nobody has alternatives it does not matter who says something, unless it is said
        # of some pairs by one and of others by another.
        self._alone = all(len(masks) == 1 for options in self._cases for masks in options) and all(
            self._is_said_by_all(options) for options in self._cases
        )
        self._met: dict[tuple[int, LayoutClass], MetLayout | None] = {}
        self._left_by: dict[tuple[int, LayoutClass], bool] = {}
        self._merges: dict[tuple[int, int], Demand | Bottom] = {}
        self._singles: dict[tuple[int, int], Demand | Bottom] = {}
        self._grounds: dict[tuple[tuple[int, ...], int], Demand | Bottom] = {}
        self._known = KnownSubsets()
        self.is_merged = search.is_merged

    @property
    def everything(self) -> int:
        """All of the requirements."""
        return (1 << len(self.atoms)) - 1

    def _is_said_by_all(self, options: _Options) -> bool:
        """Whether what one says in a case is said by all who ever say it."""
        mask = _union(one for masks in options for one in masks)
        return all(mask & same in (0, same) for same in self._same.values())

    def possible(self, kept: int) -> bool:
        """Whether these requirements can be met together; `TooComplexError`."""
        self._budget.spend(1 + len(self._known) // 8)
        if self._alone:
            kept = self._said(kept)
        known = self._known.tells(kept)
        if known is not None:
            return known
        for options, layouts in self._cases.items():
            for chosen in self._ways(options, kept, layouts):
                for layout_class, pair in layouts.items():
                    met = self._layout_for(chosen, layout_class, pair)
                    if met is None:
                        continue
                    if self._alone and layout_class is not None:
                        kept |= self._kept_to(met, kept, options[0][0])
                    self._known.add_possible(kept)
                    return True
        self._known.add_impossible(kept)
        return False

    def _kept_to(self, met: MetLayout, kept: int, certain: int) -> int:
        """Those to blame that a layout meets too, of a case in which these are demanded."""
        others = bits_of(self.blamed & certain & ~kept & ~self._repeated)
        self._budget.spend(len(others) // 2)
        also = self.blamed & ~certain
        for bit in others:
            if (
                met.has_room()
                if bit == _STREAM
                else met.keeps_to(self._single(bit, met.group.planes))
            ):
                also |= bit
        return also

    def _single(self, bit: int, planes: int) -> Demand | Bottom:
        """What one requirement demands by itself, of formats of so many planes."""
        demand = self._singles.get((bit, planes))
        if demand is None:
            demand = self._singles[bit, planes] = self._lifted(bit, planes)
        return demand

    def not_known(self, subsets: Sequence[int]) -> list[int]:
        """Those of some subsets that what was found out does not tell to be possible."""
        self._budget.spend(len(subsets) * (2 + len(self._known) // 4) // 32)
        if self._alone and self._repeated:
            subsets = list(dict.fromkeys([self._said(kept) for kept in subsets]))
        return self._known.without_possible(subsets)

    def joined(self, subsets: Sequence[int], most: int) -> int:
        """The first of some subsets, and of the others what may be possible with it: so many.

        With what is no limit that is all that is none. Beside a limit it is the other limits, and
        one of each type: those of one type soon have no common multiple that is small enough.
        """
        self._budget.spend(len(subsets) * (2 + len(self._known) // 8) // 16)
        first, limits = subsets[0], self.limits
        if not first & limits:
            others = [subset for subset in subsets if not subset & limits]
            return self._known.union(first, others, most)
        chosen = limits | one_of_each_type(self.atoms, first, _union(subsets) & ~limits)
        limited = [subset for subset in subsets if subset & ~limits & ~first == 0]
        one_each = [subset for subset in subsets if subset & ~chosen == 0]
        return self._known.union(self._known.union(first, limited, most), one_each, most)

    def merged_to_nothing(self) -> int:
        """The families of types that merge to nothing by themselves; 0 where none is sure to.

        It is `to_blame` in short: where the rest can be met, no other family is to blame. With
        several pairs or ways to choose each has families of its own, so then it says nothing.
        """
        if len(self._cases) > 1:
            return 0
        [(options, layouts)] = self._cases.items()
        if len(options) > 1 or len(layouts) > 1:
            return 0
        [layout_class] = layouts

        def is_nothing(mask: int) -> bool:
            planes = self._class_for(mask, layout_class).planes
            return self._merged(self._said(mask), planes) is BOTTOM

        return blamed_families(self.atoms, options[0][0], is_nothing, BY_THEMSELVES)

    def to_blame(self) -> int:
        """Those that cannot be met, without the types that have no part in that.

        Of each way to choose sets the families of types that leave nothing by themselves;
        where none does, all that bears on a layout.
        """
        blamed = 0
        for options, layouts in self._cases.items():
            left = self._left(options, self.everything)
            if self._is_hopeless(left, layouts):
                blamed |= self._blamed_whatever_is_chosen(options, layouts)
                continue
            for chosen in self._chosen(left):
                for layout_class, pair in layouts.items():
                    blamed |= self._blamed(chosen, layout_class, pair)
        return blamed

    def _all_cases(self, search: Search) -> dict[_Options, _Layouts]:
        bits: dict[str, dict[Constraint | None, int]] = {}
        for number, atom in enumerate(self.atoms):
            bits.setdefault(atom.participant, {})[atom.constraint] = 1 << number
        masks: list[dict[int, int]] = []
        for participant in search.goal.participants:
            own: dict[int, int] = {}
            bit_of = bits.get(participant.name, {})
            for position in participant.positions:
                constraints = participant.constraints(position)
                self._budget.spend(len(constraints) // 2)
                own[position] = _union([bit_of.get(one, 0) for one in constraints])
            masks.append(own)
        cases: dict[_Options, _Layouts] = {}
        for alternatives, pairs in search.common.items():
            self._budget.spend(len(pairs) + len(alternatives))
            # What those without alternatives demand is one mask, and so is one alternative.
            certain = _STREAM
            open_: list[tuple[int, ...]] = []
            for own, entries in zip(masks, alternatives, strict=True):
                different = sorted({own[position] for position, _ in entries})
                if len(different) == 1:
                    certain |= different[0]
                else:
                    open_.append(tuple(different))
            layouts = cases.setdefault(((certain,), *open_), {})
            for pair in pairs:
                layout_class = class_of(pair)
                if layout_class is None and (planes := plane_count(*pair)) is not None:
                    layout_class = LayoutClass(planes, opaque=True)
                layouts.setdefault(layout_class, pair)
        return cases

    def _left(self, options: _Options, kept: int) -> _Options:
        """What is left of the demands of each; none that holds another of the same options."""
        everyone = []
        for masks in options:
            left = sorted({mask & kept for mask in masks})
            if len(left) > 1:
                self._budget.spend(len(left) ** 2 // PAIRS_A_STEP)
                left = [mask for mask in left if not any(o & mask == o and o != mask for o in left)]
            everyone.append(tuple(left))
        return tuple(everyone)

    def _ways(self, options: _Options, kept: int, layouts: _Layouts) -> Iterable[int]:
        """What is demanded for each way to choose; none where what all demand rules out each."""
        if len(options) == 1 and len(options[0]) == 1:  # as a rule
            return (options[0][0] & kept,)
        left = self._left(options, kept)
        return () if self._is_hopeless(left, layouts) else self._chosen(left)

    def _chosen(self, left: _Options) -> Iterator[int]:
        """What is demanded for each way to choose one of each, one after the other."""
        certain = 0
        for masks in left:
            if len(masks) == 1:
                certain |= masks[0]
        for chosen in product(*(masks for masks in left if len(masks) > 1)):
            yield certain | _union(chosen)

    def _is_hopeless(self, left: _Options, layouts: _Layouts) -> bool:
        """Whether, of too many ways to choose to try them all, what all demand rules out each."""
        if prod(len(masks) for masks in left) <= TRIED_FIRST:
            return False
        return not can_be_met_at_best(
            self._goal(left[0][0]),
            lambda planes: [self._ground(masks, planes) for masks in left],
            layouts.values(),
        )

    def _ground(self, masks: tuple[int, ...], planes: int) -> Demand | Bottom:
        ground = self._grounds.get((masks, planes))
        if ground is None:
            demands = (self._lifted(mask, planes) for mask in masks)
            ground = self._grounds[masks, planes] = ground_of(demands, self._budget)
        return ground

    def _lifted(self, mask: int, planes: int) -> Demand | Bottom:
        """What a mask demands of formats of so many planes."""
        constraints = list(self._constraints(mask))
        self._budget.spend(1 + len(constraints))
        return lift(constraints, planes=planes, substitutes=self._substitutes, budget=self._budget)

    def _said(self, mask: int) -> int:
        """A mask with each requirement once that several have: the first of them stands for all."""
        repeated = mask & self._repeated
        mask ^= repeated
        for bit in bits_of(repeated):
            mask |= self._alike[bit.bit_length() - 1]
        return mask

    def _constraints(self, mask: int) -> Iterator[Constraint]:
        for bit in bits_of(mask):
            constraint = self.atoms[bit.bit_length() - 1].constraint
            if constraint is not None:
                yield constraint

    def _class_for(self, mask: int, layout_class: LayoutClass | None) -> LayoutClass:
        if layout_class is not None:
            return layout_class
        spoken = 1
        for constraint in self._constraints(mask):
            spoken |= constraint.planes
        return LayoutClass(min((spoken & ALL_PLANES).bit_length(), MAX_PLANES), opaque=True)

    def _layout_for(
        self, chosen: int, layout_class: LayoutClass | None, pair: FormatModifier
    ) -> MetLayout | None:
        """A layout of what is chosen, None where there is none."""
        self._budget.spend()
        chosen = self._said(chosen)
        layout_class = self._class_for(chosen, layout_class)
        key = chosen, layout_class
        if key not in self._met:
            goal, group = self._goal(chosen), self._group(chosen, layout_class)
            found = None if group is None else any_layout(goal, group, layout_class, pair)
            self._met[key] = (
                None
                if group is None or found is None
                else MetLayout(goal, group, layout_class, found)
            )
        return self._met[key]

    def _goal(self, chosen: int) -> PreparedGoal:
        return self._goals[chosen & _STREAM]

    def _merged(self, chosen: int, planes: int) -> Demand | Bottom:
        """What a mask merges into."""
        key = chosen, planes
        merged = self._merges.get(key)
        if merged is None:
            bits = bits_of(chosen)
            self._budget.spend(_STEPS_OF_A_MERGE + len(bits) // 2)
            demands = [self._single(bit, planes) for bit in bits]
            merged = self._merges[key] = join(demands, budget=self._budget)
        return merged

    def _group(self, chosen: int, layout_class: LayoutClass) -> MergedGroup | None:
        """What follows from a mask, whatever the places; None where nothing can meet it."""
        planes = layout_class.planes
        demand = self._merged(chosen, planes)
        if demand is BOTTOM:
            return None
        self._budget.spend(_STEPS_OF_A_GROUP)
        group = group_with(self._goal(chosen), NO_CHOICE, planes, demand, orders=None)
        if group is None or not all(domains_of_class(self._goal(chosen), group, layout_class)):
            return None
        group.spelled = ()  # nobody allocates by it
        return group

    def _is_left(self, chosen: int, layout_class: LayoutClass, pair: FormatModifier) -> bool:
        """Whether the merge leaves something: sources for each plane, and a pitch."""
        chosen = self._said(chosen)
        key = chosen, layout_class
        left = self._left_by.get(key)
        if left is None:
            group = self._group(chosen, layout_class)
            left = self._left_by[key] = (
                group is not None
                and rooms_of(self._goal(chosen), group, layout_class, pair) is not None
            )
        return left

    def _blamed(self, chosen: int, layout_class: LayoutClass | None, pair: FormatModifier) -> int:
        # Of an unknown format the planes are those that are spoken of: by a family, not by all.
        def leaves_nothing(mask: int) -> bool:
            return not self._is_left(mask, self._class_for(mask, layout_class), pair)

        return blamed_families(self.atoms, chosen, leaves_nothing) or chosen

    def _blamed_whatever_is_chosen(self, options: _Options, layouts: _Layouts) -> int:
        def leaves_nothing(mask: int) -> bool:
            return self._is_hopeless(self._left(options, mask), layouts)

        chosen = _union(mask for masks in options for mask in masks)
        return blamed_families(self.atoms, chosen, leaves_nothing) or chosen


def _union(masks: Iterable[int]) -> int:
    return reduce(or_, masks, 0)
