"""`xx_dmabuf_negotiation_v1`: requests in, batches out.

What is asked and answered is the `Negotiation`'s; this object is where it meets
the wire, the host's surface and the clock. Answers are sent when the requests
that arrived together have been handled, so that a client that changes its mind
in one write is answered once.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from heapwire.compositor_plugin.answering import BatchSolver, PreparedBatch, Unanswered
from heapwire.compositor_plugin.constraint_set import ConstraintSetResource
from heapwire.compositor_plugin.negotiation import (
    AnswerChange,
    HostState,
    Negotiation,
    NumberedBatch,
    WaitingCommit,
)
from heapwire.compositor_plugin.server import (
    ForeignResource,
    Listener,
    NewId,
    Resource,
)
from heapwire.protocol.values import Content
from heapwire.protocol.wire import (
    NegotiationState,
    answer_lines,
    clip,
    question_line,
)
from heapwire.protocol.wire.bindings import (
    XX_DMABUF_NEGOTIATION_V1,
)

if TYPE_CHECKING:
    from heapwire.compositor_plugin.plugin_state import PluginState


class NegotiationObject(Resource):
    """One negotiation of a client's."""

    INTERFACE = XX_DMABUF_NEGOTIATION_V1

    def __init__(self, new_id: NewId, plugin: PluginState, surface: ForeignResource | None) -> None:
        super().__init__(new_id)
        self._plugin = plugin
        self._use = plugin.uses.of(self.client)
        self._use.negotiations += 1
        self._surface = surface.address if surface is not None else None
        self._surface_listener: Listener | None = None
        self._missed = False  # whether something changed while it was solving
        if surface is not None:
            self._surface_listener = surface.on_destroy(self._surface_gone)
        self._begun: Negotiation | None = None
        self._solver = BatchSolver(plugin, self.client)
        plugin.negotiations.add(self)

    @property
    def surface(self) -> int | None:
        """The address of the surface, None once it is gone or if there was none."""
        return self._surface

    @property
    def content(self) -> Content | None:
        """What the client says of its pictures, as of the last answer."""
        return None if self._begun is None else self._begun.content

    # Requests.

    def destroy(self) -> None:
        """The client has no more use for it."""
        self._plugin.answers.destroy(self)

    def set_participant(self, id_: int, usage: int, major: int, minor: int, name: str) -> None:
        """Add or replace a participant."""
        self._state.set_participant(id_, usage, major, minor, name)

    def add_alternative(self, id_: int, constraint_set: ConstraintSetResource) -> None:
        """Add a constraint set to a participant."""
        self._state.add_alternative(id_, constraint_set.constraint_set)

    def remove_participant(self, id_: int) -> None:
        """Remove a participant."""
        self._state.remove_participant(id_)

    def set_extents(self, *sizes: int) -> None:
        """Set the sizes of the pictures."""
        self._state.set_extents(*sizes)

    def set_content(self, flags: int, rotation: int, encoding: int, range_: int) -> None:
        """Describe the pictures."""
        self._state.set_content(flags, rotation, encoding, range_)

    def set_buffer_count(self, minimum: int, queue: int) -> None:
        """Set how many buffers are needed."""
        self._state.set_buffer_count(minimum, queue)

    def set_openable(self, sources: bytes) -> None:
        """Say which sources the client can open."""
        self._state.set_openable(sources)

    def set_fixed_layout(
        self,
        fourcc: int,
        modifier_hi: int,
        modifier_lo: int,
        width: int,
        height: int,
        objects: bytes,
        planes: bytes,
    ) -> None:
        """Ask about buffers that already exist."""
        self._state.set_fixed_layout(
            fourcc, modifier_hi, modifier_lo, width, height, objects, planes
        )

    def unset_fixed_layout(self) -> None:
        """Ask about new buffers again."""
        self._state.unset_fixed_layout()

    def set_explanation(self, level: int) -> None:
        """Say how much is to be explained."""
        self._state.set_explanation(level)

    def commit(self, cookie: int) -> None:
        """Ask for plans."""
        negotiation, plugin = self._negotiation, self._plugin
        negotiation.commit(cookie)
        if plugin.client_log.wanted:
            asked = question_line(cookie, negotiation.newest.inquiry)
            plugin.client_log.say(self.client, (asked,))
        plugin.answers.answer_soon(self)

    def use_plan(self, serial: int, plan: int) -> None:
        """Take note of the plan that the client has buffers of."""
        self._negotiation.use_plan(serial, plan)

    # What the plugin calls.

    def answer(self) -> None:
        """Answer the commits that came; of several, the last."""
        negotiation = self._negotiation
        batches, due = negotiation.take()
        overtaken = self._solver.stop()
        if overtaken is not None and overtaken.cookie:
            self._send(negotiation.superseded(overtaken))
        for batch in batches:
            self._send(batch)
        if due is not None:
            question = negotiation.question(due)
            self._solver.solve(question, None, due, lambda answer: self._conclude(due, answer))
        if negotiation.waits:
            self._plugin.answers.answer_soon(self)

    def reconsider(self) -> None:
        """See whether there is a better answer now, or a worse one."""
        if self._solver.busy:
            self._missed = True  # when there is an answer, it is compared
        elif self._negotiation.settled:  # else what is going to be solved will know
            question, keep = self._negotiation.renewal()
            self._solver.solve_now(question, keep, self._reconsidered)

    def renew(self) -> None:
        """Send the answer as it is now, unless it is what the client has."""
        if self._negotiation.settled and not self._solver.busy:
            question, keep = self._negotiation.renewal()
            self._solver.solve(question, keep, None, self._renewed)

    def let_go(self) -> None:
        """Leave nothing with the host: the object or the plugin is at its end.

        Safe to call twice.
        """
        # The listener first: it is in a list inside a resource of the host's, which goes on.
        if self._surface_listener is not None:
            self._surface_listener.remove()
            self._surface_listener = None
        self._solver.stop()
        self._plugin.negotiations.remove(self)
        self._plugin.answers.forget(self)

    def on_destroy(self) -> None:
        """The client's object is gone."""
        self._use.negotiations -= 1
        self._solver.stop()
        # Now: nothing is to be told, or worked out, any more.
        self._plugin.negotiations.remove(self)
        self._plugin.answers.forget(self)
        # The rest takes longer, and a client ends with hundreds of objects at once.
        self._plugin.answers.end_soon(self)

    def end(self) -> None:
        """Let go of everything: the object is gone for some time."""
        super().end()
        self.let_go()
        if self._begun is not None:
            self._begun.end()

    @property
    def _negotiation(self) -> Negotiation:
        """Made when it is first needed: a client may ask for hundreds of objects at once."""
        if self._begun is None:
            self._begun = Negotiation(self._host_state)
        return self._begun

    @property
    def _state(self) -> NegotiationState:
        return self._negotiation.state

    def _host_state(self) -> HostState:
        return self._plugin.host_state(self._surface, self.client)

    def _surface_gone(self) -> None:
        self._surface_listener = None  # it has removed itself
        self._plugin.negotiations.leave_surface(self)
        self._surface = None
        self._negotiation.has_surface = False
        solving = self._solver.stop()
        if solving is not None and solving.cookie:
            self._send(self._negotiation.unsurfaced(solving))
        for batch in self._negotiation.take()[0]:
            self._send(batch)

    def _conclude(self, due: WaitingCommit, answer: PreparedBatch | Unanswered) -> None:
        if isinstance(answer, Unanswered):
            self._send(self._negotiation.failure(due, answer.reason, answer.text))
        else:
            self._send(self._negotiation.conclude(due, answer))
        self._catch_up()

    def _reconsidered(self, answer: PreparedBatch | Unanswered | None) -> None:
        """A loss is told at once, a gain if it lasts; and so what takes long to find out."""
        change = AnswerChange.UPGRADE if answer is None else AnswerChange.NONE
        if isinstance(answer, PreparedBatch):
            change = self._negotiation.compare(answer)
            if change is AnswerChange.NOW:
                self._send(self._negotiation.renewed(answer))
        if change is AnswerChange.UPGRADE:
            self._plugin.answers.upgrade_later(self)
        else:
            self._plugin.answers.keep(self)
        self._catch_up()

    def _renewed(self, answer: PreparedBatch | Unanswered) -> None:
        if (
            isinstance(answer, PreparedBatch)
            and self._negotiation.compare(answer) is not AnswerChange.NONE
        ):
            self._send(self._negotiation.renewed(answer))
        self._catch_up()

    def _catch_up(self) -> None:
        missed, self._missed = self._missed, False
        if missed:
            self._plugin.answers.reconsider(self)

    def _send(self, numbered: NumberedBatch) -> None:
        batch, numbers = numbered.batch, (numbered.cookie, numbered.serial)
        content = batch.content
        events = batch.events(self, numbered.explanation)
        if content.reason is None:
            self.send_encoded(events, "done", *numbers)
        else:
            self.send_encoded(events, "failed", *numbers, content.reason, clip(content.message))
        if self._plugin.client_log.wanted:
            names = self._plugin.broker.platform.source_names
            lines = answer_lines(content, numbered.cookie, names)
            self._plugin.client_log.say(self.client, lines)
