"""One negotiation: what the client's devices need, and what the compositor answers."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import TYPE_CHECKING

from heapwire.client_lib.allocation import Allocation
from heapwire.client_lib.conflict import negotiation_error
from heapwire.client_lib.connection import DEFAULT_TIMEOUT
from heapwire.client_lib.format_table import read_format_table
from heapwire.client_lib.interfaces import AnyProxy, Handler, create, listen, send
from heapwire.protocol.model.answer import FailureReason
from heapwire.protocol.model.content import Content
from heapwire.protocol.model.errors import LocalError, RemoteError
from heapwire.protocol.model.extents import Extent, Extents
from heapwire.protocol.model.participant import Participant
from heapwire.protocol.model.problem import FixedBuffer
from heapwire.protocol.model.source import SourceId
from heapwire.protocol.wire.batch import Batch, Offer
from heapwire.protocol.wire.batch_decoder import BatchDecoder
from heapwire.protocol.wire.bindings.xx_dmabuf_heaps_v1 import (
    HeapFeedbackStatus,
    HeapFeedbackStatusReason,
)
from heapwire.protocol.wire.constraint_set_builder import Request, set_requests
from heapwire.protocol.wire.exchange import Event
from heapwire.protocol.wire.limits import KNOWN_BATCHES
from heapwire.protocol.wire.negotiation_state import Inquiry, inquiry_requests

if TYPE_CHECKING:
    from heapwire.client_lib.heap_manager import HeapManager

_SLOTS = {"unset_fixed_layout": "set_fixed_layout"}  # requests that set the same state
_ANY_EXTENTS = Extents(coded=Extent(1, 1))
_MAX_COOKIE = (1 << 32) - 1


@dataclass(frozen=True, slots=True, kw_only=True)
class BufferStatus:
    """What became of a tagged buffer, and why it is not scanned out if it is not."""

    status: HeapFeedbackStatus
    reason: HeapFeedbackStatusReason
    serial: int
    plan: int


class Negotiation:
    """The compositor's `xx_dmabuf_heap_feedback_v1`; made by a `HeapManager`.

    State is set by the `set_` methods, takes effect with `commit`, and stays:
    a later commit sends only what has changed. Each batch of the compositor's,
    asked for or not, is given to `on_batch`; `batch` is the last one, `plans`
    the last one that has plans. An answer to a commit that a later one has
    superseded is not shown. Set `events` to a list to have every event of a
    batch recorded in it (protocol/wire/exchange.py).

    A compositor that breaks the protocol ends this negotiation, not the
    connection: the `RemoteError` comes out of `Connection.dispatch`, and again
    from every method that would send something.
    """

    tells_status = True

    def __init__(self, manager: HeapManager, proxy: AnyProxy) -> None:
        self.manager = manager
        self.on_batch: Callable[[Batch], None] | None = None
        self.batch: Batch | None = None
        self.plans: Batch | None = None
        self.inert = False
        self.events: list[Event] | None = None
        self._proxy = proxy
        self._decoder = BatchDecoder()
        self._fault: RemoteError | None = None
        self._inquiry = Inquiry()
        self._ids: dict[str, int] = {}
        self._names: dict[int, str] = {}
        self._sent_participants: dict[int, Participant] = {}
        self._sent: dict[str, Request] = {_slot(one): one for one in inquiry_requests(Inquiry())}
        self._cookie = 0
        self._pending: list[int] = []
        self._answers: dict[int, Batch] = {}
        self._tags: dict[int, Callable[[BufferStatus], None]] = {}
        self._last_tag = 0
        connection = manager.connection
        connection.on_close(self, self.close)
        events: dict[str, Handler] = {
            name: self._decoding(name, getattr(self._decoder, name))
            for name in (event.name for event in proxy.interface.events)
            if name not in ("format_table", "done", "failed", "buffer_status")
        }
        events |= {
            "format_table": self._format_table,
            "done": lambda *values: self._complete("done", self._decoder.done, *values),
            "failed": lambda *values: self._complete("failed", self._decoder.failed, *values),
            "buffer_status": self._buffer_status,
        }
        listen(proxy, connection.handler_failed, events)

    @property
    def names(self) -> Mapping[int, str]:
        """The names of all participants, the client's and the compositor's, by id."""
        return MappingProxyType(self._names)

    @property
    def source_names(self) -> Mapping[SourceId, str]:
        """The names of the compositor's sources."""
        return {one.id: one.name for one in self.manager.sources.values()}

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
            raise LocalError(f"there is no participant {name!r}")
        self._inquiry = replace(self._inquiry, participants=tuple(participants.items()))

    def set_extents(self, extents: Extents) -> None:
        """Set the sizes of the pictures."""
        self._change(replace(self._inquiry, extents=extents))

    def set_content(self, content: Content) -> None:
        """Describe the pictures beyond their size."""
        self._change(replace(self._inquiry, content=content))

    def set_buffer_count(self, *, minimum: int, queue: int) -> None:
        """Set how many buffers the producer holds, and how many more are to be in flight."""
        self._change(replace(self._inquiry, minimum=minimum, queue=queue))

    def set_openable(self, sources: frozenset[SourceId]) -> None:
        """Say which sources this process can allocate from itself."""
        self._change(replace(self._inquiry, openable=sources))

    def set_fixed(self, fixed: FixedBuffer | None) -> None:
        """Ask about buffers that exist already; None asks about new ones again."""
        self._change(replace(self._inquiry, fixed=fixed))

    def commit(self) -> int:
        """Ask for plans; returns the cookie that the answering batch will have.

        Sends nothing by itself that waits: `Connection.dispatch` or `flush` does.
        Raises `LocalError` if there are participants, but no extents.
        """
        self._check_usable()
        requests = inquiry_requests(self._inquiry)
        wanted = dict(self._inquiry.participants)
        for id_ in self._sent_participants.keys() - wanted.keys():
            send(self._proxy, "remove_participant", id_)
            del self._sent_participants[id_]
        for request, arguments in requests:
            if request == "set_participant":
                self._send_participant(arguments, wanted)
            elif self._sent.get(_slot((request, arguments))) != (request, arguments):
                send(self._proxy, request, *arguments)
                self._sent[_slot((request, arguments))] = (request, arguments)
        self._cookie = self._cookie % _MAX_COOKIE + 1
        self._pending.append(self._cookie)
        send(self._proxy, "commit", self._cookie)
        return self._cookie

    def answer(self, cookie: int) -> Batch | None:
        """The answer to a commit, None while there is none; old answers are forgotten."""
        self._check_usable()
        return self._answers.get(cookie)

    def negotiate(self, *, timeout: float = DEFAULT_TIMEOUT) -> Batch:
        """Commit and wait for the answer, dispatching the connection meanwhile.

        If something else commits meanwhile, the answer is that to the last
        commit. Raises `ConflictError` or `NegotiationError` if there is no plan,
        `NoAnswerError` after `timeout` seconds.
        """
        cookie = self.commit()
        while True:
            wanted = cookie
            self.manager.connection.wait(
                lambda: self.answer(wanted) is not None,  # noqa: B023 - waited for right here
                timeout=timeout,
                what="answer to a negotiation",
            )
            batch = self._answers[wanted]
            if batch.reason is not FailureReason.SUPERSEDED or cookie == self._cookie:
                break
            cookie = self._cookie
        if batch.reason is not None:
            raise negotiation_error(batch, self._names)
        return batch

    def describe(self, *, timeout: float = DEFAULT_TIMEOUT) -> Batch:
        """The batch that comes unasked after creation: what the compositor can use."""
        self.manager.connection.wait(
            lambda: self.batch is not None or self._fault is not None,
            timeout=timeout,
            what="feedback",
        )
        self._check_usable()
        assert self.batch is not None
        return self.batch

    def allocate(self, batch: Batch, offer: Offer) -> Allocation:
        """Ask the compositor to allocate one buffer of a plan; the caller closes the result."""
        self._check_usable()
        proxy = create(self._proxy, "allocate", batch.serial, offer.index)
        return Allocation(self.manager.connection, proxy, offer.plan)

    def tag_buffer(
        self,
        buffer: AnyProxy,
        batch: Batch,
        offer: Offer,
        on_status: Callable[[BufferStatus], None],
    ) -> int:
        """Have `on_status` called when what becomes of a `wl_buffer` changes; returns the tag."""
        self._check_usable()
        self._last_tag = self._last_tag % _MAX_COOKIE + 1
        send(self._proxy, "tag_buffer", buffer, self._last_tag, batch.serial, offer.index)
        self._tags[self._last_tag] = on_status
        return self._last_tag

    def forget_tag(self, tag: int) -> None:
        """The buffer is gone: expect no more of its statuses."""
        self._tags.pop(tag, None)

    def close(self) -> None:
        """Destroy the negotiation; buffers and allocations stay valid."""
        self.manager.connection.forget(self)
        self._tags.clear()
        self.on_batch = None
        if not self._proxy.destroyed and not self.manager.connection.closed:
            send(self._proxy, "destroy")

    def _change(self, inquiry: Inquiry) -> None:
        # What is not complete yet is complained of by commit, not here.
        inquiry_requests(replace(inquiry, extents=inquiry.extents or _ANY_EXTENTS))
        self._inquiry = inquiry

    def _send_participant(
        self, arguments: tuple[int | str | bytes, ...], wanted: Mapping[int, Participant]
    ) -> None:
        id_ = arguments[0]
        assert isinstance(id_, int)
        participant = wanted[id_]
        if self._sent_participants.get(id_) == participant:
            return
        send(self._proxy, "set_participant", *arguments)
        for constraint_set in participant.sets:
            made = self.manager.constraint_sets.get(constraint_set)
            send(self._proxy, "add_alternative", id_, made)
        self._sent_participants[id_] = participant

    def _check_usable(self) -> None:
        if self._fault is not None:
            raise self._fault
        if self._proxy.destroyed:
            raise LocalError("the negotiation is closed")

    def _decoding(self, name: str, method: Handler) -> Handler:
        """A handler that ends the negotiation when the compositor breaks the protocol."""

        def handle(*values: int | str | bytes) -> None:
            if self._fault is None:
                if self.events is not None:
                    self.events.append((name, values))
                try:
                    method(*values)
                except RemoteError as error:
                    self._fault = error
                    raise

        return handle

    def _format_table(self, fd: int, size: int) -> None:
        if self._fault is not None:
            os.close(fd)
            return
        try:
            content = read_format_table(fd, size)
            self._decoding("format_table", self._decoder.format_table)(content)
        except RemoteError as error:
            self._fault = error
            raise

    def _complete(self, name: str, method: Callable[..., Batch], *values: int | str) -> None:
        batches: list[Batch] = []

        def accept(*values: int | str | bytes) -> None:
            batches.append(self._accept(method(*values)))

        self._decoding(name, accept)(*values)
        for batch in batches:
            if batch.reason is not FailureReason.SUPERSEDED and self.on_batch is not None:
                self.on_batch(batch)

    def _accept(self, batch: Batch) -> Batch:
        self._names.update((entry.id, entry.name) for entry in batch.participants)
        if batch.cookie:
            if self._pending[:1] != [batch.cookie]:
                raise RemoteError(f"an answer to commit {batch.cookie}, which is not due")
            del self._pending[0]
            self._answers[batch.cookie] = batch
            while len(self._answers) > KNOWN_BATCHES:
                del self._answers[next(iter(self._answers))]
        if batch.reason is FailureReason.NO_SURFACE:
            self.inert = True
        if batch.reason is not FailureReason.SUPERSEDED:
            self.batch = batch
            if batch.offers:
                self.plans = batch
        return batch

    def _buffer_status(self, tag: int, serial: int, plan: int, status: int, reason: int) -> None:
        on_status = self._tags.get(tag)
        if on_status is not None:
            on_status(
                BufferStatus(
                    status=_status(status),
                    reason=_status_reason(reason),
                    serial=serial,
                    plan=plan,
                )
            )


def _slot(request: Request) -> str:
    return _SLOTS.get(request[0], request[0])


def _status(value: int) -> HeapFeedbackStatus:
    """A status from a later version of the protocol reads as one that promises nothing."""
    known = value in HeapFeedbackStatus.__members__.values()
    return HeapFeedbackStatus(value) if known else HeapFeedbackStatus.COMPOSITED


def _status_reason(value: int) -> HeapFeedbackStatusReason:
    known = value in HeapFeedbackStatusReason.__members__.values()
    return HeapFeedbackStatusReason(value) if known else HeapFeedbackStatusReason.UNKNOWN
