"""Timelines of the kernel and simulated ones: points that come, and who is told."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest
from fake_syncobjs import FakeKernel
from leftovers import nothing_left_over

from heapwire.kernel.drm import SimulatedTimelines, Timelines, open_timelines

LATEST = (1 << 64) - 1


@contextmanager
def eventfd() -> Iterator[int]:
    fd = os.eventfd(0, os.EFD_CLOEXEC | os.EFD_NONBLOCK)
    try:
        yield fd
    finally:
        os.close(fd)


def written(fd: int) -> bool:
    try:
        return os.eventfd_read(fd) > 0
    except BlockingIOError:
        return False


@pytest.fixture(params=["kernel", "simulated"])
def both(request: pytest.FixtureRequest) -> Iterator[tuple[Timelines, Timelines]]:
    """What two processes have."""
    kernel = FakeKernel()
    with nothing_left_over():
        opened = [
            kernel.open() if request.param == "kernel" else SimulatedTimelines() for _ in range(2)
        ]
        yield opened[0], opened[1]
        for one in opened:
            one.close()
            one.close()
        kernel.close()


def test_a_point_that_one_side_signals_has_come_on_the_other(both) -> None:
    ours, theirs = both
    with closing(ours.create()) as made:
        fd = made.export()
        with closing(theirs.imported(fd)) as imported:
            os.close(fd)
            assert not made.signalled(1)
            assert not imported.signalled(1)
            made.signal(7)
            assert imported.signalled(7)
            assert imported.signalled(1)
            assert not imported.signalled(8)
            imported.signal(LATEST)
            assert made.signalled(LATEST)


def test_an_earlier_point_takes_nothing_back(both) -> None:
    ours, theirs = both
    with closing(ours.create()) as made:
        fd = made.export()
        with closing(theirs.imported(fd)) as imported:
            os.close(fd)
            imported.signal(5)
            made.signal(3)
            imported.signal(4)
            assert made.signalled(5)
            assert imported.signalled(5)


def test_a_timeline_outlives_who_has_made_it(both) -> None:
    ours, theirs = both
    made = ours.create()
    fd = made.export()
    made.signal(1)
    made.close()
    made.close()
    with closing(theirs.imported(fd)) as imported:
        os.close(fd)
        assert imported.signalled(1)


def test_the_last_reference_lets_go_of_it() -> None:
    kernel = FakeKernel()
    with kernel.open() as timelines:
        made = timelines.create()
        assert len(kernel.handles) == 1
        del made
        assert not kernel.handles


@pytest.mark.parametrize("file", ["/dev/null", "/dev/zero"])
def test_what_is_no_timeline_is_not_imported(both, file: str) -> None:
    with Path(file).open("rb") as other, pytest.raises(OSError, match=r"."):
        both[0].imported(other.fileno())


@pytest.mark.parametrize("size", [0, 15, 17])
def test_a_memfd_of_another_size_is_no_simulated_timeline(size: int) -> None:
    fd = os.memfd_create("other", os.MFD_ALLOW_SEALING)
    try:
        os.ftruncate(fd, size)
        with pytest.raises(OSError, match="no timeline"):
            SimulatedTimelines().imported(fd)
        os.ftruncate(fd, 16)  # which could be shrunk while somebody reads it
        with pytest.raises(OSError, match="no timeline"):
            SimulatedTimelines().imported(fd)
    finally:
        os.close(fd)


def test_the_kernel_tells_of_a_point_when_it_comes() -> None:
    kernel = FakeKernel()
    with kernel.open() as timelines, closing(timelines.create()) as made, eventfd() as told:
        assert made.notify(2, told)
        made.signal(1)
        assert not written(told)
        made.signal(2)
        assert written(told)
        made.signal(2)
        assert not written(told), "once"
        assert made.notify(1, told), "a point that has come"
        assert written(told)


def test_nobody_tells_of_points_before_linux_6_6_nor_of_simulated_ones() -> None:
    with FakeKernel(eventfds=False).open() as old, eventfd() as told:
        for timelines in (old, SimulatedTimelines()):
            with closing(timelines.create()) as made:
                assert not made.notify(1, told)


def test_nothing_is_waited_for_on_a_device_that_is_gone() -> None:
    kernel = FakeKernel()
    with kernel.open() as timelines, eventfd() as told:
        made = timelines.create()
        kernel.gone = True
        assert made.signalled(1)
        assert not made.notify(1, told)
        with pytest.raises(OSError, match="gone"):
            made.signal(1)
        made.close()


def test_a_timeline_that_outlives_its_device_asks_nobody_else() -> None:
    kernel = FakeKernel()
    timelines = kernel.open()
    made = timelines.create()
    timelines.close()
    assert made.signalled(1)
    with pytest.raises(OSError, match="Bad file descriptor"):
        made.signal(1)
    made.close()
    assert len(kernel.handles) == 1, "whatever has the number of its descriptor now"


def test_where_no_device_has_timelines_there_are_none(tmp_path: Path) -> None:
    nodes = ["/dev/null", str(tmp_path / "gone")]
    assert open_timelines(simulated=False, nodes=nodes) is None
    assert open_timelines(simulated=True, nodes=nodes) is not None
