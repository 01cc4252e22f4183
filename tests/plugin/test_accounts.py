"""Who is charged for what, to the byte."""

from __future__ import annotations

import random
from dataclasses import dataclass, field, replace

import pytest
from patience import turns

from heapwire.compositor_plugin.clients.accounts import (
    LOOKED_AT_ONCE,
    MOST_TOLD,
    SETTLE_AT_ONCE,
    Accounts,
)
from heapwire.compositor_plugin.clients.grant import SCARCE_BYTES, Grant
from heapwire.compositor_plugin.clients.quota import Holder, Quota
from heapwire.protocol.values import BufferObject, HeapId, Source, SourceId

PAGE = 4096
CMA = Source(
    id=SourceId.heap(HeapId(254, 0)), name="linux,cma", contiguous=True, capacity=80 * PAGE
)
SYSTEM = Source(id=SourceId.heap(HeapId(254, 1)), name="system", contiguous=False)
SOURCES = (CMA, SYSTEM)
ALICE, BOB, CAROL = Holder(1000), Holder(1001), Holder(1002)
ALICES_APP, ALICES_OTHER = Holder(1000, "org.flatpak:app"), Holder(1000, "org.flatpak:other")
USER = Grant(budget=100 * PAGE, share=50)
QUOTA = Quota(user=USER, reserve=25, descriptors=6, all_descriptors=9)


@dataclass
class Memory:
    """A dma-buf that others have too, or not; None: it cannot be told."""

    others: bool | None
    closed: bool = False

    def shared(self) -> bool | None:
        return self.others

    def close(self) -> None:
        self.closed = True


class Loop:
    """Stands for the host's loop and its one timer, and for the slices, of one turn each."""

    def __init__(self) -> None:
        self.armed = False
        self.turns: dict = {}

    def soon(self, key, work) -> None:
        self.turns[key] = work

    def slice(self) -> None:
        turns, self.turns = self.turns, {}
        for work in turns.values():
            work()

    def settle(self) -> None:
        for _ in turns(1000, "the last turn"):
            if not self.turns:
                break
            self.slice()

    def add_timer(self, callback):
        self.callback = callback
        return self

    def arm(self, milliseconds: int) -> None:
        assert milliseconds > 0
        self.armed = True

    def fire(self) -> None:
        self.armed = False
        self.callback()

    def remove(self) -> None:
        self.armed = False


@pytest.fixture
def loop():
    return Loop()


@pytest.fixture
def accounts(loop):
    return Accounts(loop, QUOTA, loop.soon)


def objects(*pages: int, source: Source = SYSTEM) -> list[BufferObject]:
    return [BufferObject(source=source.id, size=count * PAGE) for count in pages]


def refusal(accounts: Accounts, holder: Holder, *pages: int, source: Source = SYSTEM):
    grant = USER.for_app() if holder.app else USER
    return accounts.allowance(holder, SOURCES, grant).shortage(objects(*pages, source=source))


def given(accounts: Accounts, holder: Holder, *pages: int, source: Source = SYSTEM, others=True):
    charge = accounts.charge(holder, objects(*pages, source=source), USER)
    memory = tuple(Memory(others) for _ in pages)
    accounts.allocated(charge, memory)
    return charge, memory


def test_a_budget_may_be_used_to_the_last_byte(accounts) -> None:
    assert refusal(accounts, ALICE, 100) is None
    given(accounts, ALICE, 40)
    assert refusal(accounts, ALICE, 60) is None
    shortage = refusal(accounts, ALICE, 61)
    assert shortage.own
    assert shortage.text == (
        "244 KiB more do not fit the 400 KiB that a user may have: 160 KiB are in use"
    )
    assert refusal(accounts, BOB, 61) is None, "each user has a budget"


def test_what_may_be_given_is_worked_out_anew_when_something_has_changed(accounts, loop) -> None:
    """Every question asks for it; that of others, of another machine or policy is another."""

    def told(grant: Grant = USER, sources=SOURCES):
        return accounts.allowance(ALICE, sources, grant)

    first = told()
    assert told() is first
    assert told(USER.for_app()) is not first
    assert told(sources=(SYSTEM,)).parts.keys() == {SYSTEM.id}
    before = told()
    charge, (memory,) = given(accounts, BOB, 1, source=CMA, others=False)
    assert told().together[CMA.id].used == PAGE
    accounts.leave(charge)
    loop.settle()
    assert memory.closed
    assert told().together == before.together
    for number in range(1000):
        accounts.allowance(Holder(number), SOURCES, USER)
    assert len(accounts._told) <= MOST_TOLD


def test_what_can_never_be_had_together_is_told_whatever_is_in_use(accounts) -> None:
    given(accounts, ALICE, 40)
    allowance = accounts.allowance(ALICE, SOURCES, USER)
    assert allowance.overreach(objects(25), 4) is None, "what is in use may be given back"
    shortage = allowance.overreach(objects(25), 5)
    assert shortage.own
    assert shortage.text.startswith("500 KiB more do not fit the 400 KiB that a user may have")
    # One buffer of them could be had: that is not what a plan has.
    assert allowance.shortage(objects(25)) is None


def test_what_is_charged_are_whole_pages(accounts) -> None:
    accounts.charge(ALICE, [BufferObject(source=SYSTEM.id, size=1)], USER)
    assert accounts.allowance(ALICE, SOURCES, USER).budget.used == PAGE


def test_nobody_gets_more_than_a_share_of_a_heap_nor_all_together_the_reserve(accounts) -> None:
    assert refusal(accounts, ALICE, 41, source=CMA).own
    given(accounts, ALICE, 40, source=CMA)
    assert refusal(accounts, ALICE, 1, source=CMA).own
    assert refusal(accounts, ALICE, 1) is None, "of other memory there is more"
    assert refusal(accounts, BOB, 20, source=CMA) is None
    given(accounts, BOB, 20, source=CMA)
    shortage = refusal(accounts, BOB, 1, source=CMA)
    assert not shortage.own
    assert "of linux,cma that all users may have together" in shortage.text
    assert not refusal(accounts, CAROL, 1, source=CMA).own


def test_two_names_of_one_memory_have_one_account(accounts) -> None:
    one, two = (
        Source(
            id=SourceId.heap(HeapId(9, minor)), name=f"heap-{minor}", area="cma", capacity=80 * PAGE
        )
        for minor in (1, 2)
    )

    def shortage(*asked):
        return accounts.allowance(ALICE, (one, two), USER).shortage(
            [BufferObject(source=source.id, size=pages * PAGE) for source, pages in asked]
        )

    assert shortage((one, 40)) is None
    assert shortage((one, 20), (two, 21)).own, "a share of both is a share of one"
    accounts.charge(ALICE, [BufferObject(source=one.id, size=30 * PAGE)], USER)
    assert shortage((two, 10)) is None
    assert shortage((two, 11)).own


@pytest.mark.parametrize(
    ("scarce", "limit"),
    [
        ({"contiguous": True}, SCARCE_BYTES),
        ({"protected": True}, SCARCE_BYTES),
        ({"contiguous": False}, None),
        ({"protected": None}, SCARCE_BYTES),
        ({}, None),
        ({"contiguous": True, "capacity": 1000}, 500),
        ({"capacity": 1000}, 500),
    ],
)
def test_of_what_is_scarce_there_is_a_share_for_each(scarce, limit) -> None:
    source = Source(id=CMA.id, name="a heap", **scarce)
    assert Grant().limit(source) == limit
    assert Quota().common_limit(source) == (750 if "capacity" in scarce else None)


def test_an_app_has_a_part_of_what_its_user_has(accounts) -> None:
    """Half of the budget; and what it has is the user's too, so that apps are no way to more."""
    assert refusal(accounts, ALICES_APP, 50) is None
    given(accounts, ALICES_APP, 50)
    shortage = refusal(accounts, ALICES_APP, 1)
    assert "that a sandboxed app may have" in shortage.text
    assert shortage.own
    assert refusal(accounts, ALICES_OTHER, 51).own
    given(accounts, ALICES_OTHER, 40)
    assert refusal(accounts, ALICE, 10) is None
    assert "that a user may have" in refusal(accounts, ALICE, 11).text
    assert "that a user may have" in refusal(accounts, Holder(1000, "a third"), 11).text
    assert refusal(accounts, BOB, 100) is None


def test_what_an_app_lets_go_of_its_user_has_again(accounts, loop) -> None:
    charge, (memory,) = given(accounts, ALICES_APP, 50)
    given(accounts, ALICE, 50)
    assert refusal(accounts, ALICE, 1).own
    memory.others = False
    accounts.leave(charge)
    loop.settle()
    assert refusal(accounts, ALICE, 50) is None
    assert accounts.allowance(ALICES_APP, SOURCES, USER.for_app()).budget.used == 0


def test_an_app_has_half_of_its_users_descriptors(accounts) -> None:
    given(accounts, ALICES_APP, 1, 1, 1)
    assert "that a sandboxed app may have" in refusal(accounts, ALICES_APP, 1).text
    assert refusal(accounts, ALICE, 1, 1, 1) is None
    assert refusal(accounts, ALICE, 1, 1, 1, 1).own


def test_an_app_to_which_more_is_granted_than_to_users_has_more(accounts) -> None:
    grant = Grant(budget=150 * PAGE, share=100)
    allowance = accounts.allowance(ALICES_APP, SOURCES, grant)
    assert allowance.budget.limit == 150 * PAGE
    assert allowance.own[CMA.id].limit == CMA.capacity
    assert allowance.shortage(objects(60, source=CMA)) is None
    assert not allowance.shortage(objects(61, source=CMA)).own, "but not the reserve"


@pytest.mark.parametrize(
    ("source", "permitted"),
    [
        ({"contiguous": False}, True),
        ({"contiguous": True}, False),
        ({"contiguous": None}, False),
        ({"contiguous": False, "protected": True}, False),
    ],
)
def test_of_what_is_scarce_or_may_be_an_app_has_none(accounts, source, permitted) -> None:
    heap = Source(id=CMA.id, name="a heap", **source)
    wanted = objects(1, source=heap)
    assert accounts.allowance(ALICE, [heap], USER).shortage(wanted) is None
    shortage = accounts.allowance(ALICES_APP, [heap], USER.for_app()).shortage(wanted)
    assert (shortage is None) is permitted
    if shortage is not None:
        assert shortage.forbidden
        assert shortage.text == "none of a heap is allocated for this client"


def test_objects_are_bounded_for_each_and_for_all(accounts) -> None:
    given(accounts, ALICE, 1, 1, 1, 1)
    assert refusal(accounts, ALICE, 1, 1) is None
    assert refusal(accounts, ALICE, 1, 1, 1).own
    given(accounts, BOB, 1, 1, 1)
    assert refusal(accounts, BOB, 1, 1) is None
    assert not refusal(accounts, BOB, 1, 1, 1).own


@pytest.mark.parametrize(("limit", "each", "together"), [(1024, 128, 256), (1 << 20, 512, 1024)])
def test_descriptors_are_a_part_of_those_that_the_process_may_open(
    monkeypatch, limit, each, together
) -> None:
    monkeypatch.setattr("resource.getrlimit", lambda what: (limit, limit))
    quota = Quota.of_process(user=Grant(), reserve=1)
    assert (quota.descriptors, quota.all_descriptors) == (each, together)


@pytest.mark.parametrize(("others", "ends"), [(True, False), (False, True), (None, True)])
def test_a_charge_ends_with_the_last_who_has_the_memory(accounts, loop, others, ends) -> None:
    charge, (memory,) = given(accounts, ALICE, 1, others=others)
    loop.fire()
    assert not memory.closed, "the protocol object may still be used to get at it"
    accounts.leave(charge)
    loop.settle()
    assert memory.closed is ends
    assert loop.armed is not ends
    memory.others = False
    if not ends:
        loop.fire()
        loop.settle()
    assert memory.closed
    assert not loop.armed, "there is nothing left to look at"
    assert accounts.allowance(ALICE, SOURCES, USER).budget.used == 0


def test_what_is_being_allocated_is_charged_though_nobody_waits_for_it(accounts, loop) -> None:
    charge = accounts.charge(ALICE, objects(5), USER)
    accounts.leave(charge)
    loop.settle()
    assert accounts.allowance(ALICE, SOURCES, USER).budget.used == 5 * PAGE
    memory = Memory(others=False)
    accounts.allocated(charge, (memory,))
    assert memory.closed
    assert accounts.allowance(ALICE, SOURCES, USER).budget.used == 0


def test_what_cannot_be_allocated_is_charged_to_nobody(accounts) -> None:
    accounts.allocated(accounts.charge(ALICE, objects(5), USER), ())
    assert accounts.allowance(ALICE, SOURCES, USER).budget.used == 0


def test_asking_looks_at_what_was_left_once_until_the_timer_does(accounts, loop) -> None:
    charge, (memory,) = given(accounts, ALICE, 1)
    assert not accounts.look_again(), "nobody has left anything"
    accounts.leave(charge)
    loop.settle()
    assert accounts.look_again()
    memory.others = False
    assert not accounts.look_again()
    loop.fire()
    assert accounts.look_again(), "who asks for more need not wait for a slice"
    assert memory.closed


def test_asking_looks_at_what_was_left_just_now_each_time(accounts) -> None:
    """Who lets go of a buffer and asks for another may do so again and again."""
    for _ in range(3):
        charge, (memory,) = given(accounts, ALICE, 100, others=False)
        accounts.leave(charge)
        assert refusal(accounts, ALICE, 100) is not None
        assert accounts.look_again()
        assert memory.closed
        assert refusal(accounts, ALICE, 100) is None
        assert not accounts.look_again()


@dataclass
class Watched(Memory):
    """Knows who looked."""

    looks: list[Memory] = field(default_factory=list)

    def shared(self) -> bool | None:
        self.looks.append(self)
        return self.others


def watched(accounts: Accounts, count: int, *, others: bool) -> list[Memory]:
    """So many buffers that were left at once; what is looked at appears in the list."""
    looks: list[Memory] = []
    for charge in [accounts.charge(ALICE, objects(1), USER) for _ in range(count)]:
        accounts.allocated(charge, (Watched(others=others, looks=looks),))
        accounts.leave(charge)
    return looks


def test_what_is_left_at_once_is_looked_at_a_few_in_a_turn(loop) -> None:
    """Whoever hangs up leaves all that it has."""
    accounts = Accounts(loop, Quota(), loop.soon)
    looks = watched(accounts, 2 * LOOKED_AT_ONCE + 3, others=False)
    lengths = [len(looks)]
    for _ in turns(100, "the last turn"):
        if not loop.turns:
            break
        loop.slice()
        lengths.append(len(looks))
    assert lengths == [0, LOOKED_AT_ONCE, 2 * LOOKED_AT_ONCE, 2 * LOOKED_AT_ONCE + 3]
    assert accounts.allowance(ALICE, SOURCES, USER).budget.used == 0
    assert not loop.armed


def test_a_look_is_at_so_many_at_once_and_at_all_in_turns(loop) -> None:
    accounts = Accounts(loop, Quota(), loop.soon)
    looks = watched(accounts, 2 * SETTLE_AT_ONCE, others=True)
    loop.settle()
    looks.clear()
    loop.fire()
    assert not looks, "the timer comes before those who wait for the loop"
    loop.slice()
    assert len(looks) == LOOKED_AT_ONCE
    loop.settle()
    assert len(looks) == SETTLE_AT_ONCE
    loop.fire()
    loop.settle()
    assert len(set(map(id, looks))) == len(looks) == 2 * SETTLE_AT_ONCE


def test_the_end_lets_go_of_all_memory(accounts, loop) -> None:
    _, (held,) = given(accounts, ALICE, 1)
    charge, (left,) = given(accounts, BOB, 1)
    accounts.leave(charge)
    accounts.close()
    assert held.closed
    assert left.closed
    assert not loop.armed


@pytest.mark.parametrize("seed", range(40))
def test_the_short_way_to_an_obstacle_says_what_the_long_ones_say(accounts, seed) -> None:
    """Of one source or of two, given already to one or to others, forbidden, one or many."""
    chance = random.Random(seed)
    for _ in range(chance.randrange(3)):
        holder, source = chance.choice((ALICE, BOB)), chance.choice(SOURCES)
        given(accounts, holder, *[chance.randrange(20)] * chance.randrange(1, 3), source=source)
    for grant in (USER, USER.for_app(), replace(USER, share=100)):
        allowance = accounts.allowance(ALICE, SOURCES, grant)
        for _ in range(40):
            sources = [chance.choice(SOURCES)] * 2 if chance.randrange(3) else SOURCES
            wanted = [
                one
                for source in sources[: chance.randrange(1, 3)]
                for one in objects(chance.randrange(30), source=source)
            ]
            count = chance.randrange(1, 5)
            said = allowance.shortage(wanted) or allowance.overreach(wanted, count)
            assert allowance.obstacle(wanted, count) == said
