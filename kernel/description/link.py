"""Links from a device to the memory that it works with."""

from __future__ import annotations

from enum import StrEnum

from heapwire.protocol.late_dataclasses import dataclass
from heapwire.protocol.values import Provenance


class LinkKind(StrEnum):
    """How much a link says.

    A driver that registers one heap says which one is good for it, not that no
    other will do: a UVC camera prefers the system heap and works with any. A
    driver that lists all the heaps that it supports says just that. The first
    is a preference, the second a restriction.
    """

    PREFERRED = "preferred"
    SUPPORTED = "supported"


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """A device names a source of memory; both by their names on the platform.

    `rank` orders the links of one device, 0 the best. A device's links become
    one permitted-sources constraint on everything that it does
    (`Platform.participant`): SUPPORTED links permit the linked sources and no
    other, PREFERRED ones permit every source of the platform and put the linked
    ones first. In sysfs the first is a `dma_heaps/` directory, the second a
    single `dma_heap` link.
    """

    device: str
    source: str
    rank: int = 0
    kind: LinkKind = LinkKind.PREFERRED
    provenance: Provenance = Provenance.PROFILE
