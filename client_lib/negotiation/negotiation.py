"""One negotiation: a question that is kept, and its answers."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from types import MappingProxyType

from heapwire.client_lib.buffers import Allocation, BufferStatus
from heapwire.client_lib.errors import AllocationError
from heapwire.client_lib.negotiation.compositor_planner import CompositorPlanner
from heapwire.client_lib.negotiation.conflict import negotiation_error
from heapwire.client_lib.negotiation.local_planner import LocalPlanner
from heapwire.client_lib.negotiation.negotiation_log import log_answer, log_question
from heapwire.client_lib.negotiation.planner import Planner
from heapwire.client_lib.wayland import DEFAULT_TIMEOUT, AnyProxy
from heapwire.protocol import UsageError
from heapwire.protocol.late_dataclasses import replace
from heapwire.protocol.values import (
    Content,
    Extent,
    Extents,
    FailureReason,
    FixedBuffer,
    Participant,
    SourceId,
)
from heapwire.protocol.wire import (
    KNOWN_BATCHES,
    Batch,
    Event,
    Explanation,
    Inquiry,
    Offer,
    inquiry_requests,
    set_requests,
)

_ANY_EXTENTS = Extents(coded=Extent(1, 1))
_MAX_COOKIE = (1 << 32) - 1
_AGAIN = (0.1, 0.4, 1.6)
"""Seconds after which a compositor that was busy is asked again, the first time and so on. It
refuses nobody before the question has waited for seconds, so at once would be no use."""


class Negotiation:
    """What a client's devices need, and what the planner makes of it.

    Made by a `NegotiationManager`, by `local_negotiation` or by `surface_negotiation`. The
    planner is the compositor, or this process in its place.

    State is set by the `set_` methods, which raise `UsageError` for what the
    protocol forbids and `NotPossibleError` for more than it can carry; it takes
    effect with `commit`, and stays. Each batch, asked for or not, is given to
    `on_batch`, but for the answer to a commit that a later one has superseded;
    `batch` is the last one, and `plans` the last one that has plans. `inert` says
    that the surface is gone, so that there will be no more. Set `events` to a list to
    have every event of a compositor's batch recorded in it (protocol/wire/event_trace.py).

    A compositor that breaks the rules ends this negotiation, not the connection:
    the `PeerError` comes out of `Connection.dispatch`, and again from every
    method that would ask or send something.
    """

    def __init__(self, planner: Planner) -> None:
        self._planner = planner
        self.on_batch: Callable[[Batch], None] | None = None
        self.events: list[Event] | None = None
        self.batch: Batch | None = None
        self.plans: Batch | None = None
        self.inert = False
        self._inquiry = Inquiry(explanation=Explanation.REASONS)
        self._ids: dict[str, int] = {}
        self._names: dict[int, str] = {}
        self._cookie = 0
        self._answers: dict[int, Batch] = {}
        planner.on_batch = self._take
        planner.on_event = self._record

    @property
    def tells_status(self) -> bool:
        """Whether anybody tells what becomes of buffers."""
        planner = self._planner
        return isinstance(planner, CompositorPlanner) and planner.statuses is not None

    @property
    def names(self) -> Mapping[int, str]:
        """The names of all participants, the client's and the others, by id."""
        return MappingProxyType(self._names)

    @property
    def source_names(self) -> Mapping[SourceId, str]:
        """The names of the sources that plans may use, the compositor's or this machine's."""
        return self._planner.source_names

    @property
    def participants(self) -> tuple[Participant, ...]:
        """The client's participants as they are set now."""
        return tuple(participant for _, participant in self._inquiry.participants)

    def set_participant(self, participant: Participant) -> None:
        """Add a participant, or replace the one of the same name."""
        for constraint_set in participant.sets:
            set_requests(constraint_set)  # raises for one that a compositor would refuse
        id_ = self._ids.setdefault(participant.name, len(self._ids) + 1)
        participants = dict(self._inquiry.participants) | {id_: participant}
        self._change(replace(self._inquiry, participants=tuple(participants.items())))
        self._names[id_] = participant.name

    def remove_participant(self, name: str) -> None:
        """Remove the participant of this name."""
        id_ = self._ids.get(name)
        participants = dict(self._inquiry.participants)
        if id_ is None or participants.pop(id_, None) is None:
            raise UsageError(f"there is no participant {name!r}")
        self._inquiry = replace(self._inquiry, participants=tuple(participants.items()))

    def set_extents(self, extents: Extents) -> None:
        """Set the sizes of the pictures, in pixels."""
        self._change(replace(self._inquiry, extents=extents))

    def set_content(self, content: Content) -> None:
        """Describe the pictures beyond their size."""
        self._change(replace(self._inquiry, content=content))

    def set_buffer_count(self, *, minimum: int, queue: int) -> None:
        """Set how many buffers the producer holds, and how many more are to be in flight."""
        self._change(replace(self._inquiry, minimum=minimum, queue=queue))

    def set_openable(self, sources: frozenset[SourceId]) -> None:
        """Say which sources this process can allocate from itself; all, if it never does."""
        self._change(replace(self._inquiry, openable=sources))

    def set_fixed(self, fixed: FixedBuffer | None) -> None:
        """Ask about buffers that exist already; None asks about new ones again."""
        self._change(replace(self._inquiry, fixed=fixed))

    def set_explanation(self, explanation: Explanation) -> None:
        """Say how much of the answers is to be explained: to begin with, the reasons."""
        self._change(replace(self._inquiry, explanation=explanation))

    def set_covered(self, outputs: tuple[str, ...]) -> None:
        """Say which outputs the surface fills, by the names of `wl_output`.

        Where this process makes the plans, a change is answered at once, unasked.
        A compositor that makes them knows by itself.
        """
        if isinstance(self._planner, LocalPlanner):
            self._planner.set_covered(outputs)

    def commit(self) -> int:
        """Ask for plans by what is set now; returns the cookie that the answer will have.

        Waits for nothing: the answer comes while the connection is dispatched.
        Raises `UsageError` if there are participants, but no extents.
        """
        self._check_usable()
        cookie = self._cookie % _MAX_COOKIE + 1
        log_question(cookie, self._inquiry)
        self._planner.ask(self._inquiry, cookie)
        self._cookie = cookie
        return cookie

    def answer(self, cookie: int) -> Batch | None:
        """The answer to a commit, None while there is none; old answers are forgotten."""
        self._check_usable()
        return self._answers.get(cookie)

    def negotiate(self, *, timeout: float = DEFAULT_TIMEOUT) -> Batch:
        """Commit and wait for the answer, dispatching the connection meanwhile.

        If something else commits meanwhile, the answer is that to the last
        commit. A compositor that had no time for the question is asked again, a few times,
        with a pause before each in which the connection is dispatched too. Raises
        `ConflictError` or `NegotiationError` if there is no plan, `NoAnswerError` after
        `timeout` seconds.
        """
        end = time.monotonic() + timeout
        batch = self._answered(self.commit(), timeout)
        for pause in _AGAIN:
            if batch.reason is not FailureReason.BUSY or time.monotonic() + pause >= end:
                break
            self._pause(pause)
            batch = self._answered(self.commit(), end - time.monotonic())
        if batch.reason is not None:
            raise negotiation_error(batch, self._names)
        return batch

    def allocate(self, offer: Offer) -> Allocation:
        """Have the compositor allocate one buffer of a plan; the caller closes the result.

        Raises `AllocationError` if the compositor does not allocate for its clients.
        """
        self._check_usable()
        planner = self._planner
        if not isinstance(planner, CompositorPlanner) or planner.allocation is None:
            raise AllocationError("this compositor does not allocate for its clients")
        return planner.allocation.allocate(offer.plan)

    def use_plan(self, batch: Batch, offer: Offer) -> None:
        """Tell the planner that there are buffers by a plan, so that it keeps to that."""
        self._check_usable()
        if isinstance(self._planner, CompositorPlanner):
            self._planner.use_plan(batch, offer)

    def watch(
        self, buffer: AnyProxy, on_status: Callable[[BufferStatus], None]
    ) -> Callable[[], None]:
        """Have `on_status` called when what becomes of a `wl_buffer` changes.

        Call what this returns when the buffer goes. Raises `UsageError` where nobody
        tells (see `tells_status`).
        """
        self._check_usable()
        planner = self._planner
        if not isinstance(planner, CompositorPlanner) or planner.statuses is None:
            raise UsageError("nobody tells what becomes of buffers: `tells_status` is False")
        return planner.statuses.watch(buffer, on_status)

    def close(self) -> None:
        """Let go of it; buffers and allocations stay valid. Safe to call twice."""
        self.on_batch = None
        self._planner.close()

    def _answered(self, cookie: int, timeout: float) -> Batch:
        """The answer to a commit, or to a later one that was made while this waited."""
        while True:
            wanted = cookie
            self._planner.connection.wait(
                lambda: self.answer(wanted) is not None,  # noqa: B023 - waited for right here
                timeout=timeout,
                what=self._planner.awaited,
            )
            batch = self._answers[wanted]
            # A handler may have committed while this waited: then its answer is the one.
            if batch.reason is not FailureReason.SUPERSEDED or cookie == self._cookie:
                return batch
            cookie = self._cookie

    def _pause(self, seconds: float) -> None:
        end = time.monotonic() + seconds
        while (left := end - time.monotonic()) > 0:
            self._planner.connection.dispatch(left)

    def _change(self, inquiry: Inquiry) -> None:
        # What is not complete yet is complained of by commit, not here.
        inquiry_requests(replace(inquiry, extents=inquiry.extents or _ANY_EXTENTS))
        self._inquiry = inquiry

    def _check_usable(self) -> None:
        if self._planner.fault is not None:
            raise self._planner.fault
        if self._planner.closed:
            raise UsageError("the negotiation is closed")

    def _record(self, event: Event) -> None:
        if self.events is not None:
            self.events.append(event)

    def _take(self, batch: Batch) -> None:
        """Remember who takes part and the answer to a commit, and pass the batch on."""
        self._names.update((speaker.id, speaker.name) for speaker in batch.participants)
        log_answer(batch, self.source_names)
        if batch.cookie:
            self._answers[batch.cookie] = batch
            while len(self._answers) > KNOWN_BATCHES:
                del self._answers[next(iter(self._answers))]
        if batch.reason is FailureReason.NO_SURFACE:
            self.inert = True
        if batch.reason is FailureReason.SUPERSEDED:
            return
        self.batch = batch
        if batch.offers:
            self.plans = batch
        if self.on_batch is not None:
            self.on_batch(batch)
