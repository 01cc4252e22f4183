"""What the two ends of the solver's socket say: frames of a kind, a number and bytes."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from enum import IntEnum

from heapwire.protocol.late_tuples import NamedTuple

_HEAD = struct.Struct("=IIQ")


class FrameKind(IntEnum):
    """Who says what."""

    READY = 0
    """The solver is there."""
    QUESTION = 1
    """To the solver: question_message.py."""
    ANSWER = 2
    """To the host, for the question of that number."""
    CANCEL = 3
    """To the solver: nobody waits for the question of that number any more."""


class Frame(NamedTuple):
    """One message."""

    kind: FrameKind
    number: int
    body: bytes = b""

    def encode(self) -> bytes:
        """As it travels."""
        return _HEAD.pack(self.kind, self.number, len(self.body)) + self.body


class FrameReader:
    """Frames out of a stream."""

    def __init__(self) -> None:
        self._received = bytearray()

    def feed(self, data: bytes) -> Iterator[Frame]:
        """The frames that are complete with some more bytes."""
        self._received += data
        while len(self._received) >= _HEAD.size:
            kind, number, length = _HEAD.unpack_from(self._received)
            end = _HEAD.size + length
            if len(self._received) < end:
                return
            body = bytes(self._received[_HEAD.size : end])
            del self._received[:end]
            yield Frame(FrameKind(kind), number, body)
