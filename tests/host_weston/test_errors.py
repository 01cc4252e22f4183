"""The table of protocol errors of tests/plugin, row by row inside a stock Weston."""

from __future__ import annotations

import contextlib
import select
import socket

import pytest
from patience import PATIENCE, until
from stage import NV12
from test_misuse import ERRORS, ROWS
from wire_client import DISPLAY, Wire

from heapwire.protocol.wire.array import encode_formats
from heapwire.protocol.wire.bindings import INTERFACES

pytestmark = [
    pytest.mark.system("weston", "libweston-*.pc", "cc", "pkg-config"),
]


class WestonClient(Wire):
    """A client that writes what it likes to a Weston in another process."""

    def __init__(self, weston) -> None:
        ours = socket.socket(socket.AF_UNIX)
        ours.connect(str(weston.socket))
        super().__init__(ours, lambda _: None, *INTERFACES)
        self.compositor = self.bind("wl_compositor")
        self.manager = self.bind("xx_dmabuf_negotiation_manager_v1")

    def raw(self, data: bytes, fds: list[int] | None = None) -> None:
        """Send, or not: Weston may have hung up, and what it said before is still to be read."""
        assert not fds
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            self.socket.sendall(data)

    def pump(self) -> None:
        """Until Weston has seen all that was sent, or has hung up."""
        callback = self.new("wl_callback")
        self.request(DISPLAY, "sync", callback, pump=False)
        until(lambda: self.closed or bool(self.of(callback)), "Weston's answer", self._wait)

    def _wait(self) -> None:
        select.select([self.socket], [], [], PATIENCE)
        self.read()

    def surface(self) -> int:
        surface = self.new("wl_surface")
        self.request(self.compositor, "create_surface", surface)
        return surface

    def negotiation(self, surface: int) -> int:
        negotiation = self.new("xx_dmabuf_negotiation_v1")
        self.request(self.manager, "get_surface_negotiation", negotiation, surface)
        return negotiation

    def target(self, interface: str) -> int:
        """What the requests of a row are made on."""
        if interface.endswith("manager_v1"):
            return self.bind(interface)
        creator = interface.endswith("creator_v1")
        return self.creator() if creator else self.negotiation(self.surface())

    def creator(self) -> int:
        creator = self.new("xx_dmabuf_constraint_set_creator_v1")
        self.request(self.manager, "create_constraint_set", creator)
        return creator

    def constraint_set(self) -> int:
        creator = self.creator()
        self.request(creator, "add_formats", 0, encode_formats([NV12]))
        # An id has to be used before the next one is made.
        made = self.new("xx_dmabuf_constraint_set_v1")
        self.request(creator, "create", made)
        return made

    def value(self, value, set_):
        if value == "a set":
            return set_
        return self.new(value) if str(value).startswith("xx_dmabuf") else value


# Those for which a client needs no buffer.
OURS = [row for row in ROWS if row[0] != "xx_dmabuf_buffer_status_manager_v1"]


def test_each_misuse_ends_its_client_and_nobody_else(start):
    weston = start()
    bystander = WestonClient(weston)
    try:
        for interface, name, error, requests in OURS:
            client = WestonClient(weston)
            target = client.target(interface)
            set_ = client.constraint_set()
            *before, misuse = requests
            for row in before:
                client.request(target, *(client.value(one, set_) for one in row), pump=False)
            client.pump()
            assert client.error is None, f"{name}: what comes before the misuse is allowed"
            client.request(target, *(client.value(one, set_) for one in misuse), pump=False)
            client.pump()
            assert client.closed, name
            assert client.error is not None, name
            found = (client.error.object, client.error.code)
            assert found == (target, ERRORS[interface][error]), f"{name}: {client.error.message}"
            client.close()
        negotiation = bystander.negotiation(bystander.surface())
        bystander.request(negotiation, "commit", 1)
        until(lambda: bystander.of(negotiation), "its answer", bystander.pump)
        assert bystander.of(negotiation)[-1].name in ("done", "failed")
        assert bystander.error is None
    finally:
        bystander.close()
    assert weston.stop() == 0
    assert [line for line in weston.lines if "failed" in line or "error" in line] == []
