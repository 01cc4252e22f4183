"""What a client had enough of: a batch that does not promise it."""

from __future__ import annotations

from heapwire.protocol.late_dataclasses import replace
from heapwire.protocol.values import FailureReason, SourceId
from heapwire.protocol.wire import Access, Batch, Offer, Refusal, RefusalCause


def without_spent(batch: Batch, spent: dict[SourceId, str], left: frozenset[SourceId]) -> Batch:
    """A batch that does not promise what the client had enough of, and says why."""

    def permitted(offer: Offer) -> Offer:
        objects = offer.plan.layout.objects
        if any(entry.source in spent for entry in objects):
            return replace(offer, access=tuple(one & ~Access.COMPOSITOR for one in offer.access))
        return offer

    tranches = tuple(
        replace(tranche, offers=tuple(map(permitted, tranche.offers))) for tranche in batch.tranches
    )
    refused = (
        Refusal(
            source=source,
            cause=RefusalCause.ALLOWANCE,
            participant=0,
            type=0,
            planes=0,
            text=text,
        )
        for source, text in spent.items()
        if source not in left
    )
    message = batch.message
    if batch.reason is FailureReason.NO_SOURCE:  # there were some, and this is what became of them
        message = "; ".join(dict.fromkeys(spent.values()))
    return replace(batch, tranches=tranches, refusals=(*batch.refusals, *refused), message=message)
