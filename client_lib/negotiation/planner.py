"""What the two who can make a negotiation's plans have in common."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from typing import ClassVar

from heapwire.client_lib.wayland import Connection, Handler
from heapwire.protocol import PeerError
from heapwire.protocol.values import SourceId
from heapwire.protocol.wire import Batch, Event, Inquiry


class Planner(ABC):
    """Who answers the questions of one negotiation, which sets `on_batch` and `on_event`.

    `on_batch` gets every batch, asked for or not; `on_event` the events of a
    compositor's batches as they come. `fault` is what the compositor did against
    the rules, None as long as it keeps to them: from then on nothing is heard of it.
    """

    awaited: ClassVar[str]
    """What a negotiation misses if there is no answer."""

    def __init__(self, connection: Connection) -> None:
        self.connection = connection
        self.fault: PeerError | None = None
        self.on_batch: Callable[[Batch], None] = _unheard
        self.on_event: Callable[[Event], None] = _unheard

    @property
    @abstractmethod
    def source_names(self) -> Mapping[SourceId, str]:
        """The names of the sources that plans may use."""

    @property
    @abstractmethod
    def closed(self) -> bool:
        """Whether it has been let go of."""

    @abstractmethod
    def ask(self, inquiry: Inquiry, cookie: int) -> None:
        """Ask for plans; the answer bears the cookie and comes while the connection is dispatched.

        Raises `UsageError` if the inquiry is not one that the protocol allows.
        """

    @abstractmethod
    def close(self) -> None:
        """Let go of it; safe to call twice."""

    def _checked(self, method: Handler) -> Handler:
        """A handler that hears no more once the compositor has broken the rules."""

        def handle(*values: int | str | bytes) -> None:
            if self.fault is None and not self.closed:
                try:
                    method(*values)
                except PeerError as error:
                    self.fault = error
                    raise

        return handle


def _unheard(_told: object) -> None:
    """Nobody listens yet: a planner is made before its negotiation."""
