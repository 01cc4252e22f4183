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
_LOOK = 4  # milliseconds between two looks at points that nobody tells of


@dataclass(slots=True)
class _Use:
    """What a client has here: commits that wait, and points that the kernel remembers."""

    end: Listener
    held: int = 0
    told: int = 0


class HeldCommits(Owner):
    """All commits that wait, in the order in which they were made."""

    def __init__(self, loop: EventLoop) -> None:
        self._loop = loop
        self._transactions: list[list[HeldCommit]] = []
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
        self._transactions.append(list(transaction))
        self._settle()

    def of(self, surface: object) -> list[HeldCommit]:
        """The commits of a surface that wait, the newest first."""
        waiting = reversed(self._transactions)
        return [one for commits in waiting for one in commits if one.surface is surface]

    def drop(self, surface: object) -> None:
        """A surface is gone: nothing of it takes effect, and nobody waits for it."""
        for commit in self.of(surface):
            self._end(commit)
            commit.state.clear()
        kept = [[one for one in each if one.surface is not surface] for each in self._transactions]
        self._transactions = [commits for commits in kept if commits]
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
            surfaces = {commit.surface.address for commit in transaction}
            if surfaces.isdisjoint(blocked):
                missing = [commit for commit in transaction if not _has_come(commit)]
                if not missing:
                    for commit in transaction:
                        self._end(commit)
                        _apply(commit)
                    continue
                for commit in missing:
                    if not self._is_told(commit):
                        look = True
            blocked |= surfaces
            self._transactions.append(transaction)
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
        del self._uses[client]
        gone = [one for commits in self._transactions for one in commits]
        for commit in gone:
            if commit.surface.client == client:
                commit.surface.held -= 1
                commit.state.clear()
        self._transactions = [
            commits for commits in self._transactions if commits[0].surface.client != client
        ]

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
