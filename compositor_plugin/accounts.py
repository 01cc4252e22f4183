"""What the compositor has allocated for its clients, and how much each may have.

A dma-buf lives until the last process lets go of it, and the kernel counts the
memory of most heaps against whoever allocated it: the compositor. So each
allocation is charged to the client until its protocol object is destroyed and
nobody but the compositor holds the memory, as far as that can be told: a real
dma-buf tells its number of references, a memfd does not.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from heapwire.compositor_plugin.server import Client, EventLoop, Listener
from heapwire.kernel.memory import DmaBuf

DEFAULT_BUDGET = 512 << 20
"""Bytes for each client: 40 buffers of 3840x2160 NV12."""
SETTLE_INTERVAL = 1000  # milliseconds between looks at memory that clients may have freed


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
        return self.held or any(buffer.shared() for buffer in self.buffers)

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


class ClientAccounts:
    """An account of `budget` bytes for each client that is connected and had memory allocated."""

    def __init__(self, loop: EventLoop, budget: int) -> None:
        self._budget = budget
        self._accounts: dict[Client, tuple[Account, Listener]] = {}
        self._settler = loop.add_timer(self.settle)

    def of(self, client: Client) -> Account:
        """The account of a client, closed when the client goes."""
        entry = self._accounts.get(client)
        if entry is None:
            account = Account(self._budget)
            entry = (account, client.on_destroy(lambda: self._client_gone(client)))
            self._accounts[client] = entry
        return entry[0]

    def settle(self) -> None:
        """Drop charges for memory that is free, and look again later if some is not.

        Nobody tells when the last process lets go of a dma-buf, so it is looked at.
        """
        accounts = [account for account, _ in self._accounts.values()]
        unsettled = [account for account in accounts if account.settle()]  # all, not the first
        if unsettled:
            self._settler.arm(SETTLE_INTERVAL)

    def close(self) -> None:
        """Let go of all memory, and of the clients' ends."""
        self._settler.remove()
        for account, listener in self._accounts.values():
            listener.remove()
            account.close()
        self._accounts.clear()

    def _client_gone(self, client: Client) -> None:
        account, _ = self._accounts.pop(client)
        account.close()
