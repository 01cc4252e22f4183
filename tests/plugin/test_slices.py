"""What the plugin does on the host's loop comes in slices, and clients have their turns."""

from __future__ import annotations

import contextlib
import socket
import time
from collections.abc import Callable
from dataclasses import replace
from functools import partial, partialmethod
from itertools import pairwise

import pytest
from heavy_questions import ask_fences, ask_heavily, ask_odd_pitches, later
from patience import turns, until
from problem_building import need
from stage import NV12, SIZE, XRGB, Allocator, Stage

from heapwire.compositor_plugin.answering import (
    SolverCall,
    answer_schedule,
    batch_solver,
    prepared_batch,
    trial,
    tried,
)
from heapwire.compositor_plugin.answering.answer_store import AnswerStore
from heapwire.compositor_plugin.answering.turn_queue import Turn, TurnQueue
from heapwire.compositor_plugin.clients.quota import Allowance, Shortage
from heapwire.compositor_plugin.negotiation_object import NegotiationObject
from heapwire.compositor_plugin.server import Resource
from heapwire.compositor_plugin.server.resource import live_resources
from heapwire.protocol.solver import SolverMemory, StepBudget
from heapwire.protocol.values import Answer, FailureReason

Spend = Callable[[StepBudget, int], None]
MANY = 40
PROMISED = 700  # steps of a trial, in docs/security.md


@pytest.fixture
def stage():
    with Stage() as stage:
        yield stage


@pytest.fixture
def steps(monkeypatch) -> list[int]:
    """The steps that are spent in this process, for each question of the solver's."""
    spent: list[int] = []
    begin = StepBudget.__init__

    def began(budget: StepBudget, *given: int) -> None:
        spent.append(0)
        begin(budget, *given)

    def spending(spend: Spend, budget: StepBudget, steps: int = 1) -> None:
        spend(budget, steps)
        spent[-1] += steps

    monkeypatch.setattr(StepBudget, "__init__", began)
    for kind in (StepBudget, trial._TrialBudget):
        monkeypatch.setattr(kind, "spend", partialmethod(partial(spending, kind.spend)))
    return spent


def narrow(stage: Stage) -> None:
    """Let one turn fill a slice."""
    times = iter(range(1 << 30))
    stage.plugin._state.answers._clock = lambda: float(next(times))


def test_a_slice_is_as_short_as_was_decided() -> None:
    """The clock of the tests stands still: no other would see a longer one (decision 10)."""
    assert answer_schedule.SLICE == 0.0005  # seconds of processor time
    assert answer_schedule.AT_ONCE == 50  # negotiations that a hot-plug gives a turn together


@pytest.mark.parametrize("ask", [ask_fences, ask_odd_pitches, ask_heavily])
def test_no_question_costs_the_loop_more_than_a_trial(stage, steps, ask) -> None:
    client = stage.client()
    negotiations = [client.negotiation() for _ in range(3)]
    for negotiation in negotiations:
        client.batches(negotiation)
    steps.clear()
    for negotiation in negotiations:
        ask(client, negotiation, 1)
    for negotiation in negotiations:
        assert later(stage, client, negotiation)[-1].cookie == 1
    assert max(steps, default=0) <= PROMISED


def test_a_light_question_that_takes_long_is_tried_and_put_aside(stage, steps) -> None:
    """Its weight, 64, does not tell that a conflict among so many is 1,000 steps away."""
    client = stage.client()
    negotiation = client.negotiation()
    client.batches(negotiation)
    steps.clear()
    ask_fences(client, negotiation, 1, unknowns=2)
    assert later(stage, client, negotiation)[-1].reason is FailureReason.CONFLICT
    assert PROMISED / 2 < max(steps) <= PROMISED


def ask_much(stage: Stage, client, negotiation: int) -> None:
    """More than one pass may handle beside a slice, in one pass."""
    for _ in range(MANY):
        client.request(negotiation, "set_extents", 640, 480, 0, 0, 0, 0, pump=False)
    stage.display.dispatch(100)


def test_a_pass_in_which_much_is_asked_has_no_slice(stage) -> None:
    """Who asks for a sign of life waits for what others ask, or for an answer, and not for both."""
    client = stage.client()
    negotiation = client.negotiation()
    stage.plugin._state.answers._much = MANY - 1
    client.request(negotiation, "commit", 1, pump=False)
    ask_much(stage, client, negotiation)
    client.read()
    assert not client.batches(negotiation)
    assert later(stage, client, negotiation)[-1].cookie == 1


def test_what_is_described_in_the_pass_of_its_commit_counts(stage) -> None:
    """And not what was asked before: who asks little is answered in the same pass."""
    client = stage.client()
    negotiation = client.negotiation()
    stage.plugin._state.answers._much = MANY - 1
    ask_much(stage, client, negotiation)
    client.request(negotiation, "commit", 1, pump=False)
    stage.display.dispatch(100)
    client.read()
    assert [batch.cookie for batch in client.batches(negotiation)] == [1]
    described = client.new("xx_dmabuf_negotiation_v1")
    client.request(client.manager, "get_default_negotiation", described, pump=False)
    for _ in range(MANY):
        client.request(described, "set_extents", 640, 480, 0, 0, 0, 0, pump=False)
    client.request(described, "commit", 2, pump=False)
    stage.display.dispatch(100)
    client.read()
    assert not client.batches(described)
    assert [batch.cookie for batch in later(stage, client, described)] == [2]


def test_clients_that_never_stop_asking_put_slices_off_a_few_times(stage, monkeypatch) -> None:
    client = stage.client()
    negotiation = client.negotiation()
    answers = stage.plugin._state.answers
    answers._much = MANY - 1
    slices: list[bool] = []
    slice_ = answer_schedule.AnswerSchedule._slice

    def counted(schedule) -> None:
        slice_(schedule)
        slices.append(not schedule.busy)

    monkeypatch.setattr(answers._idle, "_callback", partial(counted, answers))
    client.request(negotiation, "commit", 1, pump=False)
    for _ in turns(100, "the slice"):
        if slices and not answers.busy:
            break
        ask_much(stage, client, negotiation)
    assert slices == [False] * answer_schedule.PUT_OFF + [True]


def test_a_thousand_negotiations_are_reconsidered_in_as_many_slices(stage, monkeypatch) -> None:
    """After a hot-plug; and others are served between two of them."""
    many, other = stage.client(), stage.client()
    negotiations = [many.negotiation() for _ in range(MANY)]
    for negotiation in negotiations:
        many.ask(negotiation)
        many.batches(negotiation)
    [cma] = [one for one in stage.platform.sources if one.contiguous]
    narrow(stage)
    turns: list[int] = []
    run = answer_schedule.AnswerSchedule._slice

    def counted(schedule) -> None:
        before = len(schedule._turns)
        run(schedule)
        turns.append(before - len(schedule._turns))

    answers = stage.plugin._state.answers
    monkeypatch.setattr(answers._idle, "_callback", partial(counted, answers))
    stage.plugin.platform_changed(replace(stage.platform, sources=(cma,)))
    negotiation = other.negotiation()
    other.ask(negotiation, 7)
    stage.until(lambda: other.batches(negotiation)[-1:] != [])
    assert answers.busy, "who came last is not served last"
    stage.until(lambda: not answers.busy)
    assert max(turns) <= 1
    assert len(turns) >= MANY


def test_a_change_of_the_machine_gives_turns_in_slices(stage, monkeypatch) -> None:
    """Also to say whose turn it is takes long enough for a thousand."""
    monkeypatch.setattr(answer_schedule, "AT_ONCE", 3)
    client = stage.client()
    negotiations = [client.negotiation() for _ in range(MANY)]
    for negotiation in negotiations:
        client.ask(negotiation)
    stage.finish_work()
    narrow(stage)
    answers = stage.plugin._state.answers
    stage.plugin.platform_changed(stage.platform)
    lengths = [len(answers._doubted)]
    client.request(negotiations[0], "destroy")
    for _ in turns(10 * MANY, "all turns"):
        if not answers.busy:
            break
        lengths.append(len(answers._doubted))
        stage.display.dispatch(50)
    assert lengths[0] == MANY
    assert all(before - after <= 3 + 1 for before, after in pairwise(lengths))
    assert not answers._doubted


def test_who_asks_for_a_sign_of_life_waits_for_no_slice(stage, monkeypatch) -> None:
    """It is served in the turn in which a slice is due, and has its answer before that begins."""
    client = stage.client()
    narrow(stage)
    monkeypatch.setattr(answer_schedule, "PAUSE", 60_000)  # not before it is wanted
    answers = stage.plugin._state.answers
    client.socket.setblocking(False)
    served: list[bool] = []

    def work() -> None:
        with contextlib.suppress(BlockingIOError):
            served.append(bool(client.socket.recv(1, socket.MSG_PEEK)))

    answers.work_soon("first", lambda: None)
    answers.work_soon("right after it", work)
    answers.work_soon("after a pause", work)
    client.request(1, "sync", client.new("wl_callback"), pump=False)
    stage.display.dispatch(0)  # the first before its pass, the second at its end
    assert answers.busy
    assert served == [True]
    client.read()
    answers._next_slice.arm(1)
    time.sleep(0.002)  # the next slice is due
    client.request(1, "sync", client.new("wl_callback"), pump=False)
    stage.display.dispatch(0)
    assert not answers.busy
    assert served == [True, True]


def test_each_negotiation_has_its_answer_after_many_slices(stage) -> None:
    client = stage.client()
    narrow(stage)
    negotiations = [client.new("xx_dmabuf_negotiation_v1") for _ in range(MANY)]
    for negotiation in negotiations:
        client.request(client.manager, "get_default_negotiation", negotiation, pump=False)
        client.request(negotiation, "commit", 5, pump=False)
    client.pump()
    stage.until(lambda: not stage.plugin._state.answers.busy)
    client.read()
    for negotiation in negotiations:
        assert [one.cookie for one in client.batches(negotiation)] == [5]


def test_what_is_superseded_or_destroyed_meanwhile_is_not_solved(stage, steps) -> None:
    client = stage.client()
    first, second, third = (client.negotiation() for _ in range(3))
    for negotiation in (first, second, third):
        client.ask(negotiation, 1)
        client.batches(negotiation)
    narrow(stage)
    steps.clear()
    for width in range(64, 64 + 16 * MANY, 16):
        client.request(first, "set_extents", width, 64, 0, 0, 0, 0, pump=False)
        client.request(first, "commit", width, pump=False)
    client.request(second, "set_extents", 2048, 64, 0, 0, 0, 0, pump=False)
    client.request(second, "commit", 3, pump=False)
    client.request(second, "destroy", pump=False)
    client.pump()
    stage.until(lambda: not stage.plugin._state.answers.busy)
    client.read()
    found = client.batches(first)
    assert [one.reason for one in found] == [FailureReason.SUPERSEDED] * (MANY - 1) + [None]
    assert len(steps) == 1


def test_a_turn_has_one_trial(stage, monkeypatch) -> None:
    """Whether a plan is kept is another question, and so is what there is without a used heap."""
    client = stage.client()
    negotiation = client.negotiation()
    client.ask(negotiation, decoder=stage.decoder())
    answers, in_turn = stage.plugin._state.answers, []

    def noted(call: SolverCall, memory: SolverMemory | None = None) -> Answer | None:
        in_turn.append(answers._taken)
        return tried(call, memory)

    monkeypatch.setattr(batch_solver, "tried", noted)
    narrow(stage)
    stage.plugin.platform_changed(stage.platform)
    stage.finish_work()
    assert len(in_turn) == 2
    monkeypatch.setattr(Allowance, "obstacle", lambda *_: Shortage("used", own=True))
    client.ask(negotiation, 2)
    stage.until(lambda: client.read() or bool(client.batches(negotiation)))
    assert len(in_turn) > 3
    assert len(set(in_turn)) == len(in_turn)


def test_what_is_asked_for_together_is_allocated_in_slices(stage) -> None:
    stage.candidate()
    allocator = Allocator(stage)
    client = allocator.client
    narrow(stage)
    first, *ids = [client.allocate(allocator.plan, pump=False) for _ in range(5)]
    client.request(ids.pop(), "destroy", pump=False)
    stage.display.dispatch(100)
    assert len(stage.plugin._state.accounts._charges) <= 1
    stage.until(lambda: client.read() or len(client.of(ids[-1])) > 0)
    stage.finish_work()
    client.read()
    assert [client.of(id_)[-1].name for id_ in (first, *ids)] == ["done"] * 4
    assert len(stage.plugin._state.accounts._charges) == 4


def test_a_pass_in_which_much_memory_is_asked_for_has_no_slice(stage) -> None:
    """To ask for memory takes as long as two other requests."""
    allocator = Allocator(stage)
    client, state = allocator.client, stage.plugin._state
    state.answers._much = MANY
    ids = [client.allocate(allocator.plan, pump=False) for _ in range(MANY // 2 + 1)]
    stage.display.dispatch(100)
    assert not state.accounts._charges
    stage.until(lambda: all(client.of(id_) for id_ in ids))
    assert len(state.accounts._charges) == len(ids)


def test_what_was_allocated_meanwhile_is_told_in_slices(stage, monkeypatch) -> None:
    monkeypatch.setattr("heapwire.compositor_plugin.machine.worker.AT_ONCE", 5)
    allocator = Allocator(stage)
    client, state = allocator.client, stage.plugin._state
    ids = [client.allocate(allocator.plan, pump=False) for _ in range(5)]
    stage.display.dispatch(100)
    until(lambda: len(state.kernel_worker._finished) == len(ids), "the thread")
    narrow(stage)
    told: list[int] = []
    slice_ = answer_schedule.AnswerSchedule._slice

    def counted(schedule) -> None:
        before = len(state.kernel_worker._finished)
        slice_(schedule)
        told.append(before - len(state.kernel_worker._finished))

    monkeypatch.setattr(state.answers._idle, "_callback", partial(counted, state.answers))
    stage.until(lambda: all(client.of(id_) for id_ in ids))
    assert [client.of(id_)[-1].name for id_ in ids] == ["done"] * len(ids)
    assert [count for count in told if count] == [1] * len(ids)


def test_what_is_left_by_who_hangs_up_is_looked_at_in_slices(stage) -> None:
    allocator = Allocator(stage)
    client, state = allocator.client, stage.plugin._state
    ids = [client.allocate(allocator.plan, pump=False) for _ in range(5)]
    stage.until(lambda: all(client.of(id_) for id_ in ids))
    begin = state.answers._begin
    state.answers._begin = lambda: None  # no slice comes
    client.close()
    stage.clients.remove(client)
    stage.until(lambda: not live_resources())
    assert len(state.accounts._charges) == len(ids)
    state.answers._begin = begin
    begin()
    stage.until(lambda: not state.answers.busy)
    assert not state.accounts._charges


def test_hundreds_that_were_overtaken_are_told_in_slices_and_in_order(stage) -> None:
    client = stage.client()
    negotiation = client.negotiation()
    client.ask(negotiation, 1)
    client.batches(negotiation)
    narrow(stage)
    for cookie in range(2, 202):
        client.request(negotiation, "commit", cookie, pump=False)
    sent: list[int] = []
    send = Resource.send_encoded

    def counted(resource, events, *last) -> None:
        sent.append(1)
        send(resource, events, *last)

    longest = 0
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Resource, "send_encoded", counted)
        for _ in turns(1000, "all answers"):
            if sent and not stage.plugin._state.answers.busy:
                break
            before = len(sent)
            stage.display.dispatch(50)
            longest = max(longest, len(sent) - before)
    client.pump()
    found = client.batches(negotiation)
    assert [one.cookie for one in found] == list(range(2, 202))
    assert {one.reason for one in found[:-1]} == {FailureReason.SUPERSEDED}
    assert found[-1].reason is None
    assert longest < 70  # two turns of one slice each


def test_what_fills_a_slice_is_told_in_the_next_pass(stage, monkeypatch) -> None:
    """A question on an idle host waits for no timer."""
    client = stage.client()
    negotiation = client.negotiation()
    client.ask(negotiation, 1)
    client.batches(negotiation)
    narrow(stage)
    monkeypatch.setattr(answer_schedule, "PAUSE", 60_000)
    client.request(negotiation, "set_extents", 800, 480, 0, 0, 0, 0, pump=False)
    client.request(negotiation, "commit", 2, pump=False)
    told: list[list[int]] = []
    for _ in range(2):
        stage.display.dispatch(0)
        client.read()
        told.append([batch.cookie for batch in client.batches(negotiation)])
    assert told == [[], [2]]


@pytest.mark.parametrize(("clients", "turns"), [(1, 1), (2, 4)])
def test_who_asks_alone_is_told_in_the_turn_that_solves(stage, monkeypatch, clients, turns) -> None:
    """Else the others come first: what was solved is told in a turn of its own."""
    asking = [stage.client() for _ in range(clients)]
    negotiations = [client.negotiation() for client in asking]
    for client, negotiation in zip(asking, negotiations, strict=True):
        client.ask(negotiation, 1)
        client.batches(negotiation)
    added: list[Turn] = []
    add = TurnQueue.add

    def adding(queue: TurnQueue, client, turn: Turn, *what) -> None:
        added.append(turn)
        add(queue, client, turn, *what)

    monkeypatch.setattr(TurnQueue, "add", adding)
    for width, (client, negotiation) in enumerate(zip(asking, negotiations, strict=True), 700):
        client.request(negotiation, "set_extents", width, 480, 0, 0, 0, 0, pump=False)
        client.request(negotiation, "commit", 2, pump=False)
    stage.display.dispatch(0)
    for client, negotiation in zip(asking, negotiations, strict=True):
        client.read()
        assert [batch.cookie for batch in client.batches(negotiation)] == [2]
    assert added == [Turn.ANSWER] * turns


def test_an_object_that_cannot_end_is_not_the_end_of_answering_others(
    stage, monkeypatch, caplog
) -> None:
    first, second = stage.client(), stage.client()
    negotiation = first.negotiation()
    monkeypatch.setattr(NegotiationObject, "end", lambda _: 1 / 0)
    first.request(negotiation, "destroy")
    stage.until(lambda: not stage.plugin._state.answers.busy)
    monkeypatch.undo()
    assert "ZeroDivisionError" in caplog.text
    other = second.negotiation()
    second.ask(other, 7)
    assert [batch.cookie for batch in second.batches(other)] == [7]


def test_after_two_slices_in_a_row_comes_a_pause(stage, monkeypatch) -> None:
    narrow(stage)
    monkeypatch.setattr(answer_schedule, "PAUSE", 60_000)
    answers = stage.plugin._state.answers
    worked: list[int] = []
    for number in range(5):
        answers.work_soon(number, lambda number=number: worked.append(number))
    for _ in range(5):
        stage.display.dispatch(0)
    assert worked == [0, 1]
    monkeypatch.undo()
    answers._next_slice.arm(1)
    stage.until(lambda: not answers.busy)
    assert worked == [0, 1, 2, 3, 4]


def test_what_is_asked_between_two_slices_puts_the_second_off(stage) -> None:
    """All that a pass handles counts, before the loop comes to what wakes it and after."""
    client = stage.client()
    negotiation = client.negotiation()
    narrow(stage)
    answers = stage.plugin._state.answers
    answers._much = MANY - 1
    worked: list[int] = []
    for number in range(2):
        answers.work_soon(number, lambda number=number: worked.append(number))
    for _ in range(MANY):
        client.request(negotiation, "set_extents", 640, 480, 0, 0, 0, 0, pump=False)
    stage.display.dispatch(0)  # the first before its pass
    assert worked == [0]
    stage.until(lambda: not answers.busy)
    assert worked == [0, 1]


def test_managers_name_what_is_new_before_it_is_in_an_answer(stage) -> None:
    client = stage.client()
    [cma] = [one for one in stage.platform.sources if one.contiguous]
    others = tuple(one for one in stage.platform.sources if one is not cma)
    stage.plugin.platform_changed(replace(stage.platform, sources=(cma,)))
    negotiation = client.negotiation()
    client.ask(negotiation)
    client.take(client.manager)
    client.batches(negotiation)
    client.events.clear()
    narrow(stage)
    stage.plugin.platform_changed(replace(stage.platform, sources=others))
    stage.settle()
    order = [event.object for event in client.events]
    assert client.manager in order
    assert negotiation in order
    assert order.index(negotiation) > max(n for n, one in enumerate(order) if one == client.manager)


class TestAnswersThatAreKept:
    def test_twenty_sizes_cost_no_more_than_one(self, stage, steps) -> None:
        client = stage.client()
        negotiation = client.negotiation()
        client.ask(negotiation)
        for turn in range(3):
            for width in range(64, 64 + 20 * 16, 16):
                client.request(negotiation, "set_extents", width, 64, 0, 0, 0, 0)
                client.request(negotiation, "commit", width)
                assert client.batches(negotiation)[-1].cookie == width
            if turn == 0:
                steps.clear()
        assert steps == []

    def test_whether_an_unchanged_answer_may_be_given_is_not_worked_out_again(
        self, stage, monkeypatch
    ) -> None:
        looked: list[object] = []
        obstacle = Allowance.obstacle
        monkeypatch.setattr(
            Allowance, "obstacle", lambda *one: looked.append(one) or obstacle(*one)
        )
        client = stage.client()
        negotiation = client.negotiation()
        for cookie in (1, 2, 3):
            client.ask(negotiation, cookie)
            assert client.batches(negotiation)[-1].offers
            if cookie == 1:
                assert looked
                looked.clear()
        assert looked == []

    def test_who_else_asks_the_same_is_sent_the_same_events(
        self, stage, steps, monkeypatch
    ) -> None:
        first, second = stage.client(), stage.client()
        asked = []
        for client in (first, second):
            if client is second:
                steps.clear()
                monkeypatch.setattr(prepared_batch, "batch_events", None)
            negotiation = client.negotiation()
            client.ask(negotiation, 1, decoder=stage.decoder())
            asked.append(client.batches(negotiation))
        assert asked[0] == asked[1]
        assert steps == []

    @pytest.mark.parametrize(
        "differs", ["a value", "a pair", "a size", "a name", "what can be opened", "the machine"]
    )
    def test_what_differs_anywhere_is_another_question(self, stage, steps, differs) -> None:
        client = stage.client()
        width = SIZE.width + 16 * (differs == "a size")
        for other in (False, True):
            negotiation = client.negotiation()
            client.batches(negotiation)
            steps.clear()
            alignment = 128 if other and differs == "a value" else 64
            pairs = (NV12, XRGB) if other and differs == "a pair" else (NV12,)
            set_ = client.constraint_set(*pairs, constraints=[need("pitch-alignment", alignment)])
            name = "camera" if other and differs == "a name" else "decoder"
            client.request(negotiation, "set_participant", 1, 1, 81, 3, name)
            client.request(negotiation, "add_alternative", 1, set_)
            if other and differs == "what can be opened":
                client.request(negotiation, "set_openable", b"")
            if other and differs == "the machine":
                stage.plugin.platform_changed(stage.platform)
            size = (width if other else SIZE.width, SIZE.height)
            client.request(negotiation, "set_extents", *size, 0, 0, 0, 0)
            client.request(negotiation, "commit", 1)
            assert client.batches(negotiation)[-1].cookie == 1
            assert steps

    def test_they_are_bounded_in_bytes_and_the_last_used_stays(self) -> None:
        class Answer:
            def __init__(self, size: int) -> None:
                self.size = size

        store: AnswerStore[Answer] = AnswerStore(100)
        for number in range(5):
            store.put(number, Answer(20))
        assert store.get(0) is not None
        store.put(5, Answer(20))
        assert store.get(1) is None
        assert store.get(0) is not None
        store.put(6, Answer(101))
        assert store.get(6) is None, "more than all that may be kept"
        assert store.size <= 100

    def test_what_grows_is_counted_as_it_is(self) -> None:
        class Answer:
            size = 10

        store: AnswerStore[Answer] = AnswerStore(100)
        growing = Answer()
        for number in range(9):
            store.put(number, Answer())
        store.put("growing", growing)
        growing.size = 60
        assert store.get("growing") is growing
        assert store.size <= 100
        assert store.get(0) is None


class TestTurns:
    def turns(self, *added: tuple[str, Turn, str]) -> list[str]:
        queue, served = TurnQueue(), []
        for client, turn, key in added:
            queue.add(client, turn, key, lambda key=key: served.append(key))
        for _ in turns(100, "the end of the queue"):
            if (work := queue.take()) is None:
                break
            work()
        assert len(queue) == 0
        return served

    def test_clients_are_served_in_turn(self) -> None:
        added = [("a", Turn.ANSWER, f"a{n}") for n in range(4)] + [("b", Turn.ANSWER, "b0")]
        assert self.turns(*added) == ["a0", "b0", "a1", "a2", "a3"]

    def test_of_a_client_the_most_urgent_comes_first(self) -> None:
        added = [("a", turn, turn.name) for turn in reversed(Turn)]
        assert self.turns(*added) == ["ANNOUNCE", "ANSWER", "RENEW", "RECONSIDER"]

    def test_an_object_has_one_turn_for_the_most_urgent(self) -> None:
        answer, renew = Turn.ANSWER, Turn.RENEW
        assert self.turns(("a", renew, "x"), ("a", answer, "x"), ("a", renew, "x")) == ["x"]

    def test_what_is_discarded_has_none(self) -> None:
        queue = TurnQueue()
        queue.add("a", Turn.ANSWER, "x", lambda: None)
        queue.discard("x")
        queue.discard("never there")
        assert queue.take() is None
        assert queue._clients == {}
