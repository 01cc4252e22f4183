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

from collections.abc import Callable
from dataclasses import dataclass, replace

from heapwire.compositor_plugin.clients import EVERYTHING, Allowance, Selection
from heapwire.compositor_plugin.host import SurfaceState
from heapwire.kernel.description import Device, Platform
from heapwire.protocol.explain import AnswerMemory
from heapwire.protocol.values import (
    Answer,
    ConstraintSet,
    DeviceId,
    Extent,
    Extents,
    FixedBuffer,
    FormatModifier,
    Goal,
    LayoutKind,
    Participant,
    Plan,
    Problem,
    Source,
    SourceId,
    SourceKind,
    Usage,
)
from heapwire.protocol.wire import (
    FIRST_COMPOSITOR_ID,
    Access,
    Batch,
    Inquiry,
    MachineView,
    Offer,
    Refusal,
)

COMPOSITOR = "the compositor"  # the participant that stands for what linux-dmabuf imports
MAX_VIEWS = 64  # cached views; a client can make up openable sets without end


@dataclass(frozen=True, slots=True)
class BatchQuestion:
    """Everything that a batch depends on besides the machine."""

    inquiry: Inquiry
    surface: SurfaceState | None
    importable: frozenset[FormatModifier]
    allowance: Allowance | None = None
    """What the client may be given by the compositor; without one, anything."""


class Broker:
    """Answers questions about one machine.

    `renderer` is the device that composites; by default the first device of the
    platform that samples. `allocated` has the names of the heaps that clients may
    have the compositor allocate from, as far as this process may open them.
    `on_solved` sees each problem and its answer. `ids` are the wire ids given out
    so far, which have to outlive a broker: a client's feedback object knows a
    device by one id for life.
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
        self._answers = AnswerMemory()
        self._platform = platform
        self.allocatable = allocatable_heaps(platform, allocated)
        """The heaps that clients may have the compositor allocate from."""
        self._allocatable = frozenset(source.id for source in self.allocatable)
        if renderer is None:
            compositing = compositing_device(platform)
            renderer = compositing.id if compositing is not None else None
        self._renderer = renderer
        self._ids = {} if ids is None else ids
        self._views: dict[object, MachineView] = {}

    def allocates_from(self, source: SourceId) -> bool:
        """Whether clients may have the compositor allocate from a source."""
        return source in self._allocatable

    def forget_answers(self) -> None:
        """Keep no answers, nor what they were asked about."""
        self._answers = AnswerMemory()

    @property
    def renderer(self) -> DeviceId | None:
        """The device that composites; None if no device is known to sample."""
        return self._renderer

    @property
    def platform(self) -> Platform:
        """The machine that is answered about."""
        return self._platform

    def problem(self, question: BatchQuestion) -> Problem:
        """What the solver is asked."""
        return self._view(question).problem(_turned(question))

    def prepare(self, question: BatchQuestion) -> None:
        """Do the part of `batch` that is shared, so that the rest may run on another thread."""
        self._view(question)

    def batch(self, question: BatchQuestion, *, keep: Plan | None = None) -> Batch:
        """The answer to a question, cookie and serial left out.

        `keep` is a plan that the client has allocated by: if a buffer of it
        serves no worse than the best new plan, it comes before that one, so
        that nothing is allocated anew without gain.
        """
        view = self._view(question)
        if not question.inquiry.wants_plans:
            return view.description
        inquiry = _turned(question)
        problem, answer, spent = self._within_allowance(view.problem(inquiry), question)
        if self._on_solved is not None:
            self._on_solved(problem, answer)
        kept = None if keep is None else self._kept(keep, problem, answer)
        if kept is not None:
            others = (
                plan
                for plan in answer.plans
                if (plan.goal, plan.layout) != (kept.goal, kept.layout)
            )
            answer = replace(answer, plans=(kept, *others))
        return _without_spent(view.batch(inquiry, answer), spent, problem)

    def _within_allowance(
        self, problem: Problem, question: BatchQuestion
    ) -> tuple[Problem, Answer, dict[SourceId, str]]:
        """The answer by plans that can be allocated, and what the client had enough of, and why.

        A source of which the client may have no buffer of a plan's is left out, unless it
        can open it, and the rest is asked again: at most once for each heap.
        """
        spent: dict[SourceId, str] = {}
        while True:
            answer = self._answers.solve(problem)
            found = self._spent(answer, question.allowance)
            if found.keys() <= spent.keys():
                return problem, answer, spent
            spent |= found
            problem = replace(
                problem,
                sources=tuple(
                    source
                    for source in problem.sources
                    if source.id not in spent
                    or Access.CLIENT in self._access(source.id, question.inquiry.openable)
                ),
                absent={
                    **problem.absent,
                    **{key: self._platform.source_name(key) for key in spent},
                },
            )

    def _spent(self, answer: Answer, allowance: Allowance | None) -> dict[SourceId, str]:
        """The heaps of plans of which not one buffer may be given, and why not."""
        spent: dict[SourceId, str] = {}
        for plan in answer.plans:
            objects = plan.layout.objects
            if allowance is None or plan.layout.kind is not LayoutKind.EXACT:
                continue
            if not all(self.allocates_from(entry.source) for entry in objects):
                continue
            shortage = allowance.shortage(objects)
            if shortage is not None:
                spent.update((entry.source, shortage.text) for entry in objects)
        return spent

    def _kept(self, keep: Plan, problem: Problem, answer: Answer) -> Plan | None:
        """The plan as it would serve now; None if a new one serves better or it cannot serve."""
        if keep.layout.kind is LayoutKind.ALLOCATOR or not answer.plans:
            return None
        fixed = FixedBuffer(
            FormatModifier(keep.fourcc, keep.modifier), replace(keep.layout, kind=LayoutKind.FIXED)
        )
        checked = self._answers.solve_plans(replace(problem, fixed=fixed))
        if not checked.plans:
            return None
        rank = {goal.name: position for position, goal in enumerate(problem.goals)}
        best, kept = answer.plans[0], checked.plans[0]
        if rank[kept.goal] > rank[best.goal]:
            return None
        return replace(keep, goal=kept.goal, scanout=kept.scanout, buffer_count=best.buffer_count)

    def _view(self, question: BatchQuestion) -> MachineView:
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
    ) -> MachineView:
        def access(source: SourceId) -> Access:
            return self._access(source, openable)

        blank = self._platform.problem(
            goals=self._goals(devices, importable),
            usable=lambda source: bool(access(source)),
            extents=Extents(coded=Extent(1, 1)),
        )
        return MachineView(blank, identify=self._id, access=access)

    def _goals(
        self, devices: tuple[DeviceId | None, ...], importable: frozenset[FormatModifier]
    ) -> tuple[Goal, ...]:
        """The ways to show a surface that is on the outputs of some devices, best first."""
        sampling = self._sampling_participants(importable)
        displays = [self._display(device) for device in devices]
        goals: list[Goal] = []
        scanning = [display for display in displays if display is not None]
        if scanning and len(scanning) == len(displays):
            goals.append(Goal(name="scanout", participants=(*scanning, *sampling), scanout=True))
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
        for candidate in self._platform.devices:
            if candidate.id == device and Usage.SCANOUT in candidate.sets:
                return self._platform.participant(candidate.name, Usage.SCANOUT)
        return None

    def _access(self, source: SourceId, openable: frozenset[SourceId] | None) -> Access:
        access = Access(0)
        if openable is None or source in openable:
            access |= Access.CLIENT
        if self.allocates_from(source):
            access |= Access.COMPOSITOR
        return access

    def _id(self, name: str) -> int:
        """The wire id of a participant of the compositor's."""
        return self._ids.setdefault(name, FIRST_COMPOSITOR_ID + len(self._ids))


def _without_spent(batch: Batch, spent: dict[SourceId, str], problem: Problem) -> Batch:
    """A batch that does not promise what the client had enough of, and says why."""
    if not spent:
        return batch

    def permitted(offer: Offer) -> Offer:
        objects = offer.plan.layout.objects
        if any(entry.source in spent for entry in objects):
            return replace(offer, access=tuple(one & ~Access.COMPOSITOR for one in offer.access))
        return offer

    tranches = tuple(
        replace(tranche, offers=tuple(map(permitted, tranche.offers))) for tranche in batch.tranches
    )
    left = {source.id for source in problem.sources}
    refused = (
        Refusal(source=source, participant=0, type=0, planes=0, text=text)
        for source, text in spent.items()
        if source not in left
    )
    return replace(batch, tranches=tranches, refusals=(*batch.refusals, *refused))


def allocatable_heaps(platform: Platform, allocated: Selection = EVERYTHING) -> tuple[Source, ...]:
    """The heaps from which a compositor may allocate for its clients, in the platform's order.

    A display that allocates dumb buffers is one of them: its node is hardly ever a client's to
    open. They are those among the names of `allocated` that this process may open.
    """
    openable = platform.memory.openable
    return tuple(
        source
        for source in platform.sources
        if source.name in allocated
        and source.id in openable
        and (source.id.kind is SourceKind.HEAP or _is_card(platform, source))
    )


def _is_card(platform: Platform, source: Source) -> bool:
    return source.id.kind is SourceKind.DEVICE and not platform.simulated


def compositing_device(platform: Platform) -> Device | None:
    """The device that composites unless another one is named: the first that samples, if any."""
    return next((device for device in platform.devices if Usage.SAMPLING in device.sets), None)


def _turned(question: BatchQuestion) -> Inquiry:
    """The inquiry, about content that is rotated as it is shown."""
    inquiry = question.inquiry
    if question.surface is None or not question.surface.rotation:
        return inquiry
    rotation = (inquiry.content.rotation + question.surface.rotation) % 360
    return replace(inquiry, content=replace(inquiry.content, rotation=rotation))
