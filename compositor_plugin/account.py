"""What the compositor has allocated for its clients, and how much each may have.

A dma-buf lives until the last process lets go of it, and the kernel counts the
memory of most heaps against whoever allocated it: the compositor. So each
allocation is charged to the client until its protocol object is destroyed and
nobody but the compositor holds the memory, as far as that can be told: a real
dma-buf tells its number of references, a memfd does not.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from heapwire.kernel.memory import DmaBuf

DEFAULT_BUDGET = 512 << 20  # bytes a client; 40 buffers of 3840x2160 NV12


@dataclass(slots=True)
class Charge:
    """One allocation of a client's, in bytes.

    `held` is true as long as the client has the protocol object. `buffers` are
    the compositor's own references, kept to see whether there are others.
    """

    size: int
    held: bool = True
    buffers: tuple[DmaBuf, ...] = ()

    @property
    def in_use(self) -> bool:
        """Whether the client is known to hold the memory, or may do so."""
        return self.held or any((buffer.references() or 1) > 1 for buffer in self.buffers)

    def release(self) -> None:
        """Let go of the compositor's references."""
        for buffer in self.buffers:
            buffer.close()
        self.buffers = ()


@dataclass(slots=True)
class Account:
    """One client's allocations; `budget` and `used` are in bytes."""

    budget: int = DEFAULT_BUDGET
    _charges: list[Charge] = field(default_factory=list)

    @property
    def used(self) -> int:
        """What the client is charged for."""
        return sum(charge.size for charge in self._charges)

    def affords(self, size: int) -> bool:
        """Whether the client may have `size` bytes more, after a look at what it still holds."""
        self.settle()
        return self.used + size <= self.budget

    def charge(self, charge: Charge) -> None:
        """Charge an allocation to the client."""
        self._charges.append(charge)

    def settle(self) -> bool:
        """Drop the charges for memory that is free; whether some have yet to end."""
        kept: list[Charge] = []
        for charge in self._charges:
            if charge.in_use:
                kept.append(charge)
            else:
                charge.release()
        self._charges = kept
        return any(not charge.held for charge in kept)

    def close(self) -> None:
        """The client is gone."""
        charges, self._charges = self._charges, []
        for charge in charges:
            charge.release()
