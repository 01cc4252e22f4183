"""The reference documentation of the constraint types, made from the registry.

`python -m heapwire.protocol.explain.type_reference >docs/constraint-types.md`
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from heapwire.protocol.values import (
    MODIFIER_FAMILIES,
    ROWS,
    VENDORS,
    ConstraintType,
    MergeRule,
    ValueKind,
    modifier_name,
)

_KINDS = {
    ValueKind.UINT: "a number from 0 to 2^64 - 1",
    ValueKind.FLAG: "none: that the constraint is there is all it says",
    ValueKind.RANGE: "lowest and highest, both included",
    ValueKind.MASK: "a set of small numbers, as the bits of a 64-bit number; never empty",
    ValueKind.SOURCES: "a list of sources of memory, the best first; never empty",
    ValueKind.PAIRS: "devices with a number each, in the order of the devices, none twice",
    ValueKind.BYTES: "bytes that only their vendor reads",
}

_RULES = {
    MergeRule.LCM: "the least common multiple, exact; beyond 64 bits nothing meets it",
    MergeRule.MAX: "the greater of the two",
    MergeRule.MIN: "the lesser of the two",
    MergeRule.ANY: "it holds if either asks for it",
    MergeRule.INTERSECTION: "what both permit; nothing meets an empty one",
    MergeRule.UNION: "all of both",
    MergeRule.EQUAL: "must be the same",
    MergeRule.NEAREST: "every device that either names, with the lesser number",
}

_HEAD = """\
# Constraint types

Made from the registry in `protocol/values/registry.py`; do not edit
(`python -m heapwire.protocol.explain.type_reference >docs/constraint-types.md`).

A type is a 32-bit number: a vendor in the top 8 bits (0 is nobody: the general
types; the others are those of `drm_fourcc.h`) and a code in the lower 24. A
constraint has a type, a mask of planes, a value, the flag *must understand*, and
a provenance (from the highest rung down: user, kernel, trial, gauge, profile,
unchecked, presumption). Mask 0 means the buffer; for a type that is *per plane*,
each of its planes.

What is said of planes that a format does not have is not said. A value that
means nothing (an alignment of 0, an empty list) is refused where it is read; a
constraint with one is never met. `docs/registry.md` says how to get a type.
"""


def reference() -> str:
    """The whole document."""
    return "\n".join(_lines()) + "\n"


def _lines() -> Iterator[str]:
    yield _HEAD
    yield "## Kinds of value\n"
    yield from _table(("kind", "value"), [(kind.value, text) for kind, text in _KINDS.items()])
    yield "\n## Merge rules\n"
    yield "Every rule is commutative, associative and idempotent, so no order of arrival matters.\n"
    yield from _table(
        ("rule", "two values become"), [(r.value, text) for r, text in _RULES.items()]
    )
    yield "\n## General types\n"
    yield from _types([row for row in ROWS if not row.vendor and not row.condition])
    yield "\n## Conditions\n"
    yield (
        "These say when the set that they stand in applies. A set whose conditions do not hold\n"
        "is as good as absent; conditions never merge.\n"
    )
    yield from _types([row for row in ROWS if row.condition])
    yield "\n## Vendors' types\n"
    yield from _types([row for row in ROWS if row.vendor])
    yield "\n## Bits of masks"
    for row in ROWS:
        if row.bits:
            yield f"\n### {row.name}\n"
            bits = [(str(bit), name) for bit, name in sorted(row.bits.items())]
            yield from _table(("bit", "meaning"), bits)
    yield (
        "\nBits 48 to 63 of `coherency-domains` and `fences` are vendors' values: bit 48 + n is"
        "\nthe vendor n of `drm_fourcc.h`. A peer that does not know one merges it like the others."
    )
    yield "\n## Families of modifiers\n"
    yield (
        "Who lists one of these, in a set or a tranche, takes every modifier that is the same\n"
        "in the bits of the mask: the others are a parameter that follows from the picture. The\n"
        "wire has no sign for it: whoever compares modifiers compares them so.\n"
    )
    yield from _table(
        ("modifier", "stands for", "mask"),
        [
            (
                f"`{family:#018x}`",
                f"`{modifier_name(family)}`, with any parameter",
                f"`{mask:#018x}`",
            )
            for family, mask in sorted(MODIFIER_FAMILIES.items())
        ],
    )


def _types(rows: Sequence[ConstraintType]) -> Iterator[str]:
    yield from _table(
        ("type", "name", "kind", "unit", "merge", "per plane", "meaning", "source"),
        [
            (
                f"`{row.type:#010x}`",
                f"`{row.name}`",
                row.kind.value,
                "0 or 1" if row.is_yes_or_no else row.unit.plural if row.unit else "",
                "" if row.condition else row.merge.value,
                "yes" if row.per_plane else "planes" if row.is_relation else "",
                f"{row.meaning} ({VENDORS[row.vendor]})" if row.vendor else row.meaning,
                row.source,
            )
            for row in sorted(rows, key=lambda row: row.type)
        ],
    )


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> Iterator[str]:
    yield f"| {' | '.join(head)} |"
    yield f"|{'---|' * len(head)}"
    for row in rows:
        yield f"| {' | '.join(row)} |"


if __name__ == "__main__":
    print(reference(), end="")
