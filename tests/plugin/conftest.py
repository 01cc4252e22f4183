"""Fixtures of the plugin's tests."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

# At the end of the path, since other folders have a conftest.py too.
sys.path.append(str(Path(__file__).parent))  # leftovers.py, stage.py, wire_client.py
sys.path.append(str(Path(__file__).parent / "server"))  # probe.py

from leftovers import nothing_left_over


@pytest.fixture(autouse=True)
def nothing_left() -> Iterator[None]:
    """Every test ends with the fds, resources, listeners and sources that it began with."""
    with nothing_left_over():
        yield


@pytest.fixture
def display():
    from heapwire.compositor_plugin.server import OwnDisplay

    with OwnDisplay() as display:
        yield display
