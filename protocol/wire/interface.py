"""Neutral descriptions of Wayland interfaces.

The tables in `bindings` are instances of these classes. They name no library:
the compositor side turns them into `wl_interface` structs for
libwayland-server, the client side into pywayland classes.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum

from heapwire.protocol.late_dataclasses import dataclass, field


class ArgumentKind(Enum):
    """The wire type of an argument; the value is its signature letter."""

    INT = "i"
    UINT = "u"
    FIXED = "f"
    STRING = "s"
    OBJECT = "o"
    NEW_ID = "n"
    ARRAY = "a"
    FD = "h"


@dataclass(frozen=True, slots=True)
class Argument:
    """One argument of a message.

    `interface` names the interface of an OBJECT or NEW_ID; a NEW_ID without
    one is the untyped form of `wl_registry.bind`.
    """

    name: str
    kind: ArgumentKind
    interface: str | None = None
    nullable: bool = False

    @property
    def signature(self) -> str:
        """The letters that libwayland wants for this argument."""
        letters = self.kind.value
        if self.kind is ArgumentKind.NEW_ID and self.interface is None:
            letters = "sun"
        return f"?{letters}" if self.nullable else letters


@dataclass(frozen=True, slots=True)
class Message:
    """A request or an event."""

    name: str
    arguments: tuple[Argument, ...] = ()
    since: int = 1
    destructor: bool = False

    @property
    def signature(self) -> str:
        """The libwayland signature, with the version it exists since."""
        letters = "".join(argument.signature for argument in self.arguments)
        return f"{self.since}{letters}" if self.since > 1 else letters


@dataclass(frozen=True, slots=True)
class Interface:
    """A Wayland interface: its messages in opcode order and its enums."""

    name: str
    version: int
    requests: tuple[Message, ...] = ()
    events: tuple[Message, ...] = ()
    enums: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
