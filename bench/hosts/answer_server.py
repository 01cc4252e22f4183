"""What nothing in Python can be below: a server that sends an answer of given sizes when asked.

    answer_server.py SOCKET SIZE...    the bytes of each event, the last one that ends the answer

The same as `answer_server.c` by the plugin's own binding of libwayland, for somebody who asks as
the plugin is asked: two requests, `size` and `ask`. It looks nothing up, and its events are encoded
already. What is above it is what the plugin does.
"""

from __future__ import annotations

import sys

from heapwire.compositor_plugin import spare_the_loop
from heapwire.compositor_plugin.server import EncodedEvents, Global, OwnDisplay, Resource
from heapwire.protocol.wire import Argument, ArgumentKind, Interface, Message

_UINT = ArgumentKind.UINT
INTERFACE = Interface(
    "heapwire_answer",
    1,
    requests=(
        Message("ask", (Argument("number", _UINT),)),
        Message("size", tuple(Argument(name, ArgumentKind.INT) for name in "abcdef")),
    ),
    events=(
        Message("piece", (Argument("bytes", ArgumentKind.ARRAY),)),
        Message("done", (Argument("number", _UINT), Argument("serial", _UINT))),
    ),
)


class Answerer(Resource):
    """Answers as soon as it is asked."""

    INTERFACE = INTERFACE
    sizes: tuple[int, ...] = ()
    known: EncodedEvents | None = None

    def size(self, *_numbers: int) -> None:
        """What the plugin is told before each question."""

    def ask(self, number: int) -> None:
        """Send the same as always, and the number."""
        if self.known is None:
            pieces = [bytes(max(0, size - 12)) for size in self.sizes[:-1]]  # head and length
            type(self).known = self.encode([("piece", (piece,)) for piece in pieces])
        if self.known is not None:
            self.send_encoded(self.known)
        self.send("done", number, 1)


def main(socket: str, sizes: list[str]) -> None:
    """Serve until it is ended."""
    Answerer.sizes = tuple(map(int, sizes))
    display = OwnDisplay()
    display.add_socket(socket)
    Global(display, INTERFACE, Answerer)
    spare_the_loop()
    print("ready", flush=True)
    while True:
        display.dispatch(-1)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2:])
