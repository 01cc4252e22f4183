"""Fixtures of the plugin's tests."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
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
