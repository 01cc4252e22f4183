"""What an answer costs a client in C, next to one of the same size by a server in C.

    make bench-answer                from the reference compositor
    make bench-answer ARGS=weston    from a headless Weston with the module

`make bench` does both if Weston is installed. In an environment that has been made, the same is
`.venv/bin/python bench/bench_answer.py weston`.

One client asks both in turn, in the same run. The server in C has nothing to find out: it
sends as many events with as many bytes (`answer_server.c`). This is done twice: without
explanations, as a player asks, and with all of them, which is what the aims were written for:
then an answer was always explained, had 34 events, and took the server in C 31 us. The first row is
a server in Python that has nothing to find out either (`answer_server.py`).
"""

from __future__ import annotations

import os
import socket
import statistics
import struct
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import shared_modules
from cffi import FFI
from measured_host import reference, weston
from ratio_table import tell_ratio

from heapwire.kernel.system import c_compiler
from heapwire.protocol import MachineError
from heapwire.protocol.values import LINEAR, FormatModifier, parse_fourcc
from heapwire.protocol.wire import Explanation
from heapwire.protocol.wire.array import encode_formats
from heapwire.protocol.wire.bindings import INTERFACES

HERE = Path(__file__).parent
TURNS, ROUNDS = 20, 20
AIMS = {"reference": (20, 8), "weston": (15, 5)}  # a new question, the same one; with all of it
NV12 = FormatModifier(parse_fourcc("NV12"), LINEAR)
MANAGER, NEGOTIATION = "xx_dmabuf_negotiation_manager_v1", "xx_dmabuf_negotiation_v1"
CREATOR = "xx_dmabuf_constraint_set_creator_v1"
TABLES = {table.name: table for table in INTERFACES}
_EXPLAINED = {Explanation.NONE: "no explanations", Explanation.ALL: "with all explanations"}
FFI_ = FFI()
FFI_.cdef(
    "int answer_times(int fd, const uint8_t *requests, int count, int size, uint32_t object,"
    " uint32_t opcode, double *microseconds);"
)


def opcode(interface: str, name: str) -> int:
    return [one.name for one in TABLES[interface].requests].index(name)


def array(value: bytes) -> bytes:
    """An array or, with its NUL, a string."""
    return struct.pack("=I", len(value)) + value + bytes(-len(value) % 4)


def message(object_: int, number: int, *values: int | bytes) -> bytes:
    body = b"".join(
        array(one) if isinstance(one, bytes) else struct.pack("=I", one) for one in values
    )
    return struct.pack("=II", object_, (8 + len(body)) << 16 | number) + body


class Asker:
    """A connection to something with one global that is asked."""

    def __init__(self, path: Path, interface: str) -> None:
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.connect(str(path))
        self._rest = b""
        # wl_display.get_registry and sync
        self.socket.sendall(message(1, 1, 2) + message(1, 0, 3))
        self.number = next(
            struct.unpack_from("=I", body)[0]
            for object_, _, body in self.until(3, 0)
            if object_ == 2 and body[8:].startswith(interface.encode() + b"\0")
        )
        self.socket.sendall(message(2, 0, self.number, interface.encode() + b"\0", 1, 4))

    def until(self, object_: int, *numbers: int) -> list[tuple[int, int, bytes]]:
        """All events up to one of these of an object."""
        found: list[tuple[int, int, bytes]] = []
        while True:
            while len(self._rest) >= 8:
                sender, word = struct.unpack_from("=II", self._rest)
                if len(self._rest) < word >> 16:
                    break
                found.append((sender, word & 0xFFFF, self._rest[8 : word >> 16]))
                self._rest = self._rest[word >> 16 :]
                if sender == object_ and found[-1][1] in numbers:
                    return found
            self._rest += self.socket.recv(1 << 16)


class Plugin(Asker):
    """Asks the plugin about one participant; `sizes` are those of the answer's events."""

    def __init__(self, path: Path, explanation: Explanation = Explanation.NONE) -> None:
        super().__init__(path, MANAGER)
        names = [event.name for event in TABLES[NEGOTIATION].events]
        self.done, failed = names.index("done"), names.index("failed")
        self.object = 7
        for interface, sender, name, *values in (
            (MANAGER, 4, "create_constraint_set", 5),
            (CREATOR, 5, "add_formats", 0, encode_formats([NV12])),
            (CREATOR, 5, "create", 6),
            (MANAGER, 4, "get_default_negotiation", 7),
            (NEGOTIATION, 7, "set_participant", 1, 1, 81, 3, b"decoder\0"),
            (NEGOTIATION, 7, "add_alternative", 1, 6),
            (NEGOTIATION, 7, "set_explanation", explanation),
        ):
            self.socket.sendall(message(sender, opcode(interface, name), *values))
        self._cookie = 0
        self.socket.sendall(self.question(640, 480))
        events = [one for one in self.until(7, self.done, failed) if one[0] == 7]
        assert events[-1][1] == self.done, "there is no plan"
        self.sizes = [8 + len(body) for _, _, body in events]

    def question(self, width: int, height: int) -> bytes:
        self._cookie += 1
        extents = (width, height, 0, 0, 0, 0)
        return message(7, opcode(NEGOTIATION, "set_extents"), *extents) + message(
            7, opcode(NEGOTIATION, "commit"), self._cookie
        )


def server_in_c(folder: Path) -> list[str | Path]:
    """The command that runs it; it is built."""
    program = folder / "answer_server"
    flags = subprocess.run(
        ["pkg-config", "--cflags", "--libs", "wayland-server"],
        capture_output=True,
        text=True,
        check=True,
    ).stdout.split()
    command = [*c_compiler(), "-O2", HERE / "hosts/answer_server.c", "-o", program, *flags]
    subprocess.run(command, check=True)
    return [program]


@contextmanager
def listening(command: list[str | Path], socket: Path, sizes: list[int]) -> Iterator[Asker]:
    """A server that finds nothing out, and a connection to it."""
    whole = [*command, socket.name, *map(str, sizes)]
    with subprocess.Popen(whole, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        process.stdout.readline()
        try:
            asker = Asker(socket, "heapwire_answer")
            asker.socket.sendall(message(4, 0, 1))
            asker.until(4, 1)
            yield asker
        finally:
            process.kill()
            process.wait()
            for left in socket.parent.glob(f"{socket.name}*"):
                left.unlink()


def client_in_c(folder: Path) -> Any:  # noqa: ANN401  # cffi has no types
    """The library."""
    source, made = HERE / "clients/answer_client.c", folder / "answer_client.so"
    command = [*c_compiler(), "-O2", "-shared", "-fPIC", source, "-o", made]
    subprocess.run(command, check=True)
    return FFI_.dlopen(str(made))


def measure(kind: str, folder: Path, path: Path, explanation: Explanation) -> None:
    """Ask in turn, and print medians and ratios."""
    library = client_in_c(folder)
    plugin = Plugin(path, explanation)
    in_python: list[str | Path] = [sys.executable, HERE / "hosts/answer_server.py"]
    with (
        listening(server_in_c(folder), folder / "answer-c", plugin.sizes) as c,
        listening(in_python, folder / "answer-py", plugin.sizes) as python,
    ):

        def times(asker: Asker, requests: list[bytes], object_: int, number: int) -> list[float]:
            found = FFI_.new("double[]", len(requests))
            blob = b"".join(requests)
            fd, size = asker.socket.fileno(), len(requests[0])
            ended = library.answer_times(fd, blob, len(requests), size, object_, number, found)
            assert ended == 0, "the connection has ended"
            return list(found)

        in_c: list[float] = []
        least: list[float] = []
        new: list[float] = []
        same: list[float] = []
        for turn in range(TURNS):
            widths = [64 + 16 * (turn * ROUNDS + n) for n in range(ROUNDS)]
            asks = [message(4, 0, n) for n in range(ROUNDS)]
            in_c += times(c, asks, 4, 1)
            size = message(4, 1, 640, 480, 0, 0, 0, 0)
            least += times(python, [size + ask for ask in asks], 4, 1)[1:]
            asks = [plugin.question(640 + width % 1280, 480 + width // 1280) for width in widths]
            new += times(plugin, asks, plugin.object, plugin.done)
            asks = [plugin.question(640, 480) for _ in range(ROUNDS)]
            same += times(plugin, asks, plugin.object, plugin.done)[1:]
        bare = summed(in_c)
        print(
            f"{kind}, {_EXPLAINED[explanation]}: an answer of {len(plugin.sizes)} events and "
            f"{sum(plugin.sizes)} bytes; a server in C: {bare[0]:.0f} us at the least tenth, "
            f"{bare[1]:.0f} in the middle"
        )
        for name, found, aim in (
            ("nothing, in Python", least, None),
            ("a new question", new, AIMS[kind][0]),
            ("the same question", same, AIMS[kind][1]),
        ):
            ours = summed(found)
            low, middle = (one / other for one, other in zip(ours, bare, strict=True))
            verdict = "" if aim is None or low <= aim else f"  ABOVE {aim} times"
            print(f"  {name:18} {ours[0]:6.0f} us, {low:5.1f} times; {middle:5.1f}{verdict}")
            figure = f"{kind}, {_EXPLAINED[explanation]}: {name}"
            tell_ratio(figure, low, "the same answer of a server in C", limit=aim)


def summed(times: list[float]) -> tuple[float, float]:
    """Their least tenth, which others on the machine have not disturbed, and the middle."""
    return statistics.quantiles(times, n=10)[0], statistics.median(times)


def main() -> None:
    """Measure and print."""
    host_of = weston if sys.argv[1:] == ["weston"] else reference
    with tempfile.TemporaryDirectory(prefix="heapwire-") as name:
        os.environ["XDG_RUNTIME_DIR"] = name
        try:
            with host_of(Path(name)) as host:
                try:
                    for explanation in _EXPLAINED:
                        measure(host_of.__name__, Path(name), host.path, explanation)
                finally:
                    host.end()
        except MachineError as error:
            print(f"{host_of.__name__}: not measured: {error}")


if __name__ == "__main__":
    main()
