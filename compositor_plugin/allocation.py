"""`xx_dmabuf_allocation_v1`: memory for a client that may not open the source.

The heap is opened and allocated from on a thread for that; only dma-bufs go
to the client. What it gets is charged to its user, and bounded by the policy.
"""

from __future__ import annotations

import contextlib
import logging
import os
import weakref
from collections.abc import Iterable
from typing import TYPE_CHECKING

from heapwire.compositor_plugin.clients import Charge, Shortage
from heapwire.compositor_plugin.manager import SourceManager
from heapwire.compositor_plugin.server import NewId, Resource, ViolationError
from heapwire.kernel.memory import DmaBuf, Memory, OutOfMemoryError, PictureShape
from heapwire.protocol import words_of
from heapwire.protocol.values import FixedBuffer, Source
from heapwire.protocol.wire import ALLOCATIONS, MisuseError, clip, decode_buffer, halves
from heapwire.protocol.wire.bindings import (
    XX_DMABUF_ALLOCATION_MANAGER_V1,
    XX_DMABUF_ALLOCATION_V1,
    AllocationManagerError,
    AllocationReason,
)

if TYPE_CHECKING:
    from heapwire.compositor_plugin.plugin_state import PluginState

log = logging.getLogger(__name__)

_MORE = 1  # requests that one of these counts as, beyond itself: 20 us, where others take 10


class AllocationManager(SourceManager):
    """One client's manager."""

    INTERFACE = XX_DMABUF_ALLOCATION_MANAGER_V1

    def allocate(
        self,
        new_id: NewId,
        fourcc: int,
        modifier_hi: int,
        modifier_lo: int,
        width: int,
        height: int,
        objects: bytes,
        planes: bytes,
    ) -> None:
        """Allocate the objects of one buffer."""
        self._plugin.answers.describing(self.client, more=_MORE)
        errors = AllocationManagerError
        try:
            buffer = decode_buffer(
                errors, fourcc, modifier_hi, modifier_lo, width, height, objects, planes
            )
        except MisuseError as error:
            raise ViolationError(self, error.code, error.message) from None
        Allocation(new_id, self._plugin, buffer)
        self._bound(self._use.allocations, ALLOCATIONS, errors.TOO_MANY, "allocations")

    def _offered(self) -> Iterable[Source]:
        grant = self._plugin.grant(self.client)
        return (source for source in self._plugin.broker.allocatable if grant.permits(source))


class Allocation(Resource):
    """One buffer's worth of dma-bufs, answered once."""

    INTERFACE = XX_DMABUF_ALLOCATION_V1

    def __init__(self, new_id: NewId, plugin: PluginState, buffer: FixedBuffer) -> None:
        super().__init__(new_id)
        self._plugin = plugin
        self._use = plugin.uses.of(self.client)
        self._use.allocations += 1
        self._charge: Charge | None = None
        self._objects = buffer.layout.objects
        self._waits = not plugin.closed  # for a turn
        if plugin.closed:
            self._begin(buffer)
        else:  # dozens are asked for together, and each takes a few tenths of a millisecond
            plugin.answers.tell_soon(self.client, self, lambda: self._begin(buffer))

    def destroy(self) -> None:
        """The client has what it wanted, or wants it no more."""
        self._plugin.answers.destroy(self)

    def on_destroy(self) -> None:
        """What is under way is allocated for nobody; the charge ends when the memory is free."""
        self._use.allocations -= 1
        if self._waits:  # what its turn holds takes as long to let go of as all the rest
            self._plugin.answers.end_soon(self)
        if self._charge is not None:
            self._plugin.accounts.leave(self._charge)

    def end(self) -> None:
        """Let go of the turn that it waited for: the object is gone for some time."""
        super().end()
        self._plugin.answers.forget_turn(self)

    def _begin(self, buffer: FixedBuffer) -> None:
        self._waits = False
        if not self.alive:
            return
        self._log("asks for")
        if self._plugin.closed:
            self._fail(AllocationReason.INTERNAL, "the compositor has stopped to allocate")
            return
        objects = buffer.layout.objects
        broker = self._plugin.broker
        if not all(broker.allocates_from(entry.source) for entry in objects):
            text = "the compositor allocates from the sources only that it announced"
            self._fail(AllocationReason.NOT_ALLOCATABLE, text)
            return
        if {plane.object for plane in buffer.layout.planes} != set(range(len(objects))):
            self._fail(AllocationReason.NOT_ALLOCATABLE, "there is an object without a plane")
            return
        shortage = self._plugin.shortage(self.client, objects)
        if shortage is not None:
            self._fail(_reason(shortage), shortage.text)
            return
        accounts = self._plugin.accounts
        holder, grant = self._plugin.holder(self.client), self._plugin.grant(self.client)
        charge = self._charge = accounts.charge(holder, objects, grant)
        memory = broker.platform.memory

        allocation = weakref.ref(self)  # who hangs up is not kept by what is under way
        answers = self._plugin.answers

        def done(outcome: tuple[DmaBuf, ...] | Exception) -> None:
            accounts.allocated(charge, () if isinstance(outcome, Exception) else outcome)
            if (asker := allocation()) is not None and asker.alive:
                # In a turn of its client's, who may not read: libwayland ends a client for which
                # it has more descriptors than 28 that the connection does not take.
                asker._waits = True
                answers.tell_soon(asker.client, asker, lambda: asker._allocated(outcome))

        self._plugin.kernel_worker.submit(
            lambda: _allocate(memory, buffer, charge), done, discard=_close
        )

    def _allocated(self, outcome: tuple[DmaBuf, ...] | Exception) -> None:
        self._waits = False
        if not self.alive:
            return
        if isinstance(outcome, OutOfMemoryError):
            self._fail(AllocationReason.NO_MEMORY, str(outcome))
            return
        if isinstance(outcome, Exception):
            if self._use.first("allocation"):
                log.warning("allocations for a client fail: %s", outcome)
            self._fail(AllocationReason.INTERNAL, str(outcome))
            return
        with contextlib.ExitStack() as shares:
            fds = []
            try:
                for buffer in outcome:
                    fds.append(buffer.share())
                    shares.callback(os.close, fds[-1])
            except OSError as error:
                self._fail(AllocationReason.INTERNAL, words_of(error))
                return
            # The event duplicates the fd; the compositor's own is kept, to see who has the memory.
            for buffer, fd in zip(outcome, fds, strict=True):
                self.send("object", fd, *halves(buffer.size))
            self.send("done")
        self._log("allocated")

    def _fail(self, reason: AllocationReason, message: str) -> None:
        if self._charge is not None:
            self._plugin.accounts.leave(self._charge)
        self.send("failed", reason, clip(message))
        if self._plugin.client_log.wanted:
            words = reason.name.lower().replace("_", " ")
            self._plugin.client_log.say(self.client, (f"allocation refused: {words}: {message}",))

    def _log(self, what: str) -> None:
        if self._plugin.client_log.wanted:
            names = self._plugin.broker.platform.source_names
            said = (
                f"{one.size} bytes of {names.get(one.source, one.source)}" for one in self._objects
            )
            self._plugin.client_log.say(self.client, (f"{what} {', '.join(said)}",))


def _reason(shortage: Shortage) -> AllocationReason:
    if shortage.forbidden:
        return AllocationReason.NOT_ALLOCATABLE
    return AllocationReason.OVER_BUDGET if shortage.own else AllocationReason.NO_MEMORY


def _allocate(memory: Memory, buffer: FixedBuffer, charge: Charge) -> tuple[DmaBuf, ...]:
    """On the thread for that: all objects, or none."""
    buffers: list[DmaBuf] = []
    if not charge.wanted:  # the client has changed its mind
        return ()
    try:
        for index, entry in enumerate(buffer.layout.objects):
            shape = PictureShape.of(buffer.format.fourcc, buffer.layout, index)
            made = memory.allocate(entry.source, entry.size, name="heapwire", shape=shape)
            buffers.append(made)
    except BaseException:
        _close(tuple(buffers))
        raise
    return tuple(buffers)


def _close(buffers: tuple[DmaBuf, ...]) -> None:
    for buffer in buffers:
        buffer.close()
