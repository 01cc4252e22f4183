"""What a machine can do for a client: the part of a batch that no client has a say in.

Whoever makes plans, the compositor or a client by itself, sees its machine as a
`MachineView`: from an inquiry to the problem that the solver is asked, and from the
solver's answer to the batch that says so on the wire.
"""

from __future__ import annotations

from collections.abc import Callable

from heapwire.protocol.late_dataclasses import replace
from heapwire.protocol.values import (
    Answer,
    BufferCount,
    Extents,
    Goal,
    Participant,
    Problem,
    SourceId,
    Usage,
    Verdict,
)
from heapwire.protocol.wire.batch import (
    Access,
    Batch,
    BatchParticipant,
    ConflictEntry,
    Offer,
    Refusal,
    RefusalCause,
    Tranche,
    TrancheFlags,
)
from heapwire.protocol.wire.negotiation_state import Inquiry

SCANOUT_HOLD = 2  # buffers: one on screen, one latched for the next vertical blank
SAMPLING_HOLD = 1  # buffers: the one that is shown until the client's next commit


class MachineView:
    """A machine, for all clients that can use the same of it; worked out once.

    `blank` is the problem without a client: the goals, the sources, and what
    else is known of the machine. `identify` gives the wire id of whom a goal or
    an explanation names, `access` says who can allocate from a source. It
    changes nothing, so threads can share it if these two let them.
    """

    def __init__(
        self,
        blank: Problem,
        *,
        identify: Callable[[str], int],
        access: Callable[[SourceId], Access],
    ) -> None:
        self._blank = blank
        self._identify = identify
        self._access = access
        # Who takes part in several goals is introduced once.
        introduced = {shower.name: shower for goal in blank.goals for shower in goal.participants}
        self._participants = tuple(
            BatchParticipant(identify(name), shower.usage, shower.device, name)
            for name, shower in introduced.items()
        )
        self._taken = frozenset(introduced)
        # Buffers are allocated once for whichever goal is met, so for the one that holds most.
        scanned_out = any(goal.scanout for goal in blank.goals)
        self._hold = SCANOUT_HOLD if scanned_out else SAMPLING_HOLD
        self._flags = {goal.name: _flag(goal) for goal in blank.goals}

    def problem(self, inquiry: Inquiry) -> Problem:
        """What the solver is asked. Without extents those of the fixed layout count."""
        fixed, blank = inquiry.fixed, self._blank
        return Problem(  # what `replace` does, in a third of the time
            participants=tuple(
                [
                    # The very same where it can be: what is known of it is found again.
                    participant if participant.name == name else replace(participant, name=name)
                    for name, (_, participant) in self._clients(inquiry).items()
                    if participant.sets  # one without sets can use anything
                ]
            ),
            goals=blank.goals,
            sources=blank.sources,
            extents=inquiry.extents
            or (Extents(coded=fixed.layout.extent) if fixed else blank.extents),
            content=inquiry.content,
            counts=BufferCount(minimum=inquiry.minimum, queue=inquiry.queue, hold=self._hold),
            topology=blank.topology,
            fixed=fixed,
            absent=blank.absent,
            format_costs=blank.format_costs,
        )

    def batch(self, inquiry: Inquiry, answer: Answer) -> Batch:
        """The answer to `problem`, for the wire; cookie and serial left out.

        Who speaks in its explanation joins the participants: the content and the
        stream have requirements too.
        """
        tranches: list[Tranche] = []
        index = 0
        for name, flag in self._flags.items():
            plans = [plan for plan in answer.plans if plan.goal == name]
            offers = tuple(
                [
                    Offer(n, plan, tuple([self._access(o.source) for o in plan.layout.objects]))
                    for n, plan in enumerate(plans, index)
                ]
            )
            index += len(offers)
            if offers:
                tranches.append(Tranche(flags=flag, offers=offers))
        batch = Batch(
            participants=self._participants,
            tranches=tuple(tranches),
            reason=None if answer.plans else answer.reason,
            message="" if answer.plans else answer.message,
        )
        explained = answer.verdicts or answer.failures
        return self._explained(batch, inquiry, answer) if explained else batch

    def _explained(self, batch: Batch, inquiry: Inquiry, answer: Answer) -> Batch:
        clients = {name: id_ for name, (id_, _) in self._clients(inquiry).items()}
        spoken: dict[int, str] = {}

        def identified(name: str | None) -> int:
            if name is None:
                return 0
            if name in clients:
                return clients[name]
            id_ = self._identify(name)
            spoken[id_] = name
            return id_

        refusals = tuple(
            Refusal(
                source=verdict.source,
                cause=_cause(verdict, answer),
                participant=identified(verdict.participant),
                type=verdict.constraint.type if verdict.constraint else 0,
                planes=verdict.planes,
                text=verdict.text,
            )
            for verdict in answer.verdicts
            if not verdict.chosen
        )
        conflicts = tuple(
            ConflictEntry(
                goal=self._flags[failure.goal],
                participant=identified(member.participant),
                type=member.constraint.type if member.constraint else 0,
                planes=member.planes,
                value=member.constraint.value if member.constraint else b"",
                text=member.text,
                proved=failure.proved_minimal,
            )
            for failure in answer.failures
            for member in failure.conflict
        )
        introduced = {participant.id for participant in self._participants}
        others = (
            BatchParticipant(id_, Usage(0), None, name)
            for id_, name in sorted(spoken.items())
            if id_ not in introduced
        )
        return replace(
            batch,
            participants=(*batch.participants, *others),
            refusals=refusals,
            conflicts=conflicts,
        )

    def _clients(self, inquiry: Inquiry) -> dict[str, tuple[int, Participant]]:
        """The client's participants by names that nobody else has."""
        named: dict[str, tuple[int, Participant]] = {}
        for id_, participant in inquiry.participants:
            name = participant.name or f"participant {id_}"
            if name in self._taken or name in named:
                name = f"{name} (client's {id_})"
            named[name] = (id_, participant)
        return named


def _flag(goal: Goal) -> TrancheFlags:
    if goal.black:
        return TrancheFlags.SCANOUT | TrancheFlags.BLACK
    return TrancheFlags.SCANOUT if goal.scanout else TrancheFlags.SAMPLING


def _cause(verdict: Verdict, answer: Answer) -> RefusalCause:
    if verdict.constraint is not None:
        return RefusalCause.REQUIREMENT
    return RefusalCause.OUTRANKED if answer.plans else RefusalCause.ELSEWHERE
