"""What a compositor answers, as a document with the keys of those that explain makes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from heapwire.cli.terminal import SCHEMA_VERSION
from heapwire.client_lib import Contradiction, contradictions
from heapwire.protocol.explain import (
    Document,
    Json,
    plan_document,
    source_document,
    value_document,
)
from heapwire.protocol.values import SourceId
from heapwire.protocol.wire import Access, Batch


def batch_document(
    batch: Batch, names: Mapping[int, str], source_names: Mapping[SourceId, str]
) -> Document:
    """A batch for programs; `names` are the participants' by their ids."""
    plans: list[Json] = []
    for tranche in batch.tranches:
        goal = {"goal": tranche.flags.goal}
        for offer in tranche.offers:
            access: list[Json] = [_access_names(one) for one in offer.access]
            plan = plan_document(offer.plan, source_names)
            plans.append({**plan, **goal, "access": access})
    members = contradictions(batch, names)
    goals = dict.fromkeys(member.goal for member in members)
    failures: list[Json] = [
        {
            "goal": goal,
            "conflict": conflict_members(m for m in members if m.goal == goal),
        }
        for goal in goals
    ]
    return {
        "schema_version": SCHEMA_VERSION,
        "satisfiable": bool(plans),
        "plans": plans,
        "conflict": [] if plans else conflict_members(members),
        "failures": failures,
        "sources": _sources(batch, names, source_names),
        "reason": None if batch.reason is None else batch.reason.name.lower(),
        "message": batch.message,
    }


def conflict_members(entries: Iterable[Contradiction]) -> list[Json]:
    """The members of a conflict; `plane` is null for the buffer or for several planes."""
    return [
        {
            "goal": entry.goal,
            "participant": entry.participant,
            "constraint": entry.constraint or "formats",
            "plane": entry.planes[0] if len(entry.planes) == 1 else None,
            "planes": list(entry.planes),
            "value": None if entry.value is None else value_document(entry.value, {}),
            "provenance": None,
            "text": entry.text,
        }
        for entry in entries
    ]


def _sources(
    batch: Batch, names: Mapping[int, str], source_names: Mapping[SourceId, str]
) -> list[Json]:
    """Every source that the batch speaks of: in a plan, or why not."""
    chosen = dict.fromkeys(
        entry.source for offer in batch.offers for entry in offer.plan.layout.objects
    )
    told: list[Json] = [
        {
            **source_document(source, source_names),
            "chosen": True,
            "reason": "in a plan",
            "participant": None,
            "constraint": None,
        }
        for source in chosen
    ]
    told += [
        {
            **source_document(one.source, source_names),
            "chosen": False,
            "reason": one.text,
            "participant": names.get(one.participant),
            "constraint": None,
        }
        for one in batch.refusals
        if one.source not in chosen
    ]
    return told


def _access_names(access: Access) -> list[Json]:
    return [one.name.lower() for one in Access if one & access and one.name]
