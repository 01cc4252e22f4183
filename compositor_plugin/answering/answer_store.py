"""What was answered last, up to so many bytes."""

from __future__ import annotations

from collections.abc import Hashable
from typing import Final, Generic, Protocol, TypeVar

KEPT_BYTES: Final = 4 << 20
"""Bytes of all answers that are kept: some hundred of a usual size, with their events."""
_AT_ONCE: Final = 16
"""Answers that are let go of together: about 0.1 ms."""


class KeyHashedOnce:
    """A key of many parts, whose hash is made once: one is looked up, taken out and put in."""

    __slots__ = ("_hash", "_parts")

    def __init__(self, parts: tuple[Hashable, ...]) -> None:
        self._parts = parts
        self._hash = hash(parts)

    def __hash__(self) -> int:
        return self._hash

    def __eq__(self, other: object) -> bool:
        return isinstance(other, KeyHashedOnce) and self._parts == other._parts


class _Sized(Protocol):
    @property
    def size(self) -> int:
        """Bytes, about; may grow."""


Kept = TypeVar("Kept", bound=_Sized)


class AnswerStore(Generic[Kept]):
    """Keeps what was used last, by a key, up to `most` bytes in all."""

    def __init__(self, most: int = KEPT_BYTES) -> None:
        self._most = most
        self._kept: dict[Hashable, tuple[Kept, int]] = {}  # the one used last at the end
        self._bytes = 0

    @property
    def size(self) -> int:
        """Bytes of all that is kept."""
        return self._bytes

    def get(self, key: Hashable) -> Kept | None:
        """What is kept by a key."""
        entry = self._kept.pop(key, None)
        if entry is None:
            return None
        self._kept[key] = entry
        kept, before = entry
        if kept.size != before:
            self.put(key, kept)
        return kept

    def forget_some(self) -> bool:
        """Let a few go, where nobody asks for any of them again; False when none is left."""
        for _ in range(min(_AT_ONCE, len(self._kept))):
            _, (_, size) = self._kept.popitem()
            self._bytes -= size
        return bool(self._kept)

    def put(self, key: Hashable, kept: Kept) -> None:
        """Keep something; what was not used for longest makes room."""
        _, before = self._kept.pop(key, (None, 0))
        size = kept.size
        self._bytes += size - before
        self._kept[key] = (kept, size)
        while self._bytes > self._most:
            oldest = next(iter(self._kept))
            self._bytes -= self._kept.pop(oldest)[1]
