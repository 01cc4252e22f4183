"""A participant as the solver hears it: which pairs it offers, and what each demands.

A set applies or not, by the conditions in it; a pair may be in several sets,
which are alternatives. Beside its sets a participant demands what its usage
implies. The content and the stream speak too: what is to be shown and how much
of it there is are demands like any other, and can be part of a conflict.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final, TypeAlias, cast

from heapwire.protocol.solver.merge import Bottom, Substitutes, lift
from heapwire.protocol.solver.merge_rule import Merged, T
from heapwire.protocol.values import (
    ANY_FOURCC,
    ANY_MODIFIER,
    REGISTRY,
    Constraint,
    ConstraintSet,
    Content,
    Extents,
    FormatModifier,
    Participant,
    Problem,
    Provenance,
    SourceId,
    Usage,
)

CONTENT: Final = "the content"
STREAM: Final = "the stream"

Alternatives: TypeAlias = tuple[tuple[int, int], ...]
"""The sets that hold a pair, best first: (position among the sets, cost)."""

NO_SET: Final = -1
"""The position of the empty set of who can use anything."""

_ANYTHING: Final[Alternatives] = ((NO_SET, 0),)
_READ, _WRITE = 1, 2
_CPU_READ, _CPU_WRITE, _SCANOUT = int(Usage.CPU_READ), int(Usage.CPU_WRITE), int(Usage.SCANOUT)


@dataclass(slots=True, eq=False)
class PreparedParticipant:
    """One participant, prepared.

    `offers` is None for who can use any pair. `implied` holds for every pair.
    """

    name: str
    scanout: bool
    wild: bool
    sets: tuple[ConstraintSet, ...]
    offers: Mapping[FormatModifier, Alternatives] | None
    implied: tuple[Constraint, ...]
    substitutes: Substitutes
    lifted: dict[tuple[int, int], Merged | Bottom]

    def demand(self, position: int, planes: int) -> Merged | Bottom:
        """What the set at a position and what is implied demand of formats of so many planes."""
        known = self.lifted.get((position, planes))
        if known is None:
            known = lift(self.constraints(position), planes=planes, substitutes=self.substitutes)
            self.lifted[position, planes] = known
        return known

    def constraints(self, position: int) -> tuple[Constraint, ...]:
        """The constraints of a set, and those implied."""
        own = () if position == NO_SET else self.sets[position].constraints
        return (*own, *self.implied) if self.implied else own

    def alternatives(self, pair: FormatModifier) -> Alternatives:
        """The sets that hold a pair; empty when the pair is not offered."""
        return _ANYTHING if self.offers is None else self.offers.get(pair, ())

    def without(self, dropped: frozenset[Constraint]) -> PreparedParticipant:
        """The same participant, silent about some constraints."""
        return replace(
            self,
            sets=tuple(
                replace(one, constraints=tuple(c for c in one.constraints if c not in dropped))
                for one in self.sets
            ),
            implied=tuple(c for c in self.implied if c not in dropped),
            lifted={},
        )


def voice_of(
    participant: Participant, problem: Problem, substitutes: Substitutes
) -> PreparedParticipant:
    """A participant, prepared for one problem."""
    return PreparedParticipant(
        name=participant.name,
        scanout=int(participant.usage) & _SCANOUT != 0,
        wild=any(_is_wild(one.formats) for one in participant.sets),
        sets=participant.sets,
        offers=offers_of(participant.sets, problem.content, problem.extents)
        if participant.sets
        else None,
        implied=_implied(participant),
        substitutes=substitutes,
        lifted={},
    )


def _is_wild(formats: tuple[FormatModifier, ...]) -> bool:
    """Whether some pair stands for more than itself."""
    if not formats:
        return False
    fourccs, modifiers = zip(*formats, strict=True)  # columns are searched fast
    return ANY_FOURCC in fourccs or ANY_MODIFIER in modifiers


def content_voice(content: Content) -> PreparedParticipant:
    """What the content demands: protected memory, or memory that is not."""
    return _CONTENT[content.protected]


def _content(protected: bool) -> PreparedParticipant:
    return PreparedParticipant(
        name=CONTENT,
        scanout=False,
        wild=False,
        sets=(),
        offers=None,
        implied=(
            Constraint(type=T["protected"], value=int(protected), provenance=Provenance.USER),
        ),
        substitutes={},
        lifted={},
    )


# What they demand never depends on the problem.
_CONTENT: Final = {protected: _content(protected) for protected in (False, True)}


def _implied(participant: Participant) -> tuple[Constraint, ...]:
    usage = int(participant.usage)  # operations on flags are slow
    access = (_READ if usage & _CPU_READ else 0) | (_WRITE if usage & _CPU_WRITE else 0)
    if not access:
        return ()
    return (Constraint(type=T["cpu-access"], value=access, provenance=Provenance.KERNEL),)


def offers_of(
    sets: tuple[ConstraintSet, ...], content: Content, extents: Extents
) -> dict[FormatModifier, Alternatives]:
    """The pairs of the sets that apply, each with its alternatives in order."""
    offers: dict[FormatModifier, Alternatives] = {}
    for position, one in enumerate(sets):
        if not _applies(one, content, extents):
            continue
        if one.costs:
            for pair, cost in zip(one.formats, one.costs, strict=False):
                known = offers.get(pair, ())
                if not any(place == position for place, _ in known):
                    offers[pair] = (*known, (position, cost))
            continue
        entry: Alternatives = ((position, 0),)
        fresh = dict.fromkeys(one.formats, entry)
        if offers.keys().isdisjoint(fresh):
            offers.update(fresh)
        else:
            for pair in fresh:
                offers[pair] = offers.get(pair, ()) + entry
    return offers


_CONDITIONS: Final = frozenset(type_ for type_, row in REGISTRY.items() if row.condition)


def _applies(one: ConstraintSet, content: Content, extents: Extents) -> bool:
    """Whether the conditions in a set hold for this stream."""
    for constraint in one.constraints:
        if constraint.type in _CONDITIONS and not _holds(constraint, content, extents):
            return False
    return True


def _holds(condition: Constraint, content: Content, extents: Extents) -> bool:
    if condition.type == T["when-interlaced"]:
        return condition.value == int(content.interlaced)
    if condition.type == T["when-rotation"]:
        return cast("int", condition.value) >> content.rotation // 90 & 1 != 0
    lowest, highest = cast("tuple[int, int]", condition.value)
    picture = extents.allocated
    length = picture.width if condition.type == T["when-width"] else picture.height
    return lowest <= length <= highest


def substitutes_of(problem: Problem) -> Substitutes:
    """For each source those that are declared to serve in its place, however far removed."""
    if not any(source.substitutes_for for source in problem.sources):
        return {}
    direct: dict[str, set[SourceId]] = {}
    names: dict[SourceId, str] = {}
    for source in problem.sources:
        names[source.id] = source.name
        for name in source.substitutes_for:
            direct.setdefault(name, set()).add(source.id)
    found: dict[SourceId, tuple[SourceId, ...]] = {}
    for source in problem.sources:
        reached: set[SourceId] = set()
        waiting = [source.name]
        while waiting:
            for other in direct.get(waiting.pop(), ()):
                if other not in reached and other != source.id:
                    reached.add(other)
                    waiting.append(names[other])
        if reached:
            found[source.id] = tuple(sorted(reached))
    return found


def spread(voices: list[PreparedParticipant]) -> list[PreparedParticipant]:
    """The participants with the pairs that the others name in place of wildcards."""
    if not any(voice.wild for voice in voices):
        return voices
    fourccs: set[int] = set()
    modifiers: set[int] = set()
    for voice in voices:
        for pair in voice.offers or ():
            fourccs.add(pair.fourcc)
            modifiers.add(pair.modifier)
    fourccs.discard(ANY_FOURCC)
    modifiers.discard(ANY_MODIFIER)
    concrete = {FormatModifier(fourcc, modifier) for fourcc in fourccs for modifier in modifiers}
    heard = []
    for voice in voices:
        if voice.offers is None:
            heard.append(voice)
            continue
        wide: dict[FormatModifier, Alternatives] = {}
        for pair in concrete:
            named = [
                entry
                for spelled in (
                    pair,
                    FormatModifier(ANY_FOURCC, pair.modifier),
                    FormatModifier(pair.fourcc, ANY_MODIFIER),
                    FormatModifier(ANY_FOURCC, ANY_MODIFIER),
                )
                for entry in voice.offers.get(spelled, ())
            ]
            if named:
                wide[pair] = tuple(sorted(dict(named).items()))
        heard.append(replace(voice, offers=wide, lifted={}))
    return heard
