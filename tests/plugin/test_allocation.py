"""Memory that the compositor allocates for its clients."""

from __future__ import annotations

import os

import pytest
from stage import Allocator, Stage

from heapwire.compositor_plugin.selection import NOTHING
from heapwire.kernel.memory import OutOfMemoryError
from heapwire.protocol.wire import Access
from heapwire.protocol.wire.bindings import AllocationReason as Reason


@pytest.fixture
def stage():
    with Stage() as stage:
        stage.candidate()
        yield stage


def test_the_objects_are_those_of_the_plan(stage) -> None:
    allocator = Allocator(stage)
    assert all(Access.COMPOSITOR in access for access in allocator.batch.offers[0].access)
    _, events = allocator.allocate()
    *objects, done = events
    assert done == ("done",)
    assert len(objects) == len(allocator.plan.layout.objects)
    for (name, fd, high, low), wanted in zip(objects, allocator.plan.layout.objects, strict=True):
        assert name == "object"
        assert high << 32 | low >= wanted.size
        assert os.fstat(fd).st_size == high << 32 | low
        assert stage.platform.memory.identify(fd) == wanted.source


def test_no_more_buffers_than_the_plan_counts(stage) -> None:
    allocator = Allocator(stage)
    for _ in range(allocator.plan.buffer_count):
        assert allocator.allocate()[1][-1] == ("done",)
    assert allocator.reason() is Reason.OVER_BUDGET
    allocator.commit(2)
    assert allocator.allocate()[1][-1] == ("done",), "another batch has a count of its own"


def test_a_budget_holds_until_memory_is_let_go_of() -> None:
    with Stage() as probe:
        probe.candidate()
        size = sum(entry.size for entry in Allocator(probe).plan.layout.objects)
    with Stage(budget=2 * size) as stage:
        stage.candidate()
        allocator = Allocator(stage)
        first, _ = allocator.allocate()
        assert allocator.allocate()[1][-1] == ("done",), "to the last byte"
        assert allocator.reason() is Reason.OVER_BUDGET
        other = Allocator(stage)
        assert other.allocate()[1][-1] == ("done",), "each client has a budget"
        allocator.client.request(first, "destroy")
        allocator.commit(2)
        assert allocator.allocate()[1][-1] == ("done",)


def test_a_compositor_that_allocates_nothing_says_so() -> None:
    with Stage(allocated=NOTHING) as stage:
        stage.candidate()
        allocator = Allocator(stage)
        assert not any(
            Access.COMPOSITOR in access
            for offer in allocator.batch.offers
            for access in offer.access
        )
        assert allocator.reason() is Reason.NOT_ALLOCATABLE


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (OutOfMemoryError("all of it is in use"), Reason.NO_MEMORY),
        (OSError(13, "Permission denied"), Reason.INTERNAL),
        (ZeroDivisionError("a fault"), Reason.INTERNAL),
    ],
)
def test_what_goes_wrong_is_an_event(stage, monkeypatch, error, reason) -> None:
    def fail(*_args, **_options):
        raise error

    allocator = Allocator(stage)
    with monkeypatch.context() as broken:
        broken.setattr(type(stage.platform.memory), "allocate", fail)
        assert allocator.reason() is reason
    assert allocator.allocate()[1][-1] == ("done",), "a failure is charged to nobody"


def test_a_part_that_fails_takes_the_whole_with_it(monkeypatch) -> None:
    """Y and CbCr in two heaps: without room for the second, the first is let go of."""
    with Stage("exynos4-mfc-v5") as stage:
        stage.candidate()
        allocator = Allocator(stage, stage.decoder())
        sources = [entry.source for entry in allocator.plan.layout.objects]
        assert len(set(sources)) == 2
        memory = stage.platform.memory
        real = type(memory).allocate
        second = sources[1]

        def fail(self, source, size, **options):
            if source == second:
                raise OutOfMemoryError("none left")
            return real(self, source, size, **options)

        monkeypatch.setattr(type(memory), "allocate", fail)
        assert allocator.reason() is Reason.NO_MEMORY
        assert memory.live() == 0


def test_memory_is_let_go_of_with_the_object(stage) -> None:
    allocator = Allocator(stage)
    id_, _ = allocator.allocate()
    assert stage.platform.memory.live() > 0
    allocator.client.request(id_, "destroy")
    assert stage.platform.memory.live() == 0


def test_a_client_that_dies_leaves_no_memory(stage) -> None:
    allocator = Allocator(stage)
    for _ in range(2):
        allocator.allocate()
    allocator.client.close()
    stage.clients.remove(allocator.client)
    stage.until(lambda: stage.platform.memory.live() == 0)


def test_an_allocation_cancelled_on_its_way_leaves_no_memory(stage) -> None:
    allocator = Allocator(stage)
    client = allocator.client
    for _ in range(3):
        id_ = client.new("xx_dmabuf_allocation_v1")
        serial = allocator.batch.serial
        client.request(allocator.feedback, "allocate", id_, serial, 0, pump=False)
        client.request(id_, "destroy", pump=False)
    client.pump()
    stage.finish_work()
    assert stage.platform.memory.live() == 0
    assert client.error is None
