"""What clients import by the host's own linux-dmabuf, and what ends them, as lines for a log.

`heapwire.c` hands the messages on, while somebody listens and at no other time.
"""

from __future__ import annotations

from enum import IntEnum

from heapwire.compositor_plugin.hosts.embed.host_table import CData, pointer_value
from heapwire.compositor_plugin.server import error_line, ffi, library
from heapwire.protocol.late_dataclasses import dataclass
from heapwire.protocol.values import INVALID, fourcc_name, modifier_name
from heapwire.protocol.wire import whole

_REMEMBERED = 256  # buffers that clients have begun to describe and not asked for yet
_DESTROY, _ADD, _CREATE, _CREATE_IMMED = range(4)
_CREATED, _FAILED = range(2)


class Heard(IntEnum):
    """`enum heapwire_heard`."""

    IMPORT_REQUEST = 0
    IMPORT_EVENT = 1
    ERROR = 2


@dataclass(slots=True)
class _Params:
    modifier: int = INVALID
    what: str = "a buffer"


class ImportLog:
    """Makes a line of a message, or none; it knows of each buffer what its client said of it."""

    def __init__(self) -> None:
        self._params: dict[int, _Params] = {}

    def line(self, resource: CData, heard: int, opcode: int, arguments: CData) -> str | None:
        """What a message of a `wl_resource *` says."""
        values = ffi.cast("union wl_argument *", arguments)
        if heard == Heard.ERROR:
            return f"refused: {error_line(values)}"
        address = pointer_value(resource)
        if heard == Heard.IMPORT_REQUEST:
            return self._request(address, opcode, values)
        return self._event(address, opcode)

    def clear(self) -> None:
        """Nobody listens any more, so that what comes next begins anew."""
        self._params.clear()

    def _request(self, address: int, opcode: int, values: CData) -> str | None:
        if opcode == _ADD:
            self._of(address).modifier = whole(values[4].u, values[5].u)
        elif opcode in (_CREATE, _CREATE_IMMED):
            at = 0 if opcode == _CREATE else 1  # the new object's id comes first
            params = self._of(address)
            pair = f"{fourcc_name(values[at + 2].u)} {modifier_name(params.modifier)}"
            params.what = f"a buffer of {pair}, {values[at].i}x{values[at + 1].i}"
            how = "" if opcode == _CREATE else ", without waiting for an answer"
            return f"imports {params.what}{how}"
        elif opcode == _DESTROY:
            self._params.pop(address, None)
        return None

    def _event(self, address: int, opcode: int) -> str | None:
        if opcode not in (_CREATED, _FAILED):
            return None
        params = self._params.pop(address, None) or _Params()
        return f"imported {params.what}" if opcode == _CREATED else f"refused: {params.what}"

    def _of(self, address: int) -> _Params:
        """What is known of a buffer that is described; of a few hundred the oldest goes."""
        if address not in self._params and len(self._params) >= _REMEMBERED:
            del self._params[next(iter(self._params))]
        return self._params.setdefault(address, _Params())


def client_of(resource: CData) -> int:
    """Whose a `wl_resource *` is, by the address of the `wl_client`."""
    ours = ffi.cast("struct wl_resource *", resource)
    return pointer_value(library().wl_resource_get_client(ours))
