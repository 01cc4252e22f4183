"""Events that are encoded already, and go out in one go."""

from __future__ import annotations

from array import array
from collections.abc import Sequence, Sized
from itertools import accumulate, chain

from _cffi_backend import cast  # of a type that is known, without a detour

from heapwire.compositor_plugin.server.libwayland_server import CData, ffi, library
from heapwire.compositor_plugin.server.protocol_error_log import hear_again, hear_nothing

_POSTER = ffi.typeof("void(*)(void *, uintptr_t, size_t)")
_POST = ffi.typeof("void(*)(void *, uint32_t, uintptr_t)")
_WORD = "L"  # an unsigned long is as wide as an address wherever there is Wayland
_EVENT_BYTES, _WORD_FACTOR = 256, 4  # of an event that is kept, about; and of each byte

_posters: dict[int, CData] = {}  # functions in C by who has offered them; the last is called


class EncodedEvents:
    """Events one after the other, which `Resource.encode` makes for `Resource.send_encoded`.

    `opcodes` has the opcode of each, `words` all arguments, which point to what is `kept`, and
    `sizes` how many bytes of them are whose. `size` are their bytes in memory, about.
    """

    __slots__ = ("_address", "_count", "_kept", "_row", "size")

    def __init__(
        self, opcodes: Sequence[int], sizes: Sequence[int], words: bytes, kept: Sequence[Sized] = ()
    ) -> None:
        # Arrays know where they are, at a quarter of what asking for a pointer to bytes takes.
        block = array("B", words)
        addresses = accumulate(sizes, initial=block.buffer_info()[0])
        pairs = zip((*opcodes, 0), addresses, strict=True)  # with room for a last one
        self._count = count = len(opcodes)
        self._row = array(_WORD, chain.from_iterable(pairs))
        self._address = self._row.buffer_info()[0]
        self._kept = (block, kept)
        self.size = _EVENT_BYTES * count + _WORD_FACTOR * len(block) + sum(map(len, kept))

    def __len__(self) -> int:
        return self._count

    def post(self, resource: CData, client: CData, last: tuple[int, bytes] | None = None) -> None:
        """Post them by an object of a client's that lives, and then a `last` one.

        That is an opcode and the words of its arguments. A client for
        which there is no room ends later, and not in here. None of them is an
        error of the protocol's, so nobody who looks for those need hear of them.
        """
        count, row = self._count, self._row
        if last is not None:
            words = array("B", last[1])
            row[2 * count], row[2 * count + 1] = last[0], words.buffer_info()[0]
            count += 1
        if not count:
            return
        if _posters:
            next(reversed(_posters.values()))(resource, self._address, count)
            return
        post = cast(_POST, library().wl_resource_post_event_array)  # of addresses as numbers
        heard = hear_nothing(client)
        try:
            for place in range(0, 2 * count, 2):
                post(resource, row[place], row[place + 1])
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
