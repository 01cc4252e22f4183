"""What became of the frames of a stream."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping

from heapwire.client_lib.buffers import Buffer
from heapwire.protocol.late_dataclasses import dataclass, field, replace
from heapwire.protocol.values import Plan, SourceId
from heapwire.protocol.wire import Event, Refusal
from heapwire.protocol.wire.bindings import BufferStatusResult

MOST_WAITING = 16  # frames on the screen without a status; one that comes at all comes at once


@dataclass(frozen=True, slots=True, kw_only=True)
class FrameCounts:
    """Frames, by what became of them.

    `decoded` is `shown` plus `dropped` at the end. `shown` were on the screen;
    of these `scanned_out` and `composited` are what the compositor said, by a
    status or by wp_presentation's flag of zero-copy, and it may have said nothing.
    """

    decoded: int = 0
    shown: int = 0
    scanned_out: int = 0
    composited: int = 0
    dropped: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class FrameFate:
    """What became of one frame.

    `number` counts the frames that were decoded, from 1. `position` is its place in the file and
    `time` when it was on the screen, on the compositor's clock, both in seconds; `late` how many
    seconds after it was due, and `latency` how many after the player had gone for it: taken it from
    the camera, or begun to decode it. `jitter` is how many seconds later it was than the frame that
    was shown before it, each from when it was due: less than 0 if it was earlier. These four are
    None for what was dropped, or where nobody tells.
    `fate` is `scanned out`, `composited`, `shown` where nobody says which, or `dropped`, and
    `reason` why it was not scanned out. `copied` are the bytes that the CPU stored for it,
    `sources` the memory that its buffer is in. `explicit_sync` says that points of timelines said
    when its buffer could be read and was read.
    """

    number: int
    position: float
    fate: str = "dropped"
    reason: str = ""
    time: float | None = None
    late: float | None = None
    jitter: float | None = None
    latency: float | None = None
    copied: int = 0
    sources: tuple[str, ...] = ()
    explicit_sync: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class PlayResult:
    """The outcome of playing a stream.

    `bytes_copied_per_frame` is the mean over the frames that were written,
    rounded down: what the CPU stored after decoding. `decoder` is who decoded: the
    name of a device, or `cpu`. `plan` is the last one.
    `reasons` counts shown frames by why they were not scanned out, in the words
    of the protocol's status_reason. `source_names` names the compositor's sources,
    and `refusals` says of those that the plan does not use why that is. `events`
    are those of the negotiation, if they were recorded.
    `damaged` counts packets that could not be decoded; `faults` says why devices
    were passed over, and plans that came unasked not taken. `stopped` is set if it
    was not played to its end, and `shared` if it went through `wl_shm`, whose memory the compositor
    copies. `explicit_sync` is set if points of timelines said when buffers could be read and were.
    """

    frames: FrameCounts
    bytes_copied_per_frame: int
    decoder: str
    negotiations: int
    plan: Plan | None
    reasons: Mapping[str, int]
    source_names: Mapping[SourceId, str] = field(default_factory=dict)
    refusals: tuple[Refusal, ...] = ()
    events: tuple[Event, ...] = ()
    damaged: int = 0
    faults: tuple[str, ...] = ()
    stopped: bool = False
    shared: bool = False
    explicit_sync: bool = False


class FrameLedger:
    """Counts frames on their way from the decoder to the screen.

    What the compositor says of a buffer and that a frame is on the screen come
    as two events, in either order: `settle`, called when no events are left,
    brings them together. `unseen` counts those that the compositor discarded of the buffers in
    use, and is 0 once it has shown one. Without `statuses` there will be none. Where there is
    none, a frame that was presented without a copy was scanned out. `on_fate` is called with
    the fate of each frame, once it is known; `jitter` is worked out here.
    """

    def __init__(
        self, *, statuses: bool = True, on_fate: Callable[[FrameFate], None] | None = None
    ) -> None:
        self._on_fate = on_fate
        self._statuses_told = statuses
        self.decoded = 0
        self.dropped = 0
        self.shown = 0
        self.pending = 0
        self.unseen = 0
        self._seen = False
        self._late: float | None = None  # the frame that was shown last
        self._statuses: Counter[BufferStatusResult] = Counter()
        self._reasons: Counter[str] = Counter()
        self._unsettled: list[tuple[Buffer, bool, FrameFate | None]] = []

    def renewed(self) -> None:
        """From now on the frames are in other buffers."""
        self.unseen, self._seen = 0, False

    def committed(self) -> None:
        """A frame was given to the compositor."""
        self.pending += 1

    def presented(self, buffer: Buffer, *, zero_copy: bool, frame: FrameFate | None = None) -> None:
        """It is on the screen, certainly without a copy or not certainly."""
        self.pending -= 1
        self.shown += 1
        self.unseen, self._seen = 0, True
        if frame is not None:
            before, self._late = self._late, frame.late
            if before is not None and frame.late is not None:
                frame = replace(frame, jitter=frame.late - before)
        self._unsettled.append((buffer, zero_copy, frame))

    def discarded(self, frame: FrameFate | None = None) -> None:
        """It never was."""
        self.pending -= 1
        self.dropped += 1
        self.unseen += not self._seen
        self.tell(frame)

    def tell(self, frame: FrameFate | None, fate: str = "dropped", reason: str = "") -> None:
        """Say what became of a frame."""
        if frame is not None and self._on_fate is not None:
            self._on_fate(replace(frame, fate=fate, reason=reason))

    def settle(self, *, finally_: bool = False) -> None:
        """Count what the compositor said of the frames on the screen.

        The last frames of which nothing was said yet wait, unless it is `finally_`
        over.
        """
        waiting: list[tuple[Buffer, bool, FrameFate | None]] = []
        for buffer, zero_copy, frame in self._unsettled:
            status = buffer.status
            if status is not None:
                self._statuses[status.result] += 1
                if status.result is BufferStatusResult.SCANOUT:
                    self.tell(frame, "scanned out")
                else:
                    reason = status.reason.name.lower()
                    self._reasons[reason] += 1
                    self.tell(frame, "composited", reason)
            elif zero_copy:
                self._statuses[BufferStatusResult.SCANOUT] += 1
                self.tell(frame, "scanned out")
            else:
                waiting.append((buffer, zero_copy, frame))
        kept = 0 if finally_ or not self._statuses_told else MOST_WAITING
        given_up = len(waiting) - kept
        if given_up > 0:
            self._reasons["unknown"] += given_up
            for _, _, frame in waiting[:given_up]:
                self.tell(frame, "shown", "unknown")
            del waiting[:given_up]
        self._unsettled = waiting
        if finally_:
            self.dropped += self.pending
            self.pending = 0

    @property
    def counts(self) -> FrameCounts:
        """The counts so far."""
        return FrameCounts(
            decoded=self.decoded,
            shown=self.shown,
            scanned_out=self._statuses[BufferStatusResult.SCANOUT],
            composited=self._statuses[BufferStatusResult.COMPOSITED],
            dropped=self.dropped,
        )

    @property
    def reasons(self) -> Mapping[str, int]:
        """How many frames were not scanned out for which reason, the commonest first."""
        return dict(self._reasons.most_common())
