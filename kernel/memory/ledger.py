"""Who holds how much: bounds on the memory that a process has allocated."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Callable
from threading import Lock

from heapwire.kernel.memory.memory import OutOfMemoryError
from heapwire.protocol import UsageError
from heapwire.protocol.values import PAGE_SIZE, Source, SourceId


class Ledger:
    """Counts live bytes for each source and refuses what goes beyond a bound.

    `budget` bounds all sources together, `largest` a single buffer, and each
    source's capacity what is live of it. May be used from several threads.
    """

    def __init__(self, *, budget: int, largest: int | None = None) -> None:
        self._budget = budget
        self._largest = budget if largest is None else largest
        self._live: Counter[SourceId] = Counter()
        self._lock = Lock()
        # A finalizer may run at any point, even while this thread holds the
        # lock; it only leaves word here, and `_settle` does the sums.
        self._released: deque[tuple[SourceId, int]] = deque()

    def charge(self, source: Source, size: int) -> tuple[int, Callable[[], None]]:
        """Count a buffer: its size in whole pages, and what to call when it is gone.

        Raises `UsageError` for a size that is none, `OutOfMemoryError` when a
        bound forbids it.
        """
        if size < 1:
            raise UsageError(f"{size} is not a size in bytes")
        rounded = -(-size // PAGE_SIZE) * PAGE_SIZE
        with self._lock:
            self._settle()
            here, everywhere = self._live[source.id], self._live.total()
            what = f"{source.name}: {rounded} bytes"
            if source.capacity is not None and here + rounded > source.capacity:
                raise OutOfMemoryError(f"{what} do not fit: {here} of {source.capacity} are in use")
            if rounded > self._largest:
                raise OutOfMemoryError(f"{what} are more than {self._largest} for one buffer")
            if everywhere + rounded > self._budget:
                raise OutOfMemoryError(
                    f"{what} do not fit this process's budget: "
                    f"{everywhere} of {self._budget} are in use"
                )
            self._live[source.id] += rounded
        entry = (source.id, rounded)
        return rounded, lambda: self._released.append(entry)

    def live(self, source: SourceId | None = None) -> int:
        """Bytes charged and not given back: of one source or of all."""
        with self._lock:
            self._settle()
            return self._live.total() if source is None else self._live[source]

    def _settle(self) -> None:
        while self._released:
            source, size = self._released.popleft()
            self._live[source] -= size
