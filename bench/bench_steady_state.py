"""How often the plugin is called while a video plays on: the aim is not at all.

A player shows frames on the reference compositor, which calls the plugin when
something changes. Calls are counted once the first frames have settled.
"""

from __future__ import annotations

import functools
import tempfile
from collections import Counter
from collections.abc import Callable
from pathlib import Path

from ratio_table import tell_ratio

from heapwire.cli.demo import write_clip
from heapwire.client_lib.player import Player, PlayOptions, Progress
from heapwire.compositor_plugin.hosts.reference import Compositor
from heapwire.kernel.description import Platform

FRAMES = 90
SETTLED = 30  # frames until every buffer of the pool has been on the screen
CALLS = ("surface_changed", "buffer_shown", "host_state", "answer_soon")


def main() -> None:
    """Play, count and print."""
    platform = Platform.load("raspberry-pi-4")
    counts: Counter[str] = Counter()
    before: Counter[str] = Counter()

    def settle(progress: Progress) -> None:
        if progress.counts.shown <= SETTLED:
            before.update(counts - before)

    with tempfile.TemporaryDirectory() as folder:
        clip = write_clip(Path(folder) / "clip.mkv", frames=FRAMES)
        with Compositor(platform) as compositor:
            state = compositor.plugin._state
            owners = (compositor.plugin, compositor.plugin, state, state.answers)
            for owner, name in zip(owners, CALLS, strict=True):
                _count(owner, name, counts)
            with compositor.running():
                player = Player(
                    clip,
                    display=compositor.connect(),
                    platform=platform,
                    options=PlayOptions(fullscreen=True, paced=False),
                    on_progress=settle,
                )
                result = player.play()
    steady = result.frames.shown - SETTLED
    calls = sum((counts - before).values())
    print(
        f"calls to the plugin in {steady} displayed frames: {calls} ({calls / steady:.2f} a frame)"
    )
    tell_ratio("calls of the plugin, when nothing changes any more", calls / steady, "a frame")
    for name in CALLS:
        print(f"    {name}: {before[name]} at the start, {counts[name] - before[name]} after that")


def _count(owner: object, name: str, counts: Counter[str]) -> None:
    method: Callable[..., object] = getattr(owner, name)

    @functools.wraps(method)
    def counted(*arguments: object, **named: object) -> object:
        counts[name] += 1
        return method(*arguments, **named)

    setattr(owner, name, counted)


if __name__ == "__main__":
    main()
