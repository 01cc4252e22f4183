"""A line in the log for each protocol error: whose it is, on which object, and what it says.

libwayland posts errors itself too (of objects that are not there), and says no more of them than
the client's pid. So this listens to all messages of a display for `wl_display.error`, which is how
every one of them is sent.
"""

from __future__ import annotations

import logging

from _cffi_backend import cast

from heapwire.compositor_plugin.server.client import Client
from heapwire.compositor_plugin.server.libwayland_server import (
    CData,
    address,
    callback,
    ffi,
    library,
)
from heapwire.protocol import shown

log = logging.getLogger(__name__)

_DISPLAY_ID = 1  # wl_display's in every connection
_ERROR = 0  # the opcode of wl_display.error
_EVENT = 1  # enum wl_protocol_logger_type
_MESSAGE = ffi.typeof("struct wl_protocol_logger_message *")


_loggers: dict[int, CData] = {}  # by the address of the wl_display


def log_protocol_errors(display: CData) -> None:
    """Log them as long as a `wl_display *` lives, or until `log_them_no_more`."""
    _loggers[address(display)] = library().wl_display_add_protocol_logger(
        display, _LOGGER, ffi.NULL
    )


def log_them_no_more(display: CData) -> bool:
    """Listen to a display's messages no more; gives whether anybody did."""
    logger = _loggers.pop(address(display), None)
    if logger is None:
        return False
    library().wl_protocol_logger_destroy(logger)
    return True


def error_line(arguments: CData) -> str:
    """What the arguments of a `wl_display.error` say: on which object, which error, and why."""
    lib = library()
    # A wl_resource begins with its wl_object (wayland-server.c).
    culprit = ffi.cast("struct wl_resource *", arguments[0].o)
    name = ffi.string(lib.wl_resource_get_class(culprit)).decode()
    text = ffi.string(arguments[2].s).decode("utf-8", "replace")
    return f"{name}#{lib.wl_resource_get_id(culprit)}: error {arguments[1].u}: {shown(text)}"


def hear_nothing(client: CData) -> bool:
    """Listen to none of a `wl_client *`'s display until `hear_again`; gives whether anybody did.

    To hear of each event of an answer in Python costs as much as to send it.
    """
    return bool(_loggers) and log_them_no_more(library().wl_client_get_display(client))


def hear_again(client: CData) -> None:
    """Go on to log protocol errors."""
    log_protocol_errors(library().wl_client_get_display(client))


# Called for each message of each client, so it looks no further than it must.
@callback("void(uintptr_t, int, uintptr_t)")
def _sent_or_received(_data: int, direction: int, pointer: int) -> None:
    if direction != _EVENT:
        return
    message = cast(_MESSAGE, pointer)
    if message.message_opcode != _ERROR:
        return
    lib = library()
    if lib.wl_resource_get_id(message.resource) != _DISPLAY_ID:
        return
    who = Client(lib.wl_resource_get_client(message.resource)).credentials
    line = error_line(message.arguments)
    log.warning("client with pid %d, uid %d: %s", who.pid, who.uid, line)


_LOGGER = ffi.cast(
    "void(*)(void *, int, const struct wl_protocol_logger_message *)", _sent_or_received
)
