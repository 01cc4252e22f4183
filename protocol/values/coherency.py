"""How data is kept coherent between the CPU's caches and devices, and how ends are told."""

from __future__ import annotations

from enum import IntEnum

from heapwire.protocol.values.source import Source


class CoherencyDomain(IntEnum):
    """Where the data is between two accesses; a bit number of `coherency-domains`."""

    CPU = 0
    """In the CPU's caches or in RAM: devices snoop, or the kernel cleans for them."""
    RAM = 1
    """In RAM: whoever touches it with the CPU cleans the caches."""
    INACCESSIBLE = 2
    """Where the CPU does not reach."""


class Fence(IntEnum):
    """How the end of an access is told; a bit number of `fences`."""

    NONE = 0
    """The access has ended before the buffer is passed on."""
    IMPLICIT = 1
    """By the fences of the dma-buf."""
    EXPLICIT = 2
    """By a sync file or a timeline that travels with the buffer."""


_ALL_DOMAINS = 0b111
_INACCESSIBLE_ONLY = 1 << CoherencyDomain.INACCESSIBLE

_FOR_CPU = (CoherencyDomain.CPU, CoherencyDomain.RAM, CoherencyDomain.INACCESSIBLE)
_FOR_DISPLAY = (CoherencyDomain.RAM, CoherencyDomain.CPU, CoherencyDomain.INACCESSIBLE)
_FENCES = (Fence.EXPLICIT, Fence.IMPLICIT, Fence.NONE)


def domains_of(source: Source) -> int:
    """The domains that a source's memory can be in, as a mask.

    Protected memory is out of the CPU's reach, and so is what nobody can map; ordinary
    memory may be used in any domain (nobody need touch it).
    """
    is_reached = source.protected is False and source.mappable
    return _ALL_DOMAINS if is_reached else _INACCESSIBLE_ONLY


def preferred_domain(domains: int, *, scanout: bool) -> CoherencyDomain | None:
    """The best of some domains: a display reads RAM, everything else starts at the CPU."""
    order = _FOR_DISPLAY if scanout else _FOR_CPU
    return next((domain for domain in order if domains >> domain & 1), None)


def preferred_fence(fences: int) -> Fence | None:
    """The best of some ways to tell the end of an access: the one that blocks nobody."""
    return next((fence for fence in _FENCES if fences >> fence & 1), None)
