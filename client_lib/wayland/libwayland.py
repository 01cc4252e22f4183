"""What pywayland does not bind of libwayland-client, from the very copy that it uses.

`dlsym` on pywayland's extension module also searches the libraries that the
module is linked with, so there is no name to guess and never a second copy.
"""

from __future__ import annotations

import logging

import pywayland._ffi

from heapwire.client_lib.wayland.interfaces import CData
from heapwire.client_lib.wayland.libwayland_client_ffi import ffi
from heapwire.protocol.late_tuples import NamedTuple

_LIB = ffi.dlopen(pywayland._ffi.__file__)
_LOG = logging.getLogger("heapwire.wayland")
_TEXT_BYTES = 2048


class RawProtocolError(NamedTuple):
    """What libwayland remembers of a protocol error."""

    interface: str
    object_id: int
    code: int

    def words(self, line: str) -> str:
        """What the compositor said of it, from a line of the log; nothing, if that is of another.

        The number of an object stands after a #, and in older libwaylands (Debian 12's 1.21) an @.
        """
        for sign in "#@":
            _, found, words = line.partition(
                f"{self.interface}{sign}{self.object_id}: error {self.code}: "
            )
            if found:
                return words
        return ""


def protocol_error(display: CData) -> RawProtocolError:
    """The protocol error that a `wl_display *` of pywayland's is dead of."""
    interface = ffi.new("const void **")
    object_id = ffi.new("uint32_t *")
    code = _LIB.wl_display_get_protocol_error(_address(display), interface, object_id)
    name = "an unknown object"
    if interface[0] != ffi.NULL:
        name = ffi.string(ffi.cast("struct wl_interface *", interface[0]).name).decode()
    return RawProtocolError(name, int(object_id[0]), int(code))


def cancel_read(display: CData) -> None:
    """Undo `wl_display_prepare_read`."""
    _LIB.wl_display_cancel_read(_address(display))


def _address(pointer: CData) -> CData:
    return ffi.cast("void *", int(pywayland.ffi.cast("uintptr_t", pointer)))


class Log:
    """Receives libwayland-client's log: the only place where it tells an error's text.

    The handler belongs to the process, so it is set when the first connection
    of this package's own is opened, and never for one that an application lent.
    Lines go to the logger `heapwire.wayland`; the last one is kept.
    """

    def __init__(self) -> None:
        self.last = ""
        self._handler: CData = None

    def install(self) -> None:
        """Take libwayland-client's log over."""
        if self._handler is None:
            # A va_list is one pointer wide, or passed by reference, in every ABI
            # that Linux and CPython share.
            self._handler = ffi.callback("void(char *, void *)", self._receive)
            _LIB.wl_log_set_handler_client(self._handler)

    def _receive(self, line: CData, arguments: CData) -> None:
        text = ffi.new("char []", _TEXT_BYTES)
        _LIB.vsnprintf(text, _TEXT_BYTES, line, arguments)
        self.last = ffi.string(text).decode("utf-8", "replace").strip()
        _LOG.debug("%s", self.last)


LOG = Log()
