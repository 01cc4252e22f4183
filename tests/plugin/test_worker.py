"""What a thread has done comes back to the loop, which others wait for too."""

from __future__ import annotations

import pytest
from patience import until

from heapwire.compositor_plugin.worker import Worker

SOME = 5


@pytest.fixture
def worker():
    worker = Worker("test")
    yield worker
    worker.close()


def finished(worker: Worker, count: int) -> None:
    until(lambda: len(worker._finished) == count, "the thread")


def test_results_are_handed_on_one_by_one_and_in_order(worker) -> None:
    told: list[int] = []
    for number in range(SOME):
        worker.submit(lambda number=number: number, told.append)
    finished(worker, SOME)
    worker.acknowledge()
    lengths = [(worker.hand_on(), len(told)) for _ in range(SOME)]
    assert lengths == [(number < SOME, number) for number in range(1, SOME + 1)]
    assert told == list(range(SOME))
    assert not worker.hand_on()


def test_a_callback_may_close_it(worker) -> None:
    for _ in range(SOME):
        worker.submit(lambda: None, lambda _: worker.close())
    finished(worker, SOME)
    assert not worker.hand_on()
    assert worker.fd < 0
    assert not worker._finished
