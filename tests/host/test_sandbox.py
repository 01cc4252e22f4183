"""Sandboxes of the reference compositor: who comes through their sockets, and what is theirs."""

from __future__ import annotations

import os
import socket
import threading
from collections.abc import Iterator

import pytest
from host_stage import HostClient
from open_files import open_fds
from wire_client import DISPLAY

from heapwire.compositor_plugin import SecurityContext
from heapwire.compositor_plugin.hosts.reference.sandbox.security_contexts import MOST_SANDBOXES
from heapwire.compositor_plugin.hosts.reference.sandbox.wp_security_context_manager_v1 import (
    SecurityContextManagerError as ManagerError,
)
from heapwire.compositor_plugin.hosts.reference.sandbox.wp_security_context_v1 import (
    SecurityContextError,
)

MANAGER = "wp_security_context_manager_v1"
NO_MEMORY = 2  # wayland.xml, wl_display.error
FLATPAK = SecurityContext("org.flatpak", "org.example.Player", "1234")


class Sandbox:
    """An engine that has a socket for its app, and a pipe that it closes at the end."""

    def __init__(self, stage, path, *, client=None) -> None:
        self.stage = stage
        self.path = str(path)
        self.listening = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.listening.bind(self.path)
        self.listening.listen()
        self.closing, self.alive = os.pipe()
        self.engine = client or stage.client()
        self.engine.the(MANAGER)
        self.context = self.engine.new("wp_security_context_v1")

    def create(self, listening=None) -> None:
        """Begin a security context, with this or another listening fd."""
        fds = (self.listening.fileno() if listening is None else listening, self.closing)
        self.engine.request(self.engine.the(MANAGER), "create_listener", self.context, *fds)

    def register(self, context=FLATPAK) -> None:
        self.create()
        self.engine.request(self.context, "set_sandbox_engine", context.engine)
        self.engine.request(self.context, "set_app_id", context.app)
        self.engine.request(self.context, "set_instance_id", context.instance)
        self.engine.request(self.context, "commit")

    def connect(self) -> HostClient:
        """A client from inside, once the compositor serves it."""
        client = HostClient(self.stage, self.connect_bare())
        self.stage.clients.append(client)
        client._registry = client.new("wl_registry")
        client.request(DISPLAY, "get_registry", client._registry, pump=False)
        self.stage.until(lambda: client.events)
        return client

    def connect_bare(self) -> socket.socket:
        inside = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        inside.connect(self.path)
        return inside

    def hang_up(self) -> None:
        os.close(self.alive)
        self.alive = -1

    def close(self) -> None:
        self.listening.close()
        os.close(self.closing)
        if self.alive >= 0:
            self.hang_up()


@pytest.fixture
def sandbox(stage, tmp_path) -> Iterator[Sandbox]:
    sandbox = Sandbox(stage, tmp_path / "socket")
    yield sandbox
    sandbox.close()


ALLOCATION = "xx_dmabuf_allocation_manager_v1"


def context_of(stage, client) -> list[SecurityContext]:
    """The contexts of all clients that have one."""
    return [context for context, _ in stage.compositor._contexts._clients.values()]


def test_who_comes_through_a_sandboxs_socket_is_known_by_what_it_said(sandbox, stage) -> None:
    sandbox.register()
    inside = sandbox.connect()
    assert context_of(stage, inside) == [FLATPAK]
    ids = {one.name: (one.id.kind, one.id.major, one.id.minor) for one in stage.platform.sources}
    given = [one.args for one in inside.of(inside.the(ALLOCATION)) if one.name == "source"]
    assert ids["linux,cma"] not in given
    assert ids["system"] in given
    outside = stage.client()
    given = [one.args for one in outside.of(outside.the(ALLOCATION)) if one.name == "source"]
    assert ids["linux,cma"] in given


def test_a_sandboxed_client_sees_no_way_to_make_sandboxes(sandbox, stage) -> None:
    sandbox.register()
    inside = sandbox.connect()
    number, version = sandbox.engine.registry()[MANAGER]
    assert MANAGER not in inside.registry()
    assert set(sandbox.engine.registry()) == {*inside.registry(), MANAGER}
    inside.bind_number(number, MANAGER, version)
    assert inside.error.object == inside._registry, "nor can it guess its number"


def test_clients_are_accepted_until_the_sandbox_hangs_up(sandbox, stage) -> None:
    sandbox.register()
    sandbox.engine.request(sandbox.context, "destroy")
    sandbox.engine.close()
    stage.clients.remove(sandbox.engine)
    first, second = sandbox.connect(), sandbox.connect()
    sandbox.hang_up()
    stage.until(lambda: not stage.compositor._contexts._sockets)
    with pytest.raises(ConnectionRefusedError), socket.socket(socket.AF_UNIX) as late:
        late.connect(sandbox.path)
    assert first.error is None
    assert context_of(stage, second) == [FLATPAK, FLATPAK], "who is in stays, and stays what it is"
    first.close()
    stage.clients.remove(first)
    stage.until(lambda: context_of(stage, second) == [FLATPAK])


@pytest.mark.parametrize("kind", ["file", "datagram", "not listening", "internet"])
def test_what_cannot_be_listened_on_is_an_error(sandbox, tmp_path, kind) -> None:
    if kind == "file":
        fd = os.open(tmp_path / "file", os.O_RDWR | os.O_CREAT)
    else:
        family = socket.AF_INET if kind == "internet" else socket.AF_UNIX
        type_ = socket.SOCK_DGRAM if kind == "datagram" else socket.SOCK_STREAM
        made = socket.socket(family, type_)
        if kind == "internet":
            made.listen()
        fd = made.detach()
    sandbox.create(fd)
    os.close(fd)
    error = sandbox.engine.error
    manager = sandbox.engine.the(MANAGER)
    assert (error.object, error.code) == (manager, ManagerError.INVALID_LISTEN_FD)


@pytest.mark.parametrize("request_", ["set_sandbox_engine", "set_app_id", "set_instance_id"])
def test_everything_is_said_once(sandbox, request_) -> None:
    sandbox.create()
    sandbox.engine.request(sandbox.context, request_, "a")
    assert sandbox.engine.error is None
    sandbox.engine.request(sandbox.context, request_, "a")
    error = sandbox.engine.error
    assert (error.object, error.code) == (sandbox.context, SecurityContextError.ALREADY_SET)


@pytest.mark.parametrize("request_", [("set_app_id", "a"), ("commit",)])
def test_nothing_is_said_after_the_commit(sandbox, request_) -> None:
    sandbox.register()
    sandbox.engine.request(sandbox.context, *request_)
    error = sandbox.engine.error
    assert (error.object, error.code) == (sandbox.context, SecurityContextError.ALREADY_USED)


def test_where_no_thread_can_be_had_the_client_ends_and_nothing_is_left(
    sandbox, stage, monkeypatch, caplog
) -> None:
    def fail(self):
        raise RuntimeError("can't start new thread")

    sandbox.create()
    with monkeypatch.context() as broken:
        broken.setattr(threading.Thread, "start", fail)
        sandbox.engine.request(sandbox.context, "commit")
    assert (sandbox.engine.error.object, sandbox.engine.error.code) == (DISPLAY, NO_MEMORY)
    assert not stage.compositor._contexts._sockets
    assert "Traceback" not in caplog.text


def test_a_context_that_is_not_committed_leaves_nothing(sandbox, stage) -> None:
    before = open_fds()
    engine = sandbox.engine
    sandbox.create()
    sandbox.engine.request(sandbox.context, "destroy")
    assert engine.error is None
    assert open_fds() == before
    assert not stage.compositor._contexts._sockets


def test_sandboxes_are_bounded(stage, tmp_path) -> None:
    engine, sandboxes = stage.client(), []
    for number in range(MOST_SANDBOXES + 1):
        assert engine.error is None
        sandboxes.append(Sandbox(stage, tmp_path / str(number), client=engine))
        sandboxes[-1].register()
    assert (engine.error.object, engine.error.code) == (DISPLAY, NO_MEMORY)
    for sandbox in sandboxes:
        sandbox.close()
    stage.until(lambda: not stage.compositor._contexts._sockets)


def test_a_socket_whose_connections_others_take_holds_nobody_up(sandbox, stage) -> None:
    """Whoever has the socket too can leave the one who accepts with nothing to accept."""
    sandbox.register()
    [served] = stage.compositor._contexts._sockets
    waits = threading.Event()

    class Robbed:
        """Stands for the socket: another has taken its connection before it is accepted."""

        def __getattr__(self, name):
            return getattr(real, name)

        def accept(self):
            connection, _ = real.accept()
            connection.close()
            waits.set()
            return real.accept()

    real, served._listening = served._listening, Robbed()
    sandbox.connect_bare().close()  # the first is waited for where the real socket is looked at
    stage.until(lambda: stage.compositor._contexts._clients or waits.is_set())
    sandbox.connect_bare().close()
    stage.until(waits.is_set)
    assert stage.client().the("wl_compositor")


def test_the_end_leaves_no_thread(stage, tmp_path) -> None:
    sandbox = Sandbox(stage, tmp_path / "socket")
    sandbox.register()
    sandbox.connect()
    assert any(one.name == "heapwire-sandbox" for one in threading.enumerate())
    stage.close()
    sandbox.close()
    assert not any(one.name == "heapwire-sandbox" for one in threading.enumerate())
