"""What a kernel with the project's patches says of a heap's memory, in the heap's own files.

There are two series (docs/kernel.md). With that for 7.2 a heap says how its memory is mapped
and which region it is from, and for whom it can stand in follows from that; with that for 6.12
it names the heap, and its NUMA node. A stock kernel says nothing.
"""

from __future__ import annotations

from collections.abc import Iterable

from heapwire.kernel.discovery.sysfs import SysfsDevice
from heapwire.protocol.late_dataclasses import dataclass

_MAPPED = ("cached", "protected", "cc_shared")


@dataclass(frozen=True, slots=True, kw_only=True)
class HeapFiles:
    """A heap's files; None is a file that is not there, or says that nothing is known.

    `region` is the name of the memory, `size` its size in bytes, and `substitutes_for` the
    heaps whose every user can use this one's buffers.
    """

    contiguous: bool | None
    cached: bool | None
    protected: bool | None
    numa_node: int | None
    region: str
    size: int | None
    substitutes_for: tuple[str, ...]


def heap_files(device: SysfsDevice, heaps: Iterable[SysfsDevice]) -> HeapFiles:
    """The files of one heap of several."""
    region = device.attribute("region") or ""
    node = device.integer("numa_node")
    named = tuple((device.attribute("substitutes_for") or "").split())
    return HeapFiles(
        contiguous=_flag(device, "contiguous"),
        cached=_flag(device, "cached"),
        protected=_flag(device, "protected"),
        numa_node=node if node is not None and node >= 0 else None,
        region=region,
        size=device.integer("size") or None,
        substitutes_for=named or (_stands_in_for(device, heaps) if region else ()),
    )


def _stands_in_for(device: SysfsDevice, heaps: Iterable[SysfsDevice]) -> tuple[str, ...]:
    """The heaps whose pages are from anywhere and mapped as this one's are."""
    mapped = [_flag(device, name) for name in _MAPPED]
    return tuple(
        heap.name
        for heap in heaps
        if not heap.attribute("region")
        and None not in mapped
        and [_flag(heap, name) for name in _MAPPED] == mapped
    )


def _flag(device: SysfsDevice, name: str) -> bool | None:
    number = device.integer(name)
    return None if number is None else number == 1
