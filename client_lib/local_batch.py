"""A batch that this process makes itself, for compositors that have no plans to give."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from heapwire.client_lib.dmabuf_feedback import DmabufFeedback
from heapwire.kernel.platform import Platform
from heapwire.protocol.model.answer import Answer
from heapwire.protocol.model.buffer_count import BufferCount
from heapwire.protocol.model.extents import Extent, Extents
from heapwire.protocol.model.participant import Participant
from heapwire.protocol.model.plan import Plan, Reason
from heapwire.protocol.model.problem import Goal, Problem
from heapwire.protocol.model.solve import solve
from heapwire.protocol.model.usable import common_formats, usable_sources
from heapwire.protocol.wire.batch import (
    FIRST_COMPOSITOR_ID,
    Access,
    Batch,
    BatchParticipant,
    ConflictEntry,
    Offer,
    Refusal,
    Tranche,
    TrancheDevice,
    TrancheFlags,
    TrancheSource,
)
from heapwire.protocol.wire.negotiation_state import Inquiry

SCANOUT_HOLD = 2  # buffers: one on screen, one latched for the next vertical blank
SAMPLING_HOLD = 1  # buffers: the one that is shown until the next commit


def local_batch(
    goals: tuple[Goal, ...], inquiry: Inquiry, platform: Platform, origin: str
) -> Batch:
    """The answer to an inquiry, cookie and serial left out.

    `origin` says where the knowledge comes from: it is a reason of each plan
    and the batch's message.
    """
    clients = _clients(goals, inquiry)
    ids = {participant.name: id_ for id_, participant in clients.items()}
    introduced = {one.name: one for goal in goals for one in goal.participants}
    for id_, name in enumerate(introduced, FIRST_COMPOSITOR_ID):
        ids[name] = id_
    openable = inquiry.openable
    sources = tuple(s for s in platform.sources if openable is None or s.id in openable)
    tranches = tuple(
        Tranche(
            flags=_flag(goal),
            devices=tuple(
                TrancheDevice(one.usage, one.device) for one in goal.participants if one.device
            ),
            formats=common_formats(goal),
            sources=tuple(
                TrancheSource(source.id, Access.CLIENT)
                for source in usable_sources(goal, sources, platform.topology)
            ),
        )
        for goal in goals
    )
    batch = Batch(
        participants=tuple(
            BatchParticipant(ids[one.name], one.usage, one.device, one.name)
            for one in introduced.values()
        ),
        tranches=tranches,
        message=origin,
    )
    if not clients and inquiry.fixed is None:
        return batch
    coded = inquiry.fixed.layout.extent if inquiry.fixed else Extent(1, 1)
    problem = Problem(
        participants=tuple(one for one in clients.values() if one.sets),
        goals=goals,
        sources=sources,
        extents=inquiry.extents or Extents(coded=coded),
        content=inquiry.content,
        counts=BufferCount(
            minimum=inquiry.minimum,
            queue=inquiry.queue,
            hold=SCANOUT_HOLD if goals[0].scanout else SAMPLING_HOLD,
        ),
        topology=platform.topology,
        fixed=inquiry.fixed,
        absent=platform.absent,
        format_costs=platform.format_costs,
    )
    return _answered(batch, goals, solve(problem), ids)


def origin(
    feedback: DmabufFeedback,
    goals: tuple[Goal, ...],
    inquiry: Inquiry,
    platform: Platform,
) -> str:
    """Who made a plan and from what, as a sentence."""
    everybody = [one for goal in goals for one in goal.participants]
    everybody += [participant for _, participant in inquiry.participants]
    kinds = {
        constraint.provenance.name.lower()
        for one in everybody
        for constraint_set in one.sets
        for constraint in constraint_set.constraints
    }
    if platform.simulated:
        machine = f"the platform {platform.name}, which is simulated"
    else:
        machine = f"what is known of this machine ({platform.name})"
    known = f"; provenance of the constraints: {', '.join(sorted(kinds))}" if kinds else ""
    return (
        "made by this client, not by the compositor: formats and devices from linux-dmabuf "
        f"version {feedback.version}, memory and constraints from {machine}{known}"
    )


def _answered(
    batch: Batch, goals: tuple[Goal, ...], answer: Answer, ids: Mapping[str, int]
) -> Batch:
    tranches: list[Tranche] = []
    index = 0
    for goal, tranche in zip(goals, batch.tranches, strict=True):
        plans = [_marked(plan, batch.message) for plan in answer.plans if plan.goal == goal.name]
        offers = tuple(
            Offer(position, plan, (Access.CLIENT,) * len(plan.layout.objects))
            for position, plan in enumerate(plans, index)
        )
        index += len(offers)
        tranches.append(replace(tranche, offers=offers))
    flags = {goal.name: _flag(goal) for goal in goals}
    message = batch.message
    if not answer.plans:
        message = f"{answer.message}; {message}" if answer.message else message
    return replace(
        batch,
        tranches=tuple(tranches),
        refusals=tuple(
            Refusal(
                source=verdict.source,
                participant=ids.get(verdict.participant or "", 0),
                type=verdict.constraint.type if verdict.constraint else 0,
                planes=verdict.planes,
                text=verdict.text,
            )
            for verdict in answer.verdicts
            if not verdict.chosen
        ),
        conflicts=tuple(
            ConflictEntry(
                goal=flags[failure.goal],
                participant=ids.get(member.participant, 0),
                type=member.constraint.type if member.constraint else 0,
                planes=member.planes,
                value=member.constraint.value if member.constraint else b"",
                text=member.text,
            )
            for failure in answer.failures
            for member in failure.conflict
        ),
        reason=None if answer.plans else answer.reason,
        message=message,
    )


def _clients(goals: tuple[Goal, ...], inquiry: Inquiry) -> dict[int, Participant]:
    """The client's participants by id, under names that nobody else has."""
    taken = {one.name for goal in goals for one in goal.participants}
    return {
        id_: replace(one, name=f"{one.name} (client's)") if one.name in taken else one
        for id_, one in inquiry.participants
    }


def _marked(plan: Plan, text: str) -> Plan:
    return replace(plan, reasons=(*plan.reasons, Reason("origin", text)))


def _flag(goal: Goal) -> TrancheFlags:
    return TrancheFlags.SCANOUT if goal.scanout else TrancheFlags.SAMPLING
