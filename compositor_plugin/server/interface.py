"""`wl_interface` structs made from neutral tables.

libwayland keeps pointers into these structs for as long as anything speaks the
interface, so they are made once and live as long as the process.
"""

from __future__ import annotations

import functools

from heapwire.compositor_plugin.server.libwayland_server import CORE_INTERFACES, CData, ffi, library
from heapwire.protocol import MachineError, UsageError
from heapwire.protocol.wire import Argument, ArgumentKind, Interface, Message

# What a struct says of an interface: all but the names of arguments.
_Shape = tuple[int, tuple[tuple[str, str, tuple[str | None, ...]], ...], int]

_structs: dict[str, CData] = {}
_tables: dict[str, Interface] = {}  # what each was made of
_kept: list[CData] = []


def interface_struct(interface: Interface, *others: Interface) -> CData:
    """The `wl_interface *` of an interface.

    `others` are interfaces that its messages mention by name and that no
    struct was made of yet; the core interfaces are libwayland's own.

    A name has one struct in a process. Raises `UsageError` for a table that differs from the
    one that its name's struct was made of: its requests would be taken for others.
    """
    # All structs first, and then what is in them: interfaces mention each other.
    for table in (interface, *others):
        if table.name not in _structs and table.name not in CORE_INTERFACES:
            _structs[table.name] = ffi.new("struct wl_interface *")
    for table in (interface, *others):
        struct = _structs.get(table.name)
        if struct is None:
            continue
        known = _tables.setdefault(table.name, table)
        if known is not table and _shape(known) != _shape(table):
            raise UsageError(f"there are two interfaces called {table.name}")
        if struct.name == ffi.NULL:
            _fill(struct, table)
    return struct_named(interface.name)


def struct_named(name: str) -> CData:
    """The `wl_interface *` of a core interface or of one made before.

    Raises `MachineError` if this libwayland does not have the core interface.
    """
    if name in _structs:
        return _structs[name]
    if name not in CORE_INTERFACES:
        raise UsageError(f"no table of the interface {name} was given")
    try:
        return ffi.addressof(library(), f"{name}_interface")
    except AttributeError:
        raise MachineError(f"this libwayland-server is too old to have {name}") from None


@functools.cache
def core_interface(name: str) -> Interface:
    """The table of a core interface, as this libwayland has it.

    The struct knows no names of arguments; they are called by their position.

    Raises `MachineError` if this libwayland does not have the interface.
    """
    struct = struct_named(name)
    return Interface(
        name,
        struct.version,
        tuple(_message(struct.methods[index]) for index in range(struct.method_count)),
        tuple(_message(struct.events[index]) for index in range(struct.event_count)),
    )


def _message(struct: CData) -> Message:
    signature = ffi.string(struct.signature).decode()
    kinds = signature.lstrip("0123456789")
    since = int(signature.removesuffix(kinds) or 1)
    name = ffi.string(struct.name).decode()
    arguments: list[Argument] = []
    nullable = False
    for letter in kinds:
        if letter == "?":
            nullable = True
            continue
        position = len(arguments)
        type_ = struct.types[position]
        mentioned = None if type_ == ffi.NULL else ffi.string(type_.name).decode()
        kind = ArgumentKind(letter)
        arguments.append(Argument(f"argument {position}", kind, mentioned, nullable))
        nullable = False
    return Message(name, tuple(arguments), since, name in ("destroy", "release"))


def _shape(interface: Interface) -> _Shape:
    messages = tuple(
        (message.name, message.signature, tuple(one.interface for one in message.arguments))
        for message in (*interface.requests, *interface.events)
    )
    return interface.version, messages, len(interface.requests)


def _fill(struct: CData, interface: Interface) -> None:
    struct.version = interface.version
    struct.method_count = len(interface.requests)
    struct.methods = _messages(interface.requests)
    struct.event_count = len(interface.events)
    struct.events = _messages(interface.events)
    struct.name = _text(interface.name)


def _messages(messages: tuple[Message, ...]) -> CData:
    array = ffi.new("struct wl_message[]", max(len(messages), 1))
    _kept.append(array)
    for entry, message in zip(array, messages, strict=False):
        entry.name = _text(message.name)
        entry.signature = _text(message.signature)
        slots = [_type(name) for argument in message.arguments for name in _slots(argument)]
        types = ffi.new("struct wl_interface *[]", slots or 1)
        _kept.append(types)
        entry.types = types
    return array


def _slots(argument: Argument) -> tuple[str | None, ...]:
    """The interface name for each slot that an argument takes in a message."""
    if argument.kind is ArgumentKind.NEW_ID and argument.interface is None:
        return (None, None, None)
    return (argument.interface,)


def _type(name: str | None) -> CData:
    return ffi.NULL if name is None else struct_named(name)


def _text(text: str) -> CData:
    value = ffi.new("char[]", text.encode())
    _kept.append(value)
    return value
