"""Whether some requirements can be met, asked for many subsets of the same ones.

A subset is a mask: bit n is `atoms[n]`. For each pair everyone has alternatives, and each of
these is the mask of what it demands. Taking a set of each participant gives one mask; pairs
that are laid out alike are one. So the pairs and sets are gone through once, and asking for a
subset is a merge of what is in it, and a layout where the merge leaves something.

What was found out is used again: a part of what can be met can be met, and what holds
something that cannot be met cannot be met.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import reduce
from itertools import product
from math import prod
from operator import or_
from typing import Final, TypeAlias

from heapwire.protocol.solver.conflict.atom import STREAM_ATOM, Atom
from heapwire.protocol.solver.contradiction import FAMILIES, LAYOUT, PICTURE, PITCH
from heapwire.protocol.solver.demand import Demand
from heapwire.protocol.solver.group_layout import (
    TRIED_FIRST,
    can_be_met_at_best,
    domains_of_class,
    ground_of,
    has_layout,
    rooms_of,
)
from heapwire.protocol.solver.layout import LayoutClass, class_of
from heapwire.protocol.solver.merge import BOTTOM, Bottom, join, lift
from heapwire.protocol.solver.merged_group import NO_CHOICE, MergedGroup, group_with
from heapwire.protocol.solver.prepared_goal import PreparedGoal
from heapwire.protocol.solver.search import Search
from heapwire.protocol.solver.step_budget import PAIRS_A_STEP
from heapwire.protocol.values import (
    ALL_PLANES,
    FORMATS,
    MAX_PLANES,
    REGISTRY,
    Constraint,
    FormatModifier,
    plane_count,
)

_Options: TypeAlias = tuple[tuple[int, ...], ...]
"""Masks of alternatives, of which one of each tuple is chosen."""

_Layouts: TypeAlias = "dict[LayoutClass | None, FormatModifier]"
"""A pair of each class; of None are those of unknown formats, with the planes spoken of."""

_LAID_OUT_TYPES: Final = frozenset[int]().union(*(family.types for family in FAMILIES))
_ASKED: Final = (
    [family.types for family in FAMILIES if family is not LAYOUT],
    # How long a row is depends on the picture, so these two can contradict together.
    [PICTURE.types | PITCH.types],
)
"""Types asked together; those of the second only where none of the first leave nothing."""

_STEPS_OF_A_TEST: Final = 10


def bits_of(mask: int) -> list[int]:
    """The masks of the single requirements in a mask, in their order."""
    bits = []
    while mask:
        bit = mask & -mask
        bits.append(bit)
        mask ^= bit
    return bits


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
        self.atoms = [atom for atom in atoms if _matters(atom, spoken_of=unknown_formats)]
        self._cases = self._all_cases(search)
        said = [mask for options in self._cases for masks in options for mask in masks]
        self._alike = _alike(self.atoms, _union(said))
        self._repeated = sum(
            1 << number for number, first in enumerate(self._alike) if first != 1 << number
        )
        # Where nobody has alternatives it does not matter who says something, unless it is said
        # of some pairs by one and of others by another.
        self._alone = all(len(masks) == 1 for options in self._cases for masks in options) and all(
            self._is_said_by_all(options) for options in self._cases
        )
        self._known: dict[tuple[int, LayoutClass, bool], bool] = {}
        self._grounds: dict[tuple[tuple[int, ...], int], Demand | Bottom] = {}
        self._possible: list[int] = []
        self._impossible: list[int] = []

    @property
    def everything(self) -> int:
        """All of the requirements."""
        return (1 << len(self.atoms)) - 1

    def saying(self, bit: int) -> int:
        """All requirements that say the same as one, whoever does."""
        first = self._alike[bit.bit_length() - 1]
        return sum(1 << number for number, other in enumerate(self._alike) if other == first)

    def _is_said_by_all(self, options: _Options) -> bool:
        """Whether what one says in a case is said by all who ever say it."""
        mask = _union(one for masks in options for one in masks)
        return all(mask & same in (0, same) for same in map(self.saying, bits_of(self._repeated)))

    def possible(self, kept: int) -> bool:
        """Whether these requirements can be met together; `TooComplexError`."""
        self._budget.spend(1 + (len(self._possible) + len(self._impossible)) // 8)
        if self._alone:
            kept = self._said(kept)
        if self._known_possible(kept):
            return True
        for known in self._impossible:
            if kept & known == known:
                return False
        for options, layouts in self._cases.items():
            left = self._left(options, kept)
            if self._is_hopeless(left, layouts):
                continue
            for chosen in self._chosen(left):
                for layout_class, pair in layouts.items():
                    if self._can_be_met(chosen, layout_class, pair):
                        self._possible = [
                            *(known for known in self._possible if known & kept != known), kept,
                        ]  # fmt: skip
                        return True
        self._impossible.append(kept)
        return False

    def not_known(self, subsets: Sequence[int]) -> list[int]:
        """Those of some subsets that what was found out does not tell to be possible."""
        self._budget.spend(len(subsets) * (1 + len(self._possible) // 8) // 4)
        if self._alone:
            subsets = [self._said(kept) for kept in subsets]
        return [kept for kept in subsets if not self._known_possible(kept)]

    def _known_possible(self, kept: int) -> bool:
        return any(kept & known == kept for known in self._possible)

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
        bit_of = {atom: 1 << number for number, atom in enumerate(self.atoms)}
        stream = bit_of.get(STREAM_ATOM, 0)
        masks: list[dict[int, int]] = []
        for participant in search.goal.participants:
            own: dict[int, int] = {}
            for position in participant.positions:
                constraints = participant.constraints(position)
                self._budget.spend(len(constraints))
                demanded = {Atom(participant.name, constraint) for constraint in constraints}
                own[position] = sum(bit_of.get(atom, 0) for atom in demanded)
            masks.append(own)
        cases: dict[_Options, _Layouts] = {}
        for alternatives, pairs in search.common.items():
            self._budget.spend(len(pairs) + len(alternatives))
            # What those without alternatives demand is one mask, and so is one alternative.
            certain = stream
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

    def _can_be_met(
        self, chosen: int, layout_class: LayoutClass | None, pair: FormatModifier
    ) -> bool:
        self._budget.spend()
        chosen = self._said(chosen)
        layout_class = self._class_for(chosen, layout_class)
        key = (chosen, layout_class, True)
        met = self._known.get(key)
        if met is None:
            met = self._known[key] = self._has_layout(chosen, layout_class, pair)
        return met

    def _has_layout(self, chosen: int, layout_class: LayoutClass, pair: FormatModifier) -> bool:
        group = self._group(chosen, layout_class)
        return group is not None and has_layout(self._goal(chosen), group, layout_class, pair)

    def _goal(self, chosen: int) -> PreparedGoal:
        # The stream's amount is the first atom.
        return self._goals[chosen & 1]

    def _group(self, chosen: int, layout_class: LayoutClass) -> MergedGroup | None:
        """What follows from a mask, whatever the places; None where nothing can meet it."""
        constraints = list(self._constraints(chosen))
        self._budget.spend(_STEPS_OF_A_TEST + len(constraints))
        planes = layout_class.planes
        lifted = lift(
            constraints, planes=planes, substitutes=self._substitutes, budget=self._budget
        )
        demand = join((lifted,))
        if demand is BOTTOM:
            return None
        group = group_with(self._goal(chosen), NO_CHOICE, planes, demand, orders=None)
        if group is None or not all(domains_of_class(self._goal(chosen), group, layout_class)):
            return None
        group.spelled = ()  # nobody allocates by it
        return group

    def _is_left(self, chosen: int, layout_class: LayoutClass, pair: FormatModifier) -> bool:
        """Whether the merge leaves something: sources for each plane, and a pitch."""
        chosen = self._said(chosen)
        key = (chosen, layout_class, False)
        left = self._known.get(key)
        if left is None:
            group = self._group(chosen, layout_class)
            left = self._known[key] = (
                group is not None
                and rooms_of(self._goal(chosen), group, layout_class, pair) is not None
            )
        return left

    def _blamed(self, chosen: int, layout_class: LayoutClass | None, pair: FormatModifier) -> int:
        # Of an unknown format the planes are those that are spoken of: by a family, not by all.
        def leaves_nothing(mask: int) -> bool:
            return not self._is_left(mask, self._class_for(mask, layout_class), pair)

        return self._families_of(chosen, leaves_nothing)

    def _blamed_whatever_is_chosen(self, options: _Options, layouts: _Layouts) -> int:
        def leaves_nothing(mask: int) -> bool:
            return self._is_hopeless(self._left(options, mask), layouts)

        return self._families_of(
            _union(mask for masks in options for mask in masks), leaves_nothing
        )

    def _families_of(self, chosen: int, leaves_nothing: Callable[[int], bool]) -> int:
        """What is said of the families that leave nothing by themselves; else all of it."""
        by_type: dict[int, int] = {}
        for bit in bits_of(chosen):
            constraint = self.atoms[bit.bit_length() - 1].constraint
            # The stream's amount is of no family.
            if constraint is not None:
                by_type[constraint.type] = by_type.get(constraint.type, 0) | bit
        alone = [mask for type_, mask in by_type.items() if type_ not in _LAID_OUT_TYPES]
        blamed = sum(mask for mask in alone if leaves_nothing(mask))
        for row in _ASKED:
            families = [
                sum(mask for type_, mask in by_type.items() if type_ in family) for family in row
            ]
            # A type can be of two families.
            blamed |= _union(mask for mask in families if mask and leaves_nothing(mask))
            if blamed:
                return blamed
        return chosen


def _union(masks: Iterable[int]) -> int:
    return reduce(or_, masks, 0)


def _alike(atoms: Sequence[Atom], heard: int) -> list[int]:
    """For each requirement the mask of the first that says the same, whoever does.

    What is of no case, since nobody else knows the pairs that it is said of, is like no other.
    """
    firsts: dict[object, int] = {}
    alike = []
    for number, atom in enumerate(atoms):
        c, bit = atom.constraint, 1 << number
        said = None if c is None else (c.type, c.planes, c.value, c.must_understand)
        alike.append(firsts.setdefault(said, bit) if heard & bit else bit)
    return alike


def _matters(atom: Atom, *, spoken_of: bool) -> bool:
    """Whether a requirement can have part in a conflict.

    A condition does not merge. What is of an unknown type, and need not be understood, is
    carried on; it only tells, where planes are `spoken_of`, that there is such a plane.
    """
    constraint = atom.constraint
    if constraint is None:
        return True
    row = REGISTRY.get(constraint.type)
    if row is None:
        return constraint.must_understand or (spoken_of and constraint.planes != 0)
    return not row.condition or (spoken_of and constraint.planes != 0)
