"""`HeapPlugin`: the extension, attached to somebody's display.

The integrator gives a `wl_display`, a `Platform` and a `Host`, and calls
`surface_changed` and `buffer_shown` (host.py says when). The plugin owns what
it adds to the display, and takes it away again with `close`, or by itself when
the display is destroyed.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Callable
from typing import TypeVar

from heapwire.compositor_plugin.account import DEFAULT_BUDGET, Account
from heapwire.compositor_plugin.broker import Broker
from heapwire.compositor_plugin.heap_feedback import HeapFeedback
from heapwire.compositor_plugin.heap_manager import HeapManager
from heapwire.compositor_plugin.host import Host, StatusReason, SurfaceState
from heapwire.compositor_plugin.negotiation import AnswerChange, HostState
from heapwire.compositor_plugin.policy import DEBOUNCE
from heapwire.compositor_plugin.selection import EVERYTHING, Selection
from heapwire.compositor_plugin.server import (
    Client,
    Display,
    EventSource,
    Global,
    Listener,
    interface_struct,
)
from heapwire.compositor_plugin.worker import Task, Worker
from heapwire.kernel.description import Platform
from heapwire.kernel.discovery import HotPlug
from heapwire.kernel.system import sealed_copy
from heapwire.protocol.values import Answer, DeviceId, Problem
from heapwire.protocol.wire.bindings import INTERFACES, XX_DMABUF_HEAP_MANAGER_V1

Reply = TypeVar("Reply")

log = logging.getLogger(__name__)

SETTLE_INTERVAL = 1000  # milliseconds between looks at memory that clients may have freed


class HeapPlugin:
    """The extension on one display.

    `display` is the address of a `wl_display`. `renderer` is the device that
    composites (by default the platform's first that samples). From the heaps whose
    names are in `allocated` clients may have the compositor allocate, each up to
    `budget` bytes.
    `debounce` is in milliseconds. `on_solved` sees each problem that is solved
    for a client, and its answer: what a capture is made of.

    Raises `LocalError` if the process has two copies of libwayland-server, or
    the global cannot be created.
    """

    def __init__(
        self,
        display: int,
        platform: Platform,
        host: Host,
        *,
        renderer: DeviceId | None = None,
        allocated: Selection = EVERYTHING,
        budget: int = DEFAULT_BUDGET,
        debounce: int = DEBOUNCE,
        on_solved: Callable[[Problem, Answer], None] | None = None,
    ) -> None:
        self.managers: set[HeapManager] = set()
        self.worker = Worker()
        self._renderer = renderer
        self._allocated = allocated
        self._on_solved = on_solved
        self._ids: dict[str, int] = {}
        self._hot_plug: HotPlug | None = None
        self._discover: Callable[[], Platform] | None = None
        self._looking: Task[Platform] | None = None
        self.broker = self._broker_of(platform)
        self._display = Display(display)
        self._host = host
        self._budget = budget
        self._debounce = debounce
        self._feedbacks: set[HeapFeedback] = set()
        self._by_surface: dict[int, set[HeapFeedback]] = {}
        self._by_buffer: dict[int, set[HeapFeedback]] = {}
        self._due: dict[HeapFeedback, None] = {}
        self._idle: EventSource | None = None
        self._upgrades: dict[HeapFeedback, None] = {}
        self._accounts: dict[Client, tuple[Account, Listener]] = {}
        self._tables: dict[bytes, int] = {}
        interface_struct(*INTERFACES)
        loop = self._display.loop
        self._sources = [loop.add_fd(self.worker.fd, lambda _: self.worker.dispatch())]
        self._debouncer = loop.add_timer(self._send_upgrades)
        self._settler = loop.add_timer(self.settle_accounts)
        self._sources += [self._debouncer, self._settler]
        self._global: Global | None = Global(
            self._display, XX_DMABUF_HEAP_MANAGER_V1, lambda new_id: HeapManager(new_id, self)
        )
        self._display_listener = self._display.on_destroy(self.close)

    # What the host calls.

    def surface_changed(self, surface: int) -> None:
        """What `Host.surface_state` says of a surface differs from the last time."""
        for feedback in tuple(self._by_surface.get(surface, ())):
            self.reconsider(feedback)

    def buffer_shown(
        self, buffer: int, *, scanned_out: bool, reason: StatusReason = StatusReason.NONE
    ) -> None:
        """A buffer is shown for the first time, or its fate has changed.

        `reason` says why it was not scanned out.
        """
        for feedback in tuple(self._by_buffer.get(buffer, ())):
            feedback.buffer_shown(buffer, scanned_out, reason)

    def wants(self, buffer: int) -> bool:
        """Whether any client waits to hear of a buffer; cheap, for the repaint path."""
        return buffer in self._by_buffer

    def platform_changed(self, platform: Platform) -> None:
        """Heaps or devices have come or gone."""
        self.broker = self._broker_of(platform)
        for manager in tuple(self.managers):
            manager.announce()
        for feedback in tuple(self._feedbacks):
            self.reconsider(feedback)

    def follow(self, hot_plug: HotPlug, discover: Callable[[], Platform]) -> None:
        """Look at the machine again whenever something happened to it, for `platform_changed`.

        `discover` opens devices, so it runs on the worker's thread. `hot_plug` is
        the plugin's from now on.
        """
        self._hot_plug = hot_plug
        self._discover = discover
        source = self._display.loop.add_fd(hot_plug.fileno(), lambda _: self._look_again())
        self._sources.append(source)

    def close(self) -> None:
        """Leave the display as it was; safe to call twice.

        Objects that clients still hold go inert: their requests are ignored and
        they get no more events.
        """
        for fd in self._tables.values():  # a host may still take tables when the rest is closed
            os.close(fd)
        self._tables.clear()
        if self._global is None:
            return
        self._global.destroy()
        self._global = None
        self._display_listener.remove()
        for source in (*self._sources, *([self._idle] if self._idle else [])):
            source.remove()
        for feedback in tuple(self._feedbacks):
            feedback.let_go()
        if self._hot_plug is not None:
            self._hot_plug.close()
        self.worker.close()
        for account, listener in self._accounts.values():
            listener.remove()
            account.close()
        self._accounts.clear()

    @property
    def closed(self) -> bool:
        """Whether the plugin has left its display."""
        return self._global is None

    # What its objects call.

    def add_feedback(self, feedback: HeapFeedback) -> None:
        """A feedback object was created."""
        self._feedbacks.add(feedback)
        if feedback.surface is not None:
            self._by_surface.setdefault(feedback.surface, set()).add(feedback)

    def remove_feedback(self, feedback: HeapFeedback) -> None:
        """A feedback object was destroyed."""
        self.surface_gone(feedback)
        self._feedbacks.discard(feedback)
        self._due.pop(feedback, None)
        self._upgrades.pop(feedback, None)

    def surface_gone(self, feedback: HeapFeedback) -> None:
        """The surface of a feedback object is no more."""
        surface = feedback.surface
        if surface is not None:
            _discard(self._by_surface, surface, feedback)

    def add_tag(self, buffer: int, feedback: HeapFeedback) -> None:
        """A feedback object wants to hear of a buffer."""
        self._by_buffer.setdefault(buffer, set()).add(feedback)

    def remove_tag(self, buffer: int, feedback: HeapFeedback) -> None:
        """A feedback object has heard enough of a buffer."""
        _discard(self._by_buffer, buffer, feedback)

    def answer_soon(self, feedback: HeapFeedback) -> None:
        """Let a feedback object answer when the requests at hand are handled."""
        self._due[feedback] = None
        if self._idle is None and not self.closed:
            self._idle = self._display.loop.add_idle(self._answer)

    def reconsider(self, feedback: HeapFeedback) -> None:
        """What a feedback object said may no longer be so: a loss at once, a gain if it lasts."""
        if feedback.reconsider() is AnswerChange.UPGRADE:
            self._upgrades[feedback] = None
            self._debouncer.arm(self._debounce)
        else:
            self._upgrades.pop(feedback, None)

    def add_timer(self, callback: Callable[[], None]) -> EventSource:
        """A timer on the host's loop; the caller removes it."""
        return self._display.loop.add_timer(callback)

    def circumstances(self, surface: int | None, client: Client) -> HostState:
        """What the host says now; what it fails to say is unknown."""
        state = self._ask(lambda: self._host.surface_state(surface)) if surface else None
        formats = self._ask(lambda: self._host.importable_formats(client.address))
        return HostState(
            state if isinstance(state, SurfaceState) else None,
            formats if formats is not None else frozenset(),
        )

    def account(self, client: Client) -> Account:
        """The account of a client, closed when the client goes."""
        entry = self._accounts.get(client)
        if entry is None:
            account = Account(self._budget)
            entry = (account, client.on_destroy(lambda: self._close_account(client)))
            self._accounts[client] = entry
        return entry[0]

    def settle_accounts(self) -> None:
        """Drop charges for memory that is free, and look again later if some is not."""
        accounts = [account for account, _ in self._accounts.values()]
        unsettled = [account for account in accounts if account.settle()]
        if unsettled:
            self._settler.arm(SETTLE_INTERVAL)

    def table_fd(self, content: bytes) -> int:
        """A sealed file with a format table; equal tables share one."""
        fd = self._tables.get(content)
        if fd is None:
            if len(self._tables) >= 64:  # as many as there are views (broker.py)
                for old in self._tables.values():
                    os.close(old)
                self._tables.clear()
            fd = self._tables[content] = sealed_copy("heapwire-formats", content)
        return fd

    def _look_again(self) -> None:
        if self._hot_plug is None or self._discover is None or not self._hot_plug.changed():
            return
        if self._looking is not None:
            self._looking.cancel()  # what it sees may be out of date already
        self._looking = self.worker.submit(self._discover, self._looked)

    def _looked(self, outcome: Platform | Exception) -> None:
        self._looking = None
        if isinstance(outcome, Exception):
            log.error("the machine cannot be looked at again", exc_info=outcome)
        else:
            self.platform_changed(outcome)

    def _broker_of(self, platform: Platform) -> Broker:
        return Broker(
            platform,
            renderer=self._renderer,
            allocated=self._allocated,
            on_solved=self._on_solved,
            ids=self._ids,
        )

    def _ask(self, question: Callable[[], Reply]) -> Reply | None:
        try:
            return question()
        except Exception:
            log.exception("the host failed to answer")
            return None

    def _answer(self) -> None:
        self._idle = None
        due, self._due = self._due, {}
        for feedback in due:
            try:
                feedback.answer()
            except Exception:
                log.exception("an answer cannot be sent")
                feedback.client.post_implementation_error("an answer cannot be sent")

    def _send_upgrades(self) -> None:
        upgrades, self._upgrades = self._upgrades, {}
        for feedback in upgrades:
            feedback.renew()

    def _close_account(self, client: Client) -> None:
        account, _ = self._accounts.pop(client)
        account.close()


def _discard(index: dict[int, set[HeapFeedback]], key: int, feedback: HeapFeedback) -> None:
    entries = index.get(key)
    if entries is not None:
        entries.discard(feedback)
        if not entries:
            del index[key]
