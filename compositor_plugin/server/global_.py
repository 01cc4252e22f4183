"""A global that clients can bind."""

from __future__ import annotations

import itertools
import logging
from collections.abc import Callable

from heapwire.compositor_plugin.server.client import Client
from heapwire.compositor_plugin.server.display import Display
from heapwire.compositor_plugin.server.errors import ViolationError
from heapwire.compositor_plugin.server.interface import interface_struct
from heapwire.compositor_plugin.server.libwayland_server import (
    CData,
    address,
    callback,
    ffi,
    library,
)
from heapwire.compositor_plugin.server.resource import NewId
from heapwire.protocol import UsageError
from heapwire.protocol.wire import Interface

log = logging.getLogger(__name__)

_globals: dict[int, Global] = {}
_numbers = itertools.count(1)


class Global:
    """Announces an interface on a display, up to `destroy`."""

    __slots__ = ("_bind", "_display", "_number", "_pointer")

    def __init__(
        self,
        display: Display,
        interface: Interface,
        bind: Callable[[NewId], object],
        *,
        version: int | None = None,
    ) -> None:
        """`bind` makes the resource for a client that binds the global."""
        self._bind = bind
        self._display = display
        self._number = next(_numbers)
        self._pointer = library().wl_global_create(
            display.pointer,
            interface_struct(interface),
            interface.version if version is None else version,
            ffi.cast("void *", self._number),
            _bound,
        )
        if self._pointer == ffi.NULL:
            raise UsageError(f"the global {interface.name} cannot be created")
        _globals[self._number] = self
        display.globals.add(self)

    @property
    def address(self) -> int:
        """The address of the `wl_global`."""
        return address(self._pointer)

    def remove(self) -> None:
        """Tell clients that the global is gone; late binds still get an object."""
        if self._number in _globals:
            library().wl_global_remove(self._pointer)

    def destroy(self) -> None:
        """Take the global away; safe to call twice."""
        if _globals.pop(self._number, None) is not None:
            self._display.globals.discard(self)
            library().wl_global_destroy(self._pointer)


@callback("void(struct wl_client *, void *, uint32_t, uint32_t)")
def _bound(client: CData, data: CData, version: int, id_: int) -> None:
    entry = _globals.get(int(ffi.cast("uintptr_t", data)))
    owner = Client(client)
    if entry is None:
        return
    new_id = NewId(owner, id_, version, entry._display)
    try:
        entry._bind(new_id)
        if not new_id.used:
            raise UsageError("the bound object was not made")
    except ViolationError as error:
        error.resource.post_error(error.code, error.message)
    except MemoryError:
        owner.post_no_memory()
    except Exception:
        log.exception("a bind failed")
        owner.post_implementation_error("the global cannot be bound")
