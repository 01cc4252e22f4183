"""In which order a loop reads what its clients have sent."""

from __future__ import annotations

import os
import re
import select
from collections.abc import Iterable
from pathlib import Path

from heapwire.compositor_plugin.server.client import Client
from heapwire.compositor_plugin.server.event_loop import EventLoop
from heapwire.compositor_plugin.server.libwayland_server import library

# Descriptors that are looked at: all that are ready. Were there more, to look at the first of them
# would put them behind those that libwayland has just read, 32 in a pass.
_MOST = 1 << 14
_WATCHED = re.compile(rb"events: *([0-9a-f]+) data: *([0-9a-f]+) .*ino:([0-9a-f]+)")
_WORD = 0xFFFFFFFF  # of 64 bits of data Python's epoll gives 32


class ReadyOrder:
    """Lets a loop come last to those who were just read, and have more to say.

    The kernel keeps the ready descriptors of an epoll in a row, and who has been read and is
    ready still keeps its place: a client that sends without end is read before whoever
    has sent something meanwhile, in each pass. To be told of one puts it at the end of the
    row (fs/eventpoll.c, ep_send_events; level-triggered, as all sources of libwayland's are),
    and nothing else happens to it.
    """

    __slots__ = ("_data", "_epoll", "_fd")

    def __init__(self, loop: EventLoop) -> None:
        # The same epoll by a descriptor of our own, which Python's object closes.
        self._fd = os.dup(library().wl_event_loop_get_fd(loop.pointer))
        self._epoll = select.epoll.fromfd(self._fd)
        self._data: dict[Client, int] = {}

    def put_last(self, clients: Iterable[Client]) -> None:
        """Let the next pass read others first; nothing happens where these are last already."""
        known = {self._data_of(client) for client in clients}
        row = [data & _WORD for data, _ in self._epoll.poll(0, _MOST)]
        places = [place for place, data in enumerate(row, 1) if data in known]
        if places and places[-1] < len(row):
            self._epoll.poll(0, places[-1])

    def forget(self, client: Client) -> None:
        """A client ends."""
        self._data.pop(client, None)

    def close(self) -> None:
        """End it; safe to call twice."""
        self._epoll.close()
        self._data.clear()

    def _data_of(self, client: Client) -> int | None:
        """What libwayland has the kernel tell of a client's descriptor; None if nobody says."""
        known = self._data.get(client)
        if known is None:
            try:
                rows = _WATCHED.findall(Path(f"/proc/self/fdinfo/{self._fd}").read_bytes())
            except OSError:  # no /proc: then nobody is put last
                return None
            # libwayland has the kernel watch a duplicate, which is the same socket.
            socket = os.fstat(client.fd).st_ino
            for events, data, number in rows:
                if int(number, 16) == socket and int(events, 16) & select.EPOLLIN:
                    known = self._data[client] = int(data, 16) & _WORD
        return known
