"""Who asks for what, on which rung that stands, and where it is said."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from heapwire.protocol.explain.answer_document import (
    Document,
    Json,
    bare_names,
    constraint_document,
)
from heapwire.protocol.solver import requirement, source_names
from heapwire.protocol.values import (
    PERMITTED_SOURCES,
    Constraint,
    ConstraintSet,
    FormatModifier,
    Participant,
    Problem,
    Provenance,
    SourceId,
    fourcc_name,
    modifier_name,
)

_FEW = 4  # names of a line that is to be short


def founded(provenance: Provenance, source: str = "") -> str:
    """The rung of a fact, and where it is said if that is known: `profile, drm_gem.c`."""
    return f"{provenance.name.lower()}, {source}" if source else provenance.name.lower()


def requirements_document(problem: Problem) -> list[Json]:
    """What each participant of a problem requires, each requirement with its rung and source."""
    names, bare = source_names(problem), bare_names(problem)
    there = [source.id for source in problem.sources]
    return [
        {
            "participant": participant.name,
            **founded_document(constraint, pairs, bare),
            "always": holds_always(pairs, participant.sets),
            "text": requirement(participant.name, constraint, names),
        }
        for participant in _everyone(problem)
        for constraint, pairs in required(participant.sets, there).items()
    ]


def formats_document(problem: Problem) -> list[Json]:
    """On which rung it stands that each participant of a problem has its formats."""
    return [
        {"participant": participant.name, **one}
        for participant in _everyone(problem)
        for one in format_rungs(participant.sets)
    ]


def format_rungs(sets: Iterable[ConstraintSet]) -> list[Document]:
    """On which rungs it stands that somebody has the formats of some sets, and where it is said.

    One entry where that is the same for all: it names no formats, which its readers have. Sets
    of which it was not told are left out.
    """
    all_sets = [*sets]
    alike: dict[tuple[Provenance, str], list[ConstraintSet]] = {}
    for one in all_sets:
        if one.provenance is not None:
            alike.setdefault((one.provenance, one.source), []).append(one)
    entries: list[Document] = []
    for (provenance, source), those in alike.items():
        always = len(those) == len(all_sets)
        named = [] if always else [pair for one in those for pair in one.formats]
        entries.append(
            {
                "provenance": provenance.name.lower(),
                **_said_of(source, named),
                "always": always,
            }
        )
    return entries


def required(
    sets: Iterable[ConstraintSet], sources: Iterable[SourceId]
) -> dict[Constraint, list[FormatModifier]]:
    """Each constraint of some sets once, with the pairs that it holds for.

    A list that permits all of the `sources` that there are is a preference, and left out.
    """
    everything = frozenset(sources)
    pairs: dict[Constraint, list[FormatModifier]] = {}
    for constraint_set in sets:
        for constraint in constraint_set.constraints:
            if constraint.type == PERMITTED_SOURCES.type and (
                everything.issubset(PERMITTED_SOURCES.of(constraint))
            ):
                continue
            pairs.setdefault(constraint, []).extend(constraint_set.formats)
    return pairs


def holds_always(pairs: Iterable[FormatModifier], sets: Iterable[ConstraintSet]) -> bool:
    """Whether these pairs are all that some sets have: who requires that does so of any buffer."""
    return {pair for each in sets for pair in each.formats}.issubset(pairs)


def founded_document(
    constraint: Constraint, pairs: Iterable[FormatModifier], names: Mapping[SourceId, str]
) -> Document:
    """A constraint with its rung, where it is said, and the formats that it holds for.

    `pairs` has them with their modifiers.
    """
    return {**constraint_document(constraint, names), **_said_of(constraint.source, [*pairs])}


def _said_of(source: str, pairs: Sequence[FormatModifier]) -> Document:
    """Where something is said, and the formats that it is said of."""
    return {
        "source": source,
        "formats": [*dict.fromkeys(fourcc_name(pair.fourcc) for pair in pairs)],
        "pairs": [*dict.fromkeys(map(pair_name, pairs))],
    }


def pair_name(pair: FormatModifier) -> str:
    """A format and its modifier for people and programs: `NV12:LINEAR`."""
    return f"{fourcc_name(pair.fourcc)}:{modifier_name(pair.modifier)}"


def pair_groups(pairs: Iterable[str]) -> list[tuple[list[str], list[str]]]:
    """Formats that have the same modifiers, with these, from what `pair_name` said of each."""
    modifiers: dict[str, list[str]] = {}
    for pair in pairs:
        code, _, modifier = pair.partition(":")
        modifiers.setdefault(code, []).append(modifier)
    groups: dict[tuple[str, ...], list[str]] = {}
    for code, those in modifiers.items():
        groups.setdefault(tuple(those), []).append(code)
    return [(codes, [*those]) for those, codes in groups.items()]


def requirement_lines(requirements: Iterable[Document], *, whole: bool = False) -> list[str]:
    """The requirements for people, one a line.

    One that does not hold always says for which formats it does: the first few of them, if not
    the `whole` is wanted.
    """
    return [
        f"{one['text']}{f', for {which}' if which else ''} {_founded(one)}"
        for one in requirements
        for which in (_held_for(one, whole=whole),)
    ]


def format_lines(entries: Iterable[Document], *, whole: bool = False) -> list[str]:
    """What `format_rungs` or `formats_document` says, for people, one rung a line."""
    return [
        f"formats{f' of {who}' if who else ''}{f': {which}' if which else ''} {_founded(one)}"
        for one in entries
        for who, which in ((one.get("participant"), _held_for(one, whole=whole)),)
    ]


def _founded(one: Document) -> str:
    return f"({one['provenance']}{', ' if one['source'] else ''}{one['source']})"


def _held_for(one: Document, *, whole: bool) -> str:
    """The formats that something holds for; nothing where it holds for all."""
    pairs = one["pairs"]
    if one["always"] or not isinstance(pairs, list):
        return ""
    groups = [
        f"{_few(codes, whole=whole)} with {_few(modifiers, whole=whole)}"
        for codes, modifiers in pair_groups(map(str, pairs))
    ]
    return "; ".join(groups)


def _few(names: list[str], *, whole: bool) -> str:
    """Some names, or the first of them and how many there are beside."""
    if whole or len(names) <= _FEW + 1:
        return ", ".join(names)
    return f"{', '.join(names[:_FEW])} and {len(names) - _FEW} more"


def _everyone(problem: Problem) -> Iterable[Participant]:
    everyone = {participant.name: participant for participant in problem.participants}
    for goal in problem.goals:
        for participant in goal.participants:
            everyone.setdefault(participant.name, participant)
    return everyone.values()
