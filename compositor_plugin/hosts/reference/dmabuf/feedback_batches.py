"""What feedback objects are told, put together once for all that are told the same."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

from heapwire.compositor_plugin.server import EncodedEvents, Resource
from heapwire.protocol.late_dataclasses import dataclass
from heapwire.protocol.wire import (
    DmabufFeedback,
    DmabufTranche,
    DmabufVersion,
    TrancheFlags,
    encode_device,
    encode_table,
)

if TYPE_CHECKING:
    from heapwire.compositor_plugin.hosts.reference.dmabuf.dmabuf_importer import DmabufImporter


@dataclass(frozen=True, slots=True, eq=False)
class FeedbackBatch:
    """A batch: what it says, the content of its format table, and its events but `done`."""

    said: DmabufFeedback
    table: bytes
    events: EncodedEvents


class FeedbackBatches:
    """The batches of one importer, whose formats and devices do not change."""

    def __init__(self, importer: DmabufImporter) -> None:
        self._importer = importer
        self._known: dict[tuple[int, bool], FeedbackBatch] = {}

    def of(self, feedback: Resource, *, candidate: bool) -> FeedbackBatch:
        """What a feedback object is told: of a surface that may be scanned out, or not."""
        key = (feedback.version, candidate and bool(self._importer.scanout_formats))
        known = self._known.get(key)
        if known is None:
            said = self._said(*key)
            events = feedback.encode(_events(said))
            known = self._known[key] = FeedbackBatch(said, encode_table(said.table), events)
        return known

    def _said(self, version: int, scanout: bool) -> DmabufFeedback:
        importer = self._importer
        renderer = importer.renderer or importer.display
        device = renderer.id if renderer else None
        table = tuple(sorted(importer.formats))
        from_6 = version >= DmabufVersion.SAMPLING
        flags = TrancheFlags.SAMPLING if from_6 else TrancheFlags(0)
        tranches = [DmabufTranche(device, flags, table)]
        if scanout:
            display = importer.display.id if importer.display else None
            pairs = tuple(sorted(importer.scanout_formats))
            tranches.insert(0, DmabufTranche(display, TrancheFlags.SCANOUT, pairs))
        return DmabufFeedback(
            version=version,
            tranches=tuple(tranches),
            main_device=None if from_6 else device,
            table=table,
        )


def _events(said: DmabufFeedback) -> list[tuple[str, tuple[int | bytes, ...]]]:
    events: list[tuple[str, tuple[int | bytes, ...]]] = []
    if said.version < DmabufVersion.SAMPLING:
        events.append(("main_device", (encode_device(said.main_device),)))
    index = {pair: position for position, pair in enumerate(said.table)}
    for tranche in said.tranches:
        indices = [index[pair] for pair in tranche.formats]
        events += (
            ("tranche_target_device", (encode_device(tranche.device),)),
            ("tranche_flags", (int(tranche.flags),)),
            ("tranche_formats", (struct.pack(f"={len(indices)}H", *indices),)),
            ("tranche_done", ()),
        )
    return events
