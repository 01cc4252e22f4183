"""Buffers for a stream whose pictures, and whose memory, may change while it plays."""

from __future__ import annotations

from collections.abc import Callable

from heapwire.client_lib.buffers import Buffer
from heapwire.client_lib.errors import AllocationError, ImportRefusedError
from heapwire.client_lib.negotiation.buffer_pool import BufferPool, is_one_of
from heapwire.client_lib.negotiation.importer import Importer
from heapwire.client_lib.negotiation.negotiation import Negotiation
from heapwire.client_lib.wayland import DEFAULT_TIMEOUT
from heapwire.kernel.memory import Memory
from heapwire.kernel.system import Owner
from heapwire.protocol.values import Extent, Plan
from heapwire.protocol.wire import BUFFERS, Batch, Refusal


class BufferSupply(Owner):
    """One negotiation and the pool that came of it.

    A pool that another has replaced is closed when the compositor has released
    its last buffer, so that nothing on the screen goes blank. Where there is no room for the old
    buffers and the new ones, the old ones go as they come back, and the new ones come in turn.
    `negotiations` counts the answers that were asked for or acted on; `faults` has what stood
    in the way of plans that came unasked: the buffers from before then stay.
    `check` raises `AllocationError` for plans that whoever fills the buffers
    cannot keep to, and `make`, where given, has the buffers that there are already (see
    `BufferPool`). `timeout` is in seconds, for each answer that is waited for. A plan that was
    passed over (`pass_over`) is not taken again as long as an answer has others.
    The negotiation's `on_batch` is the supply's from now on, until `close`.
    """

    def __init__(
        self,
        negotiation: Negotiation,
        dmabuf: Importer,
        memory: Memory | None,
        *,
        check: Callable[[Plan], None] | None = None,
        make: Callable[[Plan], Buffer] | None = None,
        limit: int = BUFFERS,
        timeout: float = DEFAULT_TIMEOUT,
    ) -> None:
        self.negotiations = 0
        self.faults: list[str] = []
        self.pool: BufferPool | None = None
        self.plan: Plan | None = None
        self.refusals: tuple[Refusal, ...] = ()
        self._negotiation = negotiation
        self._dmabuf = dmabuf
        self._memory = memory
        self._check = check
        self._make = make
        self._limit = limit
        self._timeout = timeout
        self._extent: Extent | None = None
        self._fresh: Batch | None = None
        self._retired: list[BufferPool] = []
        self._passed_over: list[Plan] = []
        self._others: Batch | None = None  # the answer in use, while it may have other plans
        negotiation.on_batch = self._batch

    def negotiate(self, extent: Extent) -> None:
        """Commit what is set on the negotiation, and get buffers by the answer.

        `extent` is the size of the pictures. Raises what `Negotiation.negotiate`
        and `BufferPool.best` raise.
        """
        batch = self._negotiation.negotiate(timeout=self._timeout)
        self.negotiations += 1
        self._fresh = None
        if extent != self._extent or not self._serves(batch):
            self._replace(batch, extent)

    def update(self) -> bool:
        """Act on plans that came unasked, and close what is not in use any more.

        Returns whether there are new buffers.
        """
        for pool in [pool for pool in self._retired if pool.idle]:
            pool.close()
            self._retired.remove(pool)
        batch, self._fresh = self._fresh, None
        if batch is None or self._extent is None or self._serves(batch):
            return False
        try:
            self._adopt(batch, self._extent)
        except (AllocationError, ImportRefusedError) as error:
            self.faults.append(str(error))
            return False
        self.negotiations += 1
        return True

    def pass_over(self) -> bool:
        """Have buffers by the answer's next best plan, because this one is of no use.

        Returns whether there are: where no other plan can be followed these stay.
        """
        batch, self._others = self._others, None
        if batch is None or self.pool is None or self._extent is None:
            return False
        before = self._passed_over
        self._passed_over = [*before, self.pool.plan]
        if all(is_one_of(offer.plan, self._passed_over) for offer in batch.offers):
            self._passed_over = before
            return False
        try:
            self._adopt(batch, self._extent)
        except (AllocationError, ImportRefusedError) as error:
            self._passed_over = before
            self.faults.append(str(error))
            return False
        return True

    def free(self) -> Buffer | None:
        """A buffer to write into; None while the compositor holds all of them.

        Where they exist, each with its picture, it is one that was not there yet: that may raise
        what `BufferPool.another` raises.
        """
        if self.pool is None:
            return None
        if self.pool.exist:
            return self.pool.another()
        buffer = self.pool.free()
        if buffer is None and not self.pool.whole:
            self._make_room()
            self.pool.grow()
            buffer = self.pool.free()
        return buffer

    def close(self) -> None:
        """Close all buffers."""
        self._negotiation.on_batch = None
        for pool in (*self._retired, *([self.pool] if self.pool else [])):
            pool.close()
        self._retired.clear()
        self.pool = None

    def _replace(self, batch: Batch, extent: Extent) -> None:
        """Have buffers by a batch, at the expense of those from before if need be."""
        try:
            self._adopt(batch, extent)
        except AllocationError:
            if self.pool is None:
                raise
            # What is in use stays, if only until it comes back.
            self._retired.append(self.pool)
            self.pool = None
            if not self._make_room():
                raise
            # The memory is there again when the compositor has let go of it too.
            self._dmabuf.connection.roundtrip(timeout=self._timeout)
            self._adopt(batch, extent, partial=True)

    def _make_room(self) -> bool:
        """Close old buffers that have come back; whether there were any."""
        before = sum(len(pool.buffers) for pool in self._retired)
        for pool in self._retired:
            pool.close_idle()
        return sum(len(pool.buffers) for pool in self._retired) < before

    def _adopt(self, batch: Batch, extent: Extent, *, partial: bool = False) -> None:
        self._remember(batch)
        pool = BufferPool.best(
            negotiation=self._negotiation,
            batch=batch,
            dmabuf=self._dmabuf,
            memory=self._memory,
            make=self._make,
            extent=extent,
            check=self._check,
            passed_over=self._passed_over,
            limit=self._limit,
            partial=partial,
            timeout=self._timeout,
        )
        if self.pool is not None:
            self._retired.append(self.pool)
        self.pool = pool
        self.plan = pool.plan
        self.refusals = batch.refusals
        self._others = batch
        self._extent = extent

    def _serves(self, batch: Batch) -> bool:
        """Whether the buffers in use are by the best plan of a batch."""
        self._remember(batch)
        plans = [offer.plan for offer in batch.offers if self._can_follow(offer.plan)]
        if self.pool is None or not plans:
            return not batch.offers
        best, mine = plans[0], self.pool.plan
        if not is_one_of(best, [mine]):
            return False
        if best.buffer_count > mine.buffer_count:
            return False
        self.plan = best  # the same buffers, for another goal perhaps
        self.refusals = batch.refusals
        self._others = batch
        return True

    def _remember(self, batch: Batch) -> None:
        """Forget what was passed over where a batch has nothing else."""
        if all(is_one_of(offer.plan, self._passed_over) for offer in batch.offers):
            self._passed_over = []

    def _can_follow(self, plan: Plan) -> bool:
        if is_one_of(plan, self._passed_over):
            return False
        if self._check is None:
            return True
        try:
            self._check(plan)
        except AllocationError:
            return False
        return True

    def _batch(self, batch: Batch) -> None:
        if batch.cookie == 0 and batch.offers:
            self._fresh = batch
