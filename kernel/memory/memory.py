"""What a platform's memory can do, whether it is simulated or real."""

from __future__ import annotations

from typing import Protocol

from heapwire.kernel.memory.dma_buf import DmaBuf
from heapwire.kernel.memory.picture_shape import PictureShape
from heapwire.protocol import NotPossibleError
from heapwire.protocol.values import SourceId


class OutOfMemoryError(NotPossibleError, MemoryError):
    """A source cannot or may not give so much; the message says how much there is.

    A `MemoryError` too, for callers that have a fallback for that.
    """


class Memory(Protocol):
    """The sources of a platform, opened."""

    @property
    def openable(self) -> frozenset[SourceId]:
        """The sources that this process may allocate from."""

    def allocate(
        self, source: SourceId, size: int, *, name: str = "", shape: PictureShape | None = None
    ) -> DmaBuf:
        """A zeroed buffer of at least `size` bytes, rounded up to pages.

        `name` is for people who look for it in /proc. `shape` is that of the picture
        that it is for, without which a device does not allocate. Raises `OutOfMemoryError` when
        the source has not so much, `MachineError` when it does not exist or may
        not be opened, and `UsageError` when the size is not positive.
        """

    def identify(self, fd: int) -> SourceId | None:
        """The source that a dma-buf seems to come from; None if it cannot be told.

        A hint, not a proof: whoever made the fd may have named it as they liked.
        """
