from __future__ import annotations

import contextlib
import gc
import importlib.util
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

HERE = Path(__file__).parent


def load(name: str):
    """A module beside the tests, by its path: the tests are in no package."""
    if name not in sys.modules:
        spec = importlib.util.spec_from_file_location(name, HERE / f"{name}.py")
        module = importlib.util.module_from_spec(spec)
        sys.modules[name] = module
        spec.loader.exec_module(module)
    return sys.modules[name]


load("wire_client")
load("probe")


@pytest.fixture(autouse=True)
def nothing_left() -> Iterator[None]:
    """Every test ends with the fds, resources and listeners that it began with."""
    from heapwire.compositor_plugin.server import event_loop, global_, library, listener, resource

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


def open_fds() -> list[str]:
    found = []
    for fd in Path("/proc/self/fd").iterdir():
        with contextlib.suppress(FileNotFoundError):
            found.append(f"{fd} {fd.readlink()}")
    return sorted(found)


@pytest.fixture
def display():
    from heapwire.compositor_plugin.server.display import OwnDisplay

    with OwnDisplay() as display:
        yield display
