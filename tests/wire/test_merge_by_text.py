"""A second merge, from the words of xx-dmabuf-sources-v1.xml alone, agrees with ours.

What a summary says ("uint, bytes, lcm, each plane: ...") and what the description of the
enum says of these words is all that it is made of. Values are bytes, as on the wire.
"""

from __future__ import annotations

import math
import random
import re
import struct
import xml.etree.ElementTree as ET
from collections.abc import Callable
from dataclasses import dataclass
from itertools import chain

import pytest

from heapwire.protocol.solver.demand.demand import pairs_of
from heapwire.protocol.solver.demand.merge import BOTTOM, join, lift, spell
from heapwire.protocol.values import (
    PERMITTED_SOURCES,
    REGISTRY,
    Constraint,
    DeviceId,
    Provenance,
    SourceId,
    SourceKind,
    Value,
    ValueKind,
)
from heapwire.protocol.wire.constraint_value import decode_value, encode_value
from heapwire.protocol.wire.generate import NEGOTIATION, SOURCES, protocol_xml

PLANES = 4
ROUNDS = 300

Merged = int | tuple[int, int] | frozenset[object] | dict[tuple[int, int], int]


@dataclass(frozen=True)
class Entry:
    """What a summary says before its colon, and of bits at its end."""

    kind: str
    merge: str
    planes: str
    bits: tuple[tuple[int, str], ...]

    @classmethod
    def read(cls, summary: str) -> Entry:
        words = [word.strip() for word in summary.partition(":")[0].split(",")]
        planes = words.pop() if words[-1] in ("each plane", "planes") else ""
        bits = tuple((int(n), name) for n, name in re.findall(r"; bit (\d+): ([^;]+)", summary))
        return cls(words[0], words[-1], planes, bits)


ROOT = ET.fromstring(protocol_xml(SOURCES))
ENTRIES = {
    int(entry.attrib["value"]): Entry.read(entry.attrib["summary"])
    for entry in ROOT.iterfind("interface/enum[@name='type']/entry")
}


def read(kind: str, raw: bytes) -> Merged:
    match kind:
        case "uint" | "mask":
            return int(struct.unpack("=Q", raw)[0])
        case "flag":
            assert not raw
            return 1
        case "range":
            lowest, highest = struct.unpack("=QQ", raw)
            return (lowest, highest)
        case "sources":
            return frozenset(struct.iter_unpack("=III", raw))
        case "pairs":
            return {(major, minor): n for major, minor, n in struct.iter_unpack("=IIQ", raw)}
    raise AssertionError(kind)


def lcm(mine: Merged, yours: Merged) -> Merged | None:
    assert isinstance(mine, int)
    assert isinstance(yours, int)
    multiple = math.lcm(mine, yours)
    return multiple if multiple < 1 << 64 else None


def both(mine: Merged, yours: Merged) -> Merged | None:
    match mine, yours:
        case int(), int():
            return mine & yours or None
        case (low, high), (lowest, highest):
            left = (max(low, lowest), min(high, highest))
            return left if left[0] <= left[1] else None
        case frozenset(), frozenset():
            return mine & yours or None
    raise AssertionError(mine)


def nearest(mine: Merged, yours: Merged) -> Merged:
    assert isinstance(mine, dict)
    assert isinstance(yours, dict)
    devices = mine.keys() | yours.keys()
    return {d: min(side[d] for side in (mine, yours) if d in side) for d in devices}


MERGE: dict[str, Callable[[Merged, Merged], Merged | None]] = {
    "lcm": lcm,
    "max": lambda mine, yours: max(mine, yours),  # type: ignore[type-var]
    "min": lambda mine, yours: min(mine, yours),  # type: ignore[type-var]
    "any": lambda _mine, _yours: 1,
    "both": both,
    "union": lambda mine, yours: mine | yours,  # type: ignore[operator]
    "equal": lambda mine, yours: mine if mine == yours else None,
    "nearest": nearest,
}


def merge_by_text(type_: int, inputs: list[tuple[int, bytes]]) -> dict[int, Merged] | None:
    """What some (planes, value) of one type come to: by plane, -1 for the buffer; None for no."""
    entry = ENTRIES[type_]
    merged: dict[int, Merged] = {}
    for planes, raw in inputs:
        named = [n for n in range(PLANES) if planes >> n & 1] or list(range(PLANES))
        value = read(entry.kind, raw)
        if entry.planes == "planes":  # each pair of planes that are named together
            value = frozenset((a, b) for a in named for b in named if a < b)
        for plane in named if entry.planes == "each plane" else [-1]:
            before = merged.get(plane)
            met = value if before is None else MERGE[entry.merge](before, value)
            if met is None:
                return None
            merged[plane] = met
    return merged


def ours(type_: int, inputs: list[tuple[int, bytes]]) -> dict[int, Merged] | None:
    row = REGISTRY[type_]
    demands = [
        lift([Constraint(type=type_, planes=planes, value=decode_value(type_, raw))])
        for planes, raw in inputs
    ]
    joined = join(demands)
    if joined is BOTTOM:
        return None
    found: dict[int, Merged] = {}
    for plane in range(PLANES) if row.per_plane else (-1,):
        value = joined.value(row, plane) if row.per_plane else joined.value(row)
        if value is not None:
            found[plane] = plain(row.is_relation, value)
    return found


def plain(relation: bool, value: object) -> Merged:
    """A merged value of ours in the other's terms."""
    if relation:
        assert isinstance(value, int)
        pairs = [(a, b) for a in range(PLANES) for b in range(a + 1, PLANES)]
        return frozenset(pair for pair in pairs if pairs_of(1 << pair[0] | 1 << pair[1]) & value)
    if isinstance(value, frozenset):
        return frozenset((int(s.kind), s.major, s.minor) for s in value)
    if isinstance(value, tuple) and value and isinstance(value[0], tuple):
        return {(device.major, device.minor): number for device, number in value}
    assert isinstance(value, int | tuple)
    return value


def some_value(kind: ValueKind, merge: str, dice: random.Random) -> Value:
    match kind:
        case ValueKind.UINT:
            most = 1 if merge == "equal" else dice.choice((6, 200, 1 << 40, (1 << 64) - 1))
            return dice.randint(0 if merge == "equal" else 1, most)
        case ValueKind.MASK:
            return dice.randint(1, 15)
        case ValueKind.FLAG:
            return 1
        case ValueKind.RANGE:
            lowest, highest = sorted(dice.choices(range(40), k=2))
            return (lowest, highest)
        case ValueKind.SOURCES:
            names = dice.sample(range(4), dice.randint(1, 3))
            return tuple(SourceId(SourceKind.HEAP, 250, minor) for minor in names)
        case ValueKind.PAIRS:
            names = sorted(dice.sample(range(4), dice.randint(1, 3)))
            return tuple((DeviceId(226, minor), dice.randint(1, 5)) for minor in names)
    raise AssertionError(kind)


MERGED = [type_ for type_, entry in ENTRIES.items() if entry.merge != "condition"]


@pytest.mark.parametrize("type_", MERGED, ids=lambda type_: REGISTRY[type_].name)
def test_both_merges_agree_on_random_values(type_: int) -> None:
    dice = random.Random(type_)
    outcomes = set()
    for _ in range(ROUNDS):
        inputs = []
        for _ in range(dice.randint(1, 3)):
            value = some_value(REGISTRY[type_].kind, ENTRIES[type_].merge, dice)
            planes = dice.randrange(1 << PLANES) if ENTRIES[type_].planes else 0
            inputs.append((planes, encode_value(type_, value)))
        said = merge_by_text(type_, inputs)
        assert ours(type_, inputs) == said, inputs
        outcomes.add(said is None)
    if ENTRIES[type_].merge in ("both", "equal", "lcm"):
        assert outcomes == {True, False}  # both outcomes were compared


MUST_UNDERSTAND, PRESUMED = (
    int(ROOT.find(f".//enum[@name='flag']/entry[@name='{name}']").attrib["value"])  # type: ignore[union-attr]
    for name in ("must_understand", "presumed")
)
UNKNOWN = 0x7E000001  # a vendor's, of which neither side knows

Said = tuple[int, int, int, bytes]  # type, planes, flags, value: a tranche_constraint
MergedSets = dict[int, tuple[int, dict[int, Merged]]]  # by type: flags, and what it came to


def merge_sets_by_text(sets: list[list[Said]]) -> MergedSets | None:
    """What whole sets come to, one of each device; None if nothing can be used."""
    gathered: dict[int, list[tuple[int, bytes]]] = {}
    flagged: dict[int, int] = {}
    for type_, planes, flags, raw in (said for one in sets for said in one):
        entry = ENTRIES.get(type_)
        if entry is None:
            if flags & MUST_UNDERSTAND:
                return None
        elif entry.merge != "condition":
            gathered.setdefault(type_, []).append((planes, raw))
            flagged[type_] = flagged.get(type_, 0) | flags
    found: MergedSets = {}
    for type_, inputs in gathered.items():
        merged = merge_by_text(type_, inputs)
        if merged is None:
            return None
        found[type_] = (flagged[type_], merged)
    return found


def our_sets(sets: list[list[Said]]) -> MergedSets | None:
    """The same by what everything else here merges with."""
    constraints = [[constraint(*said) for said in one] for one in sets]
    joined = join([lift(one) for one in constraints])
    if joined is BOTTOM:
        return None
    found: MergedSets = {}
    for one in spell(joined, list(chain.from_iterable(constraints))):
        row = REGISTRY.get(one.type)
        if row is None:
            continue
        flags, merged = found.setdefault(one.type, (0, {}))
        flags |= MUST_UNDERSTAND * one.must_understand
        flags |= PRESUMED * (one.provenance is Provenance.PRESUMPTION)
        for plane in range(PLANES) if row.per_plane else (-1,):
            value = joined.value(row, plane) if row.per_plane else joined.value(row)
            if value is not None:
                merged[plane] = plain(row.is_relation, value)
        found[one.type] = (flags, merged)
    return found


def constraint(type_: int, planes: int, flags: int, raw: bytes) -> Constraint:
    return Constraint(
        type=type_,
        planes=planes,
        value=decode_value(type_, raw),
        must_understand=bool(flags & MUST_UNDERSTAND),
        provenance=Provenance.PRESUMPTION if flags & PRESUMED else Provenance.UNCHECKED,
    )


def some_set(dice: random.Random) -> list[Said]:
    """What one device may say: of a few types, of some of them twice, and rarely of an unknown."""
    said: list[Said] = []
    for type_ in dice.choices(list(ENTRIES), k=dice.randint(0, 9)):
        value = some_value(REGISTRY[type_].kind, ENTRIES[type_].merge, dice)
        planes = dice.randrange(1 << PLANES) if ENTRIES[type_].planes else 0
        said.append((type_, planes, dice.randrange(4), encode_value(type_, value)))
    if dice.random() < 0.2:
        must = MUST_UNDERSTAND * (dice.random() < 0.2)
        said.append((UNKNOWN, 0, must | PRESUMED * dice.randrange(2), b"anything"))
    return said


@pytest.mark.parametrize("seed", range(8))
def test_both_merges_agree_on_random_sets(seed: int) -> None:
    """Of several devices, which speak of different types; and of the flags that are left."""
    dice = random.Random(seed)
    agreed, of_one_alone, refused = 0, 0, 0
    for _ in range(ROUNDS):
        sets = [some_set(dice) for _ in range(dice.randint(1, 4))]
        by_text, mine = merge_sets_by_text(sets), our_sets(sets)
        if mine is None and by_text is not None:
            # Of two types that contradict each other merging says nothing: each alone is the same.
            for type_ in by_text:
                alone = [[said for said in one if said[0] == type_] for one in sets]
                assert our_sets(alone) == {type_: by_text[type_]}
            continue
        assert mine == by_text, sets
        refused += by_text is None
        agreed += by_text is not None
        of_one_alone += any(
            sum(any(said[0] == type_ for said in one) for one in sets) == 1
            for type_ in by_text or ()
        )
    assert agreed > ROUNDS // 4
    assert of_one_alone > ROUNDS // 8
    assert refused


@pytest.mark.parametrize("seed", range(100))
def test_sources_that_are_in_all_lists_are_in_the_order_of_the_first(seed: int) -> None:
    dice = random.Random(seed)
    heaps = [SourceId(SourceKind.HEAP, 250, minor) for minor in range(6)]
    lists = []
    for _ in range(dice.randint(1, 4)):
        lists.append((heaps[0], *dice.sample(heaps[1:], dice.randint(0, 5))))
    lists = [tuple(dice.sample(one, len(one))) for one in lists]
    inputs = [Constraint(type=PERMITTED_SOURCES.type, value=one, planes=3) for one in lists]
    # Another plane's own list comes first, and orders nothing of planes 0 and 1.
    other = Constraint(type=PERMITTED_SOURCES.type, value=tuple(heaps), planes=4)
    merged = join(lift([one]) for one in (other, *inputs))
    assert merged is not BOTTOM
    by_text = tuple(one for one in lists[0] if all(one in others for others in lists))
    spelled = {one.planes: one.value for one in spell(merged, [other, *inputs])}
    assert spelled == {1: by_text, 2: by_text, 4: tuple(heaps)}


def test_every_general_type_is_in_the_xml_and_no_other() -> None:
    assert set(ENTRIES) == {row.type for row in REGISTRY.values() if row.vendor == 0}


def test_conditions_are_said_to_be_such() -> None:
    conditions = {type_ for type_, entry in ENTRIES.items() if entry.merge == "condition"}
    assert conditions == {row.type for row in REGISTRY.values() if row.condition}


def test_each_bit_of_a_mask_has_its_meaning_there() -> None:
    said = {type_: dict(entry.bits) for type_, entry in ENTRIES.items()}
    assert said == {row.type: dict(row.bits) for row in REGISTRY.values() if row.vendor == 0}


@pytest.mark.parametrize("name", [SOURCES, NEGOTIATION])
def test_who_speaks_of_a_type_says_where_the_types_are(name: str) -> None:
    root = ET.fromstring(protocol_xml(name))
    arguments = root.findall("interface/*/arg[@name='type']")
    assert arguments
    assert {one.get("enum") for one in arguments} == {"xx_dmabuf_sources_v1.type"}
    assert "registry" not in protocol_xml(name)
