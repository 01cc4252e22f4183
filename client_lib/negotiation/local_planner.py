"""The client itself as the one who makes the plans.

For compositors that make no plans: formats, devices and the scanout flag come
from linux-dmabuf's feedback, and so does what the compositor's devices require
where it says that (`xx_dmabuf_sources_v1`). The rest is what is known of this
machine, and the plans come from the same solver that the compositor would have
asked.
"""

from __future__ import annotations

from collections.abc import Mapping

from heapwire.client_lib.buffers import ExtendedFeedback, LinuxDmabuf
from heapwire.client_lib.negotiation.local_batch import local_batch, origin
from heapwire.client_lib.negotiation.local_goals import local_goals
from heapwire.client_lib.negotiation.planner import Planner
from heapwire.client_lib.wayland import AnyProxy
from heapwire.kernel.description import Platform
from heapwire.protocol import PeerError
from heapwire.protocol.explain import AnswerMemory
from heapwire.protocol.late_dataclasses import replace
from heapwire.protocol.values import Goal, SourceId
from heapwire.protocol.wire import (
    DmabufFeedback,
    DmabufTranche,
    DmabufVersion,
    Inquiry,
    TrancheFlags,
    inquiry_requests,
)


class LocalPlanner(Planner):
    """Plans by linux-dmabuf's feedback and a platform.

    `surface` is the `wl_surface` that the buffers are for, None for none in
    particular. When the compositor's feedback changes how the surface can be
    shown, the last question is answered anew, unasked, as a compositor does.
    Nothing is told to `on_event`.
    """

    awaited = "linux-dmabuf feedback"

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
        self._closed = False
        self._feedback: DmabufFeedback | None = None
        self._covered: tuple[str, ...] = ()
        self._goals: tuple[Goal, ...] = ()
        self._told: ExtendedFeedback | None = None
        if dmabuf.version < DmabufVersion.FEEDBACK:
            # No feedback: what can be imported is all that will ever be told.
            pairs = tuple(sorted(dmabuf.pairs))
            sampled = DmabufTranche(None, TrancheFlags(0), pairs)
            self._learn(DmabufFeedback(version=dmabuf.version, tranches=(sampled,)))
        else:
            self._told = ExtendedFeedback(dmabuf, surface, self._hear, self._fail)
        self.connection.on_close(self, self.close)

    @property
    def source_names(self) -> Mapping[SourceId, str]:
        """The names of this machine's sources."""
        return {source.id: source.name for source in self._platform.sources}

    @property
    def closed(self) -> bool:
        """Whether `close` has been called."""
        return self._closed

    def ask(self, inquiry: Inquiry, cookie: int) -> None:
        """Ask; the answer comes with a later dispatch, once the feedback is known."""
        inquiry_requests(inquiry)  # raises for what a compositor would refuse
        self._asked[cookie] = inquiry
        # Not answered right here: whoever asks has not seen the cookie yet.
        self.connection.sync(self._answer)

    def set_covered(self, outputs: tuple[str, ...]) -> None:
        """Say which outputs the surface fills, by name; a change is answered at once, unasked."""
        if outputs == self._covered:
            return
        self._covered = outputs
        if self._feedback is not None and not self._closed:
            before = self._goals
            self._learn(self._feedback)
            self._tell_again(before)

    def close(self) -> None:
        """Destroy the feedback object; buffers stay valid."""
        self._closed = True
        self._asked.clear()
        self.connection.forget(self)
        if self._told is not None:
            self._told.close()

    def _fail(self, fault: PeerError) -> None:
        self.fault = fault

    def _hear(self, feedback: DmabufFeedback) -> None:
        before = self._goals
        self._learn(feedback)
        self._answer()
        self._tell_again(before)

    def _learn(self, feedback: DmabufFeedback) -> None:
        self._feedback = feedback
        self._goals = local_goals(feedback, self._platform, self._covered)
        self._dmabuf.learn(feedback.formats, feedback.sampler_of)

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
        told_by = origin(self._feedback, self._goals, inquiry, self._platform)
        batch = local_batch(self._goals, inquiry, self._platform, told_by, self._solved)
        self._serial += 1
        self.on_batch(replace(batch, cookie=cookie, serial=self._serial))
