"""What requests that arrive together cost the host's loop, and what the end of a client does.

libwayland reads up to 4 KiB of a client at once and handles all of it before anybody else has a
turn (`wl_connection_read`, `wl_client_connection_data`). So a row is as many requests of a kind
as there is room for, and the processor time of the one dispatch that handles them: the least of
many rounds, which is what it costs on a machine at rest, and the middle one. The first rows are
what no handler of ours can be below.
"""

from __future__ import annotations

import socket
import statistics
import struct
import time
from collections.abc import Callable

from ratio_table import tell_ratio

from heapwire.compositor_plugin import HeapPlugin, SecurityContext, SurfaceState, spare_the_loop
from heapwire.compositor_plugin.server import (
    Global,
    OwnDisplay,
    Resource,
    interface_struct,
    library,
)
from heapwire.kernel.description import Platform
from heapwire.protocol.values import BY_NAME, LINEAR, FormatModifier, parse_fourcc
from heapwire.protocol.wire import Interface, Message
from heapwire.protocol.wire.array import encode_formats
from heapwire.protocol.wire.bindings import INTERFACES

BURST = 4096  # bytes that libwayland reads at once: its buffer
WAIT = 5.0  # milliseconds that another client may wait (docs/security.md)
_BASE = f"the {WAIT:g} ms that another may wait"
ROUNDS = 30
PLATFORM = "raspberry-pi-4"
NV12 = FormatModifier(parse_fourcc("NV12"), LINEAR)
PITCH = BY_NAME["pitch-alignment"].type
UNKNOWN = 0x7F000100
EMPTY = Interface("heapwire_nothing", 1, requests=(Message("nothing"),))
OPCODES = {
    (table.name.removeprefix("xx_dmabuf_").removesuffix("_v1"), request.name): opcode
    for table in INTERFACES
    for opcode, request in enumerate(table.requests)
}


class Nothing(Resource):
    """Does nothing when it is asked to."""

    INTERFACE = EMPTY

    def nothing(self) -> None:
        """Nothing."""


class Nobody:
    """A host that knows nothing."""

    def surface_state(self, surface: int) -> SurfaceState | None:
        return None

    def importable_formats(self, client: int, surface: int | None) -> frozenset[FormatModifier]:
        return frozenset({NV12})

    def security_context(self, client: int) -> SecurityContext | None:
        return None


def array(value: bytes) -> bytes:
    """An array or, with its NUL, a string."""
    return struct.pack("=I", len(value)) + value + bytes(-len(value) % 4)


class Client:
    """Bytes of one connection; ids are given out in order."""

    def __init__(self, display: OwnDisplay) -> None:
        self._display = display
        self.socket, theirs = socket.socketpair()
        self.socket.setblocking(False)
        display.add_client(theirs.detach())
        self._next = 2
        self.registry = self.new()
        self.send(struct.pack("=III", 1, 12 << 16 | 1, self.registry))
        found = self.read()
        self.manager = self._bind(found, "xx_dmabuf_negotiation_manager_v1")
        self.allocator = self._bind(found, "xx_dmabuf_allocation_manager_v1")
        self.nothing = self._bind(found, "heapwire_nothing")

    def new(self) -> int:
        self._next += 1
        return self._next - 1

    def request(self, interface: str, object_: int, name: str, *values: int | bytes) -> bytes:
        body = b"".join(
            array(value) if isinstance(value, bytes) else struct.pack("=I", value)
            for value in values
        )
        head = struct.pack("=II", object_, (len(body) + 8) << 16 | OPCODES[interface, name])
        return head + body

    def send(self, data: bytes) -> None:
        """Send and have everything handled."""
        for start in range(0, len(data), BURST):
            self.socket.sendall(data[start : start + BURST])
            self.settle()

    def settle(self) -> None:
        for _ in range(4):
            self._display.dispatch(0)

    def read(self) -> bytes:
        found = b""
        try:
            while data := self.socket.recv(1 << 16):
                found += data
                self.settle()
        except BlockingIOError:
            pass
        return found

    def alive(self) -> bool:
        """Whether the compositor has not ended it."""
        try:
            return bool(self.socket.recv(1, socket.MSG_PEEK))
        except BlockingIOError:
            return True

    def creator(self) -> tuple[int, bytes]:
        id_ = self.new()
        return id_, self.request("negotiation_manager", self.manager, "create_constraint_set", id_)

    def made_set(self) -> tuple[int, bytes]:
        creator, data = self.creator()
        set_ = self.new()
        data += self.request(
            "constraint_set_creator", creator, "add_formats", 0, encode_formats([NV12])
        )
        data += self.request("constraint_set_creator", creator, "create", set_)
        return set_, data

    def negotiation(self) -> int:
        id_ = self.new()
        self.send(self.ask_for_negotiation(id_))
        return id_

    def ask_for_negotiation(self, id_: int) -> bytes:
        manager = self.manager
        return self.request("negotiation_manager", manager, "get_default_negotiation", id_)

    def _bind(self, announced: bytes, name: str) -> int:
        at = announced.index(name.encode() + b"\0")
        number = struct.unpack_from("=I", announced, at - 8)[0]
        id_ = self.new()
        text = array(name.encode() + b"\0")
        body = struct.pack("=I", number) + text + struct.pack("=II", 1, id_)
        self.send(struct.pack("=II", self.registry, (8 + len(body)) << 16) + body)
        return id_


Burst = Callable[[Client], list[bytes]]
"""What fills a burst: each request, or each few, after whatever it takes to get there."""


def creator_adds(*values: tuple[int, bytes]) -> Burst:
    def make(client: Client) -> list[bytes]:
        creator, data = client.creator()
        client.send(data)
        return [
            client.request("constraint_set_creator", creator, "add", type_, 0, 0, 0, value)
            for type_, value in values
        ]

    return make


def negotiation_requests(name: str, *values: int | bytes, participant: bool = False) -> Burst:
    def make(client: Client) -> list[bytes]:
        negotiation = client.negotiation()
        if participant:
            named = client.request(
                "negotiation", negotiation, "set_participant", 1, 1, 81, 3, b"decoder\0"
            )
            client.send(named)
        return [client.request("negotiation", negotiation, name, *values)] * 512

    return make


def wholes(client: Client) -> list[bytes]:
    return [client.made_set()[1] for _ in range(60)]


def one_after_another(client: Client) -> list[bytes]:
    """The rows of `bench_loop.py` that ask heavily: sets of 8 constraints, in 16 participants."""
    negotiation = client.negotiation()
    found = []
    for participant in range(1, 8):
        found.append(
            client.request(
                "negotiation", negotiation, "set_participant", participant, 1, 81, 3, b"decoder\0"
            )
        )
        for _ in range(8):
            creator, data = client.creator()
            set_ = client.new()
            formats = encode_formats([NV12])
            found.append(data)
            found.append(
                client.request("constraint_set_creator", creator, "add_formats", 0, formats)
            )
            found += [
                client.request(
                    *("constraint_set_creator", creator, "add", UNKNOWN + n, 0, 0, 0),
                    struct.pack("=Q", n),
                )
                for n in range(8)
            ]
            found.append(client.request("constraint_set_creator", creator, "create", set_))
            found.append(
                client.request("negotiation", negotiation, "add_alternative", participant, set_)
            )
            found.append(client.request("constraint_set", set_, "destroy"))
    return found


def negotiations(client: Client, number: int = 20) -> list[bytes]:
    """One after the other, each with a set of its own."""
    found = []
    for _ in range(number):
        set_, data = client.made_set()
        id_ = client.new()
        data += client.request(
            "negotiation_manager", client.manager, "get_default_negotiation", id_
        )
        data += client.request("negotiation", id_, "set_participant", 1, 1, 81, 3, b"decoder\0")
        data += client.request("negotiation", id_, "add_alternative", 1, set_)
        data += client.request("constraint_set", set_, "destroy")
        data += client.request("negotiation", id_, "set_extents", 640, 480, 0, 0, 0, 0)
        data += client.request("negotiation", id_, "commit", 1)
        found.append(data)
    return found


def destroyed_sets(client: Client) -> list[bytes]:
    found = []
    for _ in range(400):
        set_, data = client.made_set()
        client.send(data)
        found.append(client.request("constraint_set", set_, "destroy"))
    client.read()
    return found


def alternatives(client: Client) -> list[bytes]:
    negotiation = client.negotiation()
    set_, data = client.made_set()
    client.send(data)
    one = client.request("negotiation", negotiation, "set_participant", 1, 1, 0, 0, b"\0")
    one += client.request("negotiation", negotiation, "add_alternative", 1, set_) * 16
    return [one] * 20


def creators(client: Client) -> list[bytes]:
    return [client.creator()[1] for _ in range(400)]


def negotiation_objects(client: Client) -> list[bytes]:
    return [
        client.request(
            "negotiation_manager", client.manager, "get_default_negotiation", client.new()
        )
        for _ in range(250)
    ]


def allocations(client: Client, number: int = 200) -> list[bytes]:
    objects, planes = struct.pack("=IIIIQ", 0, 9, 9, 0, 1), struct.pack("=III", 0, 0, 1)
    layout = (NV12.fourcc, 0, 0, 64, 64, objects, planes)
    allocator = client.allocator
    return [
        client.request("allocation_manager", allocator, "allocate", client.new(), *layout)
        for _ in range(number)
    ]


def syncs(client: Client) -> list[bytes]:
    return [struct.pack("=III", 1, 12 << 16, client.new()) for _ in range(400)]


def nothings(client: Client) -> list[bytes]:
    return [struct.pack("=II", client.nothing, 8 << 16)] * 600


ROWS: tuple[tuple[str, Burst], ...] = (
    ("libwayland alone: wl_display.sync", syncs),
    ("a handler that does nothing, without arguments", nothings),
    ("add: unknown types", creator_adds(*((UNKNOWN + n, b"vendor") for n in range(250)))),
    ("add: unknown types, no value", creator_adds(*((UNKNOWN + n, b"") for n in range(250)))),
    ("sets of one format, made", wholes),
    ("16x16 sets of 8 constraints", one_after_another),
    ("negotiations", negotiations),
    ("create_constraint_set", creators),
    ("constraint_set.destroy", destroyed_sets),
    ("set_participant, add_alternative x16", alternatives),
    ("set_participant", negotiation_requests("set_participant", 1, 1, 0, 0, b"\0")),
    ("set_buffer_count", negotiation_requests("set_buffer_count", 1, 1)),
    ("set_content", negotiation_requests("set_content", 0, 0, 2, 0)),
    ("set_extents", negotiation_requests("set_extents", 640, 480, 0, 0, 0, 0)),
    ("unset_fixed_layout", negotiation_requests("unset_fixed_layout")),
    ("get_default_negotiation", negotiation_objects),
    ("allocate, from nowhere", allocations),
)


ENDS: tuple[tuple[str, Burst], ...] = (
    ("nothing", lambda _: []),
    ("512 constraint sets", lambda client: [client.made_set()[1] for _ in range(512)]),
    ("250 negotiations, answered", lambda client: negotiations(client, 250)),
    ("1,000 allocations", lambda client: allocations(client, 1000)),
)


def cost_of_burst(display: OwnDisplay, burst: Burst) -> tuple[list[float], int]:
    """Milliseconds of dispatches of as much as a dispatch has, and how many requests it was."""
    times = []
    for _ in range(ROUNDS):
        client = Client(display)
        data, count = b"", 0
        for request in burst(client):
            if len(data) + len(request) > BURST:
                break
            data += request
            count += 1
        client.read()
        client.socket.sendall(data)
        times.append(timed(display))
        assert client.alive(), "the client has been ended"
        client.socket.close()
        client.settle()
    return times, count


def cost_of_end(display: OwnDisplay, made: Burst) -> list[float]:
    """Milliseconds of the dispatches that end a client."""
    times = []
    for _ in range(ROUNDS // 6):
        client = Client(display)
        for request in made(client):
            client.send(request)
            client.read()
        time.sleep(0.01)
        client.read()
        assert client.alive(), "the client has been ended"
        client.socket.close()
        times.append(max(timed(display) for _ in range(50)))
    return times


def timed(display: OwnDisplay) -> float:
    before = time.thread_time()
    library().wl_event_loop_dispatch(display.loop.pointer, 0)
    return 1e3 * (time.thread_time() - before)


def main() -> None:
    """Measure and print."""
    interface_struct(EMPTY)
    with OwnDisplay() as display:
        Global(display, EMPTY, Nothing)
        platform = Platform.load(PLATFORM)
        plugin = HeapPlugin(display.address, platform, Nobody())
        spare_the_loop()
        print("one dispatch of 4 KiB of requests: least, middle, for each of how many")
        for name, burst in ROWS:
            times, count = cost_of_burst(display, burst)
            least, middle = min(times), statistics.median(times)
            each = f"{1e3 * least / count:5.1f} us each of {count}"
            print(f"  {name:48} {least:6.2f} {middle:6.2f} ms, {each}", flush=True)
            tell_ratio(f"4 KiB of requests: {name}", least / WAIT, _BASE, limit=1)
        print("the longest dispatch at the end of a client that has")
        for name, made in ENDS:
            times = cost_of_end(display, made)
            print(f"  {name:48} {min(times):6.2f} {statistics.median(times):6.2f} ms", flush=True)
            tell_ratio(f"the end of a client with {name}", min(times) / WAIT, _BASE, limit=1)
        plugin.close()


if __name__ == "__main__":
    main()
