"""Fixtures of the reference compositor's tests."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

# At the end of the path, since other folders have a conftest.py too.
sys.path.append(str(Path(__file__).parent))  # host_stage.py
sys.path.append(str(Path(__file__).parents[1] / "plugin"))  # leftovers.py, wire_client.py

from host_stage import HostStage
from leftovers import nothing_left_over


@pytest.fixture
def nothing_left() -> Iterator[None]:
    """Fails a test that leaves fds, resources, listeners, sources or globals behind."""
    with nothing_left_over():
        yield


@pytest.fixture
def stage(nothing_left: None, monkeypatch: pytest.MonkeyPatch) -> Iterator[HostStage]:
    """A compositor with one small output, in step with its clients."""
    monkeypatch.delenv("XDG_RUNTIME_DIR", raising=False)
    stage = HostStage()
    yield stage
    stage.close()


@pytest.fixture
def client(stage):
    return stage.client()
