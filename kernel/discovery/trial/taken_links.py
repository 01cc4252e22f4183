"""Links to memory that a device took when it was tried."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from heapwire.kernel.description import Link, LinkKind, Platform
from heapwire.kernel.discovery.trial.verdict import DeviceRecord
from heapwire.protocol.late_dataclasses import replace
from heapwire.protocol.values import Provenance


def with_taken_links(platform: Platform, records: Mapping[str, DeviceRecord]) -> Platform:
    """The platform with links to what devices have taken, where their links name other memory.

    A list of links has what the driver's author knew of: what was taken is good too. What was
    refused needs no care here, since a trial's own list rules it out.
    """
    more = (link for name, record in records.items() for link in _more(platform, name, record))
    return replace(platform, links=(*platform.links, *more))


def _more(platform: Platform, name: str, record: DeviceRecord) -> Iterator[Link]:
    links = platform.links_of(name)
    if not any(link.kind is LinkKind.SUPPORTED for link in links):
        return
    linked = {link.source for link in links}
    taken = dict.fromkeys(verdict.source for verdict in record.verdicts if verdict.taken)
    for rank, source in enumerate((one for one in taken if one not in linked), len(links)):
        yield Link(
            device=name,
            source=source,
            rank=rank,
            kind=LinkKind.SUPPORTED,
            provenance=Provenance.TRIAL,
        )
