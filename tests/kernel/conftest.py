"""What the tests of this room share."""

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest


def open_fds() -> set[int]:
    """The file descriptors of this process, without the one that looks."""
    found = set()
    for entry in Path("/proc/self/fd").iterdir():
        fd = int(entry.name)
        try:
            os.fstat(fd)
        except OSError:
            continue
        found.add(fd)
    return found


@pytest.fixture(autouse=True)
def no_fd_left_over() -> Iterator[None]:
    """Every test of this room gives back the file descriptors that it took."""
    before = open_fds()
    yield
    left = open_fds() - before
    assert not left, f"left open: {left}"


@pytest.fixture(scope="session")
def platform_text() -> Callable[[str], str]:
    """The text of a shipped platform's file."""
    folder = Path(__file__).parents[2] / "kernel" / "platforms"
    return lambda name: (folder / f"{name}.toml").read_text("utf-8")
