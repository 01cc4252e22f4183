"""What the protocol objects of one plugin share, and nothing that a host calls."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from contextlib import ExitStack
from typing import TYPE_CHECKING, ParamSpec, TypeVar

from heapwire.compositor_plugin.answering import AnswerSchedule, SetRecords, SolverQueue
from heapwire.compositor_plugin.broker import Broker
from heapwire.compositor_plugin.buffer_status import StatusIndex
from heapwire.compositor_plugin.clients import (
    Accounts,
    Allowance,
    ClientIdentity,
    ClientLog,
    ClientUses,
    Grant,
    Holder,
    Holdings,
    Policy,
    Quota,
    SecurityContext,
    Shortage,
    client_holding,
)
from heapwire.compositor_plugin.host import Host, SurfaceState
from heapwire.compositor_plugin.machine import Worker
from heapwire.compositor_plugin.negotiation import HostState
from heapwire.compositor_plugin.negotiation_index import NegotiationIndex
from heapwire.compositor_plugin.server import Client, Display
from heapwire.compositor_plugin.sources import SourcesState
from heapwire.protocol.values import BufferObject
from heapwire.protocol.wire import DmabufFeedback

if TYPE_CHECKING:
    from heapwire.compositor_plugin.manager import SourceManager

Of = ParamSpec("Of")
HostAnswer = TypeVar("HostAnswer")

log = logging.getLogger(__name__)


class PluginState:
    """Made and ended by a `HeapPlugin`; each of its protocol objects is given it.

    `broker` is another one whenever the machine has changed. `display` is the host's.
    `solving` has the questions that take longer than a slice, `kernel_worker` is the thread
    that allocates and looks at the machine.
    """

    def __init__(
        self,
        broker: Broker,
        host: Host,
        display: Display,
        policy: Policy,
        records: SetRecords,
    ) -> None:
        self.broker = broker
        self.loop = loop = display.loop
        self.managers: set[SourceManager] = set()
        self.negotiations = NegotiationIndex()
        self.statuses = StatusIndex()
        self.sources = SourcesState(self)
        self.records = records
        self.client_log = ClientLog(self.identity)
        self.closed = False
        self._host = host
        self._policy = policy
        quota = Quota.of_process(user=policy.user_grant, reserve=policy.reserve)
        with ExitStack() as undo:  # where descriptors run out, nothing stays on the host's loop
            self.answers = AnswerSchedule(display, policy.debounce)
            undo.callback(self.answers.close)
            self.accounts = Accounts(loop, quota, self.answers.work_soon)
            undo.callback(self.accounts.close)
            self.uses = ClientUses(self.answers.forget_client, self.answers.work_soon)
            self.solving = SolverQueue(loop, self.answers, records, self._solver_failed)
            undo.callback(self.solving.close)
            self.kernel_worker = Worker("heapwire-kernel")
            undo.callback(self.kernel_worker.close)
            self._worker_source = loop.add_fd(self.kernel_worker.fd, self._results_came)
            undo.pop_all()

    def host_state(self, surface: int | None, client: Client) -> HostState:
        """What the host says now; what it fails to say is unknown."""
        state = self._ask(self._host.surface_state, surface) if surface else None
        formats = self._ask(self._host.importable_formats, client.address, surface)
        return HostState(
            state if isinstance(state, SurfaceState) else None,
            formats if formats is not None else frozenset(),
            self.broker.platform.sources,
            self.allowance(client),
        )

    def dmabuf_feedback(self, feedback: int) -> DmabufFeedback | None:
        """What a feedback object of the host's linux-dmabuf says now."""
        return self._ask(self._host.dmabuf_feedback, feedback)

    def identity(self, client: Client) -> ClientIdentity:
        """Who a client is. One that the host fails to know counts as sandboxed."""
        use = self.uses.of(client)
        if use.client is None:
            try:
                context = self._host.security_context(client.address)
            except Exception:
                log.exception("the host failed to answer")
                context = SecurityContext()
            who = client.credentials
            use.client = ClientIdentity(who.uid, who.gid, who.pid, context)
        return use.client

    def holder(self, client: Client) -> Holder:
        """To whom memory for a client is charged."""
        use = self.uses.of(client)
        if use.holder is None:
            who = self.identity(client)
            use.holder = Holder(who.uid, who.app)
        return use.holder

    def grant(self, client: Client) -> Grant:
        """What a client may be given by the policy."""
        use = self.uses.of(client)
        if use.grant is None:
            use.grant = self._policy.grant(self.identity(client))
        return use.grant

    def allowance(self, client: Client) -> Allowance:
        """What a client may be given now of the heaps that there are."""
        use = self.uses.of(client)  # once: every answer asks
        holder, grant = use.holder or self.holder(client), use.grant or self.grant(client)
        return self.accounts.allowance(holder, self.broker.allocatable, grant)

    def shortage(self, client: Client, objects: Iterable[BufferObject]) -> Shortage | None:
        """Why a client may not be given a buffer, after a look at what it holds no more."""
        shortage = self.allowance(client).shortage(objects)
        if shortage is not None and self.accounts.look_again():
            shortage = self.allowance(client).shortage(objects)
        return shortage

    def holdings(self) -> Holdings:
        """What clients have now."""
        heaps = self.broker.allocatable
        return Holdings(
            heaps=self.accounts.heaps_held(heaps),
            holders=self.accounts.held(heaps),
            clients=tuple(
                client_holding(self.identity(client), use) for client, use in self.uses.all()
            ),
        )

    def close(self) -> None:
        """Leave nothing on the loop, on the host's resources or in memory.

        Objects that clients still hold have this state still, and go inert.
        """
        self.closed = True
        self.answers.close()
        self._worker_source.remove()  # before the worker closes the fd that the loop polls
        for negotiation in self.negotiations.all():
            negotiation.let_go()
        for status in self.statuses.all():
            status.let_go()
        self.sources.close()
        # Neither is waited for: what a thread is allocating just now, it gives back itself.
        self.solving.close()
        self.kernel_worker.close()
        self.accounts.close()
        self.uses.close()

    def _results_came(self, _mask: int) -> None:
        self.kernel_worker.acknowledge()
        self.answers.work_soon(self.kernel_worker, self._hand_on)

    def _hand_on(self) -> None:
        """One result in a turn: an allocation's takes a tenth of a millisecond to tell."""
        if self.kernel_worker.hand_on():
            self.answers.work_soon(self.kernel_worker, self._hand_on)

    def _solver_failed(self, client: Client, what: str) -> None:
        if self.uses.of(client).first("answer"):
            log.error("a negotiation cannot be answered: %s", what)

    def _ask(
        self, question: Callable[Of, HostAnswer], *of: Of.args, **more: Of.kwargs
    ) -> HostAnswer | None:
        try:
            return question(*of, **more)
        except Exception:
            log.exception("the host failed to answer")
            return None
