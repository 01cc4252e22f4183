"""A participant made ready for one problem: which pairs it offers, and what each demands.

A set applies or not, by the conditions in it; a pair may be in several sets,
which are alternatives. Beside its sets a participant demands what its usage
implies. The content and the stream take part too: what is to be shown and how
much of it there is are demands like any other, and can be part of a conflict.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Final

from heapwire.protocol.late_dataclasses import dataclass, field, replace
from heapwire.protocol.solver.demand import Bottom, Demand, Substitutes, lift
from heapwire.protocol.solver.known_sets import CONDITIONS, Alternatives, KnownSets, SaidBySets
from heapwire.protocol.solver.layout import least_rows, with_column_height
from heapwire.protocol.solver.step_budget import PAIRS_A_STEP, StepBudget
from heapwire.protocol.values import (
    ANY_FOURCC,
    ANY_MODIFIER,
    MAX_PLANES,
    PROTECTED,
    WHEN_HEIGHT,
    WHEN_INTERLACED,
    WHEN_ROTATION,
    WHEN_WIDTH,
    Constraint,
    ConstraintSet,
    Content,
    Extents,
    FormatModifier,
    Participant,
    Problem,
    Provenance,
    Source,
    SourceId,
    Usage,
    family_of,
)

CONTENT: Final = "the content"
"""What sentences call what is shown, where it is among the participants."""

STREAM: Final = "the stream"
"""What sentences call the number of buffers, where it is part of a conflict."""

NO_SET: Final = -1
"""The position of the empty set of who can use anything."""

ANYTHING: Final[Alternatives] = ((NO_SET, 0),)
"""The alternatives of who can use anything, for any pair."""

_SCANOUT: Final = int(Usage.SCANOUT)


@dataclass(slots=True, eq=False)
class PreparedParticipant:
    """One participant, prepared.

    `offers` is None for who can use any pair. `implied` holds for every pair.
    `wild`: some pair that it offers stands for more than itself. `lifted` keeps
    the demands that were worked out, by set and number of planes, and `saying` by their
    constraints the sets that were asked for; `alike` has for each set the first that says the
    same, once somebody asks. `known` is what its sets say whoever asks.
    """

    name: str
    scanout: bool
    wild: bool
    sets: tuple[ConstraintSet, ...]
    offers: Mapping[FormatModifier, Alternatives] | None
    implied: tuple[Constraint, ...]
    substitutes: Substitutes
    budget: StepBudget
    known: SaidBySets
    lifted: dict[tuple[int, int], Demand | Bottom] = field(default_factory=dict)
    saying: dict[tuple[Constraint, ...], int] = field(default_factory=dict)
    alike: list[int] = field(default_factory=list)

    @property
    def positions(self) -> Sequence[int]:
        """The positions of its sets; `NO_SET` alone for who has none."""
        return range(len(self.sets)) if self.sets else (NO_SET,)

    def demand(self, position: int, planes: int) -> Demand | Bottom:
        """What the set at a position and what is implied demand of formats of so many planes.

        It is the very same for sets with the same constraints.
        """
        demand = self.lifted.get((position, planes))
        if demand is None:
            first = position
            if len(self.sets) > 1:
                first = self.saying.setdefault(self.sets[position].constraints, position)
            demand = self.known.lifted.by(
                (first, planes), self.budget, lambda: self._lift(position, planes)
            )
            self.lifted[position, planes] = demand
        return demand

    def _lift(self, position: int, planes: int) -> Demand | Bottom:
        constraints = self.constraints(position)
        self.budget.spend(1 + len(constraints))
        return lift(constraints, planes=planes, substitutes=self.substitutes, budget=self.budget)

    def constraints(self, position: int) -> tuple[Constraint, ...]:
        """The constraints of a set, and those implied."""
        own = () if position == NO_SET else self.sets[position].constraints
        return (*own, *self.implied) if self.implied else own

    def different(self, alternatives: Alternatives) -> tuple[tuple[int, int, int], ...]:
        """The alternatives that say different things: (rank, position, cost), best first."""
        if not self.alike:
            self._compare_sets()
        self.budget.spend(1 + len(alternatives) // 4)
        first: dict[int, tuple[int, int, int]] = {}
        for rank, (position, cost) in enumerate(alternatives):
            first.setdefault(self.alike[position], (rank, position, cost))
        return tuple(first.values())

    def _compare_sets(self) -> None:
        firsts: dict[frozenset[tuple[Constraint, int]], int] = {}
        alike = []
        for position, own in enumerate(self.sets):
            lists = [c.value for c in own.constraints if type(c.value) is tuple]
            self.budget.spend(1 + len(own.constraints) + sum(map(len, lists)) // 2)
            # How often a constraint stands counts, as it does in an order of sources.
            said = Counter(c for c in own.constraints if c.type not in CONDITIONS)
            alike.append(firsts.setdefault(frozenset(said.items()), position))
        self.alike = alike  # only now: the steps may end on the way


def prepared(
    participant: Participant,
    problem: Problem,
    substitutes: Substitutes,
    budget: StepBudget,
    known_sets: KnownSets | None = None,
) -> PreparedParticipant:
    """A participant, prepared for one problem."""
    known = (known_sets or KnownSets()).of(participant)
    return PreparedParticipant(
        name=participant.name,
        scanout=int(participant.usage) & _SCANOUT != 0,
        wild=known.wild,
        sets=participant.sets,
        offers=_offers(participant, problem, budget, known) if participant.sets else None,
        implied=known.implied,
        substitutes=substitutes,
        budget=budget,
        known=known,
    )


def _offers(
    participant: Participant, problem: Problem, budget: StepBudget, known: SaidBySets
) -> dict[FormatModifier, Alternatives]:
    scans_out = int(participant.usage) & _SCANOUT != 0
    turned = problem.content.rotation % 360 != 0
    depends = known.conditional or (turned and (scans_out or known.turning))

    def worked_out() -> dict[FormatModifier, Alternatives]:
        sets = participant.sets
        if known.columns:
            sets = _with_columns(sets, problem.extents.allocated.height, budget)
        return offers_of(sets, problem.content, problem.extents, budget, scans_out=scans_out)

    return worked_out() if depends else known.offers.by((), budget, worked_out)


def _with_columns(
    sets: tuple[ConstraintSet, ...], rows: int, budget: StepBudget
) -> tuple[ConstraintSet, ...]:
    budget.spend(sum([len(own.formats) for own in sets]))
    return tuple([replace(own, formats=with_column_height(own, rows)) for own in sets])


def with_higher_columns(
    participants: list[PreparedParticipant], problem: Problem, budget: StepBudget
) -> list[PreparedParticipant]:
    """The participants with columns for as many rows as all sets of any of them demand room for."""
    if not any(participant.known.columns for participant in participants):
        return participants
    budget.spend(sum([len(participant.sets) for participant in participants]))
    rows = max([min(map(least_rows, one.sets), default=0) for one in participants])
    if rows <= problem.extents.allocated.height:
        return participants

    def higher(one: PreparedParticipant) -> PreparedParticipant:
        sets = _with_columns(one.sets, rows, budget)
        offers = offers_of(sets, problem.content, problem.extents, budget, scans_out=one.scanout)
        return replace(one, offers=offers, lifted={}, saying={}, alike=[])

    return [higher(one) if one.known.columns else one for one in participants]


def prepared_content(content: Content, budget: StepBudget) -> PreparedParticipant:
    """The content as a participant: it demands protected memory, or memory that is not."""
    return PreparedParticipant(
        name=CONTENT,
        scanout=False,
        wild=False,
        sets=(),
        offers=None,
        implied=_PROTECTION[content.protected],
        substitutes={},
        budget=budget,
        known=_CONTENT_SAID,
        lifted=dict(_PROTECTION_LIFTED[content.protected]),
    )


_PROTECTION: Final = {
    protected: (Constraint(type=PROTECTED.type, value=int(protected), provenance=Provenance.USER),)
    for protected in (False, True)
}
# What it demands never depends on the problem.
_PROTECTION_LIFTED: Final = {
    protected: {(NO_SET, planes): lift(said, planes=planes) for planes in range(1, MAX_PLANES + 1)}
    for protected, said in _PROTECTION.items()
}


def offers_of(
    sets: tuple[ConstraintSet, ...],
    content: Content,
    extents: Extents,
    budget: StepBudget,
    *,
    scans_out: bool = False,
) -> dict[FormatModifier, Alternatives]:
    """The pairs of the sets that apply, each with its alternatives in order.

    What scans out turns a picture only where a set says so.
    """
    turned = scans_out and content.rotation % 360 != 0
    offers: dict[FormatModifier, Alternatives] = {}
    for position, constraint_set in enumerate(sets):
        pairs = len(constraint_set.formats)
        budget.spend(1 + len(constraint_set.constraints) // 4 + pairs // PAIRS_A_STEP)
        if not _applies(constraint_set, content, extents) or (
            turned and not any(c.type == WHEN_ROTATION.type for c in constraint_set.constraints)
        ):
            continue
        if constraint_set.costs:
            budget.spend(pairs // 2)
            for pair, cost in zip(constraint_set.formats, constraint_set.costs, strict=False):
                before = offers.get(pair, ())
                # A pair that stands twice in one set is one alternative: at its first cost.
                if not any(other == position for other, _ in before):
                    offers[pair] = (*before, (position, cost))
            continue
        entry: Alternatives = ((position, 0),)
        fresh = dict.fromkeys(constraint_set.formats, entry)
        if offers.keys().isdisjoint(fresh):
            offers.update(fresh)
        else:
            budget.spend(pairs // 4)
            for pair in fresh:
                offers[pair] = offers.get(pair, ()) + entry
    return offers


_CONTENT_SAID: Final = SaidBySets(Participant(name=CONTENT, usage=Usage(0), sets=()))


def _applies(constraint_set: ConstraintSet, content: Content, extents: Extents) -> bool:
    """Whether the conditions in a set hold for this stream."""
    for constraint in constraint_set.constraints:
        if constraint.type in CONDITIONS and not _holds(constraint, content, extents):
            return False
    return True


def _holds(condition: Constraint, content: Content, extents: Extents) -> bool:
    """Whether one condition holds; one with a value of another kind holds for nothing."""
    rotations = WHEN_ROTATION.of(condition)
    if rotations is not None:
        return rotations >> content.rotation // 90 & 1 != 0
    interlaced = WHEN_INTERLACED.of(condition)
    if interlaced is not None:
        return interlaced == int(content.interlaced)
    picture = extents.allocated
    for row, length in ((WHEN_WIDTH, picture.width), (WHEN_HEIGHT, picture.height)):
        bounds = row.of(condition)
        if bounds is not None:
            return bounds[0] <= length <= bounds[1]
    return False


def substitutes_of(sources: Sequence[Source]) -> Substitutes:
    """For each source those that are declared to serve in its place, however far removed."""
    if not any(source.substitutes_for for source in sources):
        return {}
    direct: dict[str, set[SourceId]] = {}
    names: dict[SourceId, str] = {}
    for source in sources:
        names[source.id] = source.name
        for name in source.substitutes_for:
            direct.setdefault(name, set()).add(source.id)
    substitutes: dict[SourceId, tuple[SourceId, ...]] = {}
    for source in sources:
        reached: set[SourceId] = set()
        waiting = [source.name]
        while waiting:
            for other in direct.get(waiting.pop(), ()):
                if other not in reached and other != source.id:
                    reached.add(other)
                    waiting.append(names[other])
        if reached:
            substitutes[source.id] = tuple(sorted(reached))
    return substitutes


def without_wildcards(
    participants: list[PreparedParticipant], budget: StepBudget
) -> list[PreparedParticipant]:
    """The participants with the pairs that the others name in place of wildcards."""
    if not any(participant.wild for participant in participants):
        return participants
    named: set[FormatModifier] = set()
    for participant in participants:
        budget.spend(len(participant.offers or ()) // 8)
        named.update(participant.offers or ())
    fourccs = {pair.fourcc for pair in named}
    modifiers = {pair.modifier for pair in named}
    if ANY_FOURCC in fourccs or ANY_MODIFIER in modifiers:
        fourccs.discard(ANY_FOURCC)
        modifiers.discard(ANY_MODIFIER)
        # Everyone's fourccs with everyone's modifiers may be far more than anybody has sent.
        budget.spend(len(fourccs) * len(modifiers) * len(participants))
        named = {FormatModifier(fourcc, modifier) for fourcc in fourccs for modifier in modifiers}
    else:
        budget.spend(len(named) * len(participants))
    return [_spelled_out(participant, named) for participant in participants]


def stand_ins(pair: FormatModifier) -> tuple[FormatModifier, ...]:
    """A pair, and what stands for it in a list: the closest first."""
    fourcc, modifier = pair
    family = family_of(modifier)
    return (
        pair,
        *((FormatModifier(fourcc, family),) if family is not None else ()),
        FormatModifier(ANY_FOURCC, modifier),
        *((FormatModifier(ANY_FOURCC, family),) if family is not None else ()),
        FormatModifier(fourcc, ANY_MODIFIER),
        FormatModifier(ANY_FOURCC, ANY_MODIFIER),
    )


def _spelled_out(
    participant: PreparedParticipant, concrete: set[FormatModifier]
) -> PreparedParticipant:
    """A participant with those of some pairs that it offers, by name or by what stands for it."""
    if participant.offers is None:
        return participant
    offers: dict[FormatModifier, Alternatives] = {}
    for pair in concrete:
        entries = [
            entry for spelled in stand_ins(pair) for entry in participant.offers.get(spelled, ())
        ]
        if entries:
            # A set counts once, at the cost of what names the pair most closely: of several
            # entries a dict keeps the last, so they go in from the widest. Sets keep their order.
            offers[pair] = tuple(sorted(dict(reversed(entries)).items()))
    return replace(participant, offers=offers, lifted={}, saying={}, alike=[])
