"""What the host's own linux-dmabuf accepts, asked for as any client asks.

A host that does not say which formats it imports is asked over Wayland: one end
of a socket pair becomes a client of its display, and the other end speaks the
few messages that it takes, from inside the host's event loop. From version 4 of
`zwp_linux_dmabuf_v1` on it asks for feedback, and whoever listens to the host's
feedback hears the answer; version 3 lists the pairs as events, and every
compositor that offers a newer version offers that one too. So what the plugin
announces cannot differ from what linux-dmabuf takes, and no private header is
needed to know it.
"""

from __future__ import annotations

import logging
import struct
from _socket import AF_UNIX, MSG_NOSIGNAL, SOCK_STREAM, socketpair  # `socket` takes 2 ms of a start
from collections.abc import Callable, Iterable

from heapwire.compositor_plugin.server import Display, EventSource, ffi, library
from heapwire.protocol.values import INVALID, LINEAR, FormatModifier
from heapwire.protocol.wire import DmabufFeedback, DmabufVersion, whole

log = logging.getLogger(__name__)

# Object ids, in the order of use: libwayland wants them without gaps.
_DISPLAY, _REGISTRY, _LISTED = 1, 2, 3
_SYNC, _GET_REGISTRY, _BIND, _GET_DEFAULT_FEEDBACK = 0, 1, 0, 2  # opcodes of requests
_GLOBAL, _FORMAT, _MODIFIER = 0, 0, 1  # opcodes of events
_INTERFACE = b"zwp_linux_dmabuf_v1"
_LISTING = DmabufVersion.MODIFIERS  # the last version that lists pairs


class DmabufFormats:
    """One question to one display.

    `done` is called once, from the event loop: with the pairs, or with None if
    the display offers no linux-dmabuf. `heard` is what was heard of the display's
    feedback, None if nobody listens or nothing was said.
    """

    def __init__(
        self,
        display: Display,
        done: Callable[[frozenset[FormatModifier] | None], None],
        heard: Callable[[], DmabufFeedback | None] = lambda: None,
    ) -> None:
        self._done = done
        self._heard = heard
        self._asked = 0  # the callback after which feedback was sent
        self._sent = 0  # the callback after which the pairs were sent
        self._dmabuf = 0
        self._last_id = _LISTED
        self._formats: set[FormatModifier] = set()
        self._offer: tuple[int, int] | None = None
        self._received = b""
        self._source: EventSource | None = None
        ours, theirs = socketpair(AF_UNIX, SOCK_STREAM)
        ours.setblocking(False)
        client = library().wl_client_create(display.pointer, theirs.fileno())
        if client == ffi.NULL:
            ours.close()
            theirs.close()
            raise MemoryError("wl_client_create")
        theirs.detach()  # libwayland's from here on
        self._socket = ours
        self._source = display.loop.add_fd(ours.fileno(), lambda _: self._read())
        self._send(_DISPLAY, _GET_REGISTRY, struct.pack("=I", _REGISTRY))
        self._send(_DISPLAY, _SYNC, struct.pack("=I", _LISTED))

    def close(self) -> None:
        """Stop asking; safe to call twice."""
        if self._source is not None:
            self._source.remove()
            self._source = None
            self._socket.close()

    def _send(self, object_id: int, opcode: int, body: bytes) -> None:
        # A fresh socket's buffer takes these few bytes at once. If the display has hung up, that is
        # an error, and no signal, which may be the host's end.
        message = struct.pack("=II", object_id, (8 + len(body)) << 16 | opcode) + body
        self._socket.sendall(message, MSG_NOSIGNAL)

    def _read(self) -> None:
        try:
            received = self._socket.recv(65536)
        except BlockingIOError:
            return
        except OSError:
            received = b""
        if not received:
            self._finish(None)
            return
        self._received += received
        while len(self._received) >= 8:
            object_id, word = struct.unpack_from("=II", self._received)
            size, opcode = word >> 16, word & 0xFFFF
            if size < 8:
                self._finish(None)
                return
            if len(self._received) < size:
                return
            body, self._received = self._received[8:size], self._received[size:]
            self._handle(object_id, opcode, body)
            if self._source is None:
                return

    def _handle(self, object_id: int, opcode: int, body: bytes) -> None:
        if object_id == _REGISTRY and opcode == _GLOBAL:
            self._global(body)
        elif object_id == _LISTED:
            self._listed()
        elif object_id == self._asked:
            self._answered()
        elif object_id == self._dmabuf and opcode == _MODIFIER:
            fourcc, high, low = struct.unpack("=III", body)
            self._formats.add(FormatModifier(fourcc, whole(high, low)))
        elif object_id == self._dmabuf and opcode == _FORMAT and self._version < _LISTING:
            self._formats.add(FormatModifier(struct.unpack("=I", body)[0], INVALID))
        elif object_id == self._sent:
            self._finish(with_linear(self._formats))

    @property
    def _version(self) -> int:
        return min(self._offer[1], _LISTING) if self._offer else 0

    def _global(self, body: bytes) -> None:
        name, length = struct.unpack_from("=II", body)
        interface = body[8 : 8 + length].rstrip(b"\0")
        if interface == _INTERFACE:
            self._offer = (name, struct.unpack_from("=I", body, 8 + _padded(length))[0])

    def _listed(self) -> None:
        if self._offer is None:
            self._finish(None)
        elif self._offer[1] < DmabufVersion.FEEDBACK:
            self._list()
        else:
            # Of all versions with feedback the first one: it names the main device, too.
            dmabuf, feedback, self._asked = self._bind(DmabufVersion.FEEDBACK), *self._ids(2)
            self._send(dmabuf, _GET_DEFAULT_FEEDBACK, struct.pack("=I", feedback))
            self._send(_DISPLAY, _SYNC, struct.pack("=I", self._asked))

    def _answered(self) -> None:
        heard = self._heard()
        if heard is None:
            self._list()
        else:
            self._finish(with_linear(heard.formats))

    def _list(self) -> None:
        self._dmabuf = self._bind(self._version)
        [self._sent] = self._ids(1)
        self._send(_DISPLAY, _SYNC, struct.pack("=I", self._sent))

    def _bind(self, version: int) -> int:
        assert self._offer is not None
        [id_] = self._ids(1)
        text = _INTERFACE + b"\0"
        body = struct.pack("=II", self._offer[0], len(text)) + text.ljust(_padded(len(text)), b"\0")
        self._send(_REGISTRY, _BIND, body + struct.pack("=II", version, id_))
        return id_

    def _ids(self, count: int) -> list[int]:
        """Ids of new objects."""
        self._last_id += count
        return [*range(self._last_id - count + 1, self._last_id + 1)]

    def _finish(self, formats: frozenset[FormatModifier] | None) -> None:
        self.close()
        self._done(formats)


def with_linear(formats: Iterable[FormatModifier]) -> frozenset[FormatModifier]:
    """The pairs, and LINEAR for each format that is taken without a modifier only.

    That is what the driver of a GPU that knows no modifiers announces. It expects
    rows in memory that it has not laid out itself; a client that has a linear plan
    then imports its buffers as linear, or without a modifier.
    """
    pairs = frozenset(formats)
    explicit = {pair.fourcc for pair in pairs if pair.modifier != INVALID}
    return pairs | {
        FormatModifier(pair.fourcc, LINEAR) for pair in pairs if pair.fourcc not in explicit
    }


def _padded(length: int) -> int:
    return (length + 3) & ~3
