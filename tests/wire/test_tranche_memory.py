"""What is said of a tranche's memory, there and back."""

from __future__ import annotations

import random
import struct

import pytest

from heapwire.protocol import PeerError
from heapwire.protocol.values import (
    BY_NAME,
    INVALID,
    LINEAR,
    Constraint,
    ConstraintSet,
    FormatModifier,
    Provenance,
    SourceId,
    SourceKind,
)
from heapwire.protocol.wire import DeviceSet, MemoryDecoder, TrancheMemory, memory_events

PITCH, WIDTH = BY_NAME["pitch-alignment"].type, BY_NAME["max-width"].type
TABLE = tuple(FormatModifier(code, modifier) for code in range(1, 50) for modifier in (0, 7))
INDEX = {pair: position for position, pair in enumerate(TABLE)}
SOURCES = tuple(SourceId(SourceKind.HEAP, 250, minor) for minor in range(20))


def decoded(events):
    decoder = MemoryDecoder()
    for name, arguments in events:
        getattr(decoder, name)(*arguments)


def told(memory, pairs, table=TABLE):
    decoder = MemoryDecoder()
    for name, arguments in memory_events(memory, pairs, INDEX):
        getattr(decoder, name)(*arguments)
    _, [one] = decoder.done(0)
    return one.memory(pairs, table)


@pytest.mark.parametrize("seed", range(40))
def test_what_is_said_is_what_is_heard(seed):
    rng = random.Random(seed)
    pairs = tuple(rng.sample(TABLE, rng.randint(1, len(TABLE))))
    sets = tuple(
        DeviceSet(
            rng.randrange(3),
            ConstraintSet(
                formats=tuple(
                    pair for pair in pairs if pair in rng.sample(pairs, rng.randint(1, len(pairs)))
                )
                or pairs[:1],
                constraints=tuple(
                    Constraint(
                        type=type_,
                        value=rng.randint(1, 1 << 40),
                        planes=rng.randrange(8),
                        must_understand=rng.random() < 0.5,
                        provenance=rng.choice((Provenance.PRESUMPTION, Provenance.UNCHECKED)),
                    )
                    for type_ in rng.sample((PITCH, WIDTH), rng.randint(0, 2))
                ),
            ),
        )
        for _ in range(rng.randint(0, 5))
    )
    memory = TrancheMemory(tuple(rng.sample(SOURCES, rng.randint(0, 20))), sets)
    assert told(memory, pairs) == memory


def test_a_set_for_no_pair_of_the_tranche_is_not_taken_for_one_of_all():
    other = DeviceSet(0, ConstraintSet(formats=TABLE[:1]))
    assert told(TrancheMemory(SOURCES, (other,)), TABLE[1:3]).sets == ()


def test_rows_without_a_modifier_are_linear_ones():
    pair, linear = FormatModifier(9, INVALID), FormatModifier(9, LINEAR)
    decoder = MemoryDecoder()
    memory = TrancheMemory((), (DeviceSet(0, ConstraintSet(formats=(linear,))),))
    for name, arguments in memory_events(memory, (pair, TABLE[0]), {pair: 3, TABLE[0]: 0}):
        getattr(decoder, name)(*arguments)
    _, [one] = decoder.done(0)
    assert one.sets[0][1] == (3,)


def test_long_lists_come_in_several_events():
    table = tuple(FormatModifier(code, 0) for code in range(1, 5001))
    memory = TrancheMemory((), (DeviceSet(0, ConstraintSet(formats=table[1:])),))
    events = list(memory_events(memory, table, {pair: at for at, pair in enumerate(table)}))
    chunks = [arguments[1] for name, arguments in events if name == "tranche_set"]
    assert len(chunks) > 1
    assert max(map(len, chunks)) < 4096
    assert b"".join(chunks) == struct.pack("=4999H", *range(1, 5000))


@pytest.mark.parametrize(
    ("events", "complaint"),
    [
        ([("tranche_source", (9, 1, 1))], "9"),
        ([("tranche_constraint", (PITCH, 0, 0, bytes(8)))], "before any set"),
        ([("tranche_set", (0, b"1"))], "16-bit"),
        ([("tranche_set", (0, b"")), ("tranche_constraint", (PITCH, 0, 0, b"1"))], "64-bit"),
        ([("tranche_set", (0, b"")), ("tranche_constraint", (999, 0, 0, bytes(1025)))], "1024"),
        ([("tranche_set", (0, b"")), ("done", (0,))], "middle"),
        ([("done", (2,))], "neither"),
        ([("tranche_done", ())] * 300, "more than 256 tranches"),
        ([("tranche_set", (0, b""))] * 5000, "more than 4096 sets"),
    ],
)
def test_nonsense_is_refused(events, complaint):
    with pytest.raises(PeerError, match=complaint):
        decoded(events)


def test_an_index_beyond_the_table_is_refused():
    decoder = MemoryDecoder()
    decoder.tranche_set(0, struct.pack("=H", 5))
    decoder.tranche_done()
    _, [one] = decoder.done(0)
    with pytest.raises(PeerError, match="format 5"):
        one.memory(TABLE[:2], TABLE[:5])


def test_a_type_that_is_not_known_stays_as_it_is():
    decoder = MemoryDecoder()
    decoder.tranche_set(0, b"")
    decoder.tranche_constraint(0x0A000001, 0, 1, b"anything")
    decoder.tranche_done()
    _, [one] = decoder.done(0)
    [entry] = one.memory(TABLE[:2], TABLE).sets
    [constraint] = entry.set.constraints
    assert (constraint.value, constraint.must_understand) == (b"anything", True)
