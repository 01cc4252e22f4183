"""The buffers of one stream: allocated by a plan, imported, watched, used in turn."""

from __future__ import annotations

from collections.abc import Callable
from typing import Self

from heapwire.client_lib.buffers import Buffer, Import, LinuxDmabuf, allocate, check_planes
from heapwire.client_lib.errors import AllocationError, ImportRefusedError
from heapwire.client_lib.negotiation.negotiation import Negotiation
from heapwire.client_lib.wayland import DEFAULT_TIMEOUT
from heapwire.kernel.memory import Memory
from heapwire.kernel.system import Owner
from heapwire.protocol import HeapwireError
from heapwire.protocol.values import Extent, Plan
from heapwire.protocol.wire import BUFFERS, Access, Batch, Offer


class BufferPool(Owner):
    """As many buffers of one plan as the plan asks for, but at most `limit`.

    `extent` is the size of the pictures. Objects that this process may allocate
    come from `memory`; the rest, or all without `memory`, from the compositor, which has
    `timeout` seconds for each answer.
    Raises `AllocationError`, `ImportRefusedError` or `NoAnswerError`; what was
    allocated until then is closed.
    """

    def __init__(
        self,
        *,
        negotiation: Negotiation,
        batch: Batch,
        offer: Offer,
        dmabuf: LinuxDmabuf,
        memory: Memory | None,
        extent: Extent,
        limit: int = BUFFERS,
        timeout: float = DEFAULT_TIMEOUT,
    ) -> None:
        self.batch = batch
        self.offer = offer
        self.plan = offer.plan
        self.buffers: list[Buffer] = []
        imports: list[Import] = []
        try:
            for _ in range(max(1, min(offer.plan.buffer_count, limit))):
                buffer = _allocate(negotiation, offer, memory, timeout)
                self.buffers.append(buffer)
                imports.append(dmabuf.import_buffer(buffer, extent))
            # All are asked for before the first answer is waited for: one round trip.
            for started in imports:
                started.wait(timeout=timeout)
            negotiation.use_plan(batch, offer)
            if negotiation.tells_status:
                for buffer in self.buffers:
                    buffer.watch(negotiation)
        except BaseException:
            for started in imports:
                started.cancel()
            self.close()
            raise

    @classmethod
    def best(
        cls,
        *,
        negotiation: Negotiation,
        batch: Batch,
        dmabuf: LinuxDmabuf,
        memory: Memory | None,
        extent: Extent,
        check: Callable[[Plan], None] | None = None,
        limit: int = BUFFERS,
        timeout: float = DEFAULT_TIMEOUT,
    ) -> Self:
        """A pool of the best plan of a batch that can be allocated and imported.

        `check` raises `AllocationError` for a plan that cannot be followed. Raises
        the error that the best plan met with, if all of them fail; `timeout` is in
        seconds, for each answer.
        """
        first: HeapwireError | None = None
        for offer in batch.offers:
            try:
                if check is not None:
                    check(offer.plan)
                return cls(
                    negotiation=negotiation,
                    batch=batch,
                    offer=offer,
                    dmabuf=dmabuf,
                    memory=memory,
                    extent=extent,
                    limit=limit,
                    timeout=timeout,
                )
            except (AllocationError, ImportRefusedError) as error:
                first = first or error
        raise first or AllocationError("the compositor gave no plan")

    @property
    def idle(self) -> bool:
        """Whether the compositor holds none of the buffers."""
        return not any(buffer.busy for buffer in self.buffers)

    def free(self) -> Buffer | None:
        """A buffer that the compositor does not hold, the one longest unused; None if none."""
        for index, buffer in enumerate(self.buffers):
            if not buffer.busy:
                self.buffers.append(self.buffers.pop(index))
                return buffer
        return None

    def close(self) -> None:
        """Close all buffers; what the compositor still shows of them may go blank."""
        for buffer in self.buffers:
            buffer.close()


def _allocate(
    negotiation: Negotiation, offer: Offer, memory: Memory | None, timeout: float
) -> Buffer:
    check_planes(offer.plan)
    here = all(access & Access.CLIENT for access in offer.access)
    there = all(access & Access.COMPOSITOR for access in offer.access)
    fault: AllocationError | None = None
    if memory is not None and here:
        try:
            return allocate(offer.plan, memory)
        except AllocationError as error:
            fault = error
    if there:
        with negotiation.allocate(offer) as allocation:
            allocation.wait(timeout=timeout)
            return Buffer(offer.plan, allocation.take())
    raise fault or AllocationError("neither this process nor the compositor can allocate the plan")
