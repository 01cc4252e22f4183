"""The tables of every protocol that the reference compositor serves.

The core protocol's come from libwayland itself. The others are converted from
the classes that pywayland carries: only their tables are used, nothing of
pywayland's server half runs. The conversion opens our libwayland-server first,
because importing pywayland may map a second copy of it, which stays unused.
"""

from __future__ import annotations

import functools
import importlib
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from heapwire.compositor_plugin.server import (
    CORE_INTERFACES,
    core_interface,
    interface_struct,
    library,
)
from heapwire.protocol import MachineError
from heapwire.protocol.wire import Argument, ArgumentKind, Interface, Message

if TYPE_CHECKING:
    from pywayland.protocol_core.interface import Interface as PywaylandInterface
    from pywayland.protocol_core.message import Message as PywaylandMessage

_MODULES = (
    "xdg_shell",
    "viewporter",
    "presentation_time",
    "linux_dmabuf_v1",
    "security_context_v1",
    "color_representation_v1",
    "color_management_v1",
    "single_pixel_buffer_v1",
    "linux_drm_syncobj_v1",
)

# Newer than what pywayland carries, where a version changed what is meant and no message:
# presentation-time 2 wants a refresh of outputs whose rate varies, too.
_SAME_MESSAGES = {"wp_presentation": 2, "wp_presentation_feedback": 2}

# pywayland.scanner.argument.ArgumentType
_KINDS: Mapping[str, ArgumentKind] = {
    "Int": ArgumentKind.INT,
    "Uint": ArgumentKind.UINT,
    "Fixed": ArgumentKind.FIXED,
    "String": ArgumentKind.STRING,
    "Object": ArgumentKind.OBJECT,
    "NewId": ArgumentKind.NEW_ID,
    "Array": ArgumentKind.ARRAY,
    "FileDescriptor": ArgumentKind.FD,
}


def interface_table(name: str) -> Interface:
    """The table of an interface; raises `MachineError` if nobody has it."""
    if name in CORE_INTERFACES:
        return core_interface(name)
    try:
        return _converted()[name]
    except KeyError:
        raise MachineError(f"this pywayland has no table of {name}") from None


@functools.cache
def _converted() -> Mapping[str, Interface]:
    library()
    tables: dict[str, Interface] = {}
    for module_name in _MODULES:
        module = importlib.import_module(f"pywayland.protocol.{module_name}")
        for value in vars(module).values():
            name = getattr(value, "name", None)
            if not isinstance(value, type) or not isinstance(name, str):
                continue
            if name not in CORE_INTERFACES:
                tables.setdefault(name, _interface(value))
    interface_struct(*tables.values())
    return tables


def _interface(described: type[PywaylandInterface]) -> Interface:
    requests, events = _messages(described.requests), _messages(described.events)
    version = max(described.version, _SAME_MESSAGES.get(described.name, 1))
    return Interface(described.name, version, requests, events)


def _messages(messages: Iterable[PywaylandMessage]) -> tuple[Message, ...]:
    return tuple(
        Message(
            name=message.name,
            arguments=tuple(
                Argument(
                    name=f"argument {position}",
                    kind=_KINDS[argument.argument_type.name],
                    interface=argument.interface.name if argument.interface else None,
                    nullable=argument.nullable,
                )
                for position, argument in enumerate(message.arguments)
            ),
            since=message.version or 1,
            destructor=message.name == "destroy",
        )
        for message in messages
    )
