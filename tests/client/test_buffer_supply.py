"""A supply: buffers by the best plan, new ones when it changes, old ones until they are free."""

from __future__ import annotations

from dataclasses import replace

import pytest
from fake_compositor import CMA, NV12, SYSTEM, XRGB, FakeCompositor, plan, plans

from heapwire.client_lib import (
    AllocationError,
    BufferSupply,
    Connection,
    Extent,
    LinuxDmabuf,
    NegotiationManager,
    UsageError,
)
from heapwire.kernel.memory import MemfdMemory
from heapwire.protocol.values import FailureReason, Source
from heapwire.protocol.wire import Access, Batch, TrancheFlags

SIZE = Extent(64, 48)
OBJECT = "xx_dmabuf_negotiation_v1"


class Planning(FakeCompositor):
    """Answers with `best`, the plans that a test sets."""

    best = (plan(),)
    access = Access.CLIENT | Access.COMPOSITOR

    def answer(self, negotiation, cookie):
        batch = plans(*self.best, access=self.access)
        self.send_batch(negotiation, replace(batch, cookie=cookie))


class Stream:
    """A supply on a fake compositor."""

    def __init__(self, fake, memory, **options):
        self.fake = fake
        self.memory = memory
        self.connection = Connection(fake.socket.detach())
        self.negotiation = NegotiationManager(self.connection).default_negotiation()
        dmabuf = LinuxDmabuf(self.connection)
        self.supply = BufferSupply(self.negotiation, dmabuf, memory, **options)

    def send(self, batch):
        """A batch that nobody has asked for."""
        negotiation = next(id_ for id_, name in self.fake.objects.items() if name == OBJECT)
        self.fake.send_batch(negotiation, batch)
        self.connection.roundtrip()

    def destroyed(self):
        """How many `wl_buffer`s the client has destroyed."""
        self.connection.roundtrip()
        return self.fake.names("wl_buffer").count("destroy")


@pytest.fixture
def memory():
    return MemfdMemory([Source(id=CMA, name="linux,cma"), Source(id=SYSTEM, name="system")])


@pytest.fixture
def fake(no_fd_leak):
    made = Planning()
    yield made
    made.close()


@pytest.fixture
def stream(fake, memory):
    made = Stream(fake, memory)
    yield made
    made.supply.close()
    made.connection.close()
    assert memory.live() == 0


def test_there_are_no_buffers_before_the_first_answer(stream):
    assert stream.supply.free() is None
    assert not stream.supply.update()
    stream.supply.negotiate(SIZE)
    assert stream.supply.free() is not None
    assert stream.supply.plan == plan()
    assert stream.supply.negotiations == 1


def test_the_same_answer_leaves_the_buffers_as_they_are(stream):
    stream.supply.negotiate(SIZE)
    pool = stream.supply.pool
    stream.supply.negotiate(SIZE)
    assert stream.supply.pool is pool
    assert stream.supply.negotiations == 2


def test_pictures_of_another_size_get_other_buffers_even_by_the_same_plan(stream):
    """A `wl_buffer` has the size of its pictures, whatever room there is in it."""
    stream.supply.negotiate(SIZE)
    pool = stream.supply.pool
    stream.supply.negotiate(Extent(60, 40))
    assert stream.supply.pool is not pool


def test_a_plan_for_another_goal_is_served_by_the_same_buffers(stream):
    stream.supply.negotiate(SIZE)
    pool = stream.supply.pool
    batch = plans()
    tranche = replace(batch.tranches[0], flags=TrancheFlags.SAMPLING)
    stream.send(replace(batch, tranches=(tranche,)))
    assert not stream.supply.update()
    assert stream.supply.pool is pool
    assert stream.supply.plan == replace(plan(), goal="sampling", scanout=False)


@pytest.mark.parametrize(
    "better",
    [plan(source=SYSTEM), plan(pair=XRGB), plan(count=4)],
    ids=["other memory", "other format", "more buffers than the pool has"],
)
def test_a_better_plan_that_comes_unasked_is_followed_by_the_next_update(stream, better):
    stream.supply.negotiate(SIZE)
    stream.send(plans(better))
    assert stream.supply.plan == plan(), "nothing changes under whoever is drawing"
    assert stream.supply.update()
    assert stream.supply.plan == better
    assert len(stream.supply.pool.buffers) == better.buffer_count
    assert stream.supply.negotiations == 2
    assert not stream.supply.update()


@pytest.mark.parametrize("count", [1, 3])
def test_a_plan_that_needs_no_more_buffers_than_there_are_is_served(stream, count):
    stream.supply.negotiate(SIZE)
    stream.send(plans(plan(count=count)))
    assert not stream.supply.update()
    assert len(stream.supply.pool.buffers) == 3


def test_old_buffers_stay_until_the_compositor_has_given_them_back(stream):
    stream.supply.negotiate(SIZE)
    of_one_pool = stream.memory.live()
    shown = stream.supply.free()
    shown.busy = True
    stream.send(plans(plan(source=SYSTEM)))
    assert stream.supply.update()
    assert not stream.supply.update()
    assert stream.destroyed() == 0
    assert shown.proxy is not None
    shown.busy = False
    stream.supply.update()
    assert stream.destroyed() == 3
    assert stream.memory.live() == of_one_pool


def test_what_was_to_come_unasked_is_overtaken_by_an_answer(stream):
    """The answer is newer than the batch that came before it, and says more."""
    stream.supply.negotiate(SIZE)
    stream.send(plans(plan(source=SYSTEM)))
    stream.supply.negotiate(SIZE)
    pool = stream.supply.pool
    assert not stream.supply.update()
    assert stream.supply.pool is pool
    assert stream.supply.plan.layout.objects[0].source == CMA


def test_an_answer_without_plans_is_no_error_and_leaves_the_buffers(stream):
    """Without participants there is nobody to plan for."""
    stream.supply.negotiate(SIZE)
    pool = stream.supply.pool
    stream.fake.answer = lambda negotiation, cookie: stream.fake.send_batch(
        negotiation, Batch(cookie=cookie)
    )
    stream.supply.negotiate(SIZE)
    assert stream.supply.pool is pool
    assert stream.supply.plan == plan()


def test_a_batch_that_failed_leaves_the_buffers(stream):
    stream.supply.negotiate(SIZE)
    pool = stream.supply.pool
    stream.send(Batch(reason=FailureReason.NO_SOURCE))
    assert not stream.supply.update()
    assert stream.supply.pool is pool
    assert stream.supply.faults == []


def test_a_plan_that_comes_unasked_and_cannot_be_had_is_a_fault_and_the_buffers_stay(stream):
    stream.supply.negotiate(SIZE)
    pool = stream.supply.pool
    stream.send(plans(plan(source=replace(CMA, minor=99)), access=Access.CLIENT))
    assert not stream.supply.update()
    assert stream.supply.pool is pool
    assert stream.supply.negotiations == 1
    (fault,) = stream.supply.faults
    assert "heap 250:99" in fault
    assert not stream.supply.update()
    assert len(stream.supply.faults) == 1


def test_a_plan_that_the_writer_cannot_follow_is_passed_over(fake, memory):
    def only_nv12(candidate):
        if candidate.fourcc != NV12.fourcc:
            raise AllocationError("only NV12")

    fake.best = (plan(pair=XRGB), plan())
    stream = Stream(fake, memory, check=only_nv12)
    stream.supply.negotiate(SIZE)
    assert stream.supply.plan == plan()
    # The best plan that it can follow is what it has: another first one changes nothing.
    stream.send(plans(plan(pair=XRGB, source=SYSTEM), plan()))
    assert not stream.supply.update()
    stream.supply.close()
    stream.connection.close()


class TestPassingOver:
    """Of what a compositor says can be used, something cannot."""

    @pytest.fixture
    def better(self, fake, stream):
        fake.best = (plan(), plan(source=SYSTEM), plan(pair=XRGB))
        stream.supply.negotiate(SIZE)
        return stream.supply

    def test_the_next_plan_is_taken_while_there_is_one(self, better, fake):
        for next_one in fake.best[1:]:
            assert better.pass_over()
            assert better.plan == next_one
        pool = better.pool
        assert not better.pass_over(), "there is no other"
        assert better.pool is pool
        assert better.faults == []

    def test_it_is_not_taken_again_from_an_answer_that_has_others(self, better, stream):
        better.pass_over()
        stream.send(plans(plan(), plan(source=SYSTEM)))
        assert not better.update(), "the buffers serve"
        stream.send(plans(plan(), plan(pair=XRGB)))
        assert better.update()
        assert better.plan == plan(pair=XRGB)

    def test_it_is_taken_again_where_there_is_no_other(self, better, stream):
        better.pass_over()
        stream.send(plans(plan()))
        assert better.update()
        assert better.plan == plan()

    def test_the_plans_of_the_last_answer_count(self, better, stream):
        stream.send(plans(plan(count=2)))
        assert not better.update()
        assert not better.pass_over(), "that has only one"

    def test_what_cannot_be_had_is_said_once_and_the_buffers_stay(self, better, stream):
        stream.send(plans(plan(count=2), plan(source=replace(CMA, minor=99)), access=Access.CLIENT))
        assert not better.update()
        pool = better.pool
        for _ in range(3):
            assert not better.pass_over()
        assert better.pool is pool
        assert [fault for fault in better.faults if "heap 250:99" in fault] == better.faults
        assert len(better.faults) == 1

    def test_before_there_are_buffers_nothing_is(self, stream):
        assert not stream.supply.pass_over()


def test_a_bound_on_buffers_holds(fake, memory):
    stream = Stream(fake, memory, limit=2)
    stream.supply.negotiate(SIZE)
    assert len(stream.supply.pool.buffers) == 2
    stream.supply.close()
    stream.connection.close()


def test_closing_closes_all_buffers_and_hears_no_more(stream):
    stream.supply.negotiate(SIZE)
    stream.supply.free().busy = True
    stream.send(plans(plan(source=SYSTEM)))
    stream.supply.update()
    stream.supply.close()
    assert stream.memory.live() == 0
    assert stream.destroyed() == 6
    stream.send(plans())
    assert not stream.supply.update()
    assert stream.supply.free() is None


def test_a_bug_of_the_callers_is_not_a_fault_of_the_plan(stream):
    def broken(_candidate):
        raise UsageError("a bug")

    stream.supply.negotiate(SIZE)
    stream.supply._check = broken
    stream.send(plans(plan(source=SYSTEM)))
    with pytest.raises(UsageError, match="a bug"):
        stream.supply.update()


class TestLittleMemory:
    """A heap in which not all old and new buffers have room together."""

    @pytest.fixture(autouse=True)
    def made_here(self, fake):
        fake.access = Access.CLIENT

    @pytest.fixture
    def memory(self, request):
        size = plan().layout.objects[0].size
        rounded = -(-size // 4096) * 4096
        return MemfdMemory([Source(id=CMA, name="linux,cma", capacity=request.param * rounded)])

    @pytest.mark.parametrize("memory", [4], indirect=True)
    def test_old_buffers_make_room_for_those_of_a_new_size(self, stream):
        stream.supply.negotiate(SIZE)
        shown = stream.supply.free()
        shown.busy = True
        stream.supply.negotiate(Extent(60, 40))
        assert len(stream.supply.pool.buffers) == 3
        assert shown.proxy is not None, "what is on the screen stays there"
        gone = stream.destroyed()
        assert stream.supply.free() is not shown
        shown.busy = False
        stream.supply.update()
        assert stream.destroyed() == gone + 1

    @pytest.mark.parametrize("memory", [3], indirect=True)
    def test_the_new_ones_come_as_the_old_ones_come_back(self, stream):
        stream.supply.negotiate(SIZE)
        shown = [stream.supply.free() for _ in range(2)]
        for buffer in shown:
            buffer.busy = True
        stream.supply.negotiate(Extent(60, 40))
        new = stream.supply.free()
        new.busy = True
        assert stream.supply.free() is None
        for count, old in enumerate(shown, 2):
            old.busy = False
            another = stream.supply.free()
            assert another not in (None, new)
            another.busy = True
            assert len(stream.supply.pool.buffers) == count
        assert stream.supply.pool.whole
        assert stream.supply.free() is None

    @pytest.mark.parametrize("memory", [3], indirect=True)
    def test_what_is_in_use_is_never_given_up(self, stream):
        stream.supply.negotiate(SIZE)
        shown = [stream.supply.free() for _ in range(3)]
        for buffer in shown:
            buffer.busy = True
        with pytest.raises(AllocationError):
            stream.supply.negotiate(Extent(60, 40))
        assert all(buffer.proxy is not None for buffer in shown)

    @pytest.mark.parametrize("memory", [4], indirect=True)
    def test_for_a_plan_that_came_unasked_nothing_is_given_up(self, stream):
        stream.supply.negotiate(SIZE)
        pool = stream.supply.pool
        stream.send(plans(plan(pair=XRGB), access=Access.CLIENT))
        assert not stream.supply.update()
        assert stream.supply.pool is pool
        assert len(pool.buffers) == 3
        assert len(stream.supply.faults) == 1
