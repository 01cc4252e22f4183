"""The reference compositor: a display with a socket, its globals, and its loop.

    with Compositor(Platform.load("raspberry-pi-4")) as compositor, compositor.running():
        ...  # clients connect to compositor.socket
        image = compositor.screenshot()

Everything that its objects do happens on the thread that dispatches. `call`,
`connect`, `screenshot` and `stop` may be used from any thread.
"""

from __future__ import annotations

import os
import signal
import socket as sockets
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future
from contextlib import contextmanager
from typing import TypeVar

from heapwire.compositor_plugin import HeapPlugin, Policy
from heapwire.compositor_plugin.hosts.reference.colours import (
    WpColorManagerV1,
    WpColorRepresentationManagerV1,
)
from heapwire.compositor_plugin.hosts.reference.dmabuf import ZwpLinuxDmabufV1
from heapwire.compositor_plugin.hosts.reference.sandbox import (
    SecurityContexts,
    WpSecurityContextManagerV1,
)
from heapwire.compositor_plugin.hosts.reference.scene import (
    Desktop,
    FrameHook,
    FrameRecord,
    Image,
    Output,
    OutputMode,
)
from heapwire.compositor_plugin.hosts.reference.shell import (
    Keyboards,
    WlDataDeviceManager,
    WlSeat,
    XdgWmBase,
)
from heapwire.compositor_plugin.hosts.reference.shm import WlShm
from heapwire.compositor_plugin.hosts.reference.status_socket import (
    StatusSocket,
    holdings_document,
    open_status_socket,
)
from heapwire.compositor_plugin.hosts.reference.sync import (
    ClientTimelines,
    WpLinuxDrmSyncobjManagerV1,
)
from heapwire.compositor_plugin.hosts.reference.wl_compositor import WlCompositor
from heapwire.compositor_plugin.hosts.reference.wl_output import WlOutput
from heapwire.compositor_plugin.hosts.reference.wl_subcompositor import WlSubcompositor
from heapwire.compositor_plugin.hosts.reference.wp_presentation import WpPresentation
from heapwire.compositor_plugin.hosts.reference.wp_single_pixel_buffer_manager_v1 import (
    WpSinglePixelBufferManagerV1,
)
from heapwire.compositor_plugin.hosts.reference.wp_viewporter import WpViewporter
from heapwire.compositor_plugin.server import Global, NewId, ObjectBound, OwnDisplay, Resource
from heapwire.kernel.description import Platform
from heapwire.kernel.drm import open_timelines
from heapwire.kernel.system import Owner
from heapwire.protocol.explain import Document
from heapwire.protocol.values import Answer, Extent, Problem

Result = TypeVar("Result")

DEFAULT_SIZE = Extent(1280, 720)
DEFAULT_POLICY = Policy()
# Objects that one client may have, that all may, and up to which one that has few is let be. All
# that a client has ends in one go, at 3 us for an object and 12 for a surface, which weighs 8.
_OF_ONE, _OF_ALL, _LET_BE = 1024, 4096, 128
# How long, in milliseconds, a client may take to hear that an output is gone: until then one
# that binds it gets an object. wlroots gives as long (util/global.c, wlr_global_destroy_safe).
_LATE_BINDS = 5000


class Compositor(Owner):
    """A headless compositor on a platform.

    It has one output of `size` pixels, unless `outputs` says otherwise: these
    are side by side, from left to right. `socket` is the name to
    listen by below `$XDG_RUNTIME_DIR`, or a path; without one, a free name is taken, or
    none where there is no such directory. `on_frame` is called for each buffer
    that reaches the screen (see `Desktop`); with `record` every frame is kept and
    has a checksum; with `keep_last` a screenshot of an output whose windows are
    gone shows what was there last. `policy` is the plugin's; what it
    states of the platform, linux-dmabuf and the output keep to as well. `on_solved`
    is the plugin's. Without `extension` it is a compositor that has linux-dmabuf
    only; with `keyboard` its seat has one, for `press`.

    Raises `MachineError` if the socket cannot be made.
    """

    def __init__(
        self,
        platform: Platform,
        *,
        size: Extent = DEFAULT_SIZE,
        outputs: Sequence[OutputMode] = (),
        socket: str | None = None,
        on_frame: FrameHook | None = None,
        record: bool = False,
        keep_last: bool = False,
        policy: Policy = DEFAULT_POLICY,
        on_solved: Callable[[Problem, Answer], None] | None = None,
        extension: bool = True,
        keyboard: bool = False,
    ) -> None:
        outputs = outputs or (OutputMode(extent=size),)
        self.platform = platform
        self._display = OwnDisplay(ObjectBound(each=_OF_ONE, together=_OF_ALL, little=_LET_BE))
        self._calls: deque[Callable[[], None]] = deque()
        self._stopping = False
        self._keyboards = Keyboards() if keyboard else None
        self._runner: threading.Thread | None = None
        self._wake = os.eventfd(0, os.EFD_CLOEXEC | os.EFD_NONBLOCK)
        self._contexts = SecurityContexts(self._display)
        self._output_globals: dict[Output, Global] = {}
        # A client may be of the real machine where this one is simulated.
        kinds = (True, False) if platform.simulated else (False,)
        devices = [one for kind in kinds if (one := open_timelines(simulated=kind)) is not None]
        self._timelines = ClientTimelines(devices) if devices else None
        try:
            self.socket: str | None = None
            if socket is not None or os.environ.get("XDG_RUNTIME_DIR"):
                self.socket = self._display.add_socket(socket)
            self._display.loop.add_fd(self._wake, self._woken)
            self._desktop = Desktop(
                self._display,
                policy.corrected(platform),
                outputs,
                self._contexts,
                record=record,
                on_frame=on_frame,
                keep_last=keep_last,
                debounce=policy.debounce,
            )
            self._announce()
            self.plugin = HeapPlugin(
                self._display.address,
                policy.apply(platform),
                self._desktop,
                policy=policy,
                on_solved=on_solved,
            )
            self._desktop.plugin = self.plugin
            self._status: StatusSocket | None = None
            if self.socket is not None:
                loop = self._display.loop
                self._status = open_status_socket(self.socket, loop, self.status_document)
            if not extension:
                self.plugin.close()
        except BaseException:
            self._contexts.close()
            self._display.destroy()
            os.close(self._wake)
            if self._timelines is not None:
                self._timelines.close()
            raise
        self._closed = False

    @property
    def frames(self) -> Sequence[FrameRecord]:
        """What was shown so far, in order; the last second of it unless it records."""
        return self.call(lambda: tuple(self._desktop.frames))

    def status_document(self) -> Document:
        """Who has what now, as `heapwire status` shows it; on the thread that dispatches."""
        return holdings_document(self.platform.name, self.plugin.holdings())

    def run(self) -> None:
        """Dispatch until `stop` is called, or a signal raises in this thread."""
        with self._woken_by_signals():
            while not self._stopping:
                self.dispatch(-1)
        self._stopping = False

    def dispatch(self, timeout: int) -> None:
        """Wait up to `timeout` milliseconds (-1: for ever) and handle what came."""
        self._display.dispatch(timeout)

    def stop(self) -> None:
        """Let `run` return."""
        self._stopping = True
        os.eventfd_write(self._wake, 1)

    @contextmanager
    def running(self) -> Iterator[None]:
        """Run on a thread of its own for the time of a `with` block."""
        thread = threading.Thread(target=self.run, name="compositor")
        self._runner = thread
        thread.start()
        try:
            yield
        finally:
            self.stop()
            thread.join()
            self._runner = None
            self._stopping = False
            self._run_calls()  # those that came too late for the thread

    def call(self, function: Callable[[], Result]) -> Result:
        """Have a function run between two dispatches and return what it returns."""
        runner = self._runner
        if runner is None or runner is threading.current_thread() or not runner.is_alive():
            return function()
        future: Future[Result] = Future()

        def run() -> None:
            try:
                future.set_result(function())
            except BaseException as error:
                future.set_exception(error)

        self._calls.append(run)
        os.eventfd_write(self._wake, 1)
        return future.result()

    def connect(self) -> int:
        """A connected socket for one client in this process; the caller owns the fd."""
        ours, theirs = sockets.socketpair(sockets.AF_UNIX, sockets.SOCK_STREAM)
        self.call(lambda: self._display.add_client(ours.detach()))
        return theirs.detach()

    def screenshot(self, output: str | None = None) -> Image:
        """What an output shows now, (height, width, 3); of the first, or of the one named.

        Raises `UsageError` if there is no such output.
        """
        return self.call(lambda: self._desktop.image(self._desktop.output_named(output)))

    def plug(self, mode: OutputMode) -> None:
        """Have another output; `UsageError` if there is one of that name."""
        self.call(lambda: self._offer_output(self._desktop.plug(mode)))

    def unplug(self, name: str) -> None:
        """Have one output less, its windows on another.

        `UsageError` if there is none of that name, and for the last: there is always one.
        """
        self.call(lambda: self._unplug(self._desktop.output_named(name)))

    def resize(self, width: int, height: int) -> None:
        """Suggest a size in pixels to the topmost window, as a hand at its edge would."""
        topmost = self.call(lambda: self._desktop.topmost)
        if topmost is not None:
            self.call(lambda: topmost.window.suggest_size(width, height))

    def _unplug(self, output: Output) -> None:
        self._desktop.unplug(output)
        announced = self._output_globals.pop(output)
        announced.remove()

        def forget() -> None:
            announced.destroy()
            timer.remove()

        timer = self._display.loop.add_timer(forget)
        timer.arm(_LATE_BINDS)

    def _offer_output(self, output: Output) -> None:
        def bound(new_id: NewId) -> WlOutput:
            return WlOutput(new_id, output, self._desktop)

        announced = Global(self._display, WlOutput.INTERFACE, bound, version=WlOutput.VERSION)
        self._output_globals[output] = announced

    def press(self, key: int) -> None:
        """Press a key over the topmost window, by its number in linux/input-event-codes.h."""
        self.call(lambda: self._press(key))

    def _press(self, key: int) -> None:
        topmost = self._desktop.topmost
        if self._keyboards is not None and topmost is not None:
            self._keyboards.press(topmost.root, key, time.monotonic_ns() // 1_000_000 & 0xFFFFFFFF)

    def close(self) -> None:
        """End all clients and give everything back; safe to call twice."""
        if self._closed:
            return
        self._closed = True
        if self._status is not None:
            self._status.close()
        self._contexts.close()  # so that nobody comes any more
        self.plugin.close()  # while its objects and their clients are there to listen to
        self._display.destroy()  # ends clients, whose surfaces retire buffers to the outputs
        self._desktop.close()
        if self._timelines is not None:
            self._timelines.close()
        os.close(self._wake)

    def _announce(self) -> None:
        desktop = self._desktop

        def offer(kind: type[Resource], bind: Callable[[NewId], object]) -> None:
            Global(self._display, kind.INTERFACE, bind, version=kind.VERSION)

        offer(WlShm, lambda new_id: WlShm(new_id, desktop.dmabuf.descriptors))
        offer(WlCompositor, lambda new_id: WlCompositor(new_id, desktop))
        offer(WlSubcompositor, WlSubcompositor)
        offer(WlDataDeviceManager, WlDataDeviceManager)
        offer(WlSeat, lambda new_id: WlSeat(new_id, self._keyboards))
        for output in desktop.outputs:
            self._offer_output(output)
        offer(XdgWmBase, lambda new_id: XdgWmBase(new_id, desktop))
        offer(WpViewporter, WpViewporter)
        offer(WpSinglePixelBufferManagerV1, WpSinglePixelBufferManagerV1)
        offer(WpPresentation, WpPresentation)
        timelines = self._timelines
        if timelines is not None:
            explicit = WpLinuxDrmSyncobjManagerV1
            offer(explicit, lambda new_id: explicit(new_id, timelines))
        offer(WpColorRepresentationManagerV1, WpColorRepresentationManagerV1)
        offer(WpColorManagerV1, WpColorManagerV1)
        kind = WpSecurityContextManagerV1
        hidden = Global(self._display, kind.INTERFACE, lambda new_id: kind(new_id, self._contexts))
        contexts = self._contexts
        self._display.show_globals(
            lambda client, shown: shown is not hidden or contexts.of(client.address) is None
        )
        offer(ZwpLinuxDmabufV1, lambda new_id: ZwpLinuxDmabufV1(new_id, desktop))

    @contextmanager
    def _woken_by_signals(self) -> Iterator[None]:
        """Have every signal end the wait, so that its handler runs.

        Python's handlers run in the main thread, between two steps of its own. A
        signal that another thread gets, or this one just before it waits, does
        not interrupt the wait by itself.
        """
        if threading.current_thread() is not threading.main_thread():
            yield
            return
        readable, writable = os.pipe2(os.O_CLOEXEC | os.O_NONBLOCK)
        source = self._display.loop.add_fd(readable, lambda _: _drain(readable))
        before = signal.set_wakeup_fd(writable, warn_on_full_buffer=False)
        try:
            yield
        finally:
            signal.set_wakeup_fd(before)
            source.remove()
            os.close(readable)
            os.close(writable)

    def _woken(self, _mask: int) -> None:
        os.eventfd_read(self._wake)
        self._run_calls()

    def _run_calls(self) -> None:
        while self._calls:
            self._calls.popleft()()


def _drain(fd: int) -> None:
    os.read(fd, 4096)
