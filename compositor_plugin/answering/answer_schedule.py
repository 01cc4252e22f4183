"""When clients are told something: in slices, so that the host's loop goes on between them."""

from __future__ import annotations

import logging
import time
from collections import deque
from collections.abc import Callable, Hashable, Iterable
from functools import partial
from itertools import islice
from typing import TYPE_CHECKING, Protocol

from heapwire.compositor_plugin.answering.turn_queue import Turn, TurnQueue
from heapwire.compositor_plugin.garbage import look_at_what_came
from heapwire.compositor_plugin.server import (
    WRITABLE,
    Client,
    Display,
    EventSource,
    IdleCall,
    Listener,
    NextPass,
    ReadyOrder,
    Resource,
    is_shortage,
    requests_handled,
)

if TYPE_CHECKING:
    from heapwire.compositor_plugin.answering.batch_solver import BatchSolver
    from heapwire.compositor_plugin.manager import SourceManager
    from heapwire.compositor_plugin.negotiation_object import NegotiationObject


log = logging.getLogger(__name__)

SLICE = 0.0005
"""Seconds of processor time after which no more is begun in a slice. What is begun before
costs at most what trial.py permits, so that a slice stays below four milliseconds."""
PAUSE = 1  # milliseconds after two slices in a row, in which the loop serves everybody else
MUCH = 64
"""Requests handled in one pass of the loop, some 0.6 ms, after which who made them is read last;
and after half of them a slice is put off to the next pass."""
PUT_OFF = 4
"""Times in a row that a slice is put off: clients that never stop must not keep others waiting."""
TURNS = 8
"""Turns after which the collector looks at what has come: of new answers 0.05 to 0.15 ms."""
DESTROYED = 64
"""Objects that clients may destroy between two slices at once, in some 0.15 ms; of more,
libwayland's go in slices."""
NEVER = float("-inf")
"""Until when a turn may begin where there is no slice."""
AT_ONCE = 50
"""Negotiations that are given a turn together: about 0.2 ms."""


class Ending(Protocol):
    """What is no more for clients, and has something left."""

    def end(self) -> None:
        """Let go of that."""


class AnswerSchedule:
    """Which objects have something to tell, on the host's loop.

    A slice comes when what has arrived is handled, and begins by sending what that was
    answered: whoever asked for a sign of life waits for no slice.

    Where a slice leaves something, the next one comes in the loop's next pass, and then a pause:
    one question is solved in a slice and told in the one after it.

    A pass of the loop in which much was asked has no slice, for a few passes: whoever asks
    for a sign of life waits for one or the other. And whoever asked for much is read last in the
    next one: it waits for that once, and not twice.

    A client that does not read what it is told waits, and is told the latest when it does.

    `debounce` is how many milliseconds a change for the better must last. `clock` is in
    seconds, by default the processor time of the loop's thread.
    """

    def __init__(
        self, display: Display, debounce: int, clock: Callable[[], float] = time.thread_time
    ) -> None:
        self._display = display
        self._loop = loop = display.loop
        self._debounce = debounce
        self._clock = clock
        self._turns = TurnQueue()
        self._doubted: dict[NegotiationObject, None] = {}  # which are to be given a turn
        self._upgrades: dict[NegotiationObject, None] = {}  # in the order in which they came
        self._ended: deque[Ending] = deque()
        self._idle = IdleCall(loop, self._slice)
        self._order = ReadyOrder(loop)
        # Neither has a slice itself: that comes after what has arrived meanwhile.
        self._next_pass = NextPass(loop, self._go_on)
        self._next_slice = loop.add_timer(self._resume)
        self._in_a_row = False  # whether a slice comes right after another
        self._pausing = False
        self._much = MUCH
        self._more = 0  # requests that the long ones count as, beyond one each
        self._handled = 0  # requests, when the pass began whose slice comes
        self._described: int | None = None  # the same of a pass in which something is described
        self._describing: dict[Client, None] = {}  # in this pass
        self._end_of_pass = IdleCall(loop, self._pass_ends)
        self._put_off = 0
        self._taken = 0  # turns
        self._destroyed = 0  # objects, since the last slice
        self._end = NEVER  # of the slice, by the clock
        self._debouncer = loop.add_timer(self._send_upgrades)
        self._held: dict[Client, tuple[EventSource, Listener]] = {}
        self._closed = False

    @property
    def busy(self) -> bool:
        """Whether anybody waits for a slice."""
        return len(self._turns) > 0 or len(self._ended) > 0

    def describing(self, client: Client, *, more: int = 0) -> None:
        """A client describes what it will ask: what this pass handles counts from here on.

        Whoever was read before is answered before. A request that takes as long as several of
        the others counts as so many `more`.
        """
        if self._closed:
            return
        if self._described is None:
            self._described = self._requests
            self._end_of_pass.ask()
            self._display.send_queued()
        self._describing[client] = None
        self._more += more

    def announce_soon(self, manager: SourceManager) -> None:
        """Let a manager say which sources have come or gone; before its client is answered."""
        self._add(manager.client, Turn.ANNOUNCE, manager, manager.announce)

    def answer_soon(self, negotiation: NegotiationObject) -> None:
        """Let a negotiation answer when the requests at hand are handled."""
        self._add(negotiation.client, Turn.ANSWER, negotiation, negotiation.answer)

    def reconsider(self, negotiation: NegotiationObject) -> None:
        """What a negotiation said may no longer be so: a loss at once, a gain if it lasts."""
        self._add(negotiation.client, Turn.RECONSIDER, negotiation, negotiation.reconsider)

    def reconsider_all(self, negotiations: Iterable[NegotiationObject]) -> None:
        """The same of any number, of which a few are given their turns in each slice."""
        self._doubted.update(dict.fromkeys(negotiations))
        if self._doubted:
            self.work_soon(self._doubt, self._doubt)

    def conclude_soon(self, client: Client, who: BatchSolver, work: Callable[[], None]) -> None:
        """Let something that was solved be told, in a turn of its own.

        Where that is the next one anyway, in a slice that has time for it, it is now.
        """
        if self._turns.next is None and not self._ended and self._clock() < self._end:
            self._took()
            work()
            return
        self._add(client, Turn.ANSWER, who, work)

    def tell_soon(self, client: Client, who: Hashable, work: Callable[[], None]) -> None:
        """Let an object of a client's say what has changed of the machine."""
        self._add(client, Turn.ANNOUNCE, who, work)

    def work_soon(self, key: Hashable, work: Callable[[], None]) -> None:
        """Let the plugin itself do something in a slice."""
        self._turns.add(key, Turn.ANSWER, key, partial(_guard, work))
        self._begin()

    def upgrade_later(self, negotiation: NegotiationObject) -> None:
        """What a negotiation could say is better than what it said: if that lasts."""
        self._upgrades[negotiation] = None
        self._debouncer.arm(self._debounce)

    def keep(self, negotiation: NegotiationObject) -> None:
        """What a negotiation said is the best that it could say."""
        self._upgrades.pop(negotiation, None)

    def forget_client(self, client: Client) -> None:
        """A client ends: a look at its connection would be a look at freed memory soon."""
        self._turns.drop(client)
        self._describing.pop(client, None)
        self._order.forget(client)

    def forget_turn(self, who: Hashable) -> None:
        """Who was to say something, or had something solved to be told, is to do so no more."""
        self._turns.discard(who)

    def forget(self, negotiation: NegotiationObject) -> None:
        """A negotiation was destroyed."""
        self._turns.discard(negotiation)
        if negotiation in self._doubted:
            del self._doubted[negotiation]
            if not self._doubted:
                self._turns.discard(self._doubt)
        self._upgrades.pop(negotiation, None)

    def end_soon(self, ended: Ending) -> None:
        """Let go of what something had that is destroyed, in a slice."""
        if self._closed:
            ended.end()
        else:
            self._ended.append(ended)
            self._begin()

    def destroy(self, resource: Resource) -> None:
        """A client destroys an object: of hundreds most go in slices."""
        self._destroyed += 1
        if self._closed or self._destroyed <= DESTROYED:
            resource.destroy_resource()
            return
        resource.leave()
        if not self._ended or self._ended[-1] is not resource:
            self.end_soon(resource)

    def end_while(self, needed: Callable[[], bool]) -> None:
        """Let go now of what destroyed objects had, one after the other, while that is needed."""
        while self._ended and needed():
            self._ended.popleft().end()

    def forget_manager(self, manager: SourceManager) -> None:
        """A manager was destroyed."""
        self._turns.discard(manager)

    def close(self) -> None:
        """Leave nothing on the loop; nobody is told anything any more."""
        self.end_while(lambda: True)
        self._closed = True
        self._turns = TurnQueue()
        self._doubted.clear()
        self._upgrades.clear()
        for client in tuple(self._held):
            self._let_go(client)
        self._debouncer.remove()
        self._next_pass.close()
        self._order.close()
        self._next_slice.remove()
        self._idle.remove()
        self._end_of_pass.remove()

    def _add(
        self,
        client: Client,
        turn: Turn,
        who: Hashable,
        work: Callable[[], None],
    ) -> None:
        self._turns.add(client, turn, who, partial(_serve, client, work))
        self._begin()

    @property
    def _requests(self) -> int:
        """Those that have been handled, each by what it takes."""
        return requests_handled() + self._more

    def _begin(self) -> None:
        if not (self._idle.asked or self._pausing or self._closed):
            begun = self._described
            self._handled = self._requests if begun is None else begun
            self._idle.ask()

    def _go_on(self) -> None:
        self._pausing = False
        if not self._closed:  # `_handled` is that of the last slice's end
            self._idle.ask()

    def _pass_ends(self) -> None:
        if self._idle.asked:  # a slice comes, and whoever sends something meanwhile
            self._end_of_pass.ask()
            return
        described, self._described = self._described, None
        clients, self._describing = self._describing, {}
        if described is not None and self._requests - described > self._much:
            self._order.put_last(clients)

    def _resume(self) -> None:
        self._pausing = False
        self._begin()  # before anything is read: timers are first in a pass

    def _slice(self) -> None:
        self._pausing = True  # what is added from here on is part of this slice or the next
        self._display.flush()
        handled = self._requests
        if handled - self._handled > self._much // 2 and self._put_off < PUT_OFF:
            self._put_off += 1
            self._handled = handled
            self._next_pass.ask()
            return
        self._put_off = 0
        self._end = self._clock() + SLICE
        self._take_turns()
        self._end = NEVER

    def _take_turns(self) -> None:
        self._destroyed = 0
        while not self._closed:
            while isinstance(client := self._turns.next, Client) and not client.takes_more:
                self._hold(client)
            taken = self._turns.take()
            if taken is not None:
                taken()
                self._took()
            if self._ended:  # one of them after each turn: neither is held up by the other
                _guard(self._ended.popleft().end)
            if not self._ended and self._turns.next is None:
                break
            if self._clock() >= self._end:
                self._leave()
                return
        self._pausing = self._in_a_row = False

    def _took(self) -> None:
        """A turn was taken."""
        self._taken += 1
        if self._taken % TURNS == 0:
            look_at_what_came()

    def _leave(self) -> None:
        """Let another slice come for what is left."""
        self._in_a_row = not self._in_a_row
        if self._in_a_row:
            self._handled = self._requests
            self._next_pass.ask()
        else:
            self._next_slice.arm(PAUSE)

    def _hold(self, client: Client) -> None:
        """Leave a client alone until it has read."""
        self._turns.put_aside(client)
        if client in self._held:  # nothing was left for it meanwhile, and now there is again
            return
        self._held[client] = (
            self._loop.add_fd(client.fd, lambda _: self._let_go(client), WRITABLE),
            client.on_destroy(lambda: self._let_go(client)),
        )

    def _let_go(self, client: Client) -> None:
        for watching in self._held.pop(client):
            watching.remove()
        self._turns.bring_back(client)
        self._begin()

    def _doubt(self) -> None:
        for negotiation in tuple(islice(self._doubted, AT_ONCE)):
            del self._doubted[negotiation]
            self.reconsider(negotiation)
        if self._doubted:
            self.work_soon(self._doubt, self._doubt)

    def _send_upgrades(self) -> None:
        upgrades, self._upgrades = self._upgrades, {}
        for negotiation in upgrades:
            self._add(negotiation.client, Turn.RENEW, negotiation, negotiation.renew)


def _serve(client: Client, work: Callable[[], None]) -> None:
    try:
        work()
    except Exception as error:
        if is_shortage(error):
            log.warning("an answer cannot be sent: %s", error)
            client.post_no_memory()
        else:
            log.exception("an answer cannot be sent")
            client.post_implementation_error("an answer cannot be sent")


def _guard(work: Callable[[], None]) -> None:
    try:
        work()
    except Exception:  # a bug, which is not the end of answering others
        log.exception("the schedule failed")
