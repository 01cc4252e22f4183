"""A compositor that answers the first commit with just the events that it is told to."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from typing import Any

from fake_compositor import FakeCompositor
from patience import until

from heapwire.protocol.wire import ArgumentKind
from heapwire.protocol.wire.bindings import XX_DMABUF_NEGOTIATION_V1


class AnsweringCompositor(FakeCompositor):
    """Sends `events`, lists of a name and arguments; arrays are hexadecimal digits."""

    def __init__(self, events: Sequence[list[Any]]) -> None:
        self._events = list(events)
        self.told = threading.Event()
        super().__init__()

    def on_xx_dmabuf_negotiation_v1_commit(self, id_: int, _cookie: int) -> None:
        for name, *values in self._events:
            (event,) = [one for one in XX_DMABUF_NEGOTIATION_V1.events if one.name == name]
            raw = [
                bytes.fromhex(value) if argument.kind is ArgumentKind.ARRAY else value
                for argument, value in zip(event.arguments, values, strict=True)
            ]
            self.event(id_, name, *raw)
        self.told.set()

    def finish(self) -> None:
        """Wait until all was sent, and hang up."""
        until(lambda: self.told.is_set() or self.faults, "all to be told")
        self.hang_up()
