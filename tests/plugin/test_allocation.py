"""Memory that the compositor allocates for its clients."""

from __future__ import annotations

import os
import threading
from dataclasses import replace

import pytest
from open_files import open_fds
from patience import PATIENCE, turns
from stage import IMPORTABLE, NV12, TILES, Allocator, Stage

from heapwire.compositor_plugin.clients.quota import Holder, charged_sizes
from heapwire.compositor_plugin.clients.selection import NOTHING
from heapwire.kernel.memory import OutOfMemoryError
from heapwire.protocol.values import (
    BufferObject,
    Extent,
    FixedBuffer,
    Layout,
    LayoutKind,
    PlaneLayout,
    SourceId,
    SourceKind,
)
from heapwire.protocol.wire import Access, encode_buffer
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


def test_the_sources_are_announced_as_they_come_and_go(stage) -> None:
    client = stage.client()
    heaps = {one.id for one in stage.plugin._state.broker.allocatable}
    *told, done = client.take(client.allocation_manager)
    assert done == ("done",)
    assert {tuple(event) for event in told} == {
        ("source", one.kind, one.major, one.minor) for one in heaps
    }
    left = [one for one in stage.platform.sources if one.name != "linux,cma"]
    [gone] = heaps - {one.id for one in left}
    stage.plugin.platform_changed(replace(stage.platform, sources=tuple(left)))
    stage.finish_work()
    client.pump()
    assert client.take(client.allocation_manager) == [
        ("source_gone", gone.kind, gone.major, gone.minor),
        ("done",),
    ]


def test_a_layout_of_the_clients_own_is_allocated_as_well(stage) -> None:
    """No negotiation is needed: who merges by itself knows what to ask for."""
    client = stage.client()
    system = stage.platform.source("system").id
    layout = Layout(
        kind=LayoutKind.EXACT,
        extent=Extent(64, 64),
        objects=(BufferObject(system, 8192), BufferObject(system, 4096)),
        planes=(PlaneLayout(0, 0, 64), PlaneLayout(1, 0, 64)),
    )
    buffer = FixedBuffer(NV12, layout)
    id_ = client.new("xx_dmabuf_allocation_v1")
    client.request(client.allocation_manager, "allocate", id_, *encode_buffer(buffer))
    stage.finish_work()
    client.pump()
    *objects, done = client.take(id_)
    assert done == ("done",)
    assert [high << 32 | low for _, _, high, low in objects] == [8192, 4096]


@pytest.mark.parametrize(
    ("objects", "planes", "reason"),
    [
        ([("system", 1 << 63)], [(0, 0, 64)], Reason.OVER_BUDGET),
        (
            [("system", (1 << 64) - 1)] * 4,
            [(0, 0, 64), (1, 0, 64), (2, 0, 64), (3, 0, 64)],
            Reason.OVER_BUDGET,
        ),
        ([("system", 4096), ("system", 0)], [(0, 0, 64)], Reason.NOT_ALLOCATABLE),
        ([("unheard of", 4096)], [(0, 0, 64)], Reason.NOT_ALLOCATABLE),
    ],
)
def test_what_nobody_is_given(stage, objects, planes, reason) -> None:
    client = stage.client()
    ids = {one.name: one.id for one in stage.platform.sources}
    unheard = SourceId(SourceKind.HEAP, 4095, 7)
    layout = Layout(
        kind=LayoutKind.EXACT,
        extent=Extent(64, 64),
        objects=tuple(BufferObject(ids.get(name, unheard), size) for name, size in objects),
        planes=tuple(PlaneLayout(*one) for one in planes),
    )
    id_ = client.new("xx_dmabuf_allocation_v1")
    buffer = FixedBuffer(NV12, layout)
    client.request(client.allocation_manager, "allocate", id_, *encode_buffer(buffer))
    stage.finish_work()
    client.pump()
    [(name, told, message)] = client.take(id_)
    assert (name, told) == ("failed", reason)
    assert message
    assert stage.platform.memory.live() == 0


def test_a_budget_holds_until_memory_is_let_go_of() -> None:
    with Stage() as probe:
        probe.candidate()
        size = charged_sizes(Allocator(probe).plan.layout.objects).total()
    with Stage(budget=2 * size) as stage:
        stage.candidate()
        allocator = Allocator(stage)
        first, _ = allocator.allocate()
        assert allocator.allocate()[1][-1] == ("done",), "to the last byte"
        assert allocator.reason() is Reason.OVER_BUDGET
        allocator.let_go(first)
        allocator.commit(2)
        assert allocator.allocate()[1][-1] == ("done",)


def test_a_charge_is_the_users_and_stays_with_the_memory() -> None:
    """Allocate all, keep the dma-bufs, hang up, ask again: it is all in use still."""
    with Stage(share=1) as stage:  # 2.56 MiB of the area
        stage.candidate()
        allocator = Allocator(stage)
        cma = allocator.plan.layout.objects[0].source
        kept = []
        for cookie in range(2, 5):
            kept += [os.dup(event[1]) for event in allocator.allocate()[1][:-1]]
            allocator.commit(cookie)
        allocator.client.close()
        stage.clients.remove(allocator.client)
        before = stage.platform.memory.live(cma)
        again = Allocator(stage)
        again.allocate_all()
        assert again.reason() is Reason.OVER_BUDGET
        assert stage.platform.memory.live(cma) <= stage.platform.source(cma).capacity // 100
        assert before > 0
        for fd in kept:
            os.close(fd)
        stage.until(lambda: stage.platform.memory.live(cma) < before)
        again.commit(10)
        assert again.allocate()[1][-1] == ("done",)


def test_what_a_user_has_had_enough_of_is_told_with_the_plan() -> None:
    with Stage(share=1) as stage:
        stage.candidate()
        allocator = Allocator(stage)
        [entry] = allocator.plan.layout.objects
        for _ in range(6):
            allocator.allocate()
            allocator.commit(2)
        offers = [one for one in allocator.batch.offers if one.plan.layout.objects == (entry,)]
        assert [one.access for one in offers] == [(Access.CLIENT,)] * len(offers)
        assert offers
        client = stage.client()
        negotiation = client.negotiation(client.thing("surface"))
        client.request(negotiation, "set_openable", b"")
        client.ask(negotiation)
        batch = client.batches(negotiation)[-1]
        assert {one.source for one in batch.offers[0].plan.layout.objects} == {
            stage.platform.source("system").id
        }
        [why] = [one.text for one in batch.refusals if one.source == entry.source]
        assert "of linux,cma that a user may have" in why


def test_a_plan_of_more_buffers_than_a_user_may_have_is_not_made() -> None:
    """One would be given, and then no more: nobody plays by that."""
    with Stage(share=1) as stage:  # 2.56 MiB of the area
        stage.candidate()
        client = stage.client()
        negotiation = client.negotiation(client.thing("surface"))
        client.request(negotiation, "set_openable", b"")
        client.ask(negotiation)
        small = client.batches(negotiation)[-1].offers[0].plan
        client.request(negotiation, "set_extents", 1280, 960, 0, 0, 0, 0)
        client.request(negotiation, "commit", 2)
        stage.settle()
        client.pump()
        batch = client.batches(negotiation)[-1]
        area = stage.platform.source("linux,cma").id
        assert small.layout.objects[0].source == area
        assert {one.source for one in batch.offers[0].plan.layout.objects} == {
            stage.platform.source("system").id
        }
        [why] = [one.text for one in batch.refusals if one.source == area]
        assert "of linux,cma that a user may have" in why


def test_a_user_who_has_all_keeps_the_plan_that_it_is_made_by() -> None:
    """An answer that nobody asked for does not take back what was allocated."""
    with Stage(share=1) as stage:
        stage.candidate()
        client = stage.client()
        surface = client.thing("surface")
        negotiation = client.negotiation(surface)
        client.request(negotiation, "set_openable", b"")
        client.ask(negotiation)
        plan = client.batches(negotiation)[-1].offers[0].plan
        for _ in turns(1000, "a refusal"):
            if any(one.name == "failed" for one in client.events):
                break
            client.allocate(plan)
            stage.finish_work()
        stage.plugin.platform_changed(stage.platform)
        stage.settle()
        client.pump()
        assert client.batches(negotiation) == []


def test_each_user_has_a_share(monkeypatch) -> None:
    with Stage(share=1) as stage:
        stage.candidate()
        allocator = Allocator(stage)
        allocator.allocate_all()
        monkeypatch.setattr(stage.plugin._state, "holder", lambda client: Holder(4711))
        other = Allocator(stage)  # who it is is asked once
        other.commit(2)
        assert other.allocate()[1][-1] == ("done",)


def test_a_thousand_small_buffers_leave_descriptors_for_others(monkeypatch) -> None:
    monkeypatch.setattr("resource.getrlimit", lambda what: (64, 64))
    with Stage() as stage:
        stage.candidate()
        allocator = Allocator(stage)
        before = len(open_fds())
        allocator.allocate_all()
        assert allocator.reason() is Reason.OVER_BUDGET
        given = len(allocator.client.fds)
        assert given == 8, "a quarter is for all users, half of that for one"
        assert len(open_fds()) - before <= 2 * given + 1, "the client's are in this process too"


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
        stage.host.importable = IMPORTABLE | {TILES}
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
    allocator.let_go(id_)
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
        id_ = client.allocate(allocator.plan, pump=False)
        client.request(id_, "destroy", pump=False)
    client.pump()
    stage.finish_work()
    assert stage.platform.memory.live() == 0
    assert client.error is None


def test_what_is_allocated_when_the_end_comes_is_given_back(stage, monkeypatch) -> None:
    allocator = Allocator(stage)
    memory = stage.platform.memory
    allocate = type(memory).allocate
    begun, goes_on = threading.Event(), threading.Event()
    threads: list[threading.Thread] = []

    def slowly(self, *arguments, **options):
        threads.append(threading.current_thread())
        begun.set()
        goes_on.wait(PATIENCE)
        return allocate(self, *arguments, **options)

    monkeypatch.setattr(type(memory), "allocate", slowly)
    client = allocator.client
    client.allocate(allocator.plan)
    assert begun.wait(PATIENCE)
    stage.plugin.close()
    goes_on.set()
    threads[0].join(PATIENCE)
    assert memory.live() == 0
