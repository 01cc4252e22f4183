"""Plans for memory that is shared with the compositor (`wl_shm`), made by the client.

The question is the same and so is the solver: the one goal is to be read by the compositor's
CPU, in one of the formats that `wl_shm` tells, and the one source is this process's own memory.
"""

from __future__ import annotations

from collections.abc import Mapping

from heapwire.client_lib.buffers import SharedMemory
from heapwire.client_lib.negotiation.local_batch import local_batch
from heapwire.client_lib.negotiation.planner import Planner
from heapwire.kernel.description import Platform
from heapwire.kernel.memory import MemfdMemory
from heapwire.protocol.explain import AnswerMemory
from heapwire.protocol.late_dataclasses import replace
from heapwire.protocol.values import (
    LINEAR,
    ConstraintSet,
    FormatModifier,
    Goal,
    HeapId,
    Participant,
    Source,
    SourceId,
    Usage,
)
from heapwire.protocol.wire import Inquiry, inquiry_requests

_NAME = "wl_shm"
# No heap has the number: it is a memfd, and is told to nobody.
_SOURCE = Source(id=SourceId.heap(HeapId(0, 0)), name=_NAME, cached=True)


def shared_platform() -> Platform:
    """The memory of the process itself as the only source, without devices."""
    return Platform(
        name=_NAME, sources=(_SOURCE,), devices=(), memory=MemfdMemory((_SOURCE,)), simulated=True
    )


class ShmPlanner(Planner):
    """Plans by what `wl_shm` reads; `platform` is a `shared_platform`."""

    awaited = "wl_shm's formats"

    def __init__(self, shared: SharedMemory, platform: Platform) -> None:
        super().__init__(shared.connection)
        self._platform = platform
        self._solved = AnswerMemory()
        self._serial = 0
        self._closed = False
        pairs = tuple(FormatModifier(code, LINEAR) for code in shared.formats)
        reads = Participant(name=_NAME, usage=Usage.CPU_READ, sets=(ConstraintSet(formats=pairs),))
        self._goals = (Goal(name=_NAME, participants=(reads,)),)

    @property
    def source_names(self) -> Mapping[SourceId, str]:
        """The name of the only source."""
        return {_SOURCE.id: _SOURCE.name}

    @property
    def closed(self) -> bool:
        """Whether `close` has been called."""
        return self._closed

    def ask(self, inquiry: Inquiry, cookie: int) -> None:
        """Ask; the answer comes with a later dispatch."""
        inquiry_requests(inquiry)

        def answer() -> None:
            if self._closed:
                return
            said = "made by this client for wl_shm"
            batch = local_batch(self._goals, inquiry, self._platform, said, self._solved)
            self._serial += 1
            self.on_batch(replace(batch, cookie=cookie, serial=self._serial))

        self.connection.sync(answer)

    def close(self) -> None:
        """Answer nothing any more."""
        self._closed = True
