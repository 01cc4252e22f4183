"""Commits that wait for the points that their clients named, and those that came behind them.

A commit and those of the synchronised subsurfaces that take effect with it are one transaction:
it waits for all of its points, and for the transactions before it that any of its surfaces is
in. Nothing here blocks: where the kernel writes to an eventfd when a point comes, the loop hears
of it; elsewhere the points are looked at a few times in each refresh, while any are waited for.
"""

from __future__ import annotations

import contextlib
import logging
import os
from collections.abc import Sequence

from heapwire.compositor_plugin.hosts.reference.scene.held_commit import HeldCommit
from heapwire.compositor_plugin.server import (
    Client,
    EventLoop,
    EventSource,
    Listener,
    ViolationError,
)
from heapwire.kernel.system import Owner
from heapwire.protocol.late_dataclasses import dataclass

log = logging.getLogger(__name__)

MOST_HELD = 256
"""Commits of one client that may wait. Who asks for frame callbacks has a handful."""
MOST_TOLD = 64
"""Points that the kernel is to tell of for one client. It remembers each until it comes, even
where nobody waits for it any more: beyond this, points are looked at."""
MOST_ASKED = 16
"""Transactions of one client whose points are looked at in one go, in turn if there are more: so
long is nobody held up by clients with hundreds."""
_LOOK = 4  # milliseconds between two looks at points that nobody tells of


@dataclass(slots=True, eq=False)
class _Transaction:
    """Commits of one client's that take effect together; `surfaces` are all that are in it."""

    commits: list[HeldCommit]
    surfaces: frozenset[int]
    use: _Use


@dataclass(slots=True, eq=False)
class _Use:
    """What a client has here: commits that wait, and points that the kernel remembers.

    Of those first in line, `seen` were come to in this go, `asked` looked at, and the first
    `skipped` left to the next.
    """

    end: Listener
    held: int = 0
    told: int = 0
    seen: int = 0
    asked: int = 0
    skipped: int = 0

    def has_turn(self) -> bool:
        """Whether the next transaction first in line is one to be looked at now."""
        self.seen += 1
        turn = self.seen > self.skipped and self.asked < MOST_ASKED
        self.asked += turn
        return turn

    def ends_go(self) -> None:
        """All are through: those that were left out are looked at first in the next go."""
        reached = self.skipped + self.asked
        self.skipped = reached if reached < self.seen else 0
        self.seen = self.asked = 0


class HeldCommits(Owner):
    """All commits that wait, in the order in which they were made."""

    def __init__(self, loop: EventLoop) -> None:
        self._loop = loop
        self._transactions: list[_Transaction] = []
        self._uses: dict[Client, _Use] = {}
        self._wake = os.eventfd(0, os.EFD_CLOEXEC | os.EFD_NONBLOCK)
        self._source = loop.add_fd(self._wake, self._woken)
        self._timer: EventSource | None = None

    def add(self, transaction: Sequence[HeldCommit]) -> None:
        """Have commits of one client's take effect together, at once if nothing is in the way.

        Raises `MemoryError` where too many of the client's are waiting.
        """
        use = self._use(transaction[0].surface.client)
        if use.held + len(transaction) > MOST_HELD:
            for commit in transaction:
                commit.state.clear()
            raise MemoryError(f"more than {MOST_HELD} commits wait for a client's points")
        use.held += len(transaction)
        for commit in transaction:
            commit.surface.held += 1
        surfaces = frozenset(commit.surface.address for commit in transaction)
        self._transactions.append(_Transaction(list(transaction), surfaces, use))
        self._settle()

    def of(self, surface: object) -> list[HeldCommit]:
        """The commits of a surface that wait, the newest first."""
        waiting = reversed(self._transactions)
        return [one for each in waiting for one in each.commits if one.surface is surface]

    def drop(self, surface: object) -> None:
        """A surface is gone: nothing of it takes effect, and nobody waits for it."""
        for commit in self.of(surface):
            self._end(commit)
            commit.state.clear()
        for each in self._transactions:
            each.commits = [one for one in each.commits if one.surface is not surface]
        self._transactions = [each for each in self._transactions if each.commits]
        if self._transactions:  # others may have waited for this one; not while objects end
            os.eventfd_write(self._wake, 1)

    def close(self) -> None:
        """Wait for nothing any more; safe to call twice."""
        self._transactions.clear()
        for use in self._uses.values():
            use.end.remove()
        self._uses.clear()
        self._source.remove()
        if self._timer is not None:
            self._timer.remove()
            self._timer = None
        if self._wake >= 0:
            os.close(self._wake)
            self._wake = -1

    def _settle(self) -> None:
        """Have all take effect that can, and see to it that somebody looks after the others."""
        waiting, self._transactions = self._transactions, []
        blocked: set[int] = set()
        look = False
        for transaction in waiting:
            if transaction.surfaces.isdisjoint(blocked):
                if not transaction.use.has_turn():
                    look = True
                elif not (missing := [one for one in transaction.commits if not _has_come(one)]):
                    for commit in transaction.commits:
                        self._end(commit)
                        _apply(commit)
                    continue
                elif not all(self._is_told(commit) for commit in missing):
                    look = True
            blocked |= transaction.surfaces
            self._transactions.append(transaction)
        for use in self._uses.values():
            use.ends_go()
        if look:
            if self._timer is None:
                self._timer = self._loop.add_timer(self._settle)
            self._timer.arm(_LOOK)

    def _is_told(self, commit: HeldCommit) -> bool:
        """Whether the kernel tells when the point of a commit comes."""
        use, point = self._use(commit.surface.client), commit.state.acquire
        if not commit.told and point is not None and use.told < MOST_TOLD:
            commit.told = point.timeline.notify(point.value, self._wake)
            use.told += commit.told
        return commit.told

    def _end(self, commit: HeldCommit) -> None:
        """A commit does not wait any more; whether its point has come is another matter."""
        use = self._use(commit.surface.client)
        use.held -= 1
        commit.surface.held -= 1
        if commit.told and commit.state.acquire is None:
            use.told -= 1

    def _use(self, client: Client) -> _Use:
        use = self._uses.get(client)
        if use is None:
            end = client.on_destroy(lambda: self._forget(client))
            use = self._uses[client] = _Use(end)
        return use

    def _forget(self, client: Client) -> None:
        """A client is gone; its surfaces go after this."""
        use = self._uses.pop(client)
        for each in self._transactions:
            for commit in each.commits if each.use is use else ():
                commit.surface.held -= 1
                commit.state.clear()
        self._transactions = [each for each in self._transactions if each.use is not use]

    def _woken(self, _mask: int) -> None:
        with contextlib.suppress(BlockingIOError):
            os.eventfd_read(self._wake)
        self._settle()


def _has_come(commit: HeldCommit) -> bool:
    """Whether a commit has nothing to wait for; a point that has come is not asked again."""
    point = commit.state.acquire
    if point is not None and point.signalled:
        commit.state.acquire = None
    return commit.state.acquire is None


def _apply(commit: HeldCommit) -> None:
    """Have a commit take effect; if that fails, it ends its own client and disturbs no other."""
    try:
        commit.surface.apply_held(commit)
    except ViolationError as error:
        error.resource.post_error(error.code, error.message)
    except Exception:
        log.exception("a commit of surface %d that waited failed", commit.surface.number)
        commit.surface.client.post_implementation_error("a commit that waited failed")
