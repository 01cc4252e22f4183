"""A video player: decodes a file into negotiated buffers and shows them in time.

Each frame takes these steps: is it too late already; a free buffer; the
picture written into it; the moment that it is due, and the compositor's word
that it wants a frame; the commit. Everything that waits dispatches the
connection meanwhile, can be stopped, and finds out when the compositor has
died.
"""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from heapwire.client_lib.any_negotiation import AnyNegotiation
from heapwire.client_lib.buffer import Buffer
from heapwire.client_lib.buffer_supply import BufferSupply
from heapwire.client_lib.connection import DEFAULT_TIMEOUT, Connection
from heapwire.client_lib.decoder import DecodedFrame, Decoder
from heapwire.client_lib.errors import NoAnswerError
from heapwire.client_lib.frame_writer import write_picture, writer_participant
from heapwire.client_lib.linux_dmabuf import LinuxDmabuf
from heapwire.client_lib.media_clock import MediaClock
from heapwire.client_lib.play_result import FrameCounts, FrameLedger, PlayResult
from heapwire.client_lib.surface_negotiation import heap_manager, surface_negotiation
from heapwire.client_lib.window import Presented, Window
from heapwire.kernel.device import DeviceKind
from heapwire.kernel.platform import Platform
from heapwire.protocol.model.content import Content
from heapwire.protocol.model.extents import Extent, Extents
from heapwire.protocol.model.participant import Participant, Usage
from heapwire.protocol.model.plan import Plan

HEARTBEAT = 0.5  # seconds of silence after which the compositor is asked whether it lives
HIDDEN = 0.25  # seconds after its time when a frame that the compositor does not want is dropped
LAST_FRAME = 1.0  # seconds for the last frame to reach the screen
MOST_PADDING = 128  # pixels: the largest coding block (AV1 superblock)
DECODER_HOLD = 1  # buffers that the writer holds: the one it writes
IN_FLIGHT = 1  # buffers more, so that the next picture is ready when the screen wants it


@dataclass(frozen=True, slots=True, kw_only=True)
class PlayOptions:
    """How to play. `frames` bounds how many are decoded; `formats` are the only fourccs to use.

    Without `paced`, frames are shown as fast as the compositor takes them, and
    none is dropped. With `record` the result has the events of the negotiation.
    `timeout` is in seconds: how long the compositor may take for an answer.
    """

    frames: int | None = None
    fullscreen: bool = False
    paced: bool = True
    formats: tuple[int, ...] = ()
    record: bool = False
    timeout: float = DEFAULT_TIMEOUT


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a player is: `total` frames are in the file, 0 if it does not say."""

    counts: FrameCounts
    total: int
    plan: Plan | None


class Player:
    """Plays one file, once, with `play`.

    `display` is the socket of the compositor, as for `Connection`. `platform` is
    the machine that the player allocates on, None to leave that to the
    compositor; it makes the plans too if the compositor cannot (see
    `LocalNegotiation`); where it is simulated, its decoders take part in the negotiation
    as if they decoded, and the CPU stands in for them. `participants` take part
    besides. `on_progress` is called after each frame, `on_last_frame` when the
    last one is on the screen and the window about to be closed.
    """

    def __init__(
        self,
        path: str | Path,
        *,
        display: str | int | None = None,
        platform: Platform | None = None,
        participants: Sequence[Participant] = (),
        options: PlayOptions = PlayOptions(),
        on_progress: Callable[[Progress], None] | None = None,
        on_last_frame: Callable[[], None] | None = None,
    ) -> None:
        self._path = path
        self._display = display
        self._platform = platform
        self._participants = tuple(participants)
        self._options = options
        self._on_progress = on_progress
        self._on_last_frame = on_last_frame
        self._wake: int | None = None
        self._stopped = False

    def stop(self) -> None:
        """End `play` soon, with a result; may be called from a signal handler or a thread."""
        self._stopped = True
        if self._wake is not None:
            os.eventfd_write(self._wake, 1)

    def play(self) -> PlayResult:
        """Play the file to its end, or until `stop` or the window's close button.

        Raises `LocalError` for a file that cannot be decoded; `NoCompositorError`,
        `MissingGlobalError`; `ConflictError` or `NegotiationError` if there is no
        memory that suits everyone; `AllocationError` or `ImportRefusedError`;
        `ProtocolError`, `DisconnectedError` or `NoAnswerError` if the compositor
        ends or hangs. All it made is destroyed and closed in any case.
        """
        options = self._options
        with contextlib.ExitStack() as stack:
            decoder = stack.enter_context(Decoder(self._path))
            wake = stack.enter_context(_eventfd())
            self._wake = wake
            stack.callback(setattr, self, "_wake", None)
            connection = stack.enter_context(Connection(self._display))
            manager = heap_manager(connection, self._platform, timeout=options.timeout)
            dmabuf = LinuxDmabuf(connection, timeout=options.timeout)
            window = Window(
                connection,
                title=Path(self._path).name,
                fullscreen=options.fullscreen,
                timeout=options.timeout,
            )
            negotiation = surface_negotiation(manager, dmabuf, window.surface, self._platform)
            if options.record:
                negotiation.events = []
            negotiation.set_buffer_count(minimum=DECODER_HOLD, queue=IN_FLIGHT)
            for participant in self._devices():
                negotiation.set_participant(participant)
            memory = None if self._platform is None else self._platform.memory
            supply = stack.enter_context(
                BufferSupply(negotiation, dmabuf, memory, timeout=options.timeout)
            )
            stack.callback(window.close)  # before its buffers go
            run = _Run(
                options=options,
                connection=connection,
                decoder=decoder,
                negotiation=negotiation,
                supply=supply,
                window=window,
                wake=wake,
                stopped=lambda: self._stopped or window.close_requested,
                on_progress=self._on_progress,
            )
            run.play()
            if self._on_last_frame is not None:
                self._on_last_frame()
            return run.result()

    def _devices(self) -> Iterator[Participant]:
        yield from self._participants
        if self._platform is None:
            return
        wanted = set(self._options.formats)
        for device in self._platform.devices:
            if device.kind is DeviceKind.CPU and Usage.CPU_WRITE in device.sets:
                yield self._platform.participant(device.name, Usage.CPU_WRITE)
            if not self._platform.simulated or Usage.DECODE not in device.sets:
                continue
            decoder = self._platform.participant(device.name, Usage.DECODE)
            codes = {pair.fourcc for one in decoder.sets for pair in one.formats}
            # What is converted to another format afterwards does not share its buffers.
            if not wanted or not codes or wanted & codes:
                yield decoder


class _Run:
    """One pass through a file; holds what changes from frame to frame."""

    def __init__(
        self,
        *,
        options: PlayOptions,
        connection: Connection,
        decoder: Decoder,
        negotiation: AnyNegotiation,
        supply: BufferSupply,
        window: Window,
        wake: int,
        stopped: Callable[[], bool],
        on_progress: Callable[[Progress], None] | None,
    ) -> None:
        self._options = options
        self._connection = connection
        self._decoder = decoder
        self._negotiation = negotiation
        self._supply = supply
        self._window = window
        self._wake = wake
        self._stopped = stopped
        self._on_progress = on_progress
        self._ledger = FrameLedger(statuses=negotiation.tells_status)
        self._clock = MediaClock()
        self._written = 0
        self._copied = 0
        self._pictures: tuple[Extent, Content, str] | None = None
        self._cut_short = False
        self._heard = time.monotonic()
        self._asked: float | None = None

    def play(self) -> None:
        """Show all frames, and wait for the last to be on the screen."""
        frames = iter(self._decoder)
        limit = self._options.frames
        while (limit is None or self._ledger.decoded < limit) and not self._stopped():
            frame = next(frames, None)
            if frame is None:
                break
            self._ledger.decoded += 1
            self._prepare(frame)
            if not self._show(frame):
                self._ledger.dropped += 1
            self._report()
        self._cut_short = self._stopped()
        until = time.monotonic() + LAST_FRAME
        while self._ledger.pending and time.monotonic() < until:
            self._turn(until)
        self._connection.roundtrip(timeout=self._options.timeout)
        self._ledger.settle(finally_=True)
        self._report()

    def result(self) -> PlayResult:
        """What came of it."""
        plan = self._supply.plan
        return PlayResult(
            frames=self._ledger.counts,
            bytes_copied_per_frame=self._copied // max(1, self._written),
            negotiations=self._supply.negotiations,
            plan=plan,
            reasons=self._ledger.reasons,
            source_names=self._negotiation.source_names,
            refusals=self._supply.refusals,
            events=tuple(self._negotiation.events or ()),
            damaged=self._decoder.damaged,
            faults=tuple(self._supply.faults),
            stopped=self._cut_short,
        )

    def _prepare(self, frame: DecodedFrame) -> None:
        """Have buffers for pictures such as this one."""
        pictures = (frame.extent, frame.content, frame.picture.format.name)
        if pictures == self._pictures:
            self._supply.update()
            return
        extent = frame.extent
        coded = _coded(extent, self._decoder.coded)
        self._negotiation.set_extents(Extents(coded=coded, visible=extent))
        self._negotiation.set_content(frame.content)
        self._negotiation.set_participant(
            writer_participant(frame.picture.format.name, self._options.formats)
        )
        self._supply.negotiate(extent)
        self._pictures = pictures
        self._heard = time.monotonic()

    def _show(self, frame: DecodedFrame) -> bool:
        """Show a frame in its time; False if it is dropped."""
        clock, paced = self._clock, self._options.paced
        duration = float(1 / self._decoder.rate)
        if paced and clock.too_late(frame.time, duration):
            self._dispatch(0.0)
            return False
        due = clock.due(frame.time) if paced else None
        patience = None if due is None else due + HIDDEN
        buffer = self._free_buffer(patience)
        plan = self._supply.plan
        if buffer is None or plan is None:
            return False
        with buffer.planes() as planes:
            self._copied += write_picture(frame.picture, plan.fourcc, planes)
        self._written += 1
        if due is not None:
            self._wait(lambda: False, due)
        if not self._wait(lambda: self._window.ready, patience):
            return False

        def shown(presented: Presented | None) -> None:
            if presented is None:
                self._ledger.discarded()
                return
            self._ledger.presented(buffer, zero_copy=presented.zero_copy)
            monotonic = self._window.clock == time.CLOCK_MONOTONIC
            clock.presented(frame.time, presented.time if monotonic else 0.0, presented.refresh)

        self._window.show(
            buffer,
            frame.extent,
            pixel_aspect=self._decoder.pixel_aspect,
            rotation=frame.content.rotation,
            shown=shown,
        )
        self._ledger.committed()
        clock.committed(frame.time)
        self._dispatch(0.0)
        return True

    def _free_buffer(self, until: float | None) -> Buffer | None:
        found: list[Buffer] = []

        def look() -> bool:
            buffer = self._supply.free()
            if buffer is not None:
                found.append(buffer)
            return buffer is not None

        return found[0] if self._wait(look, until) else None

    def _wait(self, condition: Callable[[], bool], until: float | None) -> bool:
        """Dispatch until the condition holds, a time comes, or it is to stop."""
        while not condition():
            if self._stopped() or (until is not None and time.monotonic() >= until):
                return False
            self._turn(until)
        return True

    def _turn(self, until: float | None) -> None:
        """Dispatch for a while; ask a silent compositor whether it lives.

        A window that nobody sees gets no frame callbacks, so that silence by
        itself means nothing.
        """
        now = time.monotonic()
        pause = HEARTBEAT if until is None else min(HEARTBEAT, max(0.0, until - now))
        if self._dispatch(pause):
            return
        now = time.monotonic()
        if self._asked is not None:
            if now - self._asked > self._options.timeout:
                raise NoAnswerError(
                    f"the compositor has not answered for {self._options.timeout:g} seconds"
                )
        elif now - self._heard >= HEARTBEAT:
            self._asked = now
            self._connection.sync(self._answered)

    def _dispatch(self, timeout: float) -> bool:
        # Once it is to stop, the fd that says so stays readable and would not let it wait.
        others = () if self._stopped() else (self._wake,)
        came = self._connection.dispatch(timeout, *others)
        while came and self._connection.dispatch(0.0):
            pass
        if came:
            self._heard = time.monotonic()
        self._ledger.settle()
        return came

    def _answered(self) -> None:
        self._asked = None

    def _report(self) -> None:
        if self._on_progress is not None:
            total = self._decoder.frame_count
            self._on_progress(Progress(self._ledger.counts, total, self._supply.plan))


def _coded(visible: Extent, coded: Extent) -> Extent:
    """The codec's size for a picture; its visible size if the codec is at another already."""
    across, down = coded.width - visible.width, coded.height - visible.height
    padded = 0 <= across < MOST_PADDING and 0 <= down < MOST_PADDING
    return coded if padded else visible


@contextlib.contextmanager
def _eventfd() -> Iterator[int]:
    fd = os.eventfd(0, os.EFD_CLOEXEC | os.EFD_NONBLOCK)
    try:
        yield fd
    finally:
        os.close(fd)
