"""Numbers for heaps that have none but their names."""

from __future__ import annotations

from collections.abc import Container
from zlib import crc32

from heapwire.protocol import InputError, shown
from heapwire.protocol.values import HeapId, SourceId

_HEAP_MAJOR = 254  # a heap's major is dynamic, and counts down from here (devices.txt)
_HEAP_MINORS = 4096
_MOST_TRIED = 1024  # of the numbers from the name's own on: so many in a row are not taken


def heap_named(name: str, taken: Container[SourceId]) -> SourceId:
    """A number for a heap that has none but its name, and that is not among those `taken`.

    It comes from the name, so that it is the same in every file that speaks of
    the heap: a client and a compositor that have read different files, one of
    which lacks a heap, do not take one heap for another. Raises `InputError` where
    more heaps are spoken of than there are numbers.
    """
    minor = crc32(name.encode()) % _HEAP_MINORS
    for step in range(_MOST_TRIED):
        number = SourceId.heap(HeapId(_HEAP_MAJOR, (minor + step) % _HEAP_MINORS))
        if number not in taken:
            return number
    raise InputError(f"{shown(name)}: no machine has so many heaps")
