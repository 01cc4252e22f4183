"""Fixtures of the reference compositor's tests."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
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
