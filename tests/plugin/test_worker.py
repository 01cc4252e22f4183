"""What a thread has done comes back to the loop, which others wait for too."""

from __future__ import annotations

import os
import select

import pytest
from patience import turns, until

from heapwire.compositor_plugin.machine import Worker, worker as worker_file

SOME = 5


@pytest.fixture
def worker(monkeypatch):
    monkeypatch.setattr(worker_file, "AT_ONCE", SOME)
    worker = Worker("test")
    yield worker
    worker.close()


def is_readable(worker: Worker) -> bool:
    return bool(select.select([worker.fd], [], [], 0)[0])


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


def test_the_loop_is_woken_once_for_what_it_has_not_taken_yet(worker, monkeypatch) -> None:
    """Whoever takes the first result goes on until there is none."""
    woken: list[int] = []
    write = os.eventfd_write
    monkeypatch.setattr(os, "eventfd_write", lambda fd, by: woken.append(by) or write(fd, by))
    for _ in range(SOME):
        worker.submit(lambda: None, lambda _: None)
    finished(worker, SOME)
    assert woken == [1]
    worker.acknowledge()
    assert not is_readable(worker)
    for _ in turns(SOME + 1, "the last result"):
        if not worker.hand_on():
            break
    worker.submit(lambda: None, lambda _: None)
    until(lambda: is_readable(worker), "the thread")


def test_a_callback_may_close_it(worker) -> None:
    for _ in range(SOME):
        worker.submit(lambda: None, lambda _: worker.close())
    finished(worker, SOME)
    assert not worker.hand_on()
    assert worker.fd < 0
    assert not worker._finished


def test_the_thread_has_a_few_tasks_at_a_time(worker, monkeypatch) -> None:
    """The next one when a result has been handed on; and what never was begun never is."""
    monkeypatch.setattr(worker_file, "AT_ONCE", 2)
    begun: list[int] = []
    told: list[int] = []

    def submitted(number: int) -> None:
        worker.submit(lambda: begun.append(number) or number, told.append)

    for number in range(SOME):
        submitted(number)
    assert len(worker._waiting) == SOME - 2
    finished(worker, 2)
    assert begun == [0, 1]
    worker.hand_on()
    assert len(worker._waiting) == SOME - 3
    finished(worker, 2)
    assert (begun, told) == ([0, 1, 2], [0])
    submitted(SOME)
    assert len(worker._waiting) == SOME - 2
    worker.close()
    assert not worker._waiting
    assert begun == [0, 1, 2]


def test_all_tasks_come_to_their_turn(worker, monkeypatch) -> None:
    monkeypatch.setattr(worker_file, "AT_ONCE", 2)
    told: list[int] = []
    for number in range(4 * SOME):
        worker.submit(lambda number=number: number, told.append)
    for _ in turns(1000, "the last result"):
        if len(told) == 4 * SOME:
            break
        until(lambda: is_readable(worker), "the thread")
        worker.acknowledge()
        while worker.hand_on():
            pass
    assert told == [*range(4 * SOME)]
