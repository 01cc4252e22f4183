"""What a client may be given: from which heaps, and how much."""

from __future__ import annotations

from heapwire.compositor_plugin.clients.selection import EVERYTHING, Selection
from heapwire.protocol.late_dataclasses import dataclass, replace
from heapwire.protocol.values import Source

DEFAULT_BUDGET = 512 << 20
"""Bytes for each user: 40 buffers of 3840x2160 NV12."""
DEFAULT_SHARE = 50
"""Percent of a heap of known size that one user may have."""
SCARCE_BYTES = 128 << 20
"""For each user, of a contiguous or protected heap whose size is not known: 10 buffers of
3840x2160 NV12."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Grant:
    """From which heaps memory may be allocated for a client, and how much.

    `allocated` has the heaps' names; contiguous and protected ones are among them only
    if `scarce`. `budget` is in bytes, `share` in percent of a heap's size. `told` says
    whether the client hears of memory and of what devices require; None leaves it to what it is.
    """

    allocated: Selection = EVERYTHING
    scarce: bool = True
    budget: int = DEFAULT_BUDGET
    share: int = DEFAULT_SHARE
    told: bool | None = None

    def for_app(self) -> Grant:
        """What a sandboxed app may be given, of what its user may: half, and nothing scarce."""
        return replace(self, scarce=False, budget=self.budget // 2, share=max(1, self.share // 2))

    def permits(self, source: Source) -> bool:
        """Whether memory of a source may be allocated at all.

        Memory is scarce unless it is known to be neither contiguous nor protected.
        """
        plain = source.contiguous is False and source.protected is False
        return source.name in self.allocated and (self.scarce or plain)

    def limit(self, source: Source) -> int | None:
        """Bytes of a source; None if the budget is the only bound."""
        if source.capacity is not None:
            return source.capacity * self.share // 100
        return SCARCE_BYTES if source.contiguous or source.protected is not False else None
