"""An interface with every kind of argument, served for the tests."""

from __future__ import annotations

from heapwire.compositor_plugin.server import Global, Resource, ViolationError, interface_struct
from heapwire.protocol.wire import Argument, ArgumentKind, Interface, Message

K = ArgumentKind
EVERY = (
    Argument("int", K.INT),
    Argument("uint", K.UINT),
    Argument("fixed", K.FIXED),
    Argument("string", K.STRING),
    Argument("maybe_string", K.STRING, nullable=True),
    Argument("array", K.ARRAY),
    Argument("object", K.OBJECT, "heapwire_probe"),
    Argument("maybe_object", K.OBJECT, "wl_surface", nullable=True),
    Argument("fd", K.FD),
)
PROBE = Interface(
    "heapwire_probe",
    2,
    requests=(
        Message("destroy", destructor=True),
        Message("every", EVERY),
        Message("make", (Argument("id", K.NEW_ID, "heapwire_probe"),)),
        Message("misuse", (Argument("fd", K.FD), Argument("text", K.STRING))),
        Message("fail", (Argument("id", K.NEW_ID, "heapwire_probe"), Argument("fd", K.FD))),
        Message("forget", (Argument("id", K.NEW_ID, "heapwire_probe"),)),
        Message("suicide"),
        Message("interrupt", (Argument("fd", K.FD),)),
        Message("later", since=2),
    ),
    events=(
        Message("every", EVERY),
        Message("made", (Argument("id", K.NEW_ID, "heapwire_probe"),)),
        Message("big", (Argument("array", K.ARRAY),)),
        Message("later", since=2),
        Message("pair", (Argument("int", K.INT), Argument("uint", K.UINT))),
        Message("newer", (Argument("uint", K.UINT),), since=2),
    ),
)


class Probe(Resource):
    INTERFACE = PROBE

    def __init__(self, new_id, log) -> None:
        super().__init__(new_id)
        self.log = log
        self.taken = []
        log.append(("made", self.version))

    def every(self, *values) -> None:
        self.log.append(("every", *values[:-1]))
        self.taken.append(values[-1].take())

    def make(self, new_id) -> None:
        Probe(new_id, self.log)

    def misuse(self, _fd, text) -> None:
        raise ViolationError(self, 7, text)

    def fail(self, new_id, _fd) -> None:
        Probe(new_id, self.log)
        raise ZeroDivisionError("on purpose")

    def forget(self, _new_id) -> None:
        pass

    def suicide(self) -> None:
        self.destroy_resource()
        self.send("later")

    def interrupt(self, _fd) -> None:
        raise KeyboardInterrupt

    def later(self) -> None:
        self.log.append(("later",))

    def on_destroy(self) -> None:
        self.log.append(("gone",))


def serve(display, log):
    interface_struct(PROBE)
    return Global(display, PROBE, lambda new_id: Probe(new_id, log))
