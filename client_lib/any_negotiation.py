"""What every negotiation can do, whoever makes the plans."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Protocol

from heapwire.client_lib.interfaces import AnyProxy
from heapwire.protocol.model.content import Content
from heapwire.protocol.model.extents import Extents
from heapwire.protocol.model.participant import Participant
from heapwire.protocol.model.problem import FixedBuffer
from heapwire.protocol.model.source import SourceId
from heapwire.protocol.wire.batch import Batch, Offer
from heapwire.protocol.wire.exchange import Event

if TYPE_CHECKING:
    from heapwire.client_lib.allocation import Allocation
    from heapwire.client_lib.negotiation import BufferStatus


class AnyNegotiation(Protocol):
    """A `Negotiation` with the compositor or a `LocalNegotiation`; see there for the meaning."""

    on_batch: Callable[[Batch], None] | None
    events: list[Event] | None

    @property
    def tells_status(self) -> bool:
        """Whether anybody tells what becomes of tagged buffers."""

    @property
    def source_names(self) -> Mapping[SourceId, str]:
        """The names of the sources that plans may use."""

    def set_participant(self, participant: Participant) -> None:
        """Add a participant, or replace the one of the same name."""

    def set_extents(self, extents: Extents) -> None:
        """Set the sizes of the pictures."""

    def set_content(self, content: Content) -> None:
        """Describe the pictures beyond their size."""

    def set_buffer_count(self, *, minimum: int, queue: int) -> None:
        """Set how many buffers the producer holds, and how many more are to be in flight."""

    def set_openable(self, sources: frozenset[SourceId]) -> None:
        """Say which sources this process can allocate from itself."""

    def set_fixed(self, fixed: FixedBuffer | None) -> None:
        """Ask about buffers that exist already; None asks about new ones again."""

    def commit(self) -> int:
        """Ask for plans; returns the cookie that the answering batch will have."""

    def negotiate(self, *, timeout: float = ...) -> Batch:
        """Commit and wait for the answer; raises what it is if there is no plan."""

    def allocate(self, batch: Batch, offer: Offer) -> Allocation:
        """Have somebody else allocate one buffer of a plan."""

    def tag_buffer(
        self,
        buffer: AnyProxy,
        batch: Batch,
        offer: Offer,
        on_status: Callable[[BufferStatus], None],
    ) -> int:
        """Say which plan a `wl_buffer` was made by; returns the tag."""

    def forget_tag(self, tag: int) -> None:
        """The buffer is gone."""

    def close(self) -> None:
        """Let go of it; buffers stay valid."""
