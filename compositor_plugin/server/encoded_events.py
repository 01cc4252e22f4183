"""Events that are encoded already, and go out in one go."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import accumulate, chain

from _cffi_backend import cast, from_buffer  # of a type that is known, without a detour

from heapwire.compositor_plugin.server.libwayland_server import CData, ffi, library
from heapwire.compositor_plugin.server.protocol_error_log import hear_again, hear_nothing

_ROW = ffi.typeof("uintptr_t[]")
_WORD = ffi.typeof("uintptr_t")
_POSTER = ffi.typeof("void(*)(void *, uintptr_t *, size_t)")
_POST = ffi.typeof("void(*)(void *, uint32_t, uintptr_t)")
_CHARS = ffi.typeof("char[]")

_posters: dict[int, CData] = {}  # functions in C by who has offered them; the last is called


class EncodedEvents:
    """Events one after the other, which `Resource.encode` makes for `Resource.send_encoded`.

    `opcodes` has the opcode of each, and `arguments` the words of their arguments, which point
    to what is `kept`. `size` are their bytes in memory, about.
    """

    __slots__ = ("_count", "_events", "_kept", "_row", "size")

    def __init__(
        self, opcodes: Sequence[int], arguments: Sequence[bytes], kept: Sequence[object], size: int
    ) -> None:
        block = from_buffer(_CHARS, b"".join(arguments))
        address = int(cast(_WORD, block))
        addresses = accumulate(map(len, arguments), initial=address)
        self._count = len(opcodes)
        self._events = tuple(zip(opcodes, addresses, strict=False))  # the last one is the end
        self._kept = (block, kept)
        self._row: CData = None  # made when a function in C first sends them
        self.size = size

    def __len__(self) -> int:
        return self._count

    def post(self, resource: CData, client: CData, last: tuple[int, bytes] | None = None) -> None:
        """Post them by an object of a client's that lives, and then a `last` one.

        That is an opcode and the words of its arguments, which outlive the call. A client for
        which there is no room ends later, and not in here. None of them is an
        error of the protocol's, so nobody who looks for those need hear of them.
        """
        count = self._count
        if last is not None:
            opcode, words = last
            place = int(cast(_WORD, from_buffer(_CHARS, words)))
        elif not count:
            return
        if _posters:
            row = self._row
            if row is None:  # with room for the last one
                pairs = (*chain.from_iterable(self._events), 0, 0)
                row = self._row = ffi.new(_ROW, pairs)
            if last is not None:
                row[2 * count], row[2 * count + 1] = opcode, place
                count += 1
            next(reversed(_posters.values()))(resource, row, count)
            return
        post = cast(_POST, library().wl_resource_post_event_array)  # of addresses as numbers
        heard = hear_nothing(client)
        try:
            for number, arguments in self._events:
                post(resource, number, arguments)
            if last is not None:
                post(resource, opcode, place)
        finally:
            if heard:
                hear_again(client)


def post_by(owner: int, function: int) -> None:
    """Have events posted by a function in C: of an object, and a row of opcodes and arguments.

    It is called instead of libwayland's, once for all events of an answer. `owner` is whoever
    offers it, for `post_no_more_by`; `function` is its address.
    """
    _posters[owner] = cast(_POSTER, function)


def post_no_more_by(owner: int) -> None:
    """The function that was offered is going away; nothing happens if none was."""
    _posters.pop(owner, None)
