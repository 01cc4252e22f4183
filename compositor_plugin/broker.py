"""From what a client asks to what it is told, without a display in sight.

The broker knows the machine. It adds the compositor's participants to a
client's inquiry, has the problem solved, and puts the answer into a batch. It
does no I/O, keeps no client's state and gives equal batches for equal
questions.

How a surface can be shown becomes a row of goals. Take a video surface that is
fullscreen on two outputs of one display engine: the goals are *scanned out*
(display and GPU must both be able to use the buffer, because the compositor
has to fall back to the GPU when a menu pops up) and *sampled* (GPU alone). A
surface that cannot be scanned out has the second goal only.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

from heapwire.compositor_plugin.host import SurfaceState
from heapwire.compositor_plugin.selection import EVERYTHING, Selection
from heapwire.kernel.platform import Platform
from heapwire.protocol.model.answer import Answer, ConflictMember
from heapwire.protocol.model.buffer_count import BufferCount
from heapwire.protocol.model.constraint_set import ConstraintSet, FormatModifier
from heapwire.protocol.model.extents import Extent, Extents
from heapwire.protocol.model.identity import DeviceId
from heapwire.protocol.model.layout import LayoutKind
from heapwire.protocol.model.participant import Participant, Usage
from heapwire.protocol.model.plan import Plan
from heapwire.protocol.model.problem import FixedBuffer, Goal, Problem
from heapwire.protocol.model.solve import solve, solve_plans
from heapwire.protocol.model.source import Source, SourceId, SourceKind
from heapwire.protocol.model.usable import common_formats, spelled_out, usable_sources
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
    TrancheSet,
    TrancheSource,
)
from heapwire.protocol.wire.negotiation_state import Inquiry

COMPOSITOR = "the compositor"  # the participant that stands for what linux-dmabuf imports
SCANOUT_HOLD = 2  # buffers: one on screen, one latched for the next vertical blank
SAMPLING_HOLD = 1  # buffers: the one that is shown until the client's next commit
MAX_VIEWS = 64  # cached views; a client can make up openable sets without end


@dataclass(frozen=True, slots=True)
class Question:
    """Everything that a batch depends on besides the machine."""

    inquiry: Inquiry
    surface: SurfaceState | None
    importable: frozenset[FormatModifier]


@dataclass(frozen=True, slots=True)
class _View:
    """What a batch is made of before a client's participants come in.

    The same for every client that has the same formats and opens the same
    sources, so it is worked out once.
    """

    goals: tuple[Goal, ...]
    sources: tuple[Source, ...]
    tranches: tuple[Tranche, ...]
    participants: tuple[BatchParticipant, ...]


class Broker:
    """Answers questions about one machine.

    `renderer` is the device that composites; by default the first device of the
    platform that samples. `allocated` has the names of the heaps that clients may
    have the compositor allocate from. `on_solved` sees each problem and its answer.
    `ids` are the wire ids given out so far, which have to outlive a broker: a
    client's feedback object knows a device by one id for life.
    """

    def __init__(
        self,
        platform: Platform,
        *,
        renderer: DeviceId | None = None,
        allocated: Selection = EVERYTHING,
        on_solved: Callable[[Problem, Answer], None] | None = None,
        ids: dict[str, int] | None = None,
    ) -> None:
        self._on_solved = on_solved
        self._platform = platform
        self._allocatable = frozenset(
            source.id
            for source in platform.sources
            if source.id.kind is SourceKind.HEAP and source.name in allocated
        )
        self._renderer = renderer or next(
            (device.id for device in platform.devices if Usage.SAMPLING in device.sets), None
        )
        self._ids = {} if ids is None else ids
        self._views: dict[object, _View] = {}

    def allocates_from(self, source: SourceId) -> bool:
        """Whether clients may have the compositor allocate from a source."""
        return source in self._allocatable

    @property
    def renderer(self) -> DeviceId | None:
        """The device that composites; None if no device is known to sample."""
        return self._renderer

    @property
    def platform(self) -> Platform:
        """The machine that is answered about."""
        return self._platform

    def problem(self, question: Question) -> Problem:
        """What the solver is asked."""
        view = self._view(question)
        inquiry = question.inquiry
        extents = inquiry.extents
        if extents is None:
            coded = inquiry.fixed.layout.extent if inquiry.fixed else Extent(1, 1)
            extents = Extents(coded=coded)
        content = inquiry.content
        if question.surface is not None and question.surface.rotation:
            rotation = (content.rotation + question.surface.rotation) % 360
            content = replace(content, rotation=rotation)
        hold = SCANOUT_HOLD if view.goals[0].scanout else SAMPLING_HOLD
        return Problem(
            participants=tuple(
                replace(participant, name=name)
                for name, (_, participant) in self._clients_by_name(question).items()
                if participant.sets  # one without sets can use anything
            ),
            goals=view.goals,
            sources=view.sources,
            extents=extents,
            content=content,
            counts=BufferCount(minimum=inquiry.minimum, queue=inquiry.queue, hold=hold),
            topology=self._platform.topology,
            fixed=inquiry.fixed,
            absent=self._platform.absent,
            format_costs=self._platform.format_costs,
        )

    def prepare(self, question: Question) -> None:
        """Do the part of `batch` that is shared, so that the rest may run on another thread."""
        self._view(question)

    def batch(self, question: Question, *, keep: Plan | None = None) -> Batch:
        """The answer to a question, cookie and serial left out.

        `keep` is a plan that the client has allocated by: if a buffer of it
        serves no worse than the best new plan, it comes before that one, so
        that nothing is allocated anew without gain.
        """
        view = self._view(question)
        batch = Batch(participants=view.participants, tranches=view.tranches)
        if not question.inquiry.participants and question.inquiry.fixed is None:
            return batch
        problem = self.problem(question)
        answer = solve(problem)
        if self._on_solved is not None:
            self._on_solved(problem, answer)
        kept = None if keep is None else _kept(keep, problem, answer)
        openable = question.inquiry.openable
        tranches: list[Tranche] = []
        index = 0
        for goal, tranche in zip(view.goals, view.tranches, strict=True):
            plans = [plan for plan in answer.plans if plan.goal == goal.name]
            if kept is not None and kept.goal == goal.name:
                plans = [kept, *(plan for plan in plans if plan.layout != kept.layout)]
            offers = tuple(
                Offer(position, plan, self._object_access(plan, openable))
                for position, plan in enumerate(plans, index)
            )
            index += len(offers)
            tranches.append(replace(tranche, offers=offers))
        return self._explained(replace(batch, tranches=tuple(tranches)), question, answer)

    def _explained(self, batch: Batch, question: Question, answer: Answer) -> Batch:
        ids = {name: id_ for name, (id_, _) in self._clients_by_name(question).items()}
        refusals = tuple(
            Refusal(
                source=verdict.source,
                participant=self._id(verdict.participant, ids),
                type=verdict.constraint.type if verdict.constraint else 0,
                planes=verdict.planes,
                text=verdict.text,
            )
            for verdict in answer.verdicts
            if not verdict.chosen
        )
        scanout = {goal.name: goal.scanout for goal in self._view(question).goals}
        conflicts = tuple(
            self._conflict_entry(member, scanout[failure.goal], ids)
            for failure in answer.failures
            for member in failure.conflict
        )
        return replace(
            batch,
            participants=(*batch.participants, *self._others(batch, refusals, conflicts)),
            refusals=refusals,
            conflicts=conflicts,
            reason=None if answer.plans else answer.reason,
            message="" if answer.plans else answer.message,
        )

    def _others(
        self,
        batch: Batch,
        refusals: tuple[Refusal, ...],
        conflicts: tuple[ConflictEntry, ...],
    ) -> Iterator[BatchParticipant]:
        """Who else speaks in an explanation: the content and the stream have requirements too."""
        spoken = {one.participant for one in refusals} | {one.participant for one in conflicts}
        spoken -= {one.id for one in batch.participants}
        for name, id_ in self._ids.items():
            if id_ in spoken:
                yield BatchParticipant(id_, Usage(0), None, name)

    def _conflict_entry(
        self, member: ConflictMember, scanout: bool, ids: dict[str, int]
    ) -> ConflictEntry:
        constraint = member.constraint
        return ConflictEntry(
            goal=TrancheFlags.SCANOUT if scanout else TrancheFlags.SAMPLING,
            participant=self._id(member.participant, ids),
            type=constraint.type if constraint else 0,
            planes=member.planes,
            value=constraint.value if constraint else b"",
            text=member.text,
        )

    def _view(self, question: Question) -> _View:
        state = question.surface
        devices: tuple[DeviceId | None, ...] = ()
        if state is not None and state.candidate:
            devices = tuple(dict.fromkeys(output.device for output in state.outputs))
        openable = question.inquiry.openable
        key = (devices, question.importable, openable)
        view = self._views.get(key)
        if view is None:
            if len(self._views) >= MAX_VIEWS:
                self._views.clear()
            view = self._views[key] = self._new_view(devices, question.importable, openable)
        return view

    def _new_view(
        self,
        devices: tuple[DeviceId | None, ...],
        importable: frozenset[FormatModifier],
        openable: frozenset[SourceId] | None,
    ) -> _View:
        goals = self._goals(devices, importable)
        sources = tuple(s for s in self._platform.sources if self._access(s.id, openable))
        introduced = {p.name: p for goal in goals for p in goal.participants}
        return _View(
            goals=goals,
            sources=sources,
            tranches=tuple(self._described(goal, sources, openable) for goal in goals),
            participants=tuple(
                BatchParticipant(self._id(name, {}), participant.usage, participant.device, name)
                for name, participant in introduced.items()
            ),
        )

    def _goals(
        self, devices: tuple[DeviceId | None, ...], importable: frozenset[FormatModifier]
    ) -> tuple[Goal, ...]:
        """The ways to show a surface that is on the outputs of some devices, best first."""
        sampling = self._sampling_participants(importable)
        displays = [self._display(device) for device in devices]
        goals: list[Goal] = []
        known = [display for display in displays if display is not None]
        if known and len(known) == len(displays):
            goals.append(Goal(name="scanout", participants=(*known, *sampling), scanout=True))
        if len(displays) > 1 and displays[0] is not None:
            goals.append(
                Goal(
                    name="scanout on the main output",
                    participants=(displays[0], *sampling),
                    scanout=True,
                )
            )
        goals.append(Goal(name="sampling", participants=sampling))
        return tuple(goals)

    def _described(
        self, goal: Goal, sources: tuple[Source, ...], openable: frozenset[SourceId] | None
    ) -> Tranche:
        devices = [participant for participant in goal.participants if participant.device]
        formats = common_formats(goal)
        return Tranche(
            flags=TrancheFlags.SCANOUT if goal.scanout else TrancheFlags.SAMPLING,
            devices=tuple(TrancheDevice(one.usage, one.device) for one in devices),
            formats=formats,
            sources=tuple(
                TrancheSource(source.id, self._access(source.id, openable))
                for source in usable_sources(goal, sources, self._platform.topology)
            ),
            sets=tuple(
                TrancheSet(self._id(one.name, {}), spelled_out(constraint_set, formats))
                for one in devices
                for constraint_set in one.sets
            ),
        )

    def _sampling_participants(
        self, importable: frozenset[FormatModifier]
    ) -> tuple[Participant, ...]:
        importing = Participant(
            name=COMPOSITOR,
            usage=Usage.SAMPLING,
            sets=(ConstraintSet(formats=tuple(sorted(importable))),),
        )
        if self._renderer is None:
            return (importing,)
        renderer = self._platform.device(self._renderer)
        return (self._platform.participant(renderer.name, Usage.SAMPLING), importing)

    def _display(self, device: DeviceId | None) -> Participant | None:
        """The participant that scans out on a device; None if the platform has none."""
        for known in self._platform.devices:
            if known.id == device and Usage.SCANOUT in known.sets:
                return self._platform.participant(known.name, Usage.SCANOUT)
        return None

    def _object_access(
        self, plan: Plan, openable: frozenset[SourceId] | None
    ) -> tuple[Access, ...]:
        return tuple(self._access(entry.source, openable) for entry in plan.layout.objects)

    def _access(self, source: SourceId, openable: frozenset[SourceId] | None) -> Access:
        access = Access(0)
        if openable is None or source in openable:
            access |= Access.CLIENT
        if self.allocates_from(source):
            access |= Access.COMPOSITOR
        return access

    def _clients_by_name(self, question: Question) -> dict[str, tuple[int, Participant]]:
        """The client's participants by names that nobody else has."""
        taken = {participant.name for participant in self._view(question).participants}
        named: dict[str, tuple[int, Participant]] = {}
        for id_, participant in question.inquiry.participants:
            name = participant.name or f"participant {id_}"
            if name in taken or name in named:
                name = f"{name} (client's {id_})"
            named[name] = (id_, participant)
        return named

    def _id(self, name: str | None, clients: dict[str, int]) -> int:
        """The wire id of a participant; 0 for none."""
        if name is None:
            return 0
        if name in clients:
            return clients[name]
        return self._ids.setdefault(name, FIRST_COMPOSITOR_ID + len(self._ids))


def _kept(keep: Plan, problem: Problem, answer: Answer) -> Plan | None:
    """The plan as it would serve now; None if a new one serves better or it cannot serve."""
    if keep.layout.kind is LayoutKind.ALLOCATOR or not answer.plans:
        return None
    fixed = FixedBuffer(
        FormatModifier(keep.fourcc, keep.modifier), replace(keep.layout, kind=LayoutKind.FIXED)
    )
    judged = solve_plans(replace(problem, fixed=fixed))
    if not judged.plans:
        return None
    rank = {goal.name: position for position, goal in enumerate(problem.goals)}
    best, kept = answer.plans[0], judged.plans[0]
    if rank[kept.goal] > rank[best.goal]:
        return None
    return replace(keep, goal=kept.goal, scanout=kept.scanout, buffer_count=best.buffer_count)
