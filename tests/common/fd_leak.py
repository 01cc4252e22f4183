"""A fixture for rooms whose tests open what they have to close."""

from __future__ import annotations

import gc
from collections.abc import Iterator

import pytest
from open_files import open_fds


@pytest.fixture
def no_fd_leak() -> Iterator[None]:
    """Fails a test after which more fds are open than before; goes before other fixtures."""
    gc.collect()
    before = open_fds()
    yield
    gc.collect()
    assert not open_fds() - before
