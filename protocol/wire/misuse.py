"""A request that breaks the protocol, before anyone posts the error."""

from __future__ import annotations

from heapwire.protocol.errors import PeerError


class MisuseError(PeerError):
    """Carries the code of the interface's error enum and a sentence.

    The edge that received the request posts it as a protocol error on the
    object that the request was made on.
    """

    def __init__(self, code: int, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


class LimitError(MisuseError):
    """There is more of something than a limit that the protocol states."""
