"""A batch that this process makes itself, for compositors that have no plans to give."""

from __future__ import annotations

from heapwire.kernel.description import Platform
from heapwire.protocol.explain import AnswerMemory
from heapwire.protocol.late_dataclasses import replace
from heapwire.protocol.values import Extent, Extents, Goal, Reason
from heapwire.protocol.wire import (
    FIRST_COMPOSITOR_ID,
    Access,
    Batch,
    DmabufFeedback,
    DmabufVersion,
    Inquiry,
    MachineView,
)
from heapwire.protocol.wire.bindings import XX_DMABUF_SOURCES_V1


def local_batch(
    goals: tuple[Goal, ...],
    inquiry: Inquiry,
    platform: Platform,
    origin: str,
    answers: AnswerMemory,
) -> Batch:
    """The answer to an inquiry, cookie and serial left out.

    `answers` is asked for the plans. `origin` says where the knowledge comes
    from: it is a reason of each plan and the batch's message.
    """
    ids: dict[str, int] = {}
    openable = inquiry.openable
    blank = platform.problem(
        goals=goals,
        usable=lambda source: openable is None or source in openable,
        extents=Extents(coded=Extent(1, 1)),
    )
    view = MachineView(
        blank,
        identify=lambda name: ids.setdefault(name, FIRST_COMPOSITOR_ID + len(ids)),
        access=lambda _: Access.CLIENT,
    )
    if not inquiry.wants_plans:
        return Batch(message=origin)
    answer = answers.solve(view.problem(inquiry))
    plans = tuple(
        replace(plan, reasons=(*plan.reasons, Reason("origin", origin))) for plan in answer.plans
    )
    batch = view.batch(inquiry, replace(answer, plans=plans))
    return replace(batch, message=f"{batch.message}; {origin}" if batch.message else origin)


def origin(
    feedback: DmabufFeedback,
    goals: tuple[Goal, ...],
    inquiry: Inquiry,
    platform: Platform,
) -> str:
    """Who made a plan and from what, as a sentence."""
    everybody = [participant for goal in goals for participant in goal.participants]
    everybody += [participant for _, participant in inquiry.participants]
    kinds = {
        constraint.provenance.name.lower()
        for participant in everybody
        for constraint_set in participant.sets
        for constraint in constraint_set.constraints
    }
    if platform.simulated:
        machine = f"the platform {platform.name}, which is simulated"
    else:
        machine = f"what is known of this machine ({platform.name})"
    said = f"formats and devices from linux-dmabuf version {feedback.version}"
    if feedback.version < DmabufVersion.FEEDBACK:
        said = f"formats from linux-dmabuf version {feedback.version}"
        if any(goal.scanout for goal in goals):
            said += ", displays from the names of outputs"
    memory = f"memory and constraints from {machine}"
    if any(tranche.memory is not None for tranche in feedback.tranches):
        memory = (
            "which memory the compositor's devices can use, and what they require, from "
            f"{XX_DMABUF_SOURCES_V1.name}; the rest from {machine}"
        )
    rests_on = f"; provenance of the constraints: {', '.join(sorted(kinds))}" if kinds else ""
    return f"made by this client, not by the compositor: {said}, {memory}{rests_on}"
