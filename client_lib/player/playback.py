"""One pass through a stream of pictures: each to the screen in its time.

Each picture takes these steps: is it too late already; the buffer that it is in,
or a free one to write it into; the moment that it is due, and the compositor's
word that it wants a frame; the commit. Everything that waits dispatches the
connection meanwhile, can be stopped, and finds out when the compositor has
died.
"""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Callable, Sequence

from heapwire.client_lib.buffers import Buffer, Light, Presented, Window
from heapwire.client_lib.errors import NoAnswerError
from heapwire.client_lib.negotiation import BufferSupply, Negotiation
from heapwire.client_lib.player.buffer_question import BufferQuestion
from heapwire.client_lib.player.decoding import AUTO, StandIns
from heapwire.client_lib.player.media_clock import MediaClock
from heapwire.client_lib.player.picture_stream import BufferNeeds, DuePicture, PictureStream
from heapwire.client_lib.player.pictures import buffer_colour, untold_light_text
from heapwire.client_lib.player.play_result import FrameCounts, FrameFate, FrameLedger, PlayResult
from heapwire.client_lib.wayland import DEFAULT_TIMEOUT, Connection
from heapwire.protocol.late_dataclasses import dataclass, replace
from heapwire.protocol.values import Colour, FormatModifier, Plan

_NO_SEEKING = "this decoder, or this file, cannot go to another place in it"
HEARTBEAT = 0.5  # seconds of silence after which the compositor is asked whether it lives
HIDDEN = 0.25  # seconds after its time when a frame that the compositor does not want is dropped
LAST_FRAME = 1.0  # seconds for the last frame to reach the screen, from when it has arrived
UNSEEN = 8  # frames that a compositor wants and discards, and shows none, until it is the plan


@dataclass(frozen=True, slots=True, kw_only=True)
class PlayOptions:
    """How to play. `frames` bounds how many are decoded; `formats` are the only fourccs to use.

    `decoder` is `auto`, `cpu`, or the name or node of a device (see `open_picture_stream`).

    Without `paced`, frames are shown as fast as the compositor takes them, and
    none is dropped. With `record` the result has the events of the negotiation.
    `timeout` is in seconds: how long the compositor may take for an answer. It begins at `start`
    seconds of the file, and with `loop` from there again and again. With `require_dmabuf` it
    fails where frames would have to go through `wl_shm` instead.
    """

    frames: int | None = None
    fullscreen: bool = False
    paced: bool = True
    formats: tuple[int, ...] = ()
    decoder: str = AUTO
    record: bool = False
    timeout: float = DEFAULT_TIMEOUT
    start: float = 0.0
    loop: bool = False
    require_dmabuf: bool = False


@dataclass(slots=True)
class Controls:
    """What whoever watches wants: `jump` is in seconds from where it is, and is done once."""

    paused: bool = False
    jump: float = 0.0


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a player is: `total` frames are in the file, 0 if it does not say."""

    counts: FrameCounts
    total: int
    plan: Plan | None


@dataclass(frozen=True, slots=True)
class Screen:
    """Where it is shown; `wake` is an fd that becomes readable when it is to stop."""

    connection: Connection
    window: Window
    wake: int


class Playback:
    """One pass through a file; holds what changes from frame to frame."""

    def __init__(
        self,
        *,
        options: PlayOptions,
        screen: Screen,
        pictures: PictureStream,
        negotiation: Negotiation,
        supply: BufferSupply,
        stopped: Callable[[], bool],
        fullscreen: Callable[[], bool],
        on_progress: Callable[[Progress], None] | None,
        stand_ins: StandIns | None = None,
        controls: Controls | None = None,
        on_fate: Callable[[FrameFate], None] | None = None,
    ) -> None:
        self._options = options
        self._connection = screen.connection
        self._window = screen.window
        self._wake = screen.wake
        self._pictures = pictures
        self._negotiation = negotiation
        self._supply = supply
        self._stopped = stopped
        self._fullscreen = fullscreen
        self._on_progress = on_progress
        self._question = BufferQuestion(negotiation, supply, stand_ins)
        self._controls = controls or Controls()
        self._ledger = FrameLedger(statuses=negotiation.tells_status, on_fate=on_fate)
        self._clock = MediaClock()
        self._written = 0
        self._needs: BufferNeeds | None = None
        self._notes: list[str] = []
        self._untold: dict[Colour, None] = {}
        self._untold_lights: dict[Light, None] = {}
        self._cut_short = False
        self._heard = time.monotonic()
        self._asked: float | None = None

    def play(self) -> None:
        """Show all frames, and wait for the last to be on the screen."""
        limit = self._options.frames
        if self._options.start and not self._pictures.seek(self._options.start):
            self._notes.append(_NO_SEEKING)
        while (limit is None or self._ledger.decoded < limit) and not self._stopped():
            self._obey()
            asked = time.monotonic()
            picture = self._pictures.next()
            if picture is None and self._pictures.ended:
                if self._begins_again():
                    continue
                break
            prepared = self._prepare()
            if picture is None:
                if not prepared:
                    self._turn(None, *self._pictures.wakes)
                continue
            self._ledger.decoded += 1
            frame = FrameFate(number=self._ledger.decoded, position=self._pictures.position)
            if not self._show(picture, frame, asked):
                self._ledger.dropped += 1
                self._ledger.tell(frame)
            self._report()
        self._cut_short = self._stopped()
        self._connection.roundtrip(timeout=self._options.timeout)
        until = time.monotonic() + LAST_FRAME
        while self._ledger.pending and time.monotonic() < until:
            self._turn(until)
        self._connection.roundtrip(timeout=self._options.timeout)
        self._ledger.settle(finally_=True)
        self._report()

    def _begins_again(self) -> bool:
        """Go back to where it began, if it is to; a stream without any picture ends."""
        if not self._options.loop or not self._ledger.decoded:
            return False
        if self._pictures.seek(self._options.start):
            return True
        self._notes.append(_NO_SEEKING)
        return False

    def _obey(self) -> None:
        """Do what the controls say: jump, or wait while it is paused."""
        controls = self._controls
        jump, controls.jump = controls.jump, 0.0
        if jump and not self._pictures.seek(self._pictures.position + jump):
            self._notes.append(_NO_SEEKING)
        if controls.paused:
            since = time.monotonic()
            while controls.paused and not controls.jump and not self._stopped():
                self._turn(None)
            self._clock.shift(time.monotonic() - since)

    def result(self, faults: Sequence[str] = ()) -> PlayResult:
        """What came of it; `faults` are those from before it began."""
        plan = self._supply.plan
        return PlayResult(
            frames=self._ledger.counts,
            bytes_copied_per_frame=self._pictures.copied // max(1, self._written),
            decoder=self._pictures.decoder,
            negotiations=self._supply.negotiations,
            plan=plan,
            reasons=self._ledger.reasons,
            source_names=self._negotiation.source_names,
            refusals=self._supply.refusals,
            events=tuple(self._negotiation.events or ()),
            damaged=self._pictures.damaged,
            faults=(
                *faults,
                *self._supply.faults,
                *self._pictures.notes,
                *dict.fromkeys(self._notes),
                *self._question.notes,
                *map(_untold_text, self._untold),
                *map(untold_light_text, self._untold_lights),
            ),
            stopped=self._cut_short,
            explicit_sync=self._window.explicit_sync,
        )

    def _prepare(self) -> bool:
        """Have buffers for pictures such as come next; whether there are others than before."""
        needs = self._pictures.needs
        if needs is None:
            return False
        self._negotiation.set_covered(self._window.covered)
        if needs == self._needs:
            renewed = self._supply.update() or self._passes_over()
        else:
            # First: what light it is of decides who can show it.
            if not self._window.describe(needs.light) and needs.light is not None:
                self._untold_lights.setdefault(needs.light)
            self._question.ask(needs)
            self._needs = needs
            self._heard = time.monotonic()
            renewed = True
        if renewed and self._supply.plan is not None:
            self._ledger.renewed()
            self._pictures.use(self._supply.plan, self._supply.free)
        return renewed

    def _passes_over(self) -> bool:
        """Go on by the next plan, if the compositor wants frames and shows none of this one."""
        unseen, plan = self._ledger.unseen, self._supply.plan
        if unseen < UNSEEN or plan is None or not self._supply.pass_over():
            return False
        name = FormatModifier(plan.fourcc, plan.modifier)
        self._notes.append(f"the compositor discarded {unseen} frames of {name}, and showed none")
        return True

    def _show(self, picture: DuePicture, frame: FrameFate, asked: float) -> bool:
        """Show a picture in its time; False if it is dropped. `asked` is when it was gone for."""
        clock, paced, needs = self._clock, self._options.paced, self._needs
        assert needs is not None, "no picture comes before what its buffers need to be like"
        self._window.set_fullscreen(self._fullscreen())
        if paced and clock.too_late(picture.time, float(1 / self._pictures.rate)):
            picture.drop()
            self._dispatch(0.0)
            return False
        due = clock.due(picture.time) if paced else None
        patience = None if due is None else due + HIDDEN
        copied = self._pictures.copied
        buffer = self._filled(picture, patience)
        if buffer is None:
            picture.drop()
            return False
        self._written += 1
        frame = replace(
            frame, copied=self._pictures.copied - copied, sources=self._sources_of(buffer)
        )
        if due is not None:
            self._wait(lambda: False, due)
        if not self._wait(lambda: self._window.ready, patience):
            buffer.busy = False
            return False

        def shown(presented: Presented | None) -> None:
            if presented is None:
                self._ledger.discarded(frame)
                return
            monotonic = self._window.clock == time.CLOCK_MONOTONIC
            due = clock.due(picture.time) if paced and monotonic and presented.time else None
            shown = replace(
                frame,
                time=presented.time or None,
                latency=presented.time - asked if monotonic and presented.time else None,
                late=None if due is None else presented.time - due - clock.refresh,
                explicit_sync=self._window.explicit_sync,
            )
            self._ledger.presented(buffer, zero_copy=presented.zero_copy, frame=shown)
            clock.presented(picture.time, presented.time if monotonic else 0.0, presented.refresh)

        colour = buffer_colour(buffer.plan.fourcc, needs.content, needs.extent)
        told = self._window.show(
            buffer,
            needs.extent,
            pixel_aspect=self._pictures.pixel_aspect,
            rotation=needs.content.rotation,
            colour=colour,
            shown=shown,
        )
        if colour is not None and not told:
            self._untold.setdefault(colour)
        self._ledger.committed()
        clock.committed(picture.time)
        self._dispatch(0.0)
        return True

    def _sources_of(self, buffer: Buffer) -> tuple[str, ...]:
        """The names of the memory that a buffer is in."""
        names = self._negotiation.source_names
        used = dict.fromkeys(entry.source for entry in buffer.plan.layout.objects)
        return tuple(names.get(source, str(source)) for source in used)

    def _filled(self, picture: DuePicture, until: float | None) -> Buffer | None:
        """The buffer with a picture in it; None if there is none to be had in time."""
        filled: list[Buffer] = []

        def is_filled() -> bool:
            buffer = picture.into(self._supply.free)
            if buffer is not None:
                filled.append(buffer)
            return buffer is not None

        return filled[0] if self._wait(is_filled, until) else None

    def _wait(self, condition: Callable[[], bool], until: float | None) -> bool:
        """Dispatch until the condition holds, a time comes, or it is to stop."""
        while not condition():
            if self._stopped() or (until is not None and time.monotonic() >= until):
                return False
            self._turn(until)
        return True

    def _turn(self, until: float | None, *others: int) -> None:
        """Dispatch for a while, or until one of the fds `others` is readable.

        A silent compositor is asked whether it lives.

        A window that nobody sees gets no frame callbacks, so that silence by
        itself means nothing.
        """
        now = time.monotonic()
        pause = HEARTBEAT if until is None else min(HEARTBEAT, max(0.0, until - now))
        look = self._window.look
        if look is not None:
            pause = min(pause, look)
        if self._dispatch(pause, *others):
            return
        now = time.monotonic()
        if self._asked is not None:
            if now - self._asked > self._options.timeout:
                raise NoAnswerError(
                    f"the compositor has not answered for {self._options.timeout:g} s"
                )
        elif now - self._heard >= HEARTBEAT:
            self._asked = now
            self._connection.sync(self._answered)

    def _dispatch(self, timeout: float, *others: int) -> bool:
        # Once it is to stop, the fd that says so stays readable and would not let it wait.
        if not self._stopped():
            others = (*others, self._wake)
        came = self._connection.dispatch(timeout, *others, *self._window.wakes)
        self._window.heard()
        if not self._stopped():
            with contextlib.suppress(BlockingIOError):  # nobody has woken it
                os.eventfd_read(self._wake)
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
            total = self._pictures.count
            self._on_progress(Progress(self._ledger.counts, total, self._supply.plan))


def _untold_text(colour: Colour) -> str:
    """The note on pictures whose colours the compositor has no ears for."""
    encoding, range_ = colour
    return (
        f"the compositor cannot be told that the pictures are {encoding.name} "
        f"{range_.name.lower()}: it may show other colours"
    )
