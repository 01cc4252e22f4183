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
_Levels = tuple[dict[Hashable, Work], ...]  # by the number of the `Turn`


class TurnQueue:
    """Work for clients, each with one turn after the other; the plugin's own counts as a client's.

    A client with a thousand objects does not delay one with one: after each piece of work
    the next client has its turn. There is one piece of work for an object at a time, the
    most urgent: what answers also knows what has changed. A client that is put aside has
    no turn until it is brought back.
    """

    def __init__(self) -> None:
        self._clients: dict[Hashable, _Levels] = {}  # in order of turns
        self._aside: dict[Hashable, _Levels] = {}
        self._turns: dict[Hashable, tuple[Hashable, Turn]] = {}

    def __len__(self) -> int:
        return len(self._turns)

    @property
    def next(self) -> Hashable | None:
        """Whose turn it is; None if nobody's."""
        return next(iter(self._clients), None)

    def put_aside(self, client: Hashable) -> None:
        """Let others have their turns while this one waits."""
        self._aside[client] = self._clients.pop(client)

    def bring_back(self, client: Hashable) -> None:
        """Let one that was put aside have its turn again, after those who wait."""
        levels = self._aside.pop(client, None)
        if levels is not None:
            self._clients[client] = levels

    def add(self, client: Hashable, turn: Turn, key: Hashable, work: Work) -> None:
        """Let `key` have its turn, unless something more urgent waits for that already."""
        waiting = self._turns.get(key)
        if waiting is not None:
            if waiting[1] <= turn:
                return
            self.discard(key)
        levels = self._clients.get(client)
        if levels is None and self._aside:
            levels = self._aside.get(client)
        if levels is None:
            levels = self._clients[client] = ({}, {}, {}, {})  # one for each `Turn`
        levels[turn][key] = work
        self._turns[key] = (client, turn)

    def discard(self, key: Hashable) -> None:
        """There is nothing to do for `key` any more."""
        waiting = self._turns.pop(key, None)
        if waiting is not None:
            client, turn = waiting
            clients = self._clients if client in self._clients else self._aside
            del clients[client][turn][key]
            if not any(clients[client]):
                del clients[client]

    def drop(self, client: Hashable) -> None:
        """There is nothing to do for a client any more."""
        levels = self._clients.pop(client, None) or self._aside.pop(client, None)
        for level in levels or ():
            for key in level:
                del self._turns[key]

    def take(self) -> Work | None:
        """The next piece of work; None if there is none."""
        if not self._clients:
            return None
        client = next(iter(self._clients))
        levels = self._clients.pop(client)
        level = next(filter(None, levels))
        key = next(iter(level))
        work = level.pop(key)
        del self._turns[key]
        if any(levels):
            self._clients[client] = levels  # at the end: the others come first
        return work
