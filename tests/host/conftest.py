"""Fixtures of the reference compositor's tests."""

from __future__ import annotations

import gc
import importlib.util
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

HERE = Path(__file__).parent


def load(path: Path):
    """A module beside the tests, by its path: the tests are in no package."""
    if path.stem not in sys.modules:
        spec = importlib.util.spec_from_file_location(path.stem, path)
        module = importlib.util.module_from_spec(spec)
        sys.modules[path.stem] = module
        spec.loader.exec_module(module)
    return sys.modules[path.stem]


load(HERE.parent / "plugin" / "wire_client.py")
load(HERE / "host_stage.py")


@pytest.fixture
def nothing_left() -> Iterator[None]:
    """Fails a test that leaves fds, resources, listeners, sources or globals behind."""
    from heapwire.compositor_plugin.server import event_loop, global_, library, listener, resource

    open_fds = sys.modules["host_stage"].open_fds
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
    assert found == [{}, {}, {}, {}]
    assert open_fds() == before


@pytest.fixture
def stage(nothing_left: None, monkeypatch: pytest.MonkeyPatch) -> Iterator[object]:
    """A compositor with one small output, in step with its clients."""
    monkeypatch.delenv("XDG_RUNTIME_DIR", raising=False)
    stage = sys.modules["host_stage"].HostStage()
    yield stage
    stage.close()


@pytest.fixture
def client(stage):
    return stage.client()
