"""What every negotiation is, whoever makes the plans: a question kept, and its answers."""

from __future__ import annotations

import os
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import ClassVar

from heapwire.client_lib.buffers import Allocation, BufferStatus
from heapwire.client_lib.negotiation.conflict import negotiation_error
from heapwire.client_lib.wayland import (
    DEFAULT_TIMEOUT,
    AnyProxy,
    Connection,
    Handler,
    read_format_table,
)
from heapwire.protocol import LocalError, PeerError
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
    Inquiry,
    Offer,
    inquiry_requests,
    set_requests,
)

_ANY_EXTENTS = Extents(coded=Extent(1, 1))


class AnyNegotiation(ABC):
    """A `Negotiation` with the compositor or a `LocalNegotiation`.

    State is set by the `set_` methods, which raise `LocalError` for what the
    protocol forbids; it takes effect with `commit`, and stays. Each batch,
    asked for or not, is given to `on_batch`; `batch` is the last one. Set
    `events` to a list to have every event of a batch recorded in it
    (protocol/wire/event_trace.py).

    A compositor that breaks the rules ends this negotiation, not the connection:
    the `PeerError` comes out of `Connection.dispatch`, and again from every
    method that would ask or send something.
    """

    tells_status: ClassVar[bool]
    """Whether anybody tells what becomes of tagged buffers."""

    _WAITS_FOR: ClassVar[str]
    """What `negotiate` misses if there is no answer."""

    def __init__(self, connection: Connection) -> None:
        self.on_batch: Callable[[Batch], None] | None = None
        self.events: list[Event] | None = None
        self.batch: Batch | None = None
        self._connection = connection
        self._inquiry = Inquiry()
        self._ids: dict[str, int] = {}
        self._names: dict[int, str] = {}
        self._cookie = 0
        self._answers: dict[int, Batch] = {}
        self._fault: PeerError | None = None

    @property
    def names(self) -> Mapping[int, str]:
        """The names of all participants, the client's and the others, by id."""
        return MappingProxyType(self._names)

    @property
    @abstractmethod
    def source_names(self) -> Mapping[SourceId, str]:
        """The names of the sources that plans may use."""

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
        """Say which sources this process can allocate from itself; all, if it never does."""
        self._change(replace(self._inquiry, openable=sources))

    def set_fixed(self, fixed: FixedBuffer | None) -> None:
        """Ask about buffers that exist already; None asks about new ones again."""
        self._change(replace(self._inquiry, fixed=fixed))

    @abstractmethod
    def set_covered(self, outputs: tuple[str, ...]) -> None:
        """Say which outputs the surface fills, by the names of `wl_output`."""

    @abstractmethod
    def commit(self) -> int:
        """Ask for plans by what is set now; returns the cookie that the answer will have.

        Waits for nothing: the answer comes while the connection is dispatched.
        Raises `LocalError` if there are participants, but no extents.
        """

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
            self._connection.wait(
                lambda: self.answer(wanted) is not None,  # noqa: B023 - waited for right here
                timeout=timeout,
                what=self._WAITS_FOR,
            )
            batch = self._answers[wanted]
            if batch.reason is not FailureReason.SUPERSEDED or cookie == self._cookie:
                break
            cookie = self._cookie
        if batch.reason is not None:
            raise negotiation_error(batch, self._names)
        return batch

    @abstractmethod
    def allocate(self, batch: Batch, offer: Offer) -> Allocation:
        """Have the compositor allocate one buffer of a plan; the caller closes the result."""

    @abstractmethod
    def tag_buffer(
        self,
        buffer: AnyProxy,
        batch: Batch,
        offer: Offer,
        on_status: Callable[[BufferStatus], None],
    ) -> int:
        """Have `on_status` called when what becomes of a `wl_buffer` changes; returns the tag."""

    @abstractmethod
    def forget_tag(self, tag: int) -> None:
        """The buffer is gone: expect no more of its statuses."""

    @abstractmethod
    def close(self) -> None:
        """Let go of it; buffers and allocations stay valid."""

    @property
    @abstractmethod
    def _closed(self) -> bool:
        """Whether it has been let go of."""

    def _change(self, inquiry: Inquiry) -> None:
        # What is not complete yet is complained of by commit, not here.
        inquiry_requests(replace(inquiry, extents=inquiry.extents or _ANY_EXTENTS))
        self._inquiry = inquiry

    def _check_usable(self) -> None:
        if self._fault is not None:
            raise self._fault
        if self._closed:
            raise LocalError("the negotiation is closed")

    def _keep(self, batch: Batch) -> None:
        """Remember who takes part, and the answer to a commit."""
        self._names.update((one.id, one.name) for one in batch.participants)
        if batch.cookie:
            self._answers[batch.cookie] = batch
            while len(self._answers) > KNOWN_BATCHES:
                del self._answers[next(iter(self._answers))]

    def _checked(self, method: Handler) -> Handler:
        """A handler that ends the negotiation when the compositor breaks the rules."""

        def handle(*values: int | str | bytes) -> None:
            if self._fault is None and not self._closed:
                try:
                    method(*values)
                except PeerError as error:
                    self._fault = error
                    raise

        return handle

    def _reading(self, method: Handler) -> Handler:
        """A handler of `format_table` that gives a method the file's content."""

        def handle(fd: int, size: int) -> None:
            if self._fault is not None or self._closed:
                os.close(fd)
            else:
                self._checked(lambda: method(read_format_table(fd, size)))()

        return handle
