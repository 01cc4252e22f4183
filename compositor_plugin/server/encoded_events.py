"""Events that are encoded already, and go out in one go."""

from __future__ import annotations

from collections.abc import Sequence

from _cffi_backend import cast  # of a type that is known, without a detour

from heapwire.compositor_plugin.server.libwayland_server import CData, ffi, library
from heapwire.compositor_plugin.server.protocol_error_log import hear_again, hear_nothing

_ROW = ffi.typeof("uintptr_t[]")
_WORD = ffi.typeof("uintptr_t")
_POSTER = ffi.typeof("void(*)(void *, uintptr_t *, size_t)")

_posters: dict[int, CData] = {}  # functions in C by who has offered them; the last is called


EncodedEvent = tuple[int, CData, list[object]]
"""An event's opcode, its arguments, and what they point to."""


class EncodedEvents:
    """Events one after the other, which `Resource.encode` makes for `Resource.send_encoded`.

    `size` are their bytes in memory, about.
    """

    __slots__ = ("_events", "_row", "size")

    def __init__(self, events: Sequence[EncodedEvent], size: int) -> None:
        self._events = events
        self._row: CData = None  # made when a function in C first sends them
        self.size = size

    def __len__(self) -> int:
        return len(self._events)

    def post(self, resource: CData, client: CData) -> None:
        """Post them by an object of a client's that lives.

        A client for which there is no room ends later, and not in here. None of them is an
        error of the protocol's, so nobody who looks for those need hear of them.
        """
        if not self._events:
            return
        if _posters:
            if self._row is None:
                self._row = self._made_row()
            next(reversed(_posters.values()))(resource, self._row, len(self._events))
            return
        post = library().wl_resource_post_event_array
        heard = hear_nothing(client)
        try:
            for opcode, arguments, _ in self._events:
                post(resource, opcode, arguments)
        finally:
            if heard:
                hear_again(client)

    def _made_row(self) -> CData:
        words: list[int] = []
        for opcode, arguments, _ in self._events:
            words += (opcode, int(cast(_WORD, arguments)))
        return ffi.new(_ROW, words)


def post_by(owner: int, function: int) -> None:
    """Have events posted by a function in C: of an object, and a row of opcodes and arguments.

    It is called instead of libwayland's, once for all events of an answer. `owner` is whoever
    offers it, for `post_no_more_by`; `function` is its address.
    """
    _posters[owner] = cast(_POSTER, function)


def post_no_more_by(owner: int) -> None:
    """The function that was offered is going away; nothing happens if none was."""
    _posters.pop(owner, None)
