"""`HeapPlugin`: the extension, attached to somebody's display.

The integrator gives a `wl_display`, a `Platform` and a `Host`, and calls
`surface_changed`, `buffer_shown` and `batch_ends` (host.py says when). The plugin owns what
it adds to the display, and takes it away again with `close`, or by itself when
the display is destroyed.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable
from functools import partial
from typing import TYPE_CHECKING

from heapwire.compositor_plugin.allocation import AllocationManager
from heapwire.compositor_plugin.answering import SetRecords
from heapwire.compositor_plugin.broker import Broker
from heapwire.compositor_plugin.buffer_status import BufferStatusManager
from heapwire.compositor_plugin.clients import Holdings, Policy
from heapwire.compositor_plugin.host import Host, PlaneTester, StatusReason
from heapwire.compositor_plugin.machine import MachineWatch
from heapwire.compositor_plugin.negotiation_manager import NegotiationManager
from heapwire.compositor_plugin.plugin_state import PluginState
from heapwire.compositor_plugin.server import Client, Display, Global, ffi, interface_struct
from heapwire.compositor_plugin.sources import DmabufSources
from heapwire.kernel.description import Platform
from heapwire.kernel.discovery import participant_behind
from heapwire.protocol.values import Answer, Content, DeviceId, Problem, Usage
from heapwire.protocol.wire import DMABUF_FEEDBACK
from heapwire.protocol.wire.bindings import (
    INTERFACES,
    XX_DMABUF_FEEDBACK_SOURCES_V1,
    XX_DMABUF_SOURCES_V1,
)

if TYPE_CHECKING:
    from heapwire.compositor_plugin.machine import HostTrials
    from heapwire.kernel.discovery import HotPlug

GLOBALS = (DmabufSources, NegotiationManager, AllocationManager, BufferStatusManager)
"""What a client binds, one for each protocol."""
_ANYTHING = Policy()


class _MachineThatWas:
    """What was kept of a machine until now, which goes a little at a time."""

    def __init__(self, state: PluginState) -> None:
        self._broker, self._answers = state.broker, state.answers

    def end(self) -> None:
        """Let go of a little, and of the rest in later turns."""
        if self._broker.forget_some():
            self._answers.end_soon(self)


class HeapPlugin:
    """The extension on one display: all that a host calls.

    `display` is the address of a `wl_display`. `renderer` is the device that
    composites (by default the platform's first that samples). `policy` says from which
    heaps clients may have the compositor allocate, how much each of them, and how long a
    change for the better must last; `platform` is what it makes of the machine
    (`Policy.apply`). `on_solved`
    sees each problem that is solved for a client, and its answer: what a capture is made of.

    Raises `MachineError` if the process has two copies of libwayland-server, or none.
    """

    def __init__(
        self,
        display: int,
        platform: Platform,
        host: Host,
        *,
        renderer: DeviceId | None = None,
        policy: Policy = _ANYTHING,
        on_solved: Callable[[Problem, Answer], None] | None = None,
    ) -> None:
        records = SetRecords()
        wire_ids: dict[str, int] = {}  # of all brokers, one after the other
        self._new_broker = partial(
            Broker,
            renderer=renderer,
            allocated=policy.allocated,
            on_solved=on_solved,
            ids=wire_ids,
            records=records,
        )
        self._renderer_named = renderer is not None or bool(policy.renderer)
        broker = self._new_broker(platform)
        self._display = Display(display)
        interface_struct(
            *INTERFACES, XX_DMABUF_SOURCES_V1, XX_DMABUF_FEEDBACK_SOURCES_V1, DMABUF_FEEDBACK
        )
        self._state = PluginState(broker, host, self._display, policy, records)
        self._watch: MachineWatch | None = None
        self._globals: list[Global] = []
        self._trials: HostTrials | None = None
        try:
            for manager in GLOBALS:
                made = partial(manager, plugin=self._state)
                self._globals.append(Global(self._display, manager.INTERFACE, made))
        except BaseException:
            self._withdraw()
            self._state.close()
            raise
        self._display_listener = self._display.on_destroy(self.close)

    def surface_changed(self, surface: int) -> None:
        """What `Host.surface_state` says of a surface differs from the last time."""
        for negotiation in self._state.negotiations.of_surface(surface):
            self._state.answers.reconsider(negotiation)

    def buffer_shown(
        self, buffer: int, *, scanned_out: bool, reason: StatusReason = StatusReason.NONE
    ) -> None:
        """A buffer is shown for the first time, or its fate has changed.

        `reason` says why it was not scanned out.
        """
        for status in self._state.statuses.of(buffer):
            status.shown(scanned_out, reason)

    def surface_content(self, surface: int) -> Content | None:
        """What a client that negotiates for a surface says of its pictures; None if none does.

        It holds for what the surface shows from its next commit on.
        """
        told = (one.content for one in self._state.negotiations.of_surface(surface))
        return next((content for content in told if content is not None), None)

    def batch_ends(self, feedback: int) -> None:
        """A batch of a `zwp_linux_dmabuf_feedback_v1` of the host's ends: its `done` is next.

        `Host.dmabuf_feedback` says what is in it.
        """
        self._state.sources.batch_ends(feedback)

    def tell_extended(self, tell: Callable[[int, bool], None]) -> None:
        """Have somebody told which feedback objects are extended: by address, and if they are.

        `batch_ends` needs to be called for these only.
        """
        self._state.sources.tell_extended = tell

    def wants(self, buffer: int) -> bool:
        """Whether any client waits to hear of a buffer; cheap, for the repaint path."""
        return buffer in self._state.statuses

    @property
    def platform(self) -> Platform:
        """The machine as clients are told of it."""
        return self._state.broker.platform

    def listen(self, who: Hashable, listener: Callable[[str], None] | None) -> None:
        """Have somebody told, in lines, what each client asks, is answered and has allocated.

        `who` is any key; None in place of a listener ends it. Lines are made while somebody
        listens. A listener is called on the loop, and must not wait.
        """
        listeners = self._state.client_log.listeners
        if listener is None:
            listeners.pop(who, None)
        else:
            listeners[who] = listener

    def client_does(self, client: int, line: str) -> None:
        """Tell who listens what a `wl_client`, by its address, asks of the host itself."""
        self._state.client_log.say(Client(ffi.cast("struct wl_client *", client)), (line,))

    def holdings(self) -> Holdings:
        """Who has how much of what now."""
        return self._state.holdings()

    def platform_changed(self, platform: Platform) -> None:
        """Heaps or devices have come or gone."""
        self._state.answers.end_soon(_MachineThatWas(self._state))
        self._state.broker = self._new_broker(platform)
        for manager in tuple(self._state.managers):
            self._state.answers.announce_soon(manager)
        self._state.sources.machine_changed()
        self._state.answers.reconsider_all(self._state.negotiations.all())

    def composited_by(self, device: DeviceId) -> None:
        """The host says which device composites, by one of its nodes.

        It counts instead of the platform's first that samples, if the platform knows it and
        nobody has named one.
        """
        if self._renderer_named:
            return
        known = participant_behind(self.platform, device, Usage.SAMPLING)
        if known is not None and known.device != self._state.broker.renderer:
            self._new_broker = partial(self._new_broker, renderer=known.device)
            self.platform_changed(self.platform)

    def follow(
        self, hot_plug: HotPlug, discover: Callable[[], Platform], *, at_once: bool = False
    ) -> None:
        """Look at the machine again whenever something happened to it, for `platform_changed`.

        `discover` opens devices, so it runs on the worker's thread; `at_once` has it run now
        too, for what takes too long to begin with. `hot_plug` is the plugin's from now on;
        one that it followed before is closed.
        """
        if self._watch is not None:
            self._watch.close()
        self._watch = MachineWatch(
            self._display.loop,
            self._state.kernel_worker,
            hot_plug,
            discover=discover,
            changed=self._looked,
            at_once=at_once,
        )

    def test_planes(self, tester: PlaneTester) -> None:
        """Have the host test which memory planes take, now and after each look at the machine.

        What it refuses is offered to no client any more.
        """
        # What fills buffers and asks drivers is for hosts with planes.
        from heapwire.compositor_plugin.machine import HostTrials

        if self._trials is not None:
            self._trials.close()
        self._trials = HostTrials(
            self._display.loop, self._state.kernel_worker, tester, self.platform_changed
        )
        self._trials.begin(self.platform)

    def _looked(self, platform: Platform) -> None:
        known = platform if self._trials is None else self._trials.begin(platform)
        self.platform_changed(known)

    def close(self) -> None:
        """Leave the display as it was; safe to call twice.

        Objects that clients still hold go inert: their requests are ignored and
        they get no more events.
        """
        if self.closed:
            return
        self._withdraw()  # first: nobody binds what is about to end
        self._display_listener.remove()
        if self._watch is not None:
            self._watch.close()
        if self._trials is not None:
            self._trials.close()
        self._state.close()

    @property
    def closed(self) -> bool:
        """Whether the plugin has left its display."""
        return not self._globals

    def _withdraw(self) -> None:
        while self._globals:
            self._globals.pop().destroy()
