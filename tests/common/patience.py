"""Waiting for what happens at once on an idle machine."""

from __future__ import annotations

import inspect
import time
from collections.abc import Callable, Iterator
from types import FunctionType, ModuleType


def _pace() -> float:
    """How many times longer some work takes than on an idle machine of 2020: 1 to 5.

    It is measured once in a process. What is slow may be the machine itself, an emulator, or
    neighbours. More than 5 would come too late: pytest ends a test after 900 s.
    """
    began = time.monotonic()
    for _ in range(5):
        sum(range(1_000_000))
    return min(5.0, max(1.0, (time.monotonic() - began) / 0.15))


PACE = _pace()
# Seconds. Nothing that works takes so long on any machine, however busy it is; every wait
# ends by what it waits for, so only a fault ever uses this up.
PATIENCE = 120.0 * PACE


def until(
    condition: Callable[[], object], what: str, turn: Callable[[], object] | None = None
) -> None:
    """Take turns until something is so: sleep a little each, unless something is to be done."""
    deadline = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < deadline, f"waited {PATIENCE:.0f} s for {what}"
        if turn is None:
            time.sleep(0.02)
        else:
            turn()


def turns(most: int, what: str) -> Iterator[int]:
    """The numbers of so many turns at the most, for a loop that ends itself with what it waits for.

    A loop that nothing but the product would end goes on for ever once that is broken.
    """
    yield from range(most)
    raise AssertionError(f"{most} turns were not enough for {what}")


def be_patient(package: ModuleType, impatient: float) -> int:
    """Have what a package waits for by default, and does not wait longer than so, wait for long.

    Gives the number of functions whose argument `timeout` has another default from now on.
    """
    found = 0
    for function in _functions(package):
        defaults = function.__kwdefaults__ or {}
        if defaults.get("timeout") == impatient:
            defaults["timeout"] = PATIENCE
            found += 1
    return found


def _functions(package: ModuleType) -> Iterator[FunctionType]:
    """The functions that a package's face exports, and the methods of the classes there."""
    for name in package.__all__:
        thing = getattr(package, name)
        if inspect.isclass(thing):
            yield from (one for one in vars(thing).values() if inspect.isfunction(one))
        elif inspect.isfunction(thing):
            yield thing
