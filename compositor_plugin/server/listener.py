"""Destroy listeners on things that are the host's."""

from __future__ import annotations

import logging
from collections.abc import Callable

from heapwire.compositor_plugin.server.libwayland_server import (
    CData,
    address,
    callback,
    ffi,
    library,
)

log = logging.getLogger(__name__)

_listeners: dict[int, Listener] = {}


class Listener:
    """Calls back once, when the thing it listens to is destroyed.

    It is kept alive by itself until then; `remove` ends it early.
    """

    # `_struct` is in a list of libwayland's: it must not be freed before it is taken out.
    __slots__ = ("_callback", "_struct")

    def __init__(self, callback: Callable[[], None]) -> None:
        self._callback: Callable[[], None] | None = callback
        self._struct = ffi.new("struct wl_listener *")
        self._struct.notify = _notify
        _listeners[address(self._struct)] = self

    @classmethod
    def on_resource(cls, resource: CData, callback: Callable[[], None]) -> Listener:
        """Listen for the end of a `wl_resource`."""
        listener = cls(callback)
        library().wl_resource_add_destroy_listener(resource, listener._struct)
        return listener

    @classmethod
    def on_client(cls, client: CData, callback: Callable[[], None]) -> Listener:
        """Listen for the end of a `wl_client`."""
        listener = cls(callback)
        library().wl_client_add_destroy_listener(client, listener._struct)
        return listener

    @classmethod
    def on_display(cls, display: CData, callback: Callable[[], None]) -> Listener:
        """Listen for the end of a `wl_display`."""
        listener = cls(callback)
        library().wl_display_add_destroy_listener(display, listener._struct)
        return listener

    def remove(self) -> None:
        """Stop listening; safe to call at any time, and twice."""
        if _listeners.pop(address(self._struct), None) is None:
            return
        self._callback = None
        link = self._struct.link  # wl_list_remove, which is not worth a call into C
        link.prev.next = link.next
        link.next.prev = link.prev


@callback("void(struct wl_listener *, void *)")
def _notify(struct: CData, _data: CData) -> None:
    listener = _listeners.get(address(struct))
    if listener is None:
        return
    callback = listener._callback
    listener.remove()  # once: the thing that was listened to is going away
    try:
        if callback is not None:
            callback()
    except Exception:
        log.exception("a destroy listener failed")
