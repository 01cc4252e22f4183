"""The properties of a source of memory, as a table of a file gives them."""

from __future__ import annotations

from heapwire.kernel.description.file_constraint import read_rung
from heapwire.kernel.description.quantity import quantity_name
from heapwire.kernel.description.toml import (
    TomlTable,
)
from heapwire.protocol.late_dataclasses import dataclass
from heapwire.protocol.values import Provenance

UNKNOWN = "unknown"
"""What `protected` is where nobody knows: leaving it out says no."""

MOST_NODE = 1023
"""The number of the last NUMA node (include/linux/numa.h, NODES_SHIFT of at most 10)."""


_FACTS = {
    "contiguous": "contiguous",
    "addresses": "address_range",
    "alignment": "alignment",
    "capacity": "capacity",
    "cached": "cached",
    "protected": "protected",
    "mappable": "mappable",
    "numa-node": "numa_node",
    "substitutes-for": "substitutes_for",
    "area": "area",
    "rows-only": "rows_only",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class MemoryProperties:
    """Properties of a `Source`, under the same names; None where the file does not say."""

    contiguous: bool | None = None
    address_range: tuple[int, int] | None = None
    alignment: int | None = None
    capacity: int | None = None
    cached: bool | None = None
    protected: bool | None = None
    mappable: bool | None = None
    numa_node: int | None = None
    area: str | None = None
    rows_only: bool | None = None


def read_properties(table: TomlTable) -> MemoryProperties:
    """The properties that a `[[memory]]` table has."""
    alignment = table.quantity("alignment")
    if alignment == 0:
        table.fault("alignment", "nothing is a multiple of 0: 4096 is a page")
    capacity = table.quantity("capacity")
    if capacity == 0:
        table.fault("capacity", "a memory of 0 bytes: leave it out where it is not known")
    addresses = table.span("addresses")
    if (
        addresses is not None
        and capacity is not None
        and capacity > addresses[1] - addresses[0] + 1
    ):
        size = quantity_name(addresses[1] - addresses[0] + 1)
        table.fault(
            "capacity", f"{quantity_name(capacity)} is more than the {size} of its addresses"
        )
    return MemoryProperties(
        contiguous=table.flag("contiguous"),
        address_range=addresses,
        alignment=alignment,
        capacity=capacity,
        cached=table.flag("cached"),
        protected=None if table.raw("protected") == UNKNOWN else table.flag("protected"),
        mappable=table.flag("mappable"),
        numa_node=table.integer("numa-node", MOST_NODE),
        area=table.text("area") or None,
        rows_only=table.flag("rows-only"),
    )


def read_rungs(table: TomlTable) -> dict[str, Provenance]:
    """Where the properties of a memory come from, by their names in `Source`."""
    rungs = {}
    for key, fact in _FACTS.items():
        rung = read_rung(table, key)
        if rung is not None:
            rungs[fact] = rung
    table.close()
    return rungs
