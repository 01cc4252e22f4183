"""The reference compositor on a thread, with its socket in a folder of the test's own."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from served_platform import PLATFORM, Serve

from heapwire.compositor_plugin.hosts.reference import Compositor
from heapwire.kernel.description import Platform


@pytest.fixture
def serve(monkeypatch: pytest.MonkeyPatch) -> Iterator[Serve]:
    """Start one, as it is just then; gives the path of its socket."""
    with ExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="heapwire-"))
        monkeypatch.setenv("XDG_RUNTIME_DIR", folder)

        def start(platform: Platform = PLATFORM) -> str:
            compositor = stack.enter_context(Compositor(platform, socket="tested"))
            stack.enter_context(compositor.running())
            return str(Path(folder) / "tested")

        yield start
