"""A negotiation that this process holds with itself.

For compositors that have linux-dmabuf and nothing more: formats, devices and
the scanout flag come from its feedback, heaps and constraints from what is
known of this machine, and the plans from the same solver that the compositor
would have asked.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import replace

from heapwire.client_lib.allocation import Allocation
from heapwire.client_lib.conflict import negotiation_error
from heapwire.client_lib.connection import DEFAULT_TIMEOUT
from heapwire.client_lib.dmabuf_feedback import DmabufFeedback, DmabufTranche, FeedbackDecoder
from heapwire.client_lib.errors import AllocationError
from heapwire.client_lib.format_table import read_format_table
from heapwire.client_lib.interfaces import AnyProxy, Handler, listen
from heapwire.client_lib.linux_dmabuf import FEEDBACK_VERSION, LinuxDmabuf
from heapwire.client_lib.local_batch import local_batch, origin
from heapwire.client_lib.local_goals import local_goals
from heapwire.client_lib.negotiation import BufferStatus
from heapwire.kernel.platform import Platform
from heapwire.protocol.model.content import Content
from heapwire.protocol.model.errors import LocalError, RemoteError
from heapwire.protocol.model.extents import Extent, Extents
from heapwire.protocol.model.participant import Participant
from heapwire.protocol.model.problem import FixedBuffer, Goal
from heapwire.protocol.model.source import SourceId
from heapwire.protocol.wire.batch import Batch, Offer, TrancheFlags
from heapwire.protocol.wire.exchange import Event
from heapwire.protocol.wire.limits import KNOWN_BATCHES
from heapwire.protocol.wire.negotiation_state import Inquiry, inquiry_requests

_ANY_EXTENTS = Extents(coded=Extent(1, 1))


class LocalNegotiation:
    """Has the methods of a `Negotiation`; answers come while the connection is dispatched.

    `surface` is the `wl_surface` that the buffers are for, None for none in
    particular. When the compositor's feedback changes how the surface can be
    shown, `on_batch` gets a new batch unasked, as from a compositor. Nobody
    tells what becomes of buffers: their status stays unknown. `events` is there
    for the sake of the interface; nothing is recorded.

    A compositor that breaks linux-dmabuf's rules ends this negotiation, not the
    connection: the `RemoteError` comes out of `Connection.dispatch`, and again
    from `commit` and `negotiate`.
    """

    tells_status = False

    def __init__(
        self, dmabuf: LinuxDmabuf, platform: Platform, surface: AnyProxy | None = None
    ) -> None:
        self.on_batch: Callable[[Batch], None] | None = None
        self.events: list[Event] | None = None
        self.batch: Batch | None = None
        self._dmabuf = dmabuf
        self._platform = platform
        self._connection = dmabuf.connection
        self._inquiry = Inquiry()
        self._ids: dict[str, int] = {}
        self._names: dict[int, str] = {}
        self._cookie = 0
        self._serial = 0
        self._asked: dict[int, Inquiry] = {}
        self._last: Inquiry | None = None
        self._answers: dict[int, Batch] = {}
        self._fault: RemoteError | None = None
        self._closed = False
        self._feedback: DmabufFeedback | None = None
        self._goals: tuple[Goal, ...] = ()
        self._proxy: AnyProxy | None = None
        self._decoder = FeedbackDecoder(dmabuf.version)
        if dmabuf.version < FEEDBACK_VERSION:
            pairs = tuple(sorted(dmabuf.pairs))
            sampled = DmabufTranche(None, TrancheFlags(0), pairs)
            self._take(DmabufFeedback(version=dmabuf.version, tranches=(sampled,)))
        else:
            self._proxy = dmabuf.feedback(surface)
            decoder = self._decoder
            events: dict[str, Handler] = {
                name: self._checked(getattr(decoder, name))
                for name in (
                    *("main_device", "tranche_target_device", "tranche_flags"),
                    *("tranche_formats", "tranche_done"),
                )
            }
            events |= {"format_table": self._format_table, "done": self._checked(self._done)}
            listen(self._proxy, self._connection.handler_failed, events)
        self._connection.on_close(self, self.close)

    @property
    def source_names(self) -> Mapping[SourceId, str]:
        """The names of this machine's sources."""
        return {source.id: source.name for source in self._platform.sources}

    @property
    def names(self) -> Mapping[int, str]:
        """The names of all participants by id."""
        return dict(self._names)

    def set_participant(self, participant: Participant) -> None:
        """Add a participant, or replace the one of the same name."""
        id_ = self._ids.setdefault(participant.name, len(self._ids) + 1)
        participants = dict(self._inquiry.participants) | {id_: participant}
        self._change(replace(self._inquiry, participants=tuple(participants.items())))
        self._names[id_] = participant.name

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
        """Say which sources this process can allocate from; all, if it never does."""
        self._change(replace(self._inquiry, openable=sources))

    def set_fixed(self, fixed: FixedBuffer | None) -> None:
        """Ask about buffers that exist already; None asks about new ones again."""
        self._change(replace(self._inquiry, fixed=fixed))

    def commit(self) -> int:
        """Ask for plans by what is set now; the batch with this cookie comes with a dispatch.

        Raises `LocalError` if there are participants, but no extents.
        """
        self._check_usable()
        inquiry_requests(self._inquiry)
        self._cookie += 1
        self._asked[self._cookie] = self._inquiry
        self._connection.sync(self._answer)
        return self._cookie

    def answer(self, cookie: int) -> Batch | None:
        """The answer to a commit, None while there is none; old answers are forgotten."""
        self._check_usable()
        return self._answers.get(cookie)

    def negotiate(self, *, timeout: float = DEFAULT_TIMEOUT) -> Batch:
        """Commit and wait for the compositor's feedback and the answer.

        Raises `ConflictError` or `NegotiationError` if there is no plan,
        `NoAnswerError` if feedback is not complete after `timeout` seconds.
        """
        cookie = self.commit()
        self._connection.wait(
            lambda: self.answer(cookie) is not None,
            timeout=timeout,
            what="linux-dmabuf feedback",
        )
        batch = self._answers[cookie]
        if batch.reason is not None:
            raise negotiation_error(batch, self._names)
        return batch

    def allocate(self, batch: Batch, offer: Offer) -> Allocation:
        """No plan says that the compositor allocates: raises `AllocationError`."""
        raise AllocationError("this compositor does not allocate for its clients")

    def tag_buffer(
        self,
        buffer: AnyProxy,
        batch: Batch,
        offer: Offer,
        on_status: Callable[[BufferStatus], None],
    ) -> int:
        """Does nothing: there is nobody who would tell a status."""
        return 0

    def forget_tag(self, tag: int) -> None:
        """Does nothing."""

    def close(self) -> None:
        """Destroy the feedback object; buffers stay valid."""
        self._closed = True
        self.on_batch = None
        self._asked.clear()
        self._connection.forget(self)
        if self._proxy is not None and not self._proxy.destroyed and not self._connection.closed:
            self._proxy.destroy()

    def _change(self, inquiry: Inquiry) -> None:
        # What is not complete yet is complained of by commit, not here.
        inquiry_requests(replace(inquiry, extents=inquiry.extents or _ANY_EXTENTS))
        self._inquiry = inquiry

    def _check_usable(self) -> None:
        if self._fault is not None:
            raise self._fault
        if self._closed:
            raise LocalError("the negotiation is closed")

    def _checked(self, method: Handler) -> Handler:
        """A handler that ends the negotiation when the compositor breaks the rules."""

        def handle(*values: int | bytes) -> None:
            if self._fault is None and not self._closed:
                try:
                    method(*values)
                except RemoteError as error:
                    self._fault = error
                    raise

        return handle

    def _format_table(self, fd: int, size: int) -> None:
        if self._fault is not None or self._closed:
            os.close(fd)
            return
        self._checked(lambda: self._decoder.format_table(read_format_table(fd, size)))()

    def _done(self) -> None:
        before = self._goals
        self._take(self._decoder.done())
        self._answer()
        if self._last is not None and self._goals != before:
            self._tell(0, self._last)

    def _take(self, feedback: DmabufFeedback) -> None:
        self._feedback = feedback
        self._goals = local_goals(feedback, self._platform)
        self._dmabuf.learn(feedback.formats)

    def _answer(self) -> None:
        """Answer what has been asked, if the compositor's feedback is known."""
        if self._feedback is None or self._closed:
            return
        asked, self._asked = self._asked, {}
        for cookie, inquiry in asked.items():
            self._last = inquiry
            self._tell(cookie, inquiry)

    def _tell(self, cookie: int, inquiry: Inquiry) -> None:
        assert self._feedback is not None
        source = origin(self._feedback, self._goals, inquiry, self._platform)
        batch = local_batch(self._goals, inquiry, self._platform, source)
        self._serial += 1
        batch = replace(batch, cookie=cookie, serial=self._serial)
        self._names.update((one.id, one.name) for one in batch.participants)
        self.batch = batch
        if cookie:
            self._answers[cookie] = batch
            while len(self._answers) > KNOWN_BATCHES:
                del self._answers[next(iter(self._answers))]
        if self.on_batch is not None:
            self.on_batch(batch)
