"""The registry of constraint types and its documentation."""

from __future__ import annotations

from pathlib import Path

from heapwire.protocol.explain.type_reference import reference
from heapwire.protocol.values import REGISTRY, ROWS, VENDORS, MergeRule, ValueKind

DOCUMENT = Path(__file__).parents[2] / "docs" / "constraint-types.md"

# Which rules make sense for which kind of value.
RULES = {
    ValueKind.UINT: {MergeRule.LCM, MergeRule.MAX, MergeRule.MIN, MergeRule.EQUAL},
    ValueKind.FLAG: {MergeRule.ANY, MergeRule.UNION},
    ValueKind.RANGE: {MergeRule.INTERSECTION},
    ValueKind.MASK: {MergeRule.INTERSECTION, MergeRule.UNION},
    ValueKind.SOURCES: {MergeRule.INTERSECTION},
    ValueKind.PAIRS: {MergeRule.NEAREST},
    ValueKind.BYTES: {MergeRule.EQUAL},
}


def test_the_reference_is_what_the_registry_says() -> None:
    assert DOCUMENT.read_text() == reference(), (
        "run: python -m heapwire.protocol.explain.type_reference >docs/constraint-types.md"
    )


def test_types_and_names_are_unique() -> None:
    assert len(REGISTRY) == len(ROWS) == len({row.name for row in ROWS})


def test_every_row_is_complete() -> None:
    for row in ROWS:
        assert 0 < row.code < 1 << 24
        assert row.vendor in VENDORS
        assert row.merge in RULES[row.kind], row.name
        assert row.meaning
        assert row.source
        assert row.says, row.name
        assert bool(row.bits) == (row.kind is ValueKind.MASK), row.name


def test_a_vendors_types_carry_its_name() -> None:
    for row in ROWS:
        if row.vendor:
            assert row.name.startswith(f"{VENDORS[row.vendor].lower()}-")
