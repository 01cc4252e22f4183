"""A socket that tells whoever connects who has what; nothing is read from it.

It is beside the Wayland socket, for the user who runs the compositor alone. A sandbox
that passes on the Wayland socket does not pass on this one.
"""

from __future__ import annotations

import json
import logging
import os
import socket as sockets
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from heapwire.compositor_plugin import ClientHolding, HolderHolding, Holdings
from heapwire.compositor_plugin.server import EventLoop, is_shortage
from heapwire.kernel.system import Owner
from heapwire.protocol import words_of
from heapwire.protocol.explain import Document
from heapwire.protocol.wire import clip

log = logging.getLogger(__name__)

STATUS_SUFFIX = ".heapwire"
"""What its name has after that of the Wayland socket."""
MOST_HOLDERS = 32
MOST_CLIENTS = 64
MOST_HEAPS = 8  # of a holder, and in all; with names of _NAME bytes it fits a socket's buffer
_NAME = 64  # bytes of a name that is shown
_PAUSE = 1000  # milliseconds until the next try where file descriptors ran out


class StatusSocket(Owner):
    """Listens for the life of the compositor; each connection is sent one document and closed."""

    def __init__(self, path: Path, loop: EventLoop, document: Callable[[], Document]) -> None:
        """Raises `OSError` if the socket cannot be made."""
        self._path = path
        self._document = document
        self._socket = sockets.socket(sockets.AF_UNIX, sockets.SOCK_STREAM | sockets.SOCK_NONBLOCK)
        try:
            path.unlink(missing_ok=True)  # left behind: the Wayland socket's lock is ours
            self._socket.bind(os.fspath(path))
            path.chmod(0o600)  # before anybody can connect
            self._socket.listen()
        except OSError:
            self._socket.close()
            raise
        self._loop = loop
        self._source = loop.add_fd(self._socket.fileno(), self._tell)
        self._pause = loop.add_timer(self._go_on)

    def close(self) -> None:
        """Take the socket away; safe to call twice."""
        self._pause.remove()
        self._source.remove()
        if self._socket.fileno() >= 0:
            self._socket.close()
            self._path.unlink(missing_ok=True)

    def _tell(self, _mask: int) -> None:
        try:
            connection, _ = self._socket.accept()
        except OSError as error:
            if is_shortage(error):  # it would be ready again at once
                self._source.remove()
                self._pause.arm(_PAUSE)
            return
        with connection, suppress(OSError):  # whoever does not read has seen enough
            connection.setblocking(False)
            connection.setsockopt(sockets.SOL_SOCKET, sockets.SO_SNDBUF, 1 << 20)
            connection.send(json.dumps(self._document(), ensure_ascii=False).encode())

    def _go_on(self) -> None:
        self._source = self._loop.add_fd(self._socket.fileno(), self._tell)


def open_status_socket(
    wayland_socket: str, loop: EventLoop, document: Callable[[], Document]
) -> StatusSocket | None:
    """The socket beside a Wayland socket; None, and a line of the log, if it cannot be made."""
    # Beside a path it is beside that, wherever others are.
    path = Path(os.environ.get("XDG_RUNTIME_DIR", ""), f"{wayland_socket}{STATUS_SUFFIX}")
    try:
        return StatusSocket(path, loop, document)
    except OSError as error:
        log.warning("`heapwire status` cannot ask here: %s: %s", path, words_of(error))
        return None


def holdings_document(platform: str, holdings: Holdings) -> Document:
    """What clients have, for programs: as many as have most, and how many more there are."""
    return {
        "schema_version": 1,
        "platform": _shown(platform),
        "heaps": [
            {
                "name": _shown(heap.name),
                "bytes": heap.used,
                "limit": heap.limit,
                "capacity": heap.capacity,
            }
            for heap in holdings.heaps[:MOST_HEAPS]
        ],
        "holders": [_holder_document(one) for one in holdings.holders[:MOST_HOLDERS]],
        "more_holders": max(0, len(holdings.holders) - MOST_HOLDERS),
        "clients": [_client_document(one) for one in holdings.clients[:MOST_CLIENTS]],
        "more_clients": max(0, len(holdings.clients) - MOST_CLIENTS),
    }


def _shown(name: str) -> str:
    """A name for a terminal, whatever a sandbox has put into it."""
    return clip("".join(one if one.isprintable() else "?" for one in name), _NAME)


def _holder_document(holding: HolderHolding) -> Document:
    return {
        "uid": holding.holder.uid,
        "app": _shown(holding.holder.app),
        "bytes": holding.budget.used,
        "budget": holding.budget.limit,
        "buffers": holding.buffers,
        "descriptors": holding.descriptors.used,
        "descriptor_limit": holding.descriptors.limit,
        "heaps": [
            {"name": _shown(name), "bytes": used, "limit": limit}
            for name, (used, limit) in list(holding.heaps.items())[:MOST_HEAPS]
        ],
    }


def _client_document(holding: ClientHolding) -> Document:
    who, context = holding.client, holding.client.context
    return {
        "uid": who.uid,
        "gid": who.gid,
        "pid": who.pid,
        "sandboxed": context is not None,
        "engine": "" if context is None else _shown(context.engine),
        "app": "" if context is None else _shown(context.app),
        "instance": "" if context is None else _shown(context.instance),
        "set_bytes": holding.set_bytes,
        "managers": holding.managers,
        "negotiations": holding.negotiations,
        "feedbacks": holding.feedbacks,
        "statuses": holding.statuses,
        "allocations": holding.allocations,
    }
