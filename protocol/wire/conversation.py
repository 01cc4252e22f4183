"""What is asked and answered, in words for a log: a line each, and one for each reason."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from heapwire.protocol.values import Plan, SourceId, fourcc_name, modifier_name
from heapwire.protocol.wire.batch import Batch
from heapwire.protocol.wire.negotiation_state import Inquiry


def question_line(cookie: int, inquiry: Inquiry) -> str:
    """What a commit asks."""
    members = ", ".join(
        f"{member.name} ({len(member.sets)} constraint set{'s' * (len(member.sets) != 1)})"
        for _, member in inquiry.participants
    )
    extents = inquiry.extents
    size = "any size" if extents is None else str(extents.coded)
    return f"question {cookie}: {size}, for {members or 'nobody'}"


def answer_lines(batch: Batch, cookie: int, source_names: Mapping[SourceId, str]) -> Iterator[str]:
    """What answers a commit: its plans, who stands in the way, what became of each source.

    Cookie 0 is that of an answer for which nobody has asked.
    """
    which = f"answer to question {cookie}" if cookie else "answer that came unasked"
    for line in _lines(batch, source_names):
        yield f"{which}: {line}"


def _lines(batch: Batch, source_names: Mapping[SourceId, str]) -> Iterator[str]:
    if not batch.offers:
        yield "no plan" if batch.reason is None else batch.reason.name.lower().replace("_", " ")
    for tranche in batch.tranches:
        for offer in tranche.offers:
            said = _plan(offer.plan, source_names)
            yield f"plan {offer.index}, for {tranche.flags.goal}: {said}"
    for entry in batch.conflicts:
        yield f"in the way of {entry.goal.goal}: {entry.text}"
    for refusal in batch.refusals:
        yield f"not {source_names.get(refusal.source, refusal.source)}: {refusal.text}"


def _plan(plan: Plan, source_names: Mapping[SourceId, str]) -> str:
    sources = dict.fromkeys(entry.source for entry in plan.layout.objects)
    names = " and ".join(str(source_names.get(source, source)) for source in sources)
    return f"{fourcc_name(plan.fourcc)} {modifier_name(plan.modifier)} from {names}"
