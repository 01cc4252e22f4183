"""Memory that the compositor allocates for a client that may not open its source."""

from __future__ import annotations

import fcntl
import logging
from typing import TYPE_CHECKING

from heapwire.client_lib.errors import AllocationError
from heapwire.client_lib.wayland import DEFAULT_TIMEOUT, AnyProxy, listen, send
from heapwire.kernel.memory import DmaBuf
from heapwire.kernel.system import Owner
from heapwire.protocol.values import Plan
from heapwire.protocol.wire.bindings import AllocationReason

if TYPE_CHECKING:
    from heapwire.client_lib.wayland import Connection


_LOG = logging.getLogger("heapwire.buffers")


class Allocation(Owner):
    """The compositor's `xx_dmabuf_allocation_v1`: the objects of one buffer, when they come.

    The dma-bufs are this object's until `take` gives them away; closing it
    closes those that nobody has taken, and cancels an allocation that has not
    been answered.
    """

    def __init__(self, connection: Connection, proxy: AnyProxy, plan: Plan) -> None:
        self.done = False
        self._connection = connection
        self._proxy = proxy
        self._plan = plan
        self._error: AllocationError | None = None
        self._objects: list[DmaBuf] = []
        connection.on_close(self, self.close)
        listen(
            proxy,
            connection.handler_failed,
            {"object": self._object, "done": self._done, "failed": self._failed},
        )

    def wait(self, *, timeout: float = DEFAULT_TIMEOUT) -> None:
        """Dispatch until the compositor has answered; `AllocationError` if it refused.

        `NoAnswerError` after `timeout` seconds.
        """
        self._connection.wait(lambda: self.done, timeout=timeout, what="allocation")
        if self._error is not None:
            raise self._error

    def take(self) -> tuple[DmaBuf, ...]:
        """The objects in the plan's order; from now on the caller owns them.

        Raises `AllocationError` if the compositor refused or sent something else
        than the plan has.
        """
        if self._error is not None:
            raise self._error
        wanted = self._plan.layout.objects
        if len(self._objects) != len(wanted):
            raise AllocationError(
                f"the compositor sent {len(self._objects)} dma-bufs for {len(wanted)} objects"
            )
        for index, (dma_buf, entry) in enumerate(zip(self._objects, wanted, strict=True)):
            if dma_buf.size < entry.size:
                raise AllocationError(
                    f"object {index}: {dma_buf.size} bytes from the compositor, "
                    f"the plan has {entry.size}"
                )
        taken = tuple(self._objects)
        told = ", ".join(f"{one.size} bytes of {one.source}" for one in taken)
        _LOG.debug("the compositor allocated %s", told)
        self._objects.clear()
        return taken

    def close(self) -> None:
        """Close what was not taken and destroy the object."""
        for dma_buf in self._objects:
            dma_buf.close()
        self._objects.clear()
        self._connection.forget(self)
        if not self._proxy.destroyed and not self._connection.closed:
            send(self._proxy, "destroy")

    def _object(self, fd: int, size_hi: int, size_lo: int) -> None:
        objects = self._plan.layout.objects
        source = objects[len(self._objects)].source if len(self._objects) < len(objects) else None
        dma_buf = DmaBuf(
            fd, size=size_hi << 32 | size_lo, source=source, cpu_sync=not _is_memfd(fd)
        )
        if self.done or self._proxy.destroyed:
            dma_buf.close()  # it came too late, and is ours all the same
        else:
            self._objects.append(dma_buf)

    def _done(self) -> None:
        self.done = True

    def _failed(self, reason: int, message: str) -> None:
        has_name = reason in AllocationReason.__members__.values()
        name = AllocationReason(reason).name.lower() if has_name else f"reason {reason}"
        text = f"the compositor did not allocate: {name}"
        self._error = AllocationError(f"{text}: {message}" if message else text)
        _LOG.debug("%s", self._error)
        self.done = True


def _is_memfd(fd: int) -> bool:
    """Whether it is simulated memory: only a memfd has seals, and no dma-buf has."""
    try:
        fcntl.fcntl(fd, fcntl.F_GET_SEALS)
    except OSError:
        return False
    return True
