"""From what a client asks to what it is told, without a display in sight.

The broker knows the machine. It adds the compositor's participants to a
client's inquiry, has the problem solved, and puts the answer into a batch. It
does no I/O, keeps no client's state and gives equal batches for equal
questions.

How a surface can be shown becomes a row of goals. Take a video surface that is
fullscreen on two outputs of one display engine: the goals are *scanned out*
(display and GPU must both be able to use the buffer, because the compositor
has to fall back to the GPU when a menu pops up) and *sampled* (GPU alone). A
surface that cannot be scanned out has the second goal only. What the GPU may be unable
to read, which is protected content and formats that it does not know, has a last goal
where the host shows black in its place: *scanned out, else black*, for the display alone.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Generator
from functools import partial

from heapwire.compositor_plugin.answering import (
    AnswerStore,
    KeyHashedOnce,
    PreparedBatch,
    SetRecords,
    SolverCall,
    question_key,
    without_spent,
)
from heapwire.compositor_plugin.batch_question import BatchQuestion
from heapwire.compositor_plugin.clients import (
    EVERYTHING,
    Allowance,
    Selection,
    allocatable_heaps,
)
from heapwire.compositor_plugin.surface_goals import Showing, surface_goals, unsampled
from heapwire.kernel.description import Platform
from heapwire.protocol.late_dataclasses import dataclass, replace
from heapwire.protocol.late_tuples import NamedTuple
from heapwire.protocol.make_room import make_room
from heapwire.protocol.solver import SolverMemory
from heapwire.protocol.values import (
    Answer,
    DeviceId,
    Extent,
    Extents,
    FixedBuffer,
    FormatModifier,
    LayoutKind,
    Plan,
    Problem,
    SourceId,
)
from heapwire.protocol.wire import (
    FIRST_COMPOSITOR_ID,
    Access,
    Batch,
    Explanation,
    MachineView,
)

MAX_VIEWS = 64  # cached views; a client can make up openable sets without end


class _ViewKey(NamedTuple):
    """What a client sees of the machine depends on this and on nothing else."""

    showing: Showing
    openable: frozenset[SourceId] | None


@dataclass(slots=True, eq=False)
class _Answered:
    """A batch, and the plans that the solver made.

    `solved` is what was asked and answered, where somebody wants to see it, `spent` what the
    last who was told so had enough of.
    """

    batch: PreparedBatch
    plans: tuple[Plan, ...]
    solved: tuple[Problem, Answer] | None
    spent: tuple[Allowance | None, dict[SourceId, str]] = (None, {})

    @property
    def size(self) -> int:
        """Bytes in memory, about."""
        return self.batch.size


class Broker:
    """Answers questions about one machine.

    `renderer` is the device that composites; by default the first device of the
    platform that samples. `allocated` has the names of the heaps that clients may
    have the compositor allocate from, as far as this process may open them.
    `on_solved` sees each problem and its answer. `ids` are the wire ids given out
    so far, which have to outlive a broker: a client's negotiation knows a
    device by one id for life. `records` knows the sets that clients have made.
    """

    def __init__(
        self,
        platform: Platform,
        *,
        renderer: DeviceId | None = None,
        allocated: Selection = EVERYTHING,
        on_solved: Callable[[Problem, Answer], None] | None = None,
        ids: dict[str, int] | None = None,
        records: SetRecords | None = None,
    ) -> None:
        self._on_solved = on_solved
        self._records = SetRecords() if records is None else records
        self._answered: AnswerStore[_Answered] = AnswerStore()
        # The answer to who asks for nothing: with its events, so it is one loop's alone.
        self._nothing = PreparedBatch(Batch())
        self._platform = platform
        self.allocatable = allocatable_heaps(platform, allocated)
        """The heaps that clients may have the compositor allocate from."""
        self._allocatable = frozenset(source.id for source in self.allocatable)
        self.memory = SolverMemory()
        """What the solver keeps of this machine from one question to the next."""
        if renderer is None:
            compositing = platform.first_sampler
            renderer = compositing.id if compositing is not None else None
        self._renderer = renderer
        self._ids = {} if ids is None else ids
        self._views: dict[object, MachineView] = {}
        self._unread: dict[frozenset[FormatModifier], frozenset[FormatModifier]] = {}

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

    def problem(self, question: BatchQuestion) -> Problem:
        """What the solver is asked."""
        return self._view(self._view_key(question)).problem(question.as_shown)

    def batch(self, question: BatchQuestion, *, keep: Plan | None = None) -> Batch:
        """What `answering` comes to, solved at once whatever it takes."""
        work = self.answering(question, keep=keep)
        try:
            call = next(work)
            while True:
                call = work.send(call.solve(memory=self.memory))
        except StopIteration as end:
            batch: PreparedBatch = end.value
            return batch.content

    def key(self, question: BatchQuestion) -> KeyHashedOnce:
        """What this broker knows the answer to a question by."""
        return self._key(question, frozenset(), None)

    def known(self, question: BatchQuestion, key: KeyHashedOnce) -> PreparedBatch | None:
        """What `answering` comes to where nothing has to be worked out for it; else None."""
        if not question.inquiry.wants_plans:
            return self._nothing
        answered = self._answered.get(key)
        if answered is None or self._spent_of(answered, question):
            return None
        self._show(answered)
        return answered.batch

    def answering(
        self,
        question: BatchQuestion,
        *,
        keep: Plan | None = None,
        key: KeyHashedOnce | None = None,
    ) -> Generator[SolverCall, Answer, PreparedBatch]:
        """The answer to a question, cookie and serial left out; asks for what is to be solved.

        `keep` is a plan that the client has allocated by: if a buffer of it
        serves no worse than the best new plan, it comes before that one, so
        that nothing is allocated anew without gain. Who has none may know the `key`.

        A source of which the client may have no buffer of a plan's, or fewer than the plan
        has, is left out, unless it can open it, and the rest is asked again: at most once for
        each heap.
        """
        if not question.inquiry.wants_plans:
            return self._nothing
        spent: dict[SourceId, str] = {}
        while True:
            if key is None or spent:
                key = self._key(question, frozenset(spent), keep)
            answered = yield from self._solved(question, spent, keep, key)
            found = self._spent_of(answered, question)
            if found.keys() <= spent.keys():
                break
            spent |= found
        self._show(answered)
        if not spent:
            return answered.batch
        left = frozenset(source.id for source in answered.batch.sources)
        rest = without_spent(answered.batch.content, spent, left)
        return PreparedBatch(rest, answered.batch.sources)

    def _key(
        self, question: BatchQuestion, spent: frozenset[SourceId], keep: Plan | None
    ) -> KeyHashedOnce:
        asked = question_key(question.as_shown, self._records)
        return KeyHashedOnce((self._view_key(question), asked, spent, keep))

    def _show(self, answered: _Answered) -> None:
        """Whoever looks at what is solved sees this again."""
        if self._on_solved is not None and answered.solved is not None:
            self._on_solved(*answered.solved)

    def _solved(
        self,
        question: BatchQuestion,
        spent: Collection[SourceId],
        keep: Plan | None,
        key: KeyHashedOnce,
    ) -> Generator[SolverCall, Answer, _Answered]:
        """The answer by plans that need none of the sources that the client had enough of."""
        known = self._answered.get(key)
        if known is not None:
            return known
        inquiry = question.as_shown
        view = self._view(self._view_key(question))
        problem = self._without(view.problem(inquiry), spent, inquiry.openable)
        # Who looks at what is solved sees all of it.
        explained = inquiry.explanation is not Explanation.NONE or self._on_solved is not None
        answer = yield SolverCall(problem, explained=explained)
        plans = answer.plans
        kept = None if keep is None else (yield from self._kept(keep, problem, answer))
        if kept is not None:
            others = (
                plan for plan in plans if (plan.goal, plan.layout) != (kept.goal, kept.layout)
            )
            answer = replace(answer, plans=(kept, *others))
        known = _Answered(
            PreparedBatch(view.batch(inquiry, answer), problem.sources),
            plans,
            None if self._on_solved is None else (problem, answer),
        )
        self._answered.put(key, known)
        return known

    def _without(
        self,
        problem: Problem,
        spent: Collection[SourceId],
        openable: frozenset[SourceId] | None,
    ) -> Problem:
        """A problem without sources that only the compositor could allocate from, and may not."""
        if not spent:
            return problem
        return replace(
            problem,
            sources=tuple(
                source
                for source in problem.sources
                if source.id not in spent
                or Access.CLIENT in _access(source.id, openable, self._allocatable)
            ),
            absent={
                **problem.absent,
                **{key: self._platform.source_name(key) for key in sorted(spent)},
            },
        )

    def _spent_of(self, answered: _Answered, question: BatchQuestion) -> dict[SourceId, str]:
        if answered.spent[0] is not question.allowance:
            found = self._spent(answered.plans, question.allowance)
            answered.spent = (question.allowance, found)
        return answered.spent[1]

    def _spent(self, plans: tuple[Plan, ...], allowance: Allowance | None) -> dict[SourceId, str]:
        """The heaps of plans of which not one buffer may be given, or not enough, and why not."""
        spent: dict[SourceId, str] = {}
        if allowance is None:
            return spent
        for plan in plans:
            objects = plan.layout.objects
            if plan.layout.kind is not LayoutKind.EXACT:
                continue
            shortage = allowance.obstacle(objects, plan.buffer_count)
            # Which is rare, so that only then it is looked at whether the heaps are ours to give.
            if shortage is not None and self._allocatable.issuperset(
                [entry.source for entry in objects]
            ):
                spent.update((entry.source, shortage.text) for entry in objects)
        return spent

    def _kept(
        self, keep: Plan, problem: Problem, answer: Answer
    ) -> Generator[SolverCall, Answer, Plan | None]:
        """The plan as it would serve now; None if a new one serves better or it cannot serve."""
        if keep.layout.kind is LayoutKind.ALLOCATOR or not answer.plans:
            return None
        fixed = FixedBuffer(
            FormatModifier(keep.fourcc, keep.modifier), replace(keep.layout, kind=LayoutKind.FIXED)
        )
        checked = yield SolverCall(replace(problem, fixed=fixed), explained=False)
        if not checked.plans:
            return None
        rank = {goal.name: position for position, goal in enumerate(problem.goals)}
        best, kept = answer.plans[0], checked.plans[0]
        if rank[kept.goal] > rank[best.goal]:
            return None
        return replace(keep, goal=kept.goal, scanout=kept.scanout, buffer_count=best.buffer_count)

    def _view_key(self, question: BatchQuestion) -> _ViewKey:
        state = question.surface
        devices: tuple[DeviceId | None, ...] = ()
        black: tuple[DeviceId | None, ...] = ()
        unread: frozenset[FormatModifier] = frozenset()
        if state is not None:
            shown_by = tuple(dict.fromkeys(output.device for output in state.outputs))
            if state.candidate:
                devices = shown_by
            if state.black:
                # All that is protected may be, and of the rest what the GPU does not know.
                unread = question.importable
                if not question.inquiry.content.protected:
                    unread = self._unsampled(unread)
                black = shown_by if unread else ()  # a candidate or not: black until it is one
        showing = Showing(devices, black, question.importable, unread)
        return _ViewKey(showing, question.inquiry.openable)

    def _unsampled(self, importable: frozenset[FormatModifier]) -> frozenset[FormatModifier]:
        known = self._unread.get(importable)
        if known is None:
            make_room(self._unread, MAX_VIEWS)
            known = self._unread[importable] = unsampled(self._platform, self._renderer, importable)
        return known

    def _view(self, key: _ViewKey) -> MachineView:
        """The machine as a client sees it."""
        known = self._views.get(key)
        if known is None:
            make_room(self._views, MAX_VIEWS)
            known = self._views[key] = self._new_view(key)
        return known

    def _new_view(self, key: _ViewKey) -> MachineView:
        accesses: dict[SourceId, Access] = {}  # of a handful, and operations on flags are slow
        allocatable = self._allocatable  # a view holds nothing of a broker, which goes when left

        def access(source: SourceId) -> Access:
            known = accesses.get(source)
            if known is None:
                known = accesses[source] = _access(source, key.openable, allocatable)
            return known

        blank = self._platform.problem(
            goals=surface_goals(self._platform, self._renderer, key.showing),
            usable=lambda source: bool(access(source)),
            extents=Extents(coded=Extent(1, 1)),
        )
        return MachineView(blank, identify=partial(_wire_id, self._ids), access=access)

    def forget_some(self) -> bool:
        """Let a little go of what is kept of a machine that is no more; False at the end.

        All of it at once is what a client has made it, up to tens of milliseconds.
        """
        self._views.clear()  # the solver knows a machine by what is in a view
        left = [self._answered.forget_some(), self.memory.forget_some()]
        return any(left)


def _access(
    source: SourceId, openable: frozenset[SourceId] | None, allocatable: frozenset[SourceId]
) -> Access:
    access = Access(0)
    if openable is None or source in openable:
        access |= Access.CLIENT
    if source in allocatable:
        access |= Access.COMPOSITOR
    return access


def _wire_id(ids: dict[str, int], name: str) -> int:
    """The wire id of a participant of the compositor's."""
    return ids.setdefault(name, FIRST_COMPOSITOR_ID + len(ids))
