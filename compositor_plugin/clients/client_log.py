"""Lines on what each client asks, is answered and has allocated, while somebody listens."""

from __future__ import annotations

import logging
from collections.abc import Callable, Hashable, Iterable

from heapwire.compositor_plugin.clients.identity import ClientIdentity
from heapwire.compositor_plugin.server import Client

log = logging.getLogger("heapwire.clients")


class ClientLog:
    """The lines of one plugin, for its `listeners` and for the log at the level debug.

    Each begins with whose it is. Whoever has something to say looks first whether it is `wanted`:
    lines that nobody reads are not made.
    """

    def __init__(self, identity: Callable[[Client], ClientIdentity]) -> None:
        self._identity = identity
        self.listeners: dict[Hashable, Callable[[str], None]] = {}
        """Who listens, by a key of its own. None of them may wait."""

    @property
    def wanted(self) -> bool:
        """Whether anybody would read a line."""
        return bool(self.listeners) or log.isEnabledFor(logging.DEBUG)

    def say(self, client: Client, lines: Iterable[str]) -> None:
        """Say something of a client; what goes wrong meanwhile is no matter of the client's."""
        try:
            who = self._identity(client)
            name = f"client with pid {who.pid}" + (f" ({who.app})" if who.sandboxed else "")
            for line in lines:
                said = f"{name}: {line}"  # in words of the client's own, some of it
                text = "".join(one if one.isprintable() else " " for one in said)
                log.debug("%s", text)
                for listener in tuple(self.listeners.values()):
                    listener(text)
        except Exception:
            log.exception("what a client asks or is told cannot be logged")
