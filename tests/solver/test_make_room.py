"""Of what is kept one thing goes at a time, wherever it is kept."""

from __future__ import annotations

import re
from pathlib import Path

import heapwire.protocol
from heapwire.protocol.make_room import make_room
from heapwire.protocol.solver import StepBudget
from heapwire.protocol.solver.recollection import Recollection

ROOMS = Path(heapwire.protocol.__file__).parents[1]
# A cache that is full and begins anew: whoever asks next waits until all of it has gone.
AT_ONCE = re.compile(r"if len\(([\w.]+)\) >=? [\w.]+:\s+\1(\.clear\(\)| = \{\})")


def test_the_oldest_goes() -> None:
    kept = {number: str(number) for number in range(4)}
    make_room(kept, 5)
    assert len(kept) == 4
    make_room(kept, 4)
    assert list(kept) == [1, 2, 3]


def test_what_was_worked_out_last_is_still_known() -> None:
    worked_out: list[int] = []
    known: Recollection[None] = Recollection(4)
    for number in range(10):
        for one in (number, max(0, number - 3)):
            known.by(one, StepBudget(), lambda one=one: worked_out.append(one))
    assert worked_out == list(range(10))


def test_no_cache_begins_anew() -> None:
    found = [
        f"{path.name}: {match[0]}"
        for room in ("protocol", "compositor_plugin")
        for path in (ROOMS / room).rglob("*.py")
        for match in AT_ONCE.finditer(path.read_text("utf-8"))
    ]
    assert not found
