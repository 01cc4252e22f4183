"""Questions that are dear for what they say, made of a few numbers so that a search can climb."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from pathlib import Path
from random import Random

from problem_building import heap, heap_id, need

from heapwire.protocol.values import (
    ANY_FOURCC,
    ANY_MODIFIER,
    Constraint,
    ConstraintSet,
    DeviceId,
    Extent,
    Extents,
    FormatModifier,
    Goal,
    Participant,
    Problem,
    Usage,
    parse_fourcc,
)
from heapwire.protocol.wire.array import encode_formats
from heapwire.protocol.wire.constraint_value import encode_value
from heapwire.protocol.wire.limits import ALTERNATIVES, PARTICIPANTS, SET_CONSTRAINTS, SET_FORMATS

FOURCCS = [parse_fourcc(name) for name in ("XRGB8888", "NV12", "YUV420", "QQ4P")]
HEAPS = 12
DEVICES = 60  # as many as a value of VALUE_BYTES holds
_HEAD = 28  # bytes of a request beside its array, about

KINDS = (
    "nothing", "fences", "pitch", "permitted", "hops", "apart", "segments", "size", "colours",
    "unknown", "understood", "count", "range", "planes",
)  # fmt: skip


@dataclass(frozen=True)
class Shape:
    """What a question is made of; all within the limits of the wire."""

    participants: int = 2
    sets: int = 1
    pairs: int = 1
    constraints: int = 1
    kinds: tuple[str, ...] = ("nothing",)
    formats: str = "same"  # or "apart", "overlapping", "wild"
    costs: bool = False
    goals: int = 1

    @property
    def weight(self) -> int:
        """Pairs and constraints, at the most: what it takes to send."""
        return self.participants * self.sets * (self.pairs + self.constraints)


def _dear() -> tuple[tuple[Shape, bool], ...]:
    rows = json.loads(Path(__file__).with_name("dear_questions.json").read_text("utf-8"))
    return tuple(
        (Shape(**{**row["shape"], "kinds": tuple(row["shape"].get("kinds", ["nothing"]))}),
         row["by_a_client"])
        for row in rows
    )  # fmt: skip


DEAR = tuple(shape for shape, _ in _dear())
"""What a search found to be dear."""
DEAR_BY_A_CLIENT = tuple(shape for shape, by_a_client in _dear() if by_a_client)
"""Those of them that keep to the limits of one client."""


def mutated(shape: Shape, random: Random, heaviest: int) -> Shape:
    """A shape beside another one, that is not too heavy."""
    while True:
        field = random.choice(
            ("participants", "sets", "pairs", "constraints", "kinds", "formats", "costs", "goals")
        )
        other = shape
        if field == "participants":
            other = replace(shape, participants=random.randint(1, PARTICIPANTS))
        elif field == "sets":
            other = replace(shape, sets=random.randint(1, ALTERNATIVES))
        elif field == "pairs":
            other = replace(shape, pairs=min(SET_FORMATS, int(1.5 ** random.randint(0, 20))))
        elif field == "constraints":
            most = min(SET_CONSTRAINTS, int(1.5 ** random.randint(0, 14)))
            other = replace(shape, constraints=most)
        elif field == "kinds":
            other = replace(shape, kinds=tuple(random.sample(KINDS, random.randint(1, 4))))
        elif field == "formats":
            formats = random.choice(("same", "apart", "overlapping", "wild"))
            other = replace(shape, formats=formats)
        elif field == "costs":
            other = replace(shape, costs=not shape.costs)
        else:
            other = replace(shape, goals=random.randint(1, 3))
        if other != shape and other.weight <= heaviest:
            return other


def question(shape: Shape) -> Problem:
    """The question of a shape."""
    everyone = tuple(
        Participant(
            name=f"p{number:02}",
            usage=Usage.DECODE,
            sets=tuple(_set(shape, number, position) for position in range(shape.sets)),
        )
        for number in range(shape.participants)
    )
    return Problem(
        participants=everyone,
        goals=tuple(Goal(name=f"goal {number}", scanout=True) for number in range(shape.goals)),
        sources=tuple(
            heap(f"heap{n}", n, contiguous=n % 2 == 0, capacity=None if n % 3 else 1 << 20)
            for n in range(HEAPS)
        ),
        extents=Extents(coded=Extent(1920, 1080)),
    )


def size_of(problem: Problem) -> int:
    """Bytes that it takes to send the sets of a question."""
    sets = [one for participant in problem.participants for one in participant.sets]
    values = [encode_value(one.type, one.value) for each in sets for one in each.constraints]
    formats = sum(_HEAD + len(encode_formats(one.formats)) for one in sets)
    return formats + sum(_HEAD + len(value) for value in values)


def _set(shape: Shape, number: int, position: int) -> ConstraintSet:
    first = {"same": 0, "apart": position * shape.pairs, "wild": 0}.get(
        shape.formats, position * shape.pairs // 2
    )
    formats = [
        FormatModifier(FOURCCS[n % 4], 0 if n < 4 else 8 << 56 | n // 4)
        for n in range(first, first + shape.pairs)
    ]
    if shape.formats == "wild":
        formats = [
            FormatModifier(ANY_FOURCC, pair.modifier | n << 20)
            if number % 2
            else FormatModifier(0x30303030 + n, ANY_MODIFIER)
            for n, pair in enumerate(formats)
        ]
    kinds = shape.kinds
    constraints = [
        _constraint(kinds[n % len(kinds)], number, position, n) for n in range(shape.constraints)
    ]
    return ConstraintSet(
        formats=tuple(formats),
        # One of a type and its planes, as the wire has it.
        constraints=tuple({(each.type, each.planes): each for each in constraints}.values()),
        costs=tuple(n * 7 % 5 for n in range(len(formats))) if shape.costs else (),
    )


def _constraint(kind: str, number: int, position: int, n: int) -> Constraint:
    one = number + 16 * position
    match kind:
        case "fences":
            return need("fences", 0xFFFF & ~(1 << number) | (one + n) << 16)
        case "pitch":
            return need("pitch-alignment", 2 * (one + n) + 1, n % 4)
        case "permitted":
            turn = (one + n) % HEAPS
            listed = [heap_id(n) for n in range(HEAPS) if n != turn]
            return need("permitted-sources", tuple(listed[turn:] + listed[:turn]), n % 4)
        case "hops":
            start = n * DEVICES
            devices = tuple((DeviceId(one, start + d), d + n) for d in range(DEVICES))
            return need("max-hops", devices)
        case "apart":
            return need("different-source", 1, n % 4, (n + 1) % 4)
        case "segments":
            return need("max-segments", 2 + one + n)
        case "size":
            return need("max-size", (1 << 20) + 64 * one + n)
        case "colours":
            return need("colours", 1 << number % 2 | (one + n) << 40)
        case "unknown":
            return Constraint(type=0x7F000100 + n % 3, value=b"%d" % (n + one << 8),
                              planes=n % 16, must_understand=False)  # fmt: skip
        case "understood":
            return Constraint(type=0x7F000100 + n, value=b"")
        case "count":
            return need("min-buffers", 1 + (one + n) % 60)
        case "range":
            return need("address-range", (one + n, (1 << 40) - n), n % 4)
        case "planes":
            return need("min-pitch", one + n + 1, n % 4)
    return need("max-width", 4096 + one + n)
