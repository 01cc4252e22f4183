"""How many file descriptors clients' buffers keep open here: bounded for one, and for all.

A client can make buffers for as long as it likes, and each keeps a descriptor of each of its
objects, or its pool does. Without a bound one client would take all that the process may open, and
the next one could not even connect.
"""

from __future__ import annotations

import resource
import weakref
from collections import Counter

from heapwire.compositor_plugin.server import Client

_ALL = 2048  # descriptors of all clients, where the process may have more than anybody needs


def raise_limit() -> tuple[int, int]:
    """Let this process open as many files as the system lets it have; the limits until then.

    The usual limit of 1024 is there for programs that use select(); nothing here does.
    """
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    return soft, hard


class ClientDescriptors:
    """The descriptors that clients have here now: a quarter of what the process may open.

    That is what allocation leaves for them (`compositor_plugin.clients.quota`). One client may
    have half of it.
    """

    def __init__(self) -> None:
        limit, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
        self._all = _ALL if limit == resource.RLIM_INFINITY else min(_ALL, limit // 4)
        self._kept: Counter[Client] = Counter()

    def take(self, client: Client) -> KeptDescriptor | None:
        """One more for a client; None if that is more than it may have, or than there are."""
        if self._kept[client] >= self._all // 2 or self._kept.total() >= self._all:
            return None
        self._kept[client] += 1
        kept = KeptDescriptor(self, client)
        weakref.finalize(kept, self._give_back, client)
        return kept

    def _give_back(self, client: Client) -> None:
        self._kept[client] -= 1
        if not self._kept[client]:
            del self._kept[client]


class KeptDescriptor:
    """One that counts for a client, until nothing refers to this any more."""

    __slots__ = ("__weakref__", "_client", "_descriptors")

    def __init__(self, descriptors: ClientDescriptors, client: Client) -> None:
        self._descriptors = descriptors
        self._client = client

    def another(self) -> KeptDescriptor | None:
        """One more for the same client; None if that is too much."""
        return self._descriptors.take(self._client)
