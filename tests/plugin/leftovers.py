"""What a test of the compositor's side must not leave behind."""

from __future__ import annotations

import contextlib
import gc
from collections.abc import Iterator
from pathlib import Path

from heapwire.compositor_plugin.server import (
    event_loop,
    global_,
    libwayland_server as library,
    listener,
    resource,
)


@contextlib.contextmanager
def nothing_left_over() -> Iterator[None]:
    """Fails when it ends with other fds, resources, listeners, sources or globals."""
    library.library()
    gc.collect()
    before = open_fds()
    yield
    gc.collect()
    left = (
        resource._resources,
        listener._listeners,
        event_loop._sources,
        global_._globals,
    )
    found = [dict(one) for one in left]
    for one in left:
        one.clear()  # so that one test's fault is not the next one's
    assert found == [{}, {}, {}, {}], found
    now = open_fds()
    assert now == before, f"closed or left open: {set(now) ^ set(before)}"


def open_fds() -> list[str]:
    """What this process has open, to be compared."""
    found = []
    for fd in Path("/proc/self/fd").iterdir():
        with contextlib.suppress(FileNotFoundError):
            found.append(f"{fd} {fd.readlink()}")
    return sorted(found)
