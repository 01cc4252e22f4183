"""What a test of the compositor's side must not leave behind."""

from __future__ import annotations

import contextlib
import gc
from collections.abc import Iterator

from open_files import open_fds

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
    registries = (
        resource._resources,
        resource._left,
        listener._listeners,
        event_loop._sources,
        global_._globals,
    )
    left = [dict(registry) for registry in registries]
    for registry in registries:
        registry.clear()  # so that one test's fault is not the next one's
    assert not any(left), left
    assert not open_fds() ^ before, "closed or left open"
