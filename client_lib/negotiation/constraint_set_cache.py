"""Constraint sets on the compositor's side: immutable, so equal ones are shared."""

from __future__ import annotations

from collections import OrderedDict

from heapwire.client_lib.wayland import AnyProxy, create, send
from heapwire.protocol.values import ConstraintSet
from heapwire.protocol.wire import set_requests

CACHED_SETS = 64  # sets that are kept for another use; a destroyed one lives on where it is used


class ConstraintSetCache:
    """The compositor's objects for sets that have been used lately."""

    def __init__(self, manager: AnyProxy) -> None:
        self._manager = manager
        self._made: OrderedDict[ConstraintSet, AnyProxy] = OrderedDict()

    def get(self, constraint_set: ConstraintSet) -> AnyProxy:
        """The object for a set, valid until the next call; `UsageError` if it is forbidden."""
        cached = self._made.get(constraint_set)
        if cached is not None:
            self._made.move_to_end(constraint_set)
            return cached
        requests = set_requests(constraint_set)
        creator = create(self._manager, "create_constraint_set")
        for request, arguments in requests:
            send(creator, request, *arguments)
        made = create(creator, "create")
        self._made[constraint_set] = made
        if len(self._made) > CACHED_SETS:
            _, oldest = self._made.popitem(last=False)
            send(oldest, "destroy")
        return made

    def clear(self) -> None:
        """Destroy all of them."""
        for made in self._made.values():
            send(made, "destroy")
        self._made.clear()
