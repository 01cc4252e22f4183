"""How a handler ends a client."""

from __future__ import annotations

from typing import TYPE_CHECKING

from heapwire.protocol.model.errors import RemoteError

if TYPE_CHECKING:
    from heapwire.compositor_plugin.server.resource import Resource


class ProtocolError(RemoteError):
    """Raised in a handler: the client broke the protocol on `resource`.

    The dispatcher posts it, once, and the client is disconnected.
    """

    def __init__(self, resource: Resource, code: int, message: str) -> None:
        super().__init__(message)
        self.resource = resource
        self.code = code
        self.message = message
