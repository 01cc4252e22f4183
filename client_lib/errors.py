"""What can go wrong between a client and its compositor, and whose fault it is."""

from __future__ import annotations

from heapwire.protocol import MachineError, NotPossibleError, PeerError


class NoCompositorError(MachineError):
    """There is no compositor to connect to."""


class DisconnectedError(PeerError):
    """The compositor closed the connection, or it broke."""


class NoAnswerError(PeerError):
    """The compositor is connected and does not answer."""


class MissingGlobalError(PeerError):
    """The compositor does not offer what is needed; `interface` names it."""

    def __init__(self, interface: str, version: int = 1) -> None:
        super().__init__(f"the compositor does not offer {interface} (version {version} or later)")
        self.interface = interface


class ProtocolError(PeerError):
    """The compositor ended the connection because a request broke the protocol.

    `interface` and `object_id` name the object that it was made on, `code` is
    of that interface's error enum and `name` its name there (empty when it is
    not known). `message` is the compositor's own sentence, empty when libwayland
    did not give it.
    """

    def __init__(
        self, *, interface: str, object_id: int, code: int, name: str, message: str
    ) -> None:
        error = f"{name} ({code})" if name else f"error {code}"
        text = f"protocol error: {interface}#{object_id}: {error}"
        super().__init__(f"{text}: {message}" if message else text)
        self.interface = interface
        self.object_id = object_id
        self.code = code
        self.name = name
        self.message = message


class AllocationError(NotPossibleError):
    """A buffer of a plan could not be allocated here or by the compositor."""


class ImportRefusedError(NotPossibleError):
    """The compositor's linux-dmabuf did not take a buffer; nothing else is affected."""
