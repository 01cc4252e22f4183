"""A negotiation that this process holds with itself.

For compositors that have linux-dmabuf and nothing more: formats, devices and
the scanout flag come from its feedback, heaps and constraints from what is
known of this machine, and the plans from the same solver that the compositor
would have asked.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

from heapwire.client_lib import AllocationError
from heapwire.client_lib.buffers import Allocation, BufferStatus
from heapwire.client_lib.negotiation.any_negotiation import AnyNegotiation
from heapwire.client_lib.negotiation.local_batch import local_batch, origin
from heapwire.client_lib.negotiation.local_goals import local_goals
from heapwire.client_lib.wayland import (
    FEEDBACK_VERSION,
    AnyProxy,
    DmabufFeedback,
    DmabufTranche,
    FeedbackDecoder,
    Handler,
    LinuxDmabuf,
    listen,
)
from heapwire.kernel.description import Platform
from heapwire.protocol.explain import AnswerMemory
from heapwire.protocol.values import Goal, SourceId
from heapwire.protocol.wire import Batch, Inquiry, Offer, TrancheFlags, inquiry_requests


class LocalNegotiation(AnyNegotiation):
    """Asks this process instead of the compositor; see `AnyNegotiation`.

    `surface` is the `wl_surface` that the buffers are for, None for none in
    particular. When the compositor's feedback changes how the surface can be
    shown, `on_batch` gets a new batch unasked, as from a compositor. Nobody
    tells what becomes of buffers: their status stays unknown. Nothing is
    recorded in `events`.
    """

    tells_status = False
    _WAITS_FOR = "linux-dmabuf feedback"

    def __init__(
        self, dmabuf: LinuxDmabuf, platform: Platform, surface: AnyProxy | None = None
    ) -> None:
        super().__init__(dmabuf.connection)
        self._dmabuf = dmabuf
        self._platform = platform
        self._solved = AnswerMemory()
        self._serial = 0
        self._asked: dict[int, Inquiry] = {}
        self._last: Inquiry | None = None
        self._over = False
        self._feedback: DmabufFeedback | None = None
        self._covered: tuple[str, ...] = ()
        self._goals: tuple[Goal, ...] = ()
        self._proxy: AnyProxy | None = None
        self._decoder = FeedbackDecoder(dmabuf.version)
        if dmabuf.version < FEEDBACK_VERSION:
            # No feedback: what can be imported is all that will ever be told.
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
            events |= {
                "format_table": self._reading(decoder.format_table),
                "done": self._checked(self._done),
            }
            listen(self._proxy, self._connection.handler_failed, events)
        self._connection.on_close(self, self.close)

    @property
    def source_names(self) -> Mapping[SourceId, str]:
        """The names of this machine's sources."""
        return {source.id: source.name for source in self._platform.sources}

    def commit(self) -> int:
        """Ask for plans by what is set now; returns the cookie that the answer will have.

        The answer comes while the connection is dispatched, once its feedback is
        known. Raises `LocalError` if there are participants, but no extents.
        """
        self._check_usable()
        inquiry_requests(self._inquiry)
        self._cookie += 1
        self._asked[self._cookie] = self._inquiry
        self._connection.sync(self._answer)
        return self._cookie

    def set_covered(self, outputs: tuple[str, ...]) -> None:
        """Say which outputs the surface fills; a change is answered at once, unasked."""
        if outputs == self._covered:
            return
        self._covered = outputs
        if self._feedback is not None and not self._closed:
            before = self._goals
            self._take(self._feedback)
            self._tell_again(before)

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
        self._over = True
        self.on_batch = None
        self._asked.clear()
        self._connection.forget(self)
        if self._proxy is not None and not self._proxy.destroyed and not self._connection.closed:
            self._proxy.destroy()

    @property
    def _closed(self) -> bool:
        return self._over

    def _done(self) -> None:
        before = self._goals
        self._take(self._decoder.done())
        self._answer()
        self._tell_again(before)

    def _take(self, feedback: DmabufFeedback) -> None:
        self._feedback = feedback
        self._goals = local_goals(feedback, self._platform, self._covered)
        self._dmabuf.learn(feedback.formats)

    def _tell_again(self, before: tuple[Goal, ...]) -> None:
        """Tell what was told last, if the goals are not what they were then."""
        if self._last is not None and self._goals != before:
            self._tell(0, self._last)

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
        batch = local_batch(self._goals, inquiry, self._platform, source, self._solved)
        self._serial += 1
        batch = replace(batch, cookie=cookie, serial=self._serial)
        self._keep(batch)
        self.batch = batch
        if self.on_batch is not None:
            self.on_batch(batch)
