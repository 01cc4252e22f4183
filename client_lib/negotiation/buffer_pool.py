"""The buffers of one stream: allocated by a plan, imported, watched, used in turn."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Sequence
from typing import Self

from heapwire.client_lib.buffers import Buffer, allocate, check_planes
from heapwire.client_lib.errors import AllocationError, ImportRefusedError
from heapwire.client_lib.negotiation.importer import Importer, StartedImport
from heapwire.client_lib.negotiation.negotiation import Negotiation
from heapwire.client_lib.negotiation.negotiation_log import LOG
from heapwire.client_lib.wayland import DEFAULT_TIMEOUT
from heapwire.kernel.memory import Memory
from heapwire.kernel.system import Owner
from heapwire.protocol import HeapwireError
from heapwire.protocol.values import Extent, LayoutKind, Plan
from heapwire.protocol.wire import BUFFERS, Access, Batch, Offer


class BufferPool(Owner):
    """As many buffers of one plan as the plan asks for, but at most `limit`.

    `extent` is the size of the pictures. Objects that this process may allocate
    come from `memory`; the rest, or all without `memory`, from the compositor, which has
    `timeout` seconds for each answer; all from `make` where that is given, which raises
    `AllocationError` when it has no more. Of buffers that exist already, as a plan with a fixed
    layout says, one is enough to begin with. `dmabuf` imports them. With `partial` one of them is
    enough to begin with, and `grow` gets the others.
    Raises `AllocationError`, `ImportRefusedError` or `NoAnswerError`; what was
    allocated until then is closed.
    """

    def __init__(
        self,
        *,
        negotiation: Negotiation,
        batch: Batch,
        offer: Offer,
        dmabuf: Importer,
        memory: Memory | None,
        make: Callable[[Plan], Buffer] | None = None,
        extent: Extent,
        limit: int = BUFFERS,
        partial: bool = False,
        timeout: float = DEFAULT_TIMEOUT,
    ) -> None:
        self.batch = batch
        self.offer = offer
        self.plan = offer.plan
        self.buffers: list[Buffer] = []
        self._wanted = max(1, min(offer.plan.buffer_count, limit))
        self._negotiation = negotiation
        self._dmabuf = dmabuf
        self._memory = memory
        self._make = make
        self._extent = extent
        self._timeout = timeout
        try:
            self._fill(partial=partial or self.exist)
            negotiation.use_plan(batch, offer)
        except BaseException:
            self.close()
            raise

    @classmethod
    def best(
        cls,
        *,
        negotiation: Negotiation,
        batch: Batch,
        dmabuf: Importer,
        memory: Memory | None,
        make: Callable[[Plan], Buffer] | None = None,
        extent: Extent,
        check: Callable[[Plan], None] | None = None,
        passed_over: Sequence[Plan] = (),
        limit: int = BUFFERS,
        partial: bool = False,
        timeout: float = DEFAULT_TIMEOUT,
    ) -> Self:
        """A pool of the best plan of a batch that can be allocated and imported.

        `check` raises `AllocationError` for a plan that cannot be followed, and none of
        `passed_over` is tried. Raises
        the error that the best plan met with, if all of them fail; `timeout` is in
        seconds, for each answer.
        """
        first: HeapwireError | None = None
        for offer in batch.offers:
            if is_one_of(offer.plan, passed_over):
                continue
            try:
                if check is not None:
                    check(offer.plan)
                return cls(
                    negotiation=negotiation,
                    batch=batch,
                    offer=offer,
                    dmabuf=dmabuf,
                    memory=memory,
                    make=make,
                    extent=extent,
                    limit=limit,
                    partial=partial,
                    timeout=timeout,
                )
            except (AllocationError, ImportRefusedError) as error:
                LOG.debug("plan %d is passed over: %s", offer.index, error)
                first = first or error
        raise first or AllocationError("the compositor gave no plan")

    @property
    def whole(self) -> bool:
        """Whether it has as many buffers as it is to have."""
        return len(self.buffers) >= self._wanted

    @property
    def exist(self) -> bool:
        """Whether the buffers exist, with a picture in each."""
        return self.plan.layout.kind is LayoutKind.FIXED

    def another(self) -> Buffer:
        """One more of those that exist, beyond what the plan asks for.

        Raises what the constructor does.
        """
        self._wanted = len(self.buffers) + 1
        self._fill(partial=False)
        return self.buffers[-1]

    def grow(self) -> None:
        """Get as many of those that are missing as there is memory for."""
        with contextlib.suppress(AllocationError):
            self._fill(partial=True)

    def _fill(self, *, partial: bool) -> None:
        """Make the buffers that are missing, which is all or as many as there is memory for."""
        made: list[Buffer] = []
        imports: list[StartedImport] = []
        try:
            while len(self.buffers) + len(made) < self._wanted:
                try:
                    made.append(self._made())
                except AllocationError:
                    if partial and (made or self.buffers):
                        break
                    raise
                imports.append(self._dmabuf.import_buffer(made[-1], self._extent))
            # All are asked for before the first answer is waited for: one round trip.
            for started in imports:
                started.wait(timeout=self._timeout)
            if self._negotiation.tells_status:
                for buffer in made:
                    buffer.watch(self._negotiation)
        except BaseException:
            for started in imports:
                started.cancel()
            for buffer in made:
                buffer.close()
            raise
        self.buffers += made

    def _made(self) -> Buffer:
        if self._make is not None:
            return self._make(self.plan)
        return _allocate(self._negotiation, self.offer, self._memory, self._timeout)

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

    def close_idle(self) -> None:
        """Close the buffers that nobody holds: their memory is wanted elsewhere."""
        for buffer in self.buffers:
            if not buffer.busy:
                buffer.close()
        self.buffers = [buffer for buffer in self.buffers if buffer.busy]

    def close(self) -> None:
        """Close all buffers; what the compositor still shows of them may go blank."""
        for buffer in self.buffers:
            buffer.close()


def is_one_of(plan: Plan, others: Sequence[Plan]) -> bool:
    """Whether buffers by one of these would be the same as buffers by a plan."""
    return any(
        (plan.fourcc, plan.modifier, plan.layout) == (one.fourcc, one.modifier, one.layout)
        for one in others
    )


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
