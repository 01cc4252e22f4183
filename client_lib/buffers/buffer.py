"""A buffer of a plan: its dma-bufs, its planes, and its `wl_buffer`."""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Callable, Iterator
from typing import Protocol

from heapwire.client_lib.buffers.buffer_release import BufferRelease
from heapwire.client_lib.buffers.buffer_status import BufferStatus
from heapwire.client_lib.buffers.plane_view import PlaneView, plane_views
from heapwire.client_lib.errors import AllocationError
from heapwire.client_lib.wayland import AnyProxy
from heapwire.kernel.memory import DmaBuf, Memory, PictureShape
from heapwire.kernel.system import Owner
from heapwire.protocol import MachineError, NotPossibleError, UsageError
from heapwire.protocol.values import LayoutKind, Plan

_LOG = logging.getLogger("heapwire.buffers")


class StatusTeller(Protocol):
    """Who tells what becomes of a buffer: a `Negotiation` whose `tells_status` is set."""

    def watch(
        self, buffer: AnyProxy, on_status: Callable[[BufferStatus], None]
    ) -> Callable[[], None]:
        """Have `on_status` called on each change, until what this returns is called."""


class Buffer(Owner):
    """One buffer. It owns its dma-bufs and, once imported, its `wl_buffer`.

    `busy` is set by whoever attaches the buffer and cleared by the compositor's
    release, which is a point of the timeline of `release` where there is one;
    `status` is what the compositor last said became of it, None until
    it was watched and shown. Closing it closes everything; a context manager.
    """

    def __init__(self, plan: Plan, objects: tuple[DmaBuf, ...]) -> None:
        self.plan = plan
        self.objects = objects
        self.proxy: AnyProxy | None = None
        self.release: BufferRelease | None = None
        self._busy = False
        self._is_awaited = False  # whether a point says when it is not busy any more
        self.status: BufferStatus | None = None
        self._unwatch: Callable[[], None] = _nothing

    @property
    def busy(self) -> bool:
        """Whether somebody else may be reading or writing the buffer."""
        if self._is_awaited and self.release is not None and self.release.come:
            self._busy = self._is_awaited = False
        return self._busy

    @busy.setter
    def busy(self, busy: bool) -> None:
        self._busy = busy
        self._is_awaited = False

    def await_release(self) -> None:
        """Be busy until the point that `release` has come to is signalled."""
        self._busy = self._is_awaited = True

    @contextlib.contextmanager
    def planes(self) -> Iterator[tuple[PlaneView, ...]]:
        """The planes, mapped for writing; the CPU's caches are clean when it ends."""
        with contextlib.ExitStack() as stack:
            mapped = tuple(stack.enter_context(dma_buf.map()) for dma_buf in self.objects)
            yield plane_views(self.plan, mapped)

    def watch(self, teller: StatusTeller) -> None:
        """Keep `status` up to date from now on.

        Raises `UsageError` for a buffer that has not been imported, and where nobody
        tells a status.
        """
        if self.proxy is None:
            raise UsageError("only an imported buffer can be watched")
        self._unwatch()
        self._unwatch = teller.watch(self.proxy, self._status_changed)

    def close(self) -> None:
        """Destroy the `wl_buffer` and close the dma-bufs."""
        self._unwatch()
        self._unwatch = _nothing
        if self.proxy is not None and not self.proxy.destroyed:
            self.proxy.destroy()
        self.proxy = None
        if self.release is not None:
            self.release.close()
            self.release = None
        for dma_buf in self.objects:
            dma_buf.close()

    def _status_changed(self, status: BufferStatus) -> None:
        _LOG.debug("a buffer was %s: reason %s", *_words(status))
        self.status = status


def allocate(plan: Plan, memory: Memory) -> Buffer:
    """Allocate one buffer of a plan from this process's own memory.

    Raises `AllocationError` if the plan leaves the layout to its allocator, is
    about a buffer that exists, or a source gives no memory.
    """
    if plan.layout.kind is not LayoutKind.EXACT:
        raise AllocationError(
            f"only an exact layout can be allocated here, not {plan.layout.kind.name.lower()}"
        )
    objects: list[DmaBuf] = []
    try:
        for index, entry in enumerate(plan.layout.objects):
            shape = PictureShape.of(plan.fourcc, plan.layout, index)
            objects.append(memory.allocate(entry.source, entry.size, shape=shape))
    except BaseException as error:
        for dma_buf in objects:
            dma_buf.close()
        if isinstance(error, MachineError | NotPossibleError | OSError):
            text = f"no {entry.size} bytes from {entry.source}: {error}"
            _LOG.debug("%s", text)
            raise AllocationError(text) from error
        raise
    _LOG.debug("allocated %s", ", ".join(f"{one.size} bytes of {one.name}" for one in objects))
    return Buffer(plan, tuple(objects))


def _nothing() -> None:
    pass


def _words(status: BufferStatus) -> tuple[str, str]:
    return status.result.name.lower(), status.reason.name.lower().replace("_", " ")
