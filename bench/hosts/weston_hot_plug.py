"""A hot-plug in a headless Weston, which the kernel tells nothing: at a signal (host_signals.py).

The module is told of a Python (`HEAPWIRE_PYTHON`) whose packages are those of this one, and
which imports this file as it starts: a virtual environment with a `.pth` file, in a folder of
the bench's own. Nothing in the module or the plugin is there for it.
"""

from __future__ import annotations

import signal
import sys
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from host_signals import HANG, HOT_PLUG, LOOK
from slice_times import time_slices

if TYPE_CHECKING:
    from heapwire.compositor_plugin import HeapPlugin


def environment(folder: Path) -> Path:
    """Make the environment; the Python that the module is to be told of."""
    version = f"python{sys.version_info.major}.{sys.version_info.minor}"
    packages = folder / "lib" / version / "site-packages"
    packages.mkdir(parents=True)
    python = folder / "bin" / version
    python.parent.mkdir()
    python.symlink_to(Path(sys.executable).resolve())
    home = Path(sys.base_prefix) / "bin"
    (folder / "pyvenv.cfg").write_text(f"home = {home}\n", "utf-8")
    paths = [path for path in (str(Path(__file__).parent), *sys.path) if Path(path).is_dir()]
    hook = f"import {Path(__file__).stem} as _; _.listen()"
    (packages / "bench.pth").write_text("\n".join([*paths, hook]), "utf-8")
    return python


def listen() -> None:
    """In Weston's process, as its Python starts: follow the signals, and time slices if asked to.

    What looks at the machine is imported now, as it is where the machine is not a simulated one.
    """
    from machine_bell import follow_bell

    time_slices()
    signal.signal(HOT_PLUG, lambda *_: _plug())
    signal.signal(LOOK, lambda *_: _ring(follow_bell))
    signal.signal(HANG, lambda *_: _hang())


def _plug() -> None:
    """Take the first source away, or give it back: from the loop, and not in whatever runs now."""
    from heapwire.compositor_plugin.hosts.embed import attachment
    from heapwire.compositor_plugin.server import IdleCall

    for attached in attachment._attachments.values():
        plugin = attached.plugin
        all_there = attached._platform
        others = replace(all_there, sources=all_there.sources[1:])
        changed = others if plugin.platform == all_there else all_there
        IdleCall(plugin._display.loop, partial(plugin.platform_changed, changed)).ask()


_rings: dict[int, Callable[[], None]] = {}


def _ring(follow_bell: Callable[[HeapPlugin], Callable[[], None]]) -> None:
    """Have the machine looked at."""
    from heapwire.compositor_plugin.hosts.embed import attachment

    for number, attached in attachment._attachments.items():
        if number not in _rings:
            _rings[number] = follow_bell(attached.plugin)
        _rings[number]()


def _hang() -> None:
    """Let the thread that asks the kernel wait for ever."""
    from host_signals import hang

    from heapwire.compositor_plugin.hosts.embed import attachment

    for attached in attachment._attachments.values():
        hang(attached.plugin)
