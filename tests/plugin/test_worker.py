"""What a thread has done comes back to the loop, which others wait for too."""

from __future__ import annotations

import select

import pytest
from patience import until

from heapwire.compositor_plugin.worker import AT_ONCE, Worker


@pytest.fixture
def worker():
    worker = Worker("test")
    yield worker
    worker.close()


def is_readable(worker: Worker) -> bool:
    return bool(select.select([worker.fd], [], [], 0)[0])


def test_results_are_handed_on_a_few_in_a_pass(worker) -> None:
    told: list[int] = []
    count = 2 * AT_ONCE + 1
    for number in range(count):
        worker.submit(lambda number=number: number, told.append)
    until(lambda: len(worker._finished) == count, "the thread")
    lengths = []
    while is_readable(worker):
        worker.dispatch()
        lengths.append(len(told))
    assert lengths == [AT_ONCE, 2 * AT_ONCE, count]
    assert told == list(range(count))


def test_a_callback_may_close_it(worker) -> None:
    for _ in range(AT_ONCE + 1):
        worker.submit(lambda: None, lambda _: worker.close())
    until(lambda: len(worker._finished) == AT_ONCE + 1, "the thread")
    worker.dispatch()
    assert worker.fd < 0
    assert not worker._finished
