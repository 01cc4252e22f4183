"""What a client makes the compositor keep in its own memory: bounded for each, and in all.

The limits are the protocol's (`protocol/wire/limits.py`), so that a client can keep to
them: constraint sets, managers, negotiations, buffer statuses, allocations.
"""

from __future__ import annotations

import weakref
from collections import Counter, deque
from collections.abc import Callable, Hashable

from heapwire.compositor_plugin.clients.grant import Grant
from heapwire.compositor_plugin.clients.identity import ClientIdentity
from heapwire.compositor_plugin.clients.quota import Holder
from heapwire.compositor_plugin.server import Client, Listener
from heapwire.protocol.late_dataclasses import dataclass, field
from heapwire.protocol.values import ConstraintSet
from heapwire.protocol.wire import CLIENT_OBJECTS, CLIENT_SET_BYTES

ALL_SET_BYTES = 64 << 20
"""Bytes of the constraint sets of all clients: the limit of 16 of them."""
ALL_OBJECTS = 4096
"""Managers, negotiations, buffer statuses and allocations of all clients: at 23 KiB of memory
for a negotiation that has been answered, 92 MiB."""
SMALL_SET_BYTES = 64 << 10
"""Bytes that a client may have whatever the others have: several honest negotiations."""
_SETTLED_AT_ONCE = 256
"""Sets that are no more, and are taken off the books in a turn: about 0.1 ms."""
_SETTLED_EACH = 4
"""The same each time that a set grows, so that more goes off the books than comes."""


@dataclass(slots=True, eq=False)
class ClientUse:
    """What one client has: bytes of constraint sets, and objects; and who it is, once asked.

    `managers` are by the name of their interface. `holder` and `grant` are what follows from
    who it is.
    """

    client: ClientIdentity | None = None
    holder: Holder | None = None
    grant: Grant | None = None
    set_bytes: int = 0
    managers: Counter[str] = field(default_factory=Counter)
    negotiations: int = 0
    feedbacks: int = 0
    statuses: int = 0
    allocations: int = 0
    _said: set[str] = field(default_factory=set)

    @property
    def objects(self) -> int:
        """All that the client has of us but for constraint sets."""
        made = self.negotiations + self.feedbacks + self.statuses + self.allocations
        return self.managers.total() + made

    def first(self, what: str) -> bool:
        """Whether something is to be logged for the first time; a client can repeat anything."""
        if what in self._said:
            return False
        self._said.add(what)
        return True


class ClientUses:
    """The `ClientUse` of each client that is connected, and the bytes of all their sets.

    A set counts until nothing refers to it any more, whether its client is still there
    or not: negotiations keep the sets that they were given. What is no more goes off the books a
    little at a time: clients leave tens of thousands.
    """

    def __init__(
        self,
        ended: Callable[[Client], None],
        soon: Callable[[Hashable, Callable[[], None]], None],
    ) -> None:
        """`ended` is told of each client that ends, before its objects do; `soon` has a turn."""
        self._ended = ended
        self._soon = soon
        self._uses: dict[Client, tuple[ClientUse, Listener]] = {}
        self._set_bytes = 0
        # A set may be collected on any thread, and at any point; it only leaves word here.
        self._returned: deque[tuple[ClientUse, int]] = deque()
        self._counted: dict[int, _CountedSet] = {}

    def of(self, client: Client) -> ClientUse:
        """What a client has."""
        entry = self._uses.get(client)
        if entry is None:
            entry = (ClientUse(), client.on_destroy(lambda: self._forget(client)))
            self._uses[client] = entry
        return entry[0]

    def take(self, use: ClientUse, size: int) -> bool:
        """A client's set has grown; whether that may be too much, and is to be looked at."""
        if self._returned:
            self._settle(_SETTLED_EACH)
        use.set_bytes = mine = use.set_bytes + size
        self._set_bytes = whole = self._set_bytes + size
        return mine > CLIENT_SET_BYTES or whole > ALL_SET_BYTES

    def give_back(self, use: ClientUse, size: int) -> None:
        """A set is no more; may be called at any point, and on any thread."""
        if size:
            self._returned.append((use, size))

    def count_while_used(self, constraint_set: ConstraintSet, use: ClientUse, size: int) -> None:
        """What was taken for a set is given back when nothing refers to it any more."""
        counted = _CountedSet(constraint_set, _set_is_gone)
        counted.uses, counted.use, counted.size = self, use, size
        counted.number = id(constraint_set)
        self._counted[counted.number] = counted

    def bytes_of(self, use: ClientUse) -> int:
        """Bytes of a client's sets now."""
        self._settle(len(self._returned))
        return use.set_bytes

    def greedy(self, use: ClientUse) -> bool:
        """Whether a client's sets are more than one may have."""
        while self._returned and use.set_bytes > CLIENT_SET_BYTES:
            self._settle(_SETTLED_AT_ONCE)
        return use.set_bytes > CLIENT_SET_BYTES

    def crowded(self, use: ClientUse) -> bool:
        """Whether all clients' sets are too much, and this client's are a part of that."""
        while self._returned and self._set_bytes > ALL_SET_BYTES:
            self._settle(_SETTLED_AT_ONCE)
        return self._set_bytes > ALL_SET_BYTES and use.set_bytes > SMALL_SET_BYTES

    def all(self) -> list[tuple[Client, ClientUse]]:
        """Each client that is connected and was heard of; who has most comes first."""
        uses = [(client, use) for client, (use, _) in self._uses.items()]
        return sorted(uses, key=lambda entry: (-self.bytes_of(entry[1]), -entry[1].objects))

    def many(self, use: ClientUse) -> bool:
        """Whether all clients' objects are too many, and this client's are a part of that."""
        if use.objects <= CLIENT_OBJECTS:
            return False
        return sum(one.objects for one, _ in self._uses.values()) > ALL_OBJECTS

    def close(self) -> None:
        """Leave no listener."""
        for _, listener in self._uses.values():
            listener.remove()
        self._uses.clear()

    def _forget(self, client: Client) -> None:
        use, _ = self._uses.pop(client)
        self._ended(client)
        if use.set_bytes > SMALL_SET_BYTES:
            self._soon(self, self._go_on)  # when its objects have gone

    def _go_on(self) -> None:
        self._settle(_SETTLED_AT_ONCE)
        if self._returned:
            self._soon(self, self._go_on)

    def _settle(self, most: int) -> None:
        """Take some of what is no more off the books, what went first first."""
        for _ in range(min(most, len(self._returned))):
            owner, size = self._returned.popleft()
            owner.set_bytes -= size
            self._set_bytes -= size


class _CountedSet(weakref.ref[ConstraintSet]):
    """A set that is counted for a client: one object where a function of its own would be five."""

    __slots__ = ("number", "size", "use", "uses")
    uses: ClientUses
    use: ClientUse
    number: int
    size: int


def _set_is_gone(counted: weakref.ref[ConstraintSet]) -> None:
    assert isinstance(counted, _CountedSet)
    counted.uses._counted.pop(counted.number, None)
    counted.uses.give_back(counted.use, counted.size)
