"""The compositor as the one who makes the plans."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from heapwire.client_lib.buffers import AllocationManager, BufferStatusManager
from heapwire.client_lib.negotiation.constraint_set_cache import ConstraintSetCache
from heapwire.client_lib.negotiation.planner import Planner
from heapwire.client_lib.wayland import AnyProxy, Connection, Handler, listen, send
from heapwire.protocol import PeerError
from heapwire.protocol.values import Participant, SourceId
from heapwire.protocol.wire import Batch, BatchDecoder, Inquiry, Offer, Request, inquiry_requests

# Requests that set the same state as another: the last one of either counts.
_SLOTS = {"unset_fixed_layout": "set_fixed_layout"}


class CompositorPlanner(Planner):
    """The compositor's `xx_dmabuf_negotiation_v1`, which `proxy` is.

    An inquiry sends only what has changed since the last. `source_names` is a
    view of the manager's, which stays current. `allocation` and `statuses` are what
    the compositor offers beside negotiations.
    """

    awaited = "answer to a negotiation"

    def __init__(
        self,
        connection: Connection,
        proxy: AnyProxy,
        constraint_sets: ConstraintSetCache,
        source_names: Callable[[], Mapping[SourceId, str]],
        allocation: AllocationManager | None,
        statuses: BufferStatusManager | None,
    ) -> None:
        super().__init__(connection)
        self.proxy = proxy
        self._constraint_sets = constraint_sets
        self._source_names = source_names
        self.allocation = allocation
        self.statuses = statuses
        self._decoder = BatchDecoder()
        self._sent_participants: dict[int, Participant] = {}
        # A new negotiation has the state of an empty inquiry.
        self._sent: dict[str, Request] = {
            _slot(request): request for request in inquiry_requests(Inquiry())
        }
        self._pending: list[int] = []
        connection.on_close(self, self.close)
        events: dict[str, Handler] = {
            name: self._decoding(name, getattr(self._decoder, name))
            for name in (event.name for event in proxy.interface.events)
            if name not in ("done", "failed")
        }
        events |= {
            "done": lambda *values: self._complete("done", self._decoder.done, *values),
            "failed": lambda *values: self._complete("failed", self._decoder.failed, *values),
        }
        listen(proxy, connection.handler_failed, events)

    @property
    def source_names(self) -> Mapping[SourceId, str]:
        """The names of the compositor's sources, as they are now."""
        return self._source_names()

    @property
    def closed(self) -> bool:
        """Whether the object has been destroyed."""
        return self.proxy.destroyed

    def ask(self, inquiry: Inquiry, cookie: int) -> None:
        """Send what has changed, and a commit; `Connection.dispatch` or `flush` sends it out."""
        requests = inquiry_requests(inquiry)  # raises before anything is sent
        wanted = dict(inquiry.participants)
        # Those who leave go first: there is a most that may take part at a time.
        for id_ in self._sent_participants.keys() - wanted.keys():
            send(self.proxy, "remove_participant", id_)
            del self._sent_participants[id_]
        for request, arguments in requests:
            if request == "set_participant":
                self._send_participant(arguments, wanted)
            elif self._sent.get(_slot((request, arguments))) != (request, arguments):
                send(self.proxy, request, *arguments)
                self._sent[_slot((request, arguments))] = (request, arguments)
        self._pending.append(cookie)
        send(self.proxy, "commit", cookie)

    def use_plan(self, batch: Batch, offer: Offer) -> None:
        """Tell that buffers are made by a plan."""
        send(self.proxy, "use_plan", batch.serial, offer.index)

    def close(self) -> None:
        """Destroy the object; buffers and allocations stay valid."""
        self.connection.forget(self)
        if not self.proxy.destroyed and not self.connection.closed:
            send(self.proxy, "destroy")

    def _send_participant(
        self, arguments: tuple[int | str | bytes, ...], wanted: Mapping[int, Participant]
    ) -> None:
        id_ = arguments[0]
        assert isinstance(id_, int)
        participant = wanted[id_]
        if self._sent_participants.get(id_) == participant:
            return
        send(self.proxy, "set_participant", *arguments)  # takes its alternatives away
        for constraint_set in participant.sets:
            send(self.proxy, "add_alternative", id_, self._constraint_sets.get(constraint_set))
        self._sent_participants[id_] = participant

    def _decoding(self, name: str, method: Handler) -> Handler:
        """A handler that passes an event of a batch on, and decodes it."""

        def handle(*values: int | str | bytes) -> None:
            self.on_event((name, values))
            method(*values)

        return self._checked(handle)

    def _complete(self, name: str, method: Callable[..., Batch], *values: int | str) -> None:
        batches: list[Batch] = []

        def accept(*values: int | str | bytes) -> None:
            batches.append(self._due(method(*values)))

        self._decoding(name, accept)(*values)
        # Told out of the check: what the application raises is no fault of the compositor's.
        for batch in batches:
            self.on_batch(batch)

    def _due(self, batch: Batch) -> Batch:
        if batch.cookie:
            if self._pending[:1] != [batch.cookie]:
                raise PeerError(f"an answer to commit {batch.cookie}, which is not due")
            del self._pending[0]
        return batch


def _slot(request: Request) -> str:
    return _SLOTS.get(request[0], request[0])
