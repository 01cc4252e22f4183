"""A batch of the Python client as the program tests/c/plan.c prints what the C client is told."""

from __future__ import annotations

from typing import Any

from heapwire.protocol.values import Constraint, Provenance
from heapwire.protocol.wire import Batch, Offer, Tranche
from heapwire.protocol.wire.bindings import FeedbackSourcesFlag
from heapwire.protocol.wire.constraint_value import encode_value


def document(batch: Batch) -> dict[str, Any]:
    """Numbers only: sentences are for people."""
    return {
        "reason": -1 if batch.reason is None else int(batch.reason),
        "plans": []
        if batch.reason is not None
        else [_plan(tranche, offer) for tranche in batch.tranches for offer in tranche.offers],
        "conflicts": [
            [
                *(int(entry.goal), entry.participant, entry.type, entry.planes),
                encode_value(entry.type, entry.value).hex() if entry.type else "",
                int(not entry.proved),
            ]
            for entry in batch.conflicts
        ],
    }


def _plan(tranche: Tranche, offer: Offer) -> dict[str, Any]:
    plan, layout = offer.plan, offer.plan.layout
    colour = (None, None) if plan.colour is None else map(int, plan.colour)
    return {
        "pair": [plan.fourcc, plan.modifier],
        "kind": int(layout.kind),
        "goal": int(tranche.flags),
        "count": plan.buffer_count,
        "extent": [layout.extent.width, layout.extent.height],
        "objects": [
            [one.source.kind, one.source.major, one.source.minor, one.size, int(access)]
            for one, access in zip(layout.objects, offer.access, strict=True)
        ],
        "planes": [[plane.object, plane.offset, plane.pitch] for plane in layout.planes],
        "constraints": [
            [one.type, one.planes, _flags(one), encode_value(one.type, one.value).hex()]
            for one in layout.constraints
        ],
        "agreement": [
            None if plan.domain is None else int(plan.domain),
            None if plan.fence is None else int(plan.fence),
            *colour,
        ],
    }


def _flags(constraint: Constraint) -> int:
    presumed = constraint.provenance is Provenance.PRESUMPTION
    return int(
        FeedbackSourcesFlag.MUST_UNDERSTAND * constraint.must_understand
        | FeedbackSourcesFlag.PRESUMED * presumed
    )
