"""What each client is charged for, to the byte."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from heapwire.compositor_plugin.accounts import Account, Charge


@dataclass
class Memory:
    """A dma-buf that so many processes hold; None: it cannot be told."""

    holders: int | None
    closed: bool = False

    def shared(self) -> bool | None:
        return None if self.holders is None else self.holders > 1

    def close(self) -> None:
        self.closed = True


def charged(size: int, holders: int | None = 1, *, held: bool = True) -> Charge:
    return Charge(size, held, (Memory(holders),))  # type: ignore[arg-type]  # a stand-in


def test_a_budget_may_be_used_to_the_last_byte() -> None:
    account = Account(budget=10)
    assert account.affords(10)
    account.charge(charged(4))
    assert (account.affords(6), account.affords(7)) == (True, False)


@pytest.mark.parametrize(
    ("held", "holders", "in_use"),
    [
        (True, 1, True),  # the object may still be used to get at it
        (False, 2, True),  # somebody besides the compositor has it
        (False, 1, False),
        (False, None, False),
    ],
)
def test_memory_is_in_use_while_the_client_has_it(held: bool, holders: int, in_use: bool) -> None:
    assert charged(1, holders, held=held).in_use is in_use


def test_only_memory_whose_object_is_gone_is_looked_at_again() -> None:
    account = Account(budget=10)
    account.charge(charged(1))
    assert not account.settle(), "while the client has the object, its end will be told"
    left_behind = charged(2, 2, held=False)
    account.charge(left_behind)
    assert account.settle()
    (memory,) = left_behind.buffers
    assert isinstance(memory, Memory)
    memory.holders = 1
    assert not account.settle()
    assert (account.used, memory.closed) == (1, True)
