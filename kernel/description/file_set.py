"""A set of a platform file: pairs of format and modifier, and what holds for them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import TypeAlias

from heapwire.kernel.description.device import KmsPlane
from heapwire.kernel.description.drm_fourccs import parse_known_fourcc
from heapwire.kernel.description.file_constraint import (
    MachineNames,
    read_constraints,
    read_rung,
    written_rung,
)
from heapwire.kernel.description.toml import (
    MOST_TABLES,
    TomlPath,
    TomlTable,
    did_you_mean,
)
from heapwire.protocol.late_dataclasses import replace
from heapwire.protocol.solver import BOTTOM, join, lift
from heapwire.protocol.values import (
    ADJACENT_PLANES,
    ANY_FOURCC,
    ANY_MODIFIER,
    FORMATS,
    LINEAR,
    MAX_PITCH,
    MAX_PLANES,
    MIN_PITCH,
    SAME_BUFFER,
    TILINGS,
    Constraint,
    ConstraintSet,
    FormatModifier,
    Provenance,
    Usage,
    parse_modifier,
)

MOST_SETS = 64
"""Sets of one use of a device: the longest list that ships has a handful."""

V4L2_USAGES = (Usage.DECODE, Usage.ENCODE, Usage.CAMERA)
"""What codecs and cameras do, for which V4L2 speaks."""

MOST_COST = (1 << 32) - 1
"""The highest cost: it is sent as 32 bits."""

_ANY = "ANY"  # in a list of formats or of modifiers: whatever the others name
_MOST_PAIRS = 4096  # of a set (wire/limits.py, SET_FORMATS)
# Of all the sets of a file together, what is common to several counted for each. The largest
# file that ships comes to hundreds.
_MOST_IN_ALL = 1 << 16


Mention: TypeAlias = Callable[[TomlPath, str], None]
"""Tells whoever wrote a file, of a path of it, what it was not read to the letter for."""


class SetReader:
    """Reads the sets of one file, and keeps count of what they come to."""

    def __init__(self, names: MachineNames, mention: Mention) -> None:
        self._names = names
        self._mention = mention
        self._read = 0

    def constraint_set(
        self,
        table: TomlTable,
        common: tuple[Constraint, ...],
        *,
        iommu: bool | None,
        makes_or_takes: bool,
    ) -> ConstraintSet:
        """The set of a table; `common` is what holds for all sets of its use.

        `makes_or_takes`: the use is of a device that V4L2 speaks for, a codec or a camera.
        """
        constraints = common + read_constraints(table, "constraints", self._names, iommu=iommu)
        if makes_or_takes:
            constraints = self._without_first_answers(table, constraints)
            constraints += _implied(constraints)
        pairs = read_pairs(table)
        check_planes(table, pairs)
        cost = table.integer("cost", MOST_COST)
        source, rung = table.text("source"), read_rung(table, "rung")
        self._read += len(constraints) + len(pairs)
        if len(constraints) > MOST_TABLES:
            table.fault(
                None, f"{len(constraints)} constraints hold here: {MOST_TABLES} is the most"
            )
        elif self._read > _MOST_IN_ALL:
            table.fault(None, "the sets of this file have more pairs and constraints than is read")
        else:
            demand = lift(constraints)
            if demand is BOTTOM or join((demand,)) is BOTTOM:
                table.fault(None, "nothing can meet all the constraints of this set")
        return ConstraintSet(
            formats=pairs,
            constraints=constraints,
            costs=(cost,) * len(pairs) if cost else (),
            provenance=written_rung(source, rung),
            source=source,
        )

    def _without_first_answers(
        self, table: TomlTable, constraints: tuple[Constraint, ...]
    ) -> tuple[Constraint, ...]:
        """The constraints without a greatest pitch that is the least one too.

        No driver lays out pictures of every width so: that is what S_FMT said of one picture
        when nobody wished for a pitch, and a larger one may be asked for (V4L2, `bytesperline`).
        What was found out by asking the driver, and says so by its rung, stays as it is.
        """
        least = {(one.value, one.planes) for one in constraints if one.type == MIN_PITCH.type}
        answers = [
            one
            for one in constraints
            if one.type == MAX_PITCH.type
            and (one.value, one.planes) in least
            and one.provenance in (Provenance.PROFILE, Provenance.UNCHECKED)
        ]
        for one in answers:
            self._mention(
                table.path,
                f"a pitch of {MAX_PITCH.of(one)} bytes and no other is what a V4L2 driver "
                "says before it is asked: a larger one is asked for. Where the driver refused "
                'that, say so with rung = "trial"',
            )
        return tuple(one for one in constraints if one not in answers)


def _implied(constraints: tuple[Constraint, ...]) -> tuple[Constraint, ...]:
    """What a buffer that V4L2 has for all planes implies: one pitch, and no room between them."""
    types = [constraint.type for constraint in constraints]
    if SAME_BUFFER.type not in types or ADJACENT_PLANES.type in types:
        return ()
    said = constraints[types.index(SAME_BUFFER.type)]
    return (replace(said, type=ADJACENT_PLANES.type, planes=0),)


def read_pairs(table: TomlTable) -> tuple[FormatModifier, ...]:
    """Each of `formats` with each of `modifiers`, which is LINEAR where it is left out."""
    if not table.has("formats"):
        table.fault(None, "'formats' is missing: a list of names such as NV12")
    codes = table.some("formats", _fourcc)
    modifiers = table.some("modifiers", _modifier) or (LINEAR,)
    if len(codes) * len(modifiers) > _MOST_PAIRS:
        table.fault("formats", f"with the modifiers, more than {_MOST_PAIRS} pairs")
        return ()
    pairs = tuple(FormatModifier(code, modifier) for code in codes for modifier in modifiers)
    if len(set(pairs)) < len(pairs):
        table.fault("formats", "a pair of format and modifier stands here twice")
    return pairs


def check_planes(table: TomlTable, pairs: Iterable[FormatModifier]) -> None:
    """Note the planes in the constraints of a table that none of the pairs has."""
    count = _planes_of(pairs)
    rows = table.raw("constraints")
    for index, row in enumerate(rows if isinstance(rows, list) else ()):
        planes = row.get("planes") if isinstance(row, dict) else None
        for number, plane in enumerate(planes if isinstance(planes, list) else ()):
            if isinstance(plane, int) and count <= plane < MAX_PLANES:
                path = (*table.path, "constraints", index, "planes", number)
                table.fault_at(path, f"no format here has a plane {plane}: they count from 0")


def _planes_of(pairs: Iterable[FormatModifier]) -> int:
    """The planes of the pair that has the most; 4, the most there are, where that is not known.

    A modifier that only its driver knows may add planes to those of the format.
    """
    return max(map(_planes_of_pair, pairs), default=MAX_PLANES)


def _planes_of_pair(pair: FormatModifier) -> int:
    format_, tiling = FORMATS.get(pair.fourcc), TILINGS.get(pair.modifier)
    if format_ is None or tiling is None or not tiling.divides(format_):
        return MAX_PLANES
    return len(tiling.planes_of(format_))


def on_planes(table: TomlTable, planes: Mapping[str, KmsPlane]) -> tuple[str, ...]:
    """The KMS planes that a set holds for: those it names, else all."""
    named = table.texts("kms-planes")
    for index, name in enumerate(named):
        if name not in planes:
            hint = did_you_mean(name, planes)
            table.fault_at((*table.path, "kms-planes", index), f"there is no such plane: {hint}")
    table.close()
    return tuple(name for name in named or planes if name in planes)


def _fourcc(text: str) -> int:
    return ANY_FOURCC if text == _ANY else parse_known_fourcc(text)


def _modifier(text: str) -> int:
    return ANY_MODIFIER if text == _ANY else parse_modifier(text)
