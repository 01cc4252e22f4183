"""One negotiation: what the client's devices need, and what the compositor answers."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from heapwire.client_lib.buffers import Allocation, BufferStatus
from heapwire.client_lib.negotiation.any_negotiation import AnyNegotiation
from heapwire.client_lib.wayland import DEFAULT_TIMEOUT, AnyProxy, Handler, create, listen, send
from heapwire.protocol import PeerError
from heapwire.protocol.values import FailureReason, Participant, SourceId
from heapwire.protocol.wire import Batch, BatchDecoder, Inquiry, Offer, Request, inquiry_requests

if TYPE_CHECKING:
    from heapwire.client_lib.negotiation.heap_manager import HeapManager

_SLOTS = {"unset_fixed_layout": "set_fixed_layout"}  # requests that set the same state
_MAX_COOKIE = (1 << 32) - 1


class Negotiation(AnyNegotiation):
    """The compositor's `xx_dmabuf_heap_feedback_v1`; made by a `HeapManager`.

    A commit sends only what has changed since the last. Of the batches, `plans`
    is the last one that has plans. An answer to a commit that a later one has
    superseded is not shown.
    """

    tells_status = True
    _WAITS_FOR = "answer to a negotiation"

    def __init__(self, manager: HeapManager, proxy: AnyProxy) -> None:
        super().__init__(manager.connection)
        self.manager = manager
        self.plans: Batch | None = None
        self.inert = False
        self._proxy = proxy
        self._decoder = BatchDecoder()
        self._sent_participants: dict[int, Participant] = {}
        self._sent: dict[str, Request] = {_slot(one): one for one in inquiry_requests(Inquiry())}
        self._pending: list[int] = []
        self._tags: dict[int, Callable[[BufferStatus], None]] = {}
        self._last_tag = 0
        self._connection.on_close(self, self.close)
        events: dict[str, Handler] = {
            name: self._decoding(name, getattr(self._decoder, name))
            for name in (event.name for event in proxy.interface.events)
            if name not in ("format_table", "done", "failed", "buffer_status")
        }
        events |= {
            "format_table": self._reading(
                self._decoding("format_table", self._decoder.format_table)
            ),
            "done": lambda *values: self._complete("done", self._decoder.done, *values),
            "failed": lambda *values: self._complete("failed", self._decoder.failed, *values),
            "buffer_status": self._buffer_status,
        }
        listen(proxy, self._connection.handler_failed, events)

    @property
    def source_names(self) -> Mapping[SourceId, str]:
        """The names of the compositor's sources."""
        return {one.id: one.name for one in self.manager.sources.values()}

    def set_covered(self, outputs: tuple[str, ...]) -> None:
        """Does nothing: the compositor knows what fills its outputs."""

    def commit(self) -> int:
        """Ask for plans by what is set now; returns the cookie that the answer will have.

        Waits for nothing: `Connection.dispatch` or `flush` sends the requests.
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

    def describe(self, *, timeout: float = DEFAULT_TIMEOUT) -> Batch:
        """The batch that comes unasked after creation: what the compositor can use."""
        self._connection.wait(
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
        return Allocation(self._connection, proxy, offer.plan)

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
        self._connection.forget(self)
        self._tags.clear()
        self.on_batch = None
        if not self._proxy.destroyed and not self._connection.closed:
            send(self._proxy, "destroy")

    @property
    def _closed(self) -> bool:
        return self._proxy.destroyed

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

    def _decoding(self, name: str, method: Handler) -> Handler:
        """A handler that records an event of a batch, and decodes it."""

        def handle(*values: int | str | bytes) -> None:
            if self.events is not None:
                self.events.append((name, values))
            method(*values)

        return self._checked(handle)

    def _complete(self, name: str, method: Callable[..., Batch], *values: int | str) -> None:
        batches: list[Batch] = []

        def accept(*values: int | str | bytes) -> None:
            batches.append(self._accept(method(*values)))

        self._decoding(name, accept)(*values)
        for batch in batches:
            if batch.reason is not FailureReason.SUPERSEDED and self.on_batch is not None:
                self.on_batch(batch)

    def _accept(self, batch: Batch) -> Batch:
        if batch.cookie:
            if self._pending[:1] != [batch.cookie]:
                raise PeerError(f"an answer to commit {batch.cookie}, which is not due")
            del self._pending[0]
        self._keep(batch)
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
            on_status(BufferStatus.received(serial, plan, status, reason))


def _slot(request: Request) -> str:
    return _SLOTS.get(request[0], request[0])
