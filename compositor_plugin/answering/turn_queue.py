"""Who is served next: clients in turn, and of each what is most urgent."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from enum import IntEnum


class Turn(IntEnum):
    """What there is to do for an object, the most urgent first."""

    ANNOUNCE = 0
    """Name the sources that are new; before any answer that uses one."""
    ANSWER = 1
    """Answer what the client asked."""
    RENEW = 2
    """Send what has changed."""
    RECONSIDER = 3
    """See whether something has changed."""


Work = Callable[[], None]


class TurnQueue:
    """Work for clients, each with one turn after the other; the plugin's own counts as a client's.

    A client with a thousand objects does not delay one with one: after each piece of work
    the next client has its turn. There is one piece of work for an object at a time, the
    most urgent: what answers also knows what has changed.
    """

    def __init__(self) -> None:
        self._clients: dict[Hashable, tuple[dict[Hashable, Work], ...]] = {}  # in order of turns
        self._turns: dict[Hashable, tuple[Hashable, Turn]] = {}

    def __len__(self) -> int:
        return len(self._turns)

    def add(self, client: Hashable, turn: Turn, key: Hashable, work: Work) -> None:
        """Let `key` have its turn, unless something more urgent waits for that already."""
        waiting = self._turns.get(key)
        if waiting is not None:
            if waiting[1] <= turn:
                return
            self.discard(key)
        levels = self._clients.get(client)
        if levels is None:
            levels = self._clients[client] = ({}, {}, {}, {})  # one for each `Turn`
        levels[turn][key] = work
        self._turns[key] = (client, turn)

    def discard(self, key: Hashable) -> None:
        """There is nothing to do for `key` any more."""
        waiting = self._turns.pop(key, None)
        if waiting is not None:
            client, turn = waiting
            del self._clients[client][turn][key]
            if not any(self._clients[client]):
                del self._clients[client]

    def take(self) -> Work | None:
        """The next piece of work; None if there is none."""
        client = next(iter(self._clients), None)
        if client is None:
            return None
        levels = self._clients.pop(client)
        level = next(one for one in levels if one)
        key = next(iter(level))
        work = level.pop(key)
        del self._turns[key]
        if any(levels):
            self._clients[client] = levels  # at the end: the others come first
        return work
