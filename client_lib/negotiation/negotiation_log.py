"""What is asked and answered, for the log: a line each, and one for each reason."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping

from heapwire.client_lib.negotiation.conflict import contradictions
from heapwire.protocol.values import Plan, SourceId, fourcc_name, modifier_name
from heapwire.protocol.wire import Batch, Inquiry

LOG = logging.getLogger("heapwire.negotiation")


def log_question(cookie: int, inquiry: Inquiry) -> None:
    """Say what a commit asks."""
    if LOG.isEnabledFor(logging.DEBUG):
        members = ", ".join(
            f"{member.name} ({len(member.sets)} constraint sets)"
            for _, member in inquiry.participants
        )
        extents = inquiry.extents
        size = "any size" if extents is None else str(extents.coded)
        LOG.debug("question %d: %s, for %s", cookie, size, members or "nobody")


def log_answer(
    batch: Batch, names: Mapping[int, str], source_names: Mapping[SourceId, str]
) -> None:
    """Say what a batch answers: its plans, who stands in the way, what became of each source."""
    if LOG.isEnabledFor(logging.DEBUG):
        which = f"answer to question {batch.cookie}" if batch.cookie else "answer that came unasked"
        for line in _lines(batch, names, source_names):
            LOG.debug("%s: %s", which, line)


def _lines(
    batch: Batch, names: Mapping[int, str], source_names: Mapping[SourceId, str]
) -> Iterator[str]:
    if not batch.offers:
        yield "no plan" if batch.reason is None else batch.reason.name.lower().replace("_", " ")
    for tranche in batch.tranches:
        for offer in tranche.offers:
            said = _plan(offer.plan, source_names)
            yield f"plan {offer.index}, for {tranche.flags.goal}: {said}"
    for entry in contradictions(batch, names):
        yield f"in the way of {entry.goal}: {entry.text}"
    for refusal in batch.refusals:
        yield f"not {source_names.get(refusal.source, refusal.source)}: {refusal.text}"


def _plan(plan: Plan, source_names: Mapping[SourceId, str]) -> str:
    sources = dict.fromkeys(entry.source for entry in plan.layout.objects)
    names = " and ".join(str(source_names.get(source, source)) for source in sources)
    return f"{fourcc_name(plan.fourcc)} {modifier_name(plan.modifier)} from {names}"
