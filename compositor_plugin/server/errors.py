"""How a handler ends a client."""

from __future__ import annotations

import errno
from typing import Protocol

from heapwire.compositor_plugin.server.libwayland_server import CData, ffi, library
from heapwire.protocol import PeerError

MESSAGE_BYTES = 127  # wl_resource_post_error formats into 128 bytes, wayland-server.c

_DISPLAY = 1  # the id of wl_display in every connection
_INVALID_OBJECT, _INVALID_METHOD = 0, 1  # enum wl_display_error
_SHORT = (errno.EMFILE, errno.ENFILE, errno.ENOMEM)


class Culprit(Protocol):
    """What an error is about: a `Resource` or a `ForeignResource`."""

    def post_error(self, code: int, message: str) -> None:
        """End the client with the error."""


class ViolationError(PeerError):
    """Raised in a handler: the client broke the protocol on `resource`.

    The dispatcher posts it, once, and the client is disconnected.
    """

    def __init__(self, resource: Culprit, code: int, message: str) -> None:
        super().__init__(message)
        self.resource = resource
        self.code = int(code)
        self.message = message


def is_shortage(error: Exception) -> bool:
    """Whether memory or file descriptors ran out: no bug, and a client can bring it about."""
    return isinstance(error, MemoryError) or (isinstance(error, OSError) and error.errno in _SHORT)


def c_message(message: str) -> tuple[CData, CData]:
    """A format and its argument, for the functions that take a printf format."""
    raw = message.encode("utf-8", "replace").replace(b"\0", b" ")[:MESSAGE_BYTES]
    whole = raw.decode("utf-8", "ignore").encode()  # not half a character at the end
    return ffi.new("char[]", b"%s"), ffi.new("char[]", whole)


def post_error(resource: CData, code: int, message: str) -> None:
    """Post an error on a `wl_resource *`."""
    format_, text = c_message(message)
    library().wl_resource_post_error(resource, ffi.cast("uint32_t", code), format_, text)


def post_invalid_object(resource: CData) -> None:
    """What libwayland posts where a request is made on an object that is not there."""
    number = library().wl_resource_get_id(resource)
    _post_on_display(resource, _INVALID_OBJECT, f"invalid object {number}")


def post_invalid_arguments(resource: CData, interface: str, request: str) -> None:
    """What it posts where a request on this `wl_resource *` names an object that is not there."""
    number = library().wl_resource_get_id(resource)
    text = f"invalid arguments for {interface}#{number}.{request}"
    _post_on_display(resource, _INVALID_METHOD, text)


def _post_on_display(resource: CData, code: int, text: str) -> None:
    lib = library()
    display = lib.wl_client_get_object(lib.wl_resource_get_client(resource), _DISPLAY)
    post_error(display, code, text)
