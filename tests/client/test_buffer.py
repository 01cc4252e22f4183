"""Buffers: allocated here or by the compositor, imported, watched, released, closed."""

from __future__ import annotations

import logging
from dataclasses import replace

import numpy as np
import pytest
from fake_compositor import CMA, NV12, SYSTEM, XRGB, Allocating, FakeCompositor, plan, plans
from open_files import open_fds
from pywayland.protocol.linux_dmabuf_v1 import ZwpLinuxDmabufV1

from heapwire.client_lib import AllocationError, ImportRefusedError, NoAnswerError
from heapwire.client_lib.buffers import LinuxDmabuf, allocate, check_planes
from heapwire.client_lib.negotiation import BufferPool, NegotiationManager
from heapwire.client_lib.wayland import Connection
from heapwire.kernel.memory import MemfdMemory
from heapwire.protocol import UsageError
from heapwire.protocol.values import BufferObject, DeviceId, Extent, LayoutKind, PlaneLayout, Source
from heapwire.protocol.wire import Access
from heapwire.protocol.wire.bindings import BufferStatusResult

PARAMS = "zwp_linux_buffer_params_v1"


@pytest.fixture
def memory():
    return MemfdMemory([Source(id=CMA, name="linux,cma"), Source(id=SYSTEM, name="system")])


class TestAllocate:
    def test_it_allocates_each_object_and_closes_it(self, no_fd_leak, memory):
        layout = replace(
            plan().layout,
            objects=(BufferObject(CMA, 10000), BufferObject(SYSTEM, 5000)),
            planes=(PlaneLayout(0, 0, 96), PlaneLayout(1, 0, 96)),
        )
        with allocate(replace(plan(), layout=layout), memory) as buffer:
            assert [memory.identify(one.fd) for one in buffer.objects] == [CMA, SYSTEM]
        assert memory.live() == 0

    def test_what_was_allocated_before_a_failure_is_closed(self, no_fd_leak, memory):
        absent = replace(CMA, minor=99)
        layout = replace(plan().layout, objects=(BufferObject(CMA, 4096), BufferObject(absent, 1)))
        with pytest.raises(AllocationError, match="heap 250:99"):
            allocate(replace(plan(), layout=layout), memory)
        assert memory.live() == 0

    @pytest.mark.parametrize("kind", [LayoutKind.ALLOCATOR, LayoutKind.FIXED])
    def test_only_exact_layouts_can_be(self, memory, kind):
        layout = replace(plan().layout, kind=kind)
        with pytest.raises(AllocationError, match=kind.name.lower()):
            allocate(replace(plan(), layout=layout), memory)

    def test_planes_are_where_the_layout_says(self, no_fd_leak, memory):
        wanted = plan(size=(50, 30))
        with allocate(wanted, memory) as buffer:
            with buffer.planes() as (luma, chroma):
                assert (luma.rows, luma.row_bytes, luma.pitch) == (30, 50, 96)
                assert (chroma.rows, chroma.row_bytes) == (15, 50)
                luma.memory[96:98] = b"YY"
                chroma.memory[0:2] = b"UV"
            with buffer.objects[0].map() as raw:
                assert bytes(raw[96:98]) == b"YY"
                assert bytes(raw[96 * 30 :][:2]) == b"UV"

    def test_an_array_made_of_a_plane_may_outlive_the_block(self, no_fd_leak, memory):
        buffer = allocate(plan(), memory)
        with buffer.planes() as planes:
            kept = np.frombuffer(planes[0].memory, np.uint8)
        buffer.close()
        assert kept[0] == 0

    @pytest.mark.parametrize(
        "planes",
        [
            (PlaneLayout(0, 0, 96),),
            (PlaneLayout(0, 0, 32), PlaneLayout(0, 0, 96)),
            (PlaneLayout(0, 0, 96), PlaneLayout(0, 1 << 20, 96)),
        ],
        ids=["too few", "pitch below a row", "beyond the object"],
    )
    def test_a_layout_that_cannot_be_is_not_mapped(self, no_fd_leak, memory, planes):
        layout = replace(plan().layout, planes=planes)
        buffer = allocate(replace(plan(), layout=layout), memory)
        with buffer, pytest.raises(AllocationError), buffer.planes():
            pass


class Session:
    def __init__(self, fake: FakeCompositor) -> None:
        self.fake = fake
        self.connection = Connection(fake.socket.detach())
        self.dmabuf = LinuxDmabuf(self.connection)
        self.negotiation = NegotiationManager(self.connection).default_negotiation()
        self.batch = self.negotiation.negotiate()

    def pool(self, memory, **changes):
        arguments = {
            "negotiation": self.negotiation,
            "batch": self.batch,
            "dmabuf": self.dmabuf,
            "memory": memory,
            "extent": Extent(64, 48),
        }
        return BufferPool.best(**{**arguments, **changes})


@pytest.fixture
def session(fake):
    session = Session(fake)
    yield session
    session.connection.close()


def test_a_pool_has_the_buffers_of_the_plan(session, memory):
    with session.pool(memory) as pool:
        assert len(pool.buffers) == 3
        session.connection.roundtrip()
        sent = [(request.name, request.args[1:]) for request in session.fake.of(PARAMS)]
        assert sent[:3] == [
            ("add", (0, 0, 96, 0, 0)),
            ("add", (1, 96 * 48, 96, 0, 0)),
            ("create", (48, NV12.fourcc, 0)),
        ]
        assert "create_immed" not in session.fake.names(PARAMS)
        told = [one.args for one in session.fake.requests if one.name == "use_plan"]
        assert told == [(session.batch.serial, 0)]
        watched = [one for one in session.fake.requests if one.name == "get_buffer_status"]
        assert len({one.args[1] for one in watched}) == 3
    session.connection.roundtrip()
    assert session.fake.names("wl_buffer") == ["destroy"] * 3
    assert session.fake.names("xx_dmabuf_buffer_status_v1") == ["destroy"] * 3
    assert memory.live() == 0


def test_a_pool_can_be_bounded(session, memory):
    with session.pool(memory, limit=2) as pool:
        assert len(pool.buffers) == 2


def test_the_compositor_gets_the_same_memory(session, memory):
    with session.pool(memory) as pool:
        with pool.buffers[0].planes() as (luma, _):
            luma.memory[:5] = b"hello"
        session.connection.roundtrip()
        fd = session.fake.of(PARAMS)[0].args[0]
        with open(fd, "rb", closefd=False) as file:
            assert file.read(5) == b"hello"


def test_buffers_are_used_in_turn_and_come_back(session, memory):
    with session.pool(memory) as pool:
        taken = [pool.free() for _ in range(3)]
        assert len(set(taken)) == 3
        for buffer in taken:
            buffer.busy = True
        assert pool.free() is None
        session.connection.roundtrip()
        ids = sorted(id_ for id_, name in session.fake.objects.items() if name == "wl_buffer")
        session.fake.event(ids[1], "release")
        session.connection.roundtrip()
        assert pool.free() is not None
        assert [buffer.busy for buffer in taken].count(False) == 1


def test_statuses_are_those_of_the_buffer(session, memory):
    with session.pool(memory) as pool:
        session.connection.roundtrip()
        ids = (id_ for id_, name in session.fake.objects.items() if name.endswith("status_v1"))
        session.fake.event(next(ids), "shown", 0, 0)
        session.connection.roundtrip()
        told = [buffer.status.result for buffer in pool.buffers if buffer.status is not None]
        assert told == [BufferStatusResult.SCANOUT]


class Refusing(FakeCompositor):
    """Takes no NV12, but XRGB8888, which comes second."""

    def answer(self, negotiation, cookie):
        self.send_batch(negotiation, replace(plans(plan(), plan(pair=XRGB)), cookie=cookie))

    def on_zwp_linux_buffer_params_v1_create(self, id_, _width, _height, code, _flags):
        if code == XRGB.fourcc:
            super().on_zwp_linux_buffer_params_v1_create(id_, _width, _height, code, _flags)
        else:
            self.event(id_, "failed")


@pytest.mark.parametrize("fake", [Refusing], indirect=True)
class TestRefusal:
    def test_the_next_plan_is_tried(self, session, memory):
        with session.pool(memory) as pool:
            assert pool.plan.fourcc == XRGB.fourcc
        assert memory.live() == 0

    def test_it_is_an_error_if_there_is_no_other(self, session, memory):
        only = replace(session.batch.tranches[0], offers=session.batch.offers[:1])
        before = open_fds()
        with pytest.raises(ImportRefusedError, match="NV12"):
            session.pool(memory, batch=replace(session.batch, tranches=(only,)))
        session.connection.roundtrip()
        assert memory.live() == 0
        session.fake.close()
        assert open_fds() < before


def test_a_buffer_belongs_to_the_connection_it_was_made_on(session, memory):
    """Pywayland gives a new object to the connection whose registry it finds first."""
    other = Session(FakeCompositor())
    with session.pool(memory) as pool, other.pool(memory) as theirs:
        displays = {buffer.proxy._display for buffer in pool.buffers}
        assert displays == {session.connection.display}
        assert {one.proxy._display for one in theirs.buffers} == {other.connection.display}
    other.connection.close()
    other.fake.close()


class Crooked(FakeCompositor):
    """Its first plan has a plane that is not in its object, its second is good."""

    def answer(self, negotiation, cookie):
        layout = replace(plan().layout, planes=(PlaneLayout(0, 0, 96), PlaneLayout(0, 5000, 96)))
        batch = plans(replace(plan(), layout=layout), plan(pair=XRGB))
        self.send_batch(negotiation, replace(batch, cookie=cookie))


@pytest.mark.parametrize("fake", [Crooked], indirect=True)
def test_a_plan_that_cannot_be_is_passed_over(session, memory):
    with session.pool(memory) as pool:
        assert pool.plan.fourcc == XRGB.fourcc
    first = replace(session.batch.tranches[0], offers=session.batch.offers[:1])
    with pytest.raises(AllocationError, match="plane 1 of the plan does not fit"):
        session.pool(memory, batch=replace(session.batch, tranches=(first,)))


class Slow(FakeCompositor):
    """Creates buffers when it is told to."""

    waiting: tuple[int, ...] = ()

    def on_zwp_linux_buffer_params_v1_create(self, id_, *_rest):
        self.waiting = (*self.waiting, id_)


@pytest.mark.parametrize("fake", [Slow], indirect=True)
def test_a_buffer_that_comes_too_late_is_destroyed(session, memory):
    with pytest.raises(NoAnswerError, match="import"):
        session.pool(memory, timeout=0.05)
    session.connection.roundtrip()
    for params in session.fake.waiting:
        FakeCompositor.on_zwp_linux_buffer_params_v1_create(session.fake, params, 0, 0, 0, 0)
    session.connection.roundtrip()
    session.connection.roundtrip()
    assert session.fake.names("wl_buffer") == ["destroy"] * 3
    assert memory.live() == 0


class OnlyCompositor(Allocating):
    def answer(self, negotiation, cookie):
        self.send_batch(negotiation, replace(plans(access=Access.COMPOSITOR), cookie=cookie))


@pytest.mark.parametrize("fake", [OnlyCompositor], indirect=True)
def test_what_only_the_compositor_may_open_it_allocates(session, memory, caplog):
    caplog.set_level(logging.DEBUG, "heapwire.buffers")
    with session.pool(memory) as pool:
        assert len(pool.buffers) == 3
        [one] = pool.buffers[0].objects
        told = f"the compositor allocated {one.size} bytes of {one.source}"
        assert caplog.messages.count(told) == 3
        with pool.buffers[0].planes() as (luma, _):
            luma.memory[:2] = b"ok"
    assert session.fake.names("xx_dmabuf_allocation_v1") == ["destroy"] * 3
    session.connection.roundtrip()


class NobodyAllocates(Allocating):
    failure = (1, "the heap is full")
    sizes = ()


@pytest.mark.parametrize("fake", [NobodyAllocates], indirect=True)
def test_when_neither_can_allocate_the_error_says_why(session, caplog):
    caplog.set_level(logging.DEBUG, "heapwire.buffers")
    with pytest.raises(AllocationError, match="no_memory: the heap is full") as refused:
        session.pool(None)
    assert str(refused.value) in caplog.messages


class Newest(FakeCompositor):
    globals = (("zwp_linux_dmabuf_v1", 6), ("xx_dmabuf_negotiation_manager_v1", 1))


@pytest.mark.parametrize(
    ("fake", "expected"),
    [(Newest, [(DeviceId(226, 1).dev_t.to_bytes(8, "little"),)]), (FakeCompositor, [])],
    indirect=["fake"],
)
def test_the_sampling_device_is_named_where_linux_dmabuf_knows_it(session, memory, expected):
    with allocate(session.batch.offers[0].plan, memory) as buffer:
        device = DeviceId(226, 1)
        session.dmabuf.import_buffer(buffer, Extent(64, 48), device=device).wait()
        sent = [one.args for one in session.fake.of(PARAMS) if one.name == "set_sampling_device"]
    assert sent == (expected if ZwpLinuxDmabufV1.version >= 6 else [])  # pywayland 0.4.18: 5


def test_pictures_must_fit_into_the_buffer(session, memory):
    buffer = allocate(session.batch.offers[0].plan, memory)
    with buffer, pytest.raises(UsageError, match="65x48"):
        session.dmabuf.import_buffer(buffer, Extent(65, 48))


def exact(pitch, size):
    """A plan of NV12, 64x48, of one object, whose planes follow each other without a gap."""
    layout = replace(
        plan().layout,
        objects=(BufferObject(CMA, size),),
        planes=(PlaneLayout(0, 0, pitch), PlaneLayout(0, pitch * 48, pitch)),
    )
    return replace(plan(), layout=layout)


def test_planes_may_fill_their_object_to_the_last_byte():
    check_planes(exact(64, 64 * 72))
    check_planes(exact(96, 96 * 71 + 64))  # the last row needs no padding


@pytest.mark.parametrize(
    "too_small", [exact(64, 64 * 72 - 1), exact(96, 96 * 71 + 63), exact(63, 64 * 72)]
)
def test_planes_that_do_not_fit_are_refused(too_small):
    with pytest.raises(AllocationError, match="does not fit"):
        check_planes(too_small)


class OneByteShort(OnlyCompositor):
    sizes = (plan().layout.objects[0].size - 1,)


class Just(OnlyCompositor):
    sizes = (plan().layout.objects[0].size,)


@pytest.mark.parametrize("fake", [Just], indirect=True)
def test_the_compositor_may_allocate_just_what_the_plan_has(session, memory):
    with session.pool(memory) as pool:
        assert len(pool.buffers) == 3


@pytest.mark.parametrize("fake", [OneByteShort], indirect=True)
def test_less_than_the_plan_has_is_refused(session, memory):
    with pytest.raises(AllocationError, match="object 0: "):
        session.pool(memory)
