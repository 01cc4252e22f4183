"""The compositor under test, a process of its own, and a client that is served throughout."""

from __future__ import annotations

import os
import signal
import struct
import subprocess
import sys
from collections import Counter
from pathlib import Path

from patience import PATIENCE, until
from raw_connection import HungUpError, RawConnection
from signatures import Interface, block

COMMAND = (sys.executable, "-m", "heapwire.cli.main", "compositor", "--socket", "fuzz")
NV12, XRGB = 0x3231564E, 0x34325258
DISPLAY, REGISTRY = 1, 2
# What constraints may have as values, by the shapes that the protocol names.
VALUES = (
    *(struct.pack("=Q", number) for number in (1, 2, 3, 4, 64, 100, 4096)),
    *(struct.pack("=QQ", *pair) for pair in ((0, 0), (0, (1 << 30) - 1), (64, 65536))),
    b"",
    struct.pack("=IIIIII", 0, 250, 0, 0, 250, 1),
    struct.pack("=IIQ", 226, 0, 1),
)
CACHED = "/memfd:heapwire-formats"  # format tables, of which the compositor keeps up to 64
BUFFER = "/memfd:heapwire:"  # memory of a simulated heap


class Target:
    """A compositor that runs, what it listens at, and the file that it logs to."""

    def __init__(self, process: subprocess.Popen[bytes], socket: Path, log: Path) -> None:
        self.process = process
        self.socket = socket
        self._log = log

    @property
    def log(self) -> str:
        return self._log.read_text("utf-8", "replace")

    def files(self) -> Counter[str]:
        """What it has open, by name; format tables, which it keeps, are left out."""
        found: Counter[str] = Counter()
        for entry in Path(f"/proc/{self.process.pid}/fd").iterdir():
            try:
                name = str(entry.readlink())
            except FileNotFoundError:
                continue
            if not name.startswith(CACHED):
                found[name.partition(":[")[0]] += 1
        return found

    def check_lives(self) -> None:
        assert self.process.poll() is None, f"ended with {self.process.returncode}\n{self.tail}"
        assert "Traceback" not in self.log, self.tail

    def check_holds(self, before: Counter[str]) -> None:
        """It has come to hold no more than before, memory of simulated heaps included."""
        until(lambda: not self.files() - before, f"descriptors to be closed: {before}")

    def stop(self) -> None:
        """End it as a session does, and expect no word of failure."""
        self.process.send_signal(signal.SIGTERM)
        assert self.process.wait(PATIENCE) == 0, self.tail
        assert "Traceback" not in self.log, self.tail

    def kill(self) -> None:
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()

    @property
    def tail(self) -> str:
        lines = [one for one in self.log.splitlines() if "error in client" not in one]
        return "\n".join(lines[-60:])


def reference(folder: Path, *, platform: str = "raspberry-pi-4") -> Target:
    """`heapwire compositor` on a simulated platform, in a folder of its own."""
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(
            [*COMMAND, "--platform", platform, "--size", "64x64"],
            env={**os.environ, "XDG_RUNTIME_DIR": str(folder)},
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
        )
    target = Target(process, folder / "fuzz", folder / "log")
    until(lambda: target.socket.exists() or process.poll() is not None, "the compositor")
    return target


class Healthy:
    """A client that keeps to the rules, and must get what it got when it was alone."""

    def __init__(self, target: Target, interfaces: dict[str, Interface]) -> None:
        self.connection = RawConnection(target.socket)
        self._interfaces = interfaces
        self._next = REGISTRY
        self._objects: dict[int, str] = {DISPLAY: "wl_display"}
        self._request(DISPLAY, "get_registry", self._new("wl_registry"))
        self.tick()
        announced = (
            self._global(body)
            for object_, opcode, body in self.connection.events
            if (object_, opcode) == (REGISTRY, 0)
        )
        # A compositor may have some whose requests nobody here knows.
        self.globals = {name: numbers for name, numbers in announced if name in interfaces}
        manager = self.bind("xx_dmabuf_negotiation_manager_v1")
        self.tick()
        types = [
            struct.unpack("=I", body)[0]
            for object_, opcode, body in self.connection.events
            if (object_, opcode) == (manager, 2)
        ]
        self.values = {type_: self._values(target, type_) for type_ in types}
        self._negotiation = self._ask(manager)
        self._cookie = 0
        self._expected = self._answer()

    def close(self) -> None:
        self.connection.close()

    def tick(self) -> None:
        """A `wl_display.sync` that is answered."""
        self.connection.events.clear()
        callback = self._new("wl_callback")
        self._request(DISPLAY, "sync", callback)
        self.connection.wait_for(callback, 0)
        # Its id is free again as soon as the compositor has said so, which it has.
        self._next -= 1

    def check_answer(self) -> None:
        """The same question, and the same answer."""
        answer = self._answer()
        assert answer == self._expected, "another answer than before"

    def bind(self, interface: str) -> int:
        number, version = self.globals[interface]
        id_ = self._new(interface)
        self._request(REGISTRY, "bind", number, interface.encode(), version, id_)
        return id_

    def _values(self, target: Target, type_: int) -> list[bytes]:
        """Which of some values a type of constraint can have: those that end nobody."""
        return [value for value in VALUES if self._is_taken(target, type_, value)]

    def _is_taken(self, target: Target, type_: int, value: bytes) -> bool:
        number, version = self.globals["xx_dmabuf_negotiation_manager_v1"]
        name = b"xx_dmabuf_negotiation_manager_v1"
        trial = RawConnection(target.socket)
        steps = (
            (DISPLAY, "wl_display", "get_registry", (REGISTRY,)),
            (REGISTRY, "wl_registry", "bind", (number, name, version, 3)),
            (3, name.decode(), "create_constraint_set", (4,)),
            (4, "xx_dmabuf_constraint_set_creator_v1", "add", (type_, 0, 0, 0, value)),
            (DISPLAY, "wl_display", "sync", (5,)),
        )
        try:
            trial.send(
                b"".join(
                    self._interfaces[interface].request(request).encode(object_, values)
                    for object_, interface, request, values in steps
                )
            )
            trial.wait_for(5, 0)
        except HungUpError:
            return False
        finally:
            trial.close()
        return True

    def _ask(self, manager: int) -> int:
        creator = self._new("xx_dmabuf_constraint_set_creator_v1")
        set_ = self._new("xx_dmabuf_constraint_set_v1")
        negotiation = self._new("xx_dmabuf_negotiation_v1")
        self._request(manager, "create_constraint_set", creator)
        self._request(creator, "add_formats", 0, struct.pack("=IIQIIQ", NV12, 0, 0, XRGB, 0, 0))
        self._request(creator, "create", set_)
        self._request(manager, "get_default_negotiation", negotiation)
        self._request(negotiation, "set_participant", 1, 1, 81, 3, b"decoder")
        self._request(negotiation, "add_alternative", 1, set_)
        self._request(negotiation, "set_extents", 640, 480, 0, 0, 0, 0)
        return negotiation

    def _answer(self) -> list[tuple[int, bytes]]:
        """The events of a batch, without its number."""
        names = [event.name for event in self._interfaces["xx_dmabuf_negotiation_v1"].events]
        ends = [names.index("done"), names.index("failed")]
        self._cookie += 1
        self.connection.events.clear()
        self._request(self._negotiation, "commit", self._cookie)
        end = -1
        while True:
            end = self.connection.wait_for(self._negotiation, *ends, since=end + 1)
            opcode, body = self.connection.events[end][1:]
            if struct.unpack_from("=I", body)[0] == self._cookie:
                assert names[opcode] == "done"
                return [
                    (opcode, body)
                    for object_, opcode, body in self.connection.events[:end]
                    if object_ == self._negotiation and opcode not in ends
                ]

    def _new(self, interface: str) -> int:
        id_ = self._next
        self._next += 1
        self._objects[id_] = interface
        return id_

    def _request(self, object_: int, name: str, *values: int | bytes) -> None:
        message = self._interfaces[self._objects[object_]].request(name)
        self.connection.send(message.encode(object_, values))

    @staticmethod
    def _global(body: bytes) -> tuple[str, tuple[int, int]]:
        number, size = struct.unpack_from("=II", body)
        name = body[8 : 8 + size - 1]
        (version,) = struct.unpack_from("=I", body, 4 + len(block(name + b"\0")))
        return name.decode(), (number, version)
