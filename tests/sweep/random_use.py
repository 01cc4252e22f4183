"""A player that is used at random, and what must hold all the while.

By hand, for long, with figures at the end:

    python tests/sweep/random_use.py --minutes 10 --seed 1

The picture is a test pattern of greys with a counter. Of each frame that the reference compositor
shows, all pixels are those of its number; so are those of the frame before, which has been on the
screen until then, so that nobody wrote a buffer in use. The numbers are those that the player
says it has shown, in this order, and there are never more buffers than were agreed on. Three of
four compositors have explicit sync, and then each frame is told with it. From time to time
everything settles: then no more is open, resident or alive than there was before.
"""

from __future__ import annotations

import argparse
import gc
import itertools
import os
import random
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction
from pathlib import Path
from unittest import mock

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[1] / "common"))
from open_files import open_fds
from patience import PATIENCE, until

import heapwire.compositor_plugin.hosts.reference.compositor as reference
from heapwire.client_lib import DisconnectedError, Player, PlayOptions
from heapwire.client_lib.player import FrameFate, PatternMaterial, PlayResult, Progress
from heapwire.client_lib.player.pattern.drawing import BITS, Drawing, square_side
from heapwire.compositor_plugin.hosts.reference import Compositor
from heapwire.compositor_plugin.hosts.reference.dmabuf import WlBuffer
from heapwire.compositor_plugin.hosts.reference.scene import FrameRecord, OutputMode
from heapwire.compositor_plugin.server.resource import live_resources
from heapwire.kernel.description import Platform
from heapwire.protocol.values import Extent

PATTERN = "steps"  # greys: no chroma that a format could have less of
LEVELS = 3  # of 255, for limited range and back
NUMBERS = 1 << BITS
MOST_POOLS = 4  # in use, before, on the screen, and on an output that has yet to refresh
EXPLICIT = 0.75  # of the compositors
RENEWED = 2  # negotiations for one change: a surface may change places on its way
OUTPUTS = (
    OutputMode(name="one", extent=Extent(640, 480), refresh=120_000),
    OutputMode(name="two", extent=Extent(320, 240), refresh=100_000),
)


class Counted:
    """The pattern as it is to be seen, and the number of one that is seen."""

    def __init__(self, extent: Extent) -> None:
        self._drawing = Drawing(PATTERN, extent)
        side = square_side(extent)
        self._places = [bit * side + side // 2 for bit in range(BITS)]
        self._row = extent.height - side // 2

    def number(self, image: np.ndarray) -> int:
        """The number of a picture; fails for one that is not wholly that number's."""
        number = 0
        for column in self._places:
            number = number << 1 | int(image[self._row, column, 0] > 127)
        wanted = self._drawing.picture(number).astype(int)
        off = np.abs(image.astype(int) - wanted).max(-1) > LEVELS
        assert not off.any(), f"{off.sum()} pixels are not of picture {number}"
        return number


@dataclass
class Session:
    """One player on one compositor: what was shown, and what the player says of it."""

    shown: list[int] = field(default_factory=list)
    told: list[tuple[int, int]] = field(default_factory=list)  # which frame, and its picture
    explicit: bool = False
    otherwise: int = 0  # frames that were told with the other kind of sync
    changes: int = 0
    agreed: int = 0
    result: PlayResult | None = None
    error: BaseException | None = None


class RandomUse:
    """A player, the compositor that it is on, and somebody who cannot sit still.

    `socket` is the name that each compositor listens by. `faults` is what did not hold.
    """

    def __init__(self, seed: int, *, extent: Extent, rate: int, socket: str) -> None:
        self.faults: list[str] = []
        self.actions: Counter[str] = Counter()
        self.pictures = 0
        self.explicit = 0
        self.negotiations = 0
        self.most_buffers = 0
        self._random = random.Random(seed)
        self._extent = extent
        self._rate = rate
        self._socket = socket
        self._counted = Counted(extent)
        self._whole = Platform.load("raspberry-pi-4")
        self._kinds: tuple[Callable[[], None], ...] = (
            *[self._pause, self._seek, self._resize, self._fullscreen, self._unplug, self._heap]
            * 4,
            *[self._look] * 8,
            self._restart,
        )
        self._begin()

    def act(self) -> None:
        """Do something, and let some frames come."""
        kind = self._random.choice(self._kinds)
        self.actions[kind.__name__.strip("_")] += 1
        kind()
        self._frames(self._random.choice((0, 0, 1, 2, 5)))

    def settle(self) -> Sample:
        """Everything is as it was, and only the buffers that were agreed on are there."""
        self._paused = False
        self._player.pause(False)
        until(lambda: self._ended or self._buffers() <= self._session.agreed, "old buffers to go")
        self._frames(3)
        samples: list[Sample] = []
        self._take_sample = samples.append
        until(lambda: self._ended or samples, "a picture")
        return samples[0] if samples else Sample.now()

    def end(self) -> None:
        """Stop, and look at what came of it."""
        self._player.stop()
        self._thread.join(PATIENCE)
        self._close()

    # What somebody does.

    def _pause(self) -> None:
        self._paused = not self._paused
        self._player.pause(self._paused)

    def _seek(self) -> None:
        self._player.jump(self._random.choice((-10.0, -1.0, 1.0, 10.0)))

    def _resize(self) -> None:
        self._session.changes += 1
        self._compositor.resize(self._random.randrange(40, 640), self._random.randrange(30, 480))

    def _fullscreen(self) -> None:
        self._session.changes += 1
        self._full = not self._full
        self._player.set_fullscreen(self._full)

    def _unplug(self) -> None:
        """One output, or the other, or both again."""
        self._session.changes += 1
        if self._unplugged is None:
            self._unplugged = self._random.choice(OUTPUTS)
            self._compositor.unplug(self._unplugged.name)
        else:
            self._compositor.plug(self._unplugged)
            self._unplugged = None
        # What was on an output that is gone is given back at once.
        self._compositor.call(self._forget)

    def _forget(self) -> None:
        self._before = None

    def _heap(self) -> None:
        """The memory that the display can read goes, or is there again."""
        self._session.changes += 1
        self._poor = not self._poor
        sources = tuple(one for one in self._whole.sources if not (self._poor and one.contiguous))
        platform = replace(self._whole, sources=sources)
        plugin = self._compositor.plugin
        self._compositor.call(lambda: plugin.platform_changed(platform))

    def _look(self) -> None:
        """What is on the screen at any moment is whole."""
        self._compositor.call(self._whole_now)
        buffers = self._buffers()
        self.most_buffers = max(self.most_buffers, buffers)
        if self._session.agreed and buffers > MOST_POOLS * self._session.agreed:
            self.faults.append(f"{buffers} buffers where {self._session.agreed} were agreed on")

    def _restart(self) -> None:
        """The compositor is gone, before the player or after it; then both come again."""
        if self._random.random() < 0.5:
            self.end()
        else:
            self._stop_compositor()
            self._thread.join(PATIENCE)
            if not isinstance(self._session.error, DisconnectedError):
                self.faults.append(f"the compositor went, and the player: {self._session.error!r}")
            self._session.error = None
            self._close()
        self._begin()

    # How it is done.

    def _begin(self) -> None:
        self._take_sample: Callable[[Sample], None] | None = None
        self._paused = self._full = self._poor = False
        self._unplugged: OutputMode | None = None
        self._before: tuple[str, Callable[[], np.ndarray]] | None = None
        session = self._session = Session(explicit=self._random.random() < EXPLICIT)
        timelines = reference.open_timelines if session.explicit else _none
        with mock.patch.object(reference, "open_timelines", timelines):
            self._compositor = Compositor(
                self._whole, outputs=OUTPUTS, socket=self._socket, on_frame=self._on_frame
            )
        self._running = self._compositor.running()
        self._running.__enter__()
        self._player = Player(
            PatternMaterial(PATTERN, self._extent, Fraction(self._rate)),
            display=self._socket,
            platform=self._whole,
            options=PlayOptions(timeout=PATIENCE),
            on_progress=self._progress,
            on_fate=lambda fate: self._on_fate(session, fate),
        )
        self._thread = threading.Thread(target=self._play, args=(session,))
        self._thread.start()
        self._frames(1)

    def _play(self, session: Session) -> None:
        try:
            session.result = self._player.play()
        except BaseException as error:
            session.error = error

    def _progress(self, progress: Progress) -> None:
        take = self._take_sample
        if take is not None:
            self._take_sample = None
            # In the compositor's thread, while the player's waits here: whoever has a list of all
            # objects while another thread fills a tuple makes that fail (CPython's
            # PySequence_Tuple).
            take(self._compositor.call(Sample.now))
        if progress.plan is not None:
            self._session.agreed = max(self._session.agreed, progress.plan.buffer_count)

    def _on_fate(self, session: Session, fate: FrameFate) -> None:
        if fate.fate == "dropped":
            return
        session.told.append((fate.number, round(fate.position * self._rate) % NUMBERS))
        session.otherwise += fate.explicit_sync is not session.explicit

    def _on_frame(self, record: FrameRecord, pixels: Callable[[], np.ndarray]) -> None:
        try:
            output, before = self._before or ("", pixels)
            if output == record.output and self._session.shown:
                # It was on this output until now. One that the window has left may have
                # refreshed before, and with that it gave back what it had shown.
                number = self._counted.number(before())
                if number != self._session.shown[-1]:
                    self.faults.append(f"{self._session.shown[-1]} became {number} on the screen")
            self._session.shown.append(self._counted.number(pixels()))
            self._before = record.output, pixels
        except Exception as error:
            self.faults.append(repr(error))

    def _whole_now(self) -> None:
        for surface in self._compositor._desktop.surfaces.values():
            hold = surface.current.hold
            if hold is not None:
                try:
                    image = hold.content.image(surface.current.presenting.colour)
                    self._counted.number(image[..., :3])
                except AssertionError as error:
                    self.faults.append(str(error))

    def _frames(self, count: int) -> None:
        """Wait for frames, unless none are to come."""
        if self._paused:
            return
        wanted = len(self._session.shown) + count
        until(lambda: self._ended or len(self._session.shown) >= wanted, "frames")

    @property
    def _ended(self) -> bool:
        return not self._thread.is_alive()

    def _buffers(self) -> int:
        """How many buffers the player has at the compositor."""
        call = self._compositor.call
        return call(lambda: sum(isinstance(one, WlBuffer) for one in live_resources()))

    def _stop_compositor(self) -> None:
        self._running.__exit__(None, None, None)
        self._compositor.close()

    def _close(self) -> None:
        """What the player says it has shown is what was shown."""
        session = self._session
        self._stop_compositor()
        if session.error is not None:
            self.faults.append(f"the player: {session.error!r}")
        if session.otherwise:
            sync = "explicit" if session.explicit else "implicit"
            self.faults.append(f"{session.otherwise} frames without the {sync} sync of all others")
        told = [picture for _, picture in sorted(session.told)]
        if told != session.shown[: len(told)]:
            pairs = list(itertools.zip_longest(told, session.shown))
            wrong = next(n for n, (one, other) in enumerate(pairs) if one != other)
            self.faults.append(f"told and shown: {pairs[max(0, wrong - 2) : wrong + 3]}")
        self.pictures += len(session.shown)
        self.explicit += len(session.shown) * session.explicit
        if session.result is not None:
            self.negotiations += session.result.negotiations
            if session.result.negotiations > 1 + RENEWED * session.changes:
                self.faults.append(
                    f"{session.result.negotiations} negotiations for {session.changes} changes"
                )


def _none(*, simulated: bool) -> None:
    """No timelines, of either kind."""


@dataclass(frozen=True, slots=True)
class Sample:
    """What this process has: open descriptors, resident memory, and objects that are collected."""

    fds: int
    kib: int
    objects: int

    @classmethod
    def now(cls) -> Sample:
        gc.collect()
        resident = Path("/proc/self/status").read_text().split("VmRSS:")[1].split()[0]
        return cls(len(open_fds()), int(resident), len(gc.get_objects()))


# By how much the least of the last quarter may be above the most of the second: now and then there
# are more buffers, each with its timeline; the compositor keeps records of a second; and memory
# comes in pieces for each thread.
MOST_GROWN = {"fds": 24, "kib": 16 << 10, "objects": 1500}


def growth(samples: Sequence[Sample]) -> Iterator[tuple[str, list[int], list[int]]]:
    """Of each figure the name, and what it was early on and late, the least first."""
    quarter = max(1, len(samples) // 4)
    early = samples[quarter : 2 * quarter] or samples
    for name in MOST_GROWN if samples else ():
        figures = ([getattr(one, name) for one in some] for some in (early, samples[-quarter:]))
        before, after = map(sorted, figures)
        yield name, before, after


def grown(samples: Sequence[Sample]) -> list[str]:
    """What became more and more."""
    return [
        f"{name}: {before[-1]} at most early on, {after[0]} at least late"
        for name, before, after in growth(samples)
        if after[0] > before[-1] + MOST_GROWN[name]
    ]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--minutes", type=float, default=10)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--rate", type=int, default=60, help="pictures a second")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        os.environ["XDG_RUNTIME_DIR"] = folder
        use = RandomUse(options.seed, extent=Extent(320, 180), rate=options.rate, socket="random")
        began, samples = time.monotonic(), []
        while time.monotonic() - began < options.minutes * 60 and not use.faults:
            for _ in range(50):
                use.act()
            samples.append(use.settle())
            if sys.stderr.isatty():
                print(f"\r\x1b[K{dict(use.actions)} {samples[-1]}", end="", file=sys.stderr)
        use.end()
    print(f"\nseed {options.seed}: {use.pictures} pictures, {use.explicit} by explicit sync,")
    print(
        f"{use.negotiations} negotiations, at most {use.most_buffers} buffers, {dict(use.actions)}"
    )
    for name, before, after in growth(samples):
        print(f"{name}: {before[0]} to {before[-1]} early on, {after[0]} to {after[-1]} late")
    faults = [*use.faults, *grown(samples)]
    for fault in faults:
        print(f"FAULT {fault}")
    return int(bool(faults))


if __name__ == "__main__":
    sys.exit(main())
