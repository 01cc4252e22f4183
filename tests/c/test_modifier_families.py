"""Which modifiers a list has, by a family too: alike in C and in Python, by family_vectors.json."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from cffi import FFI
from problem_building import NV12

from heapwire.protocol.solver.prepared_participant import stand_ins
from heapwire.protocol.values import FormatModifier, parse_modifier

VECTORS = json.loads((Path(__file__).parent / "family_vectors.json").read_text("utf-8"))
CASES = [
    pytest.param(
        [parse_modifier(name) for name in one["listed"]],
        parse_modifier(one["asked"]),
        one["has"],
        id=f"{one['listed'][-1]}-{one['asked']}",
    )
    for one in VECTORS
]


@pytest.mark.system(
    *("wayland-scanner", "cc", "pkg-config", "wayland-protocols.pc", "wayland-client.pc"),
)
@pytest.mark.parametrize(("listed", "asked", "has"), CASES)
def test_in_c(listed: list[int], asked: int, has: bool, client: tuple[FFI, Any]) -> None:
    ffi, lib = client
    pairs = ffi.new("struct heapwire_pair[]", [[NV12.fourcc, 0, one] for one in listed])
    tranche = ffi.new(
        "struct heapwire_tranche *", [0, 1, len(listed), pairs, 0, ffi.NULL, 0, ffi.NULL]
    )
    assert bool(lib.heapwire_tranche_has(tranche, NV12.fourcc, asked)) is has
    assert not lib.heapwire_tranche_has(tranche, NV12.fourcc + 1, asked)


@pytest.mark.parametrize(("listed", "asked", "has"), CASES)
def test_in_python(listed: list[int], asked: int, has: bool) -> None:
    pairs = {FormatModifier(NV12.fourcc, one) for one in listed}
    assert bool(pairs.intersection(stand_ins(FormatModifier(NV12.fourcc, asked)))) is has
