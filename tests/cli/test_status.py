"""`heapwire status`: who has what of a running reference compositor."""

from __future__ import annotations

import json
import os
import socket
import stat
import tempfile
from pathlib import Path

import pytest

from heapwire.cli.asking.status import render
from heapwire.client_lib.buffers import LinuxDmabuf
from heapwire.client_lib.negotiation import NegotiationManager
from heapwire.client_lib.wayland import Connection, DmabufSources
from heapwire.compositor_plugin import Policy, SecurityContext
from heapwire.compositor_plugin.clients.holdings import (
    ClientHolding,
    HeapHolding,
    HolderHolding,
    Holdings,
)
from heapwire.compositor_plugin.clients.identity import ClientIdentity
from heapwire.compositor_plugin.clients.quota import Bound, Holder
from heapwire.compositor_plugin.hosts.reference import STATUS_SUFFIX, Compositor
from heapwire.compositor_plugin.hosts.reference.status_socket import (
    MOST_CLIENTS,
    MOST_HOLDERS,
    holdings_document,
)
from heapwire.kernel.description import Platform
from heapwire.protocol.values import BufferObject

NAME = "wayland-status"


@pytest.fixture
def compositor(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    monkeypatch.setenv("WAYLAND_DISPLAY", NAME)
    platform = Platform.load("raspberry-pi-4")
    compositor = Compositor(platform, socket=NAME, policy=Policy(share=40))
    with compositor, compositor.running():
        yield compositor


def hold(compositor, holder: Holder, *sizes: int) -> None:
    """Have a buffer allocated for somebody, as the plugin does for a client."""
    state = compositor.plugin._state
    source = compositor.platform.source("linux,cma").id
    objects = [BufferObject(source=source, size=size) for size in sizes]
    grant = Policy(share=40).user_grant
    compositor.call(lambda: state.accounts.charge(holder, objects, grant))


def test_who_has_what_is_told(heapwire, compositor):
    user = os.getuid()
    hold(compositor, Holder(user), 1 << 20, 2 << 20)
    hold(compositor, Holder(user, "org.flatpak:org.example.Player"), 4 << 20)
    with Connection() as connection:
        manager = NegotiationManager(connection)
        manager.default_negotiation()
        connection.roundtrip()
        told = heapwire("status", "--json")
        assert told.status == 0
        text = heapwire("status").out
    document = told.document
    capacity = compositor.platform.source("linux,cma").capacity
    [cma] = [heap for heap in document["heaps"] if heap["name"] == "linux,cma"]
    assert cma == {
        "name": "linux,cma",
        "bytes": 7 << 20,
        "limit": capacity * 3 // 4,
        "capacity": capacity,
    }
    limit = capacity * 40 // 100
    assert document["holders"][0] == {
        "uid": user,
        "app": "",
        "bytes": 7 << 20,
        "budget": 512 << 20,
        "buffers": 2,
        "descriptors": 3,
        "descriptor_limit": document["holders"][0]["descriptor_limit"],
        "heaps": [{"name": "linux,cma", "bytes": 7 << 20, "limit": limit}],
    }
    assert document["holders"][1]["app"] == "org.flatpak:org.example.Player"
    assert document["holders"][1]["bytes"] == 4 << 20
    [client] = document["clients"]
    assert (client["pid"], client["uid"]) == (os.getpid(), user)
    assert (client["managers"], client["negotiations"], client["sandboxed"]) == (3, 1, False)
    assert f"    user {user}: 7 MiB of 512 MiB, 2 buffers, 3 of " in text
    assert f"    user {user}, app org.flatpak:org.example.Player: 4 MiB of 512 MiB" in text
    assert "3 managers, 1 negotiations" in text


def test_whose_feedback_has_sources_is_told(heapwire, compositor):
    """Of each client how many, beside whoever has asked for linux-dmabuf's own alone."""
    with Connection() as connection, Connection() as plain:
        sources = DmabufSources(connection)
        for proxy in [LinuxDmabuf(connection).feedback(None) for _ in range(2)]:
            sources.extend(proxy)
        LinuxDmabuf(plain).feedback(None)
        NegotiationManager(plain)
        for one in (connection, plain):
            one.roundtrip()
        clients = heapwire("status", "--json").document["clients"]
        assert sorted(client["feedbacks"] for client in clients) == [0, 2]
        text = heapwire("status").out
        assert text.count("feedbacks of linux-dmabuf") == 1
        assert "2 feedbacks of linux-dmabuf with sources" in text


def test_nobody_has_anything(heapwire, compositor):
    text = heapwire("status", "--socket", NAME).out
    assert "no client has memory of the compositor's\nno client\n" in text


def test_the_socket_is_its_users_alone_and_goes_with_the_compositor(
    heapwire, tmp_path, monkeypatch
):
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    path = tmp_path / f"{NAME}{STATUS_SUFFIX}"
    with Compositor(Platform.load("raspberry-pi-4"), socket=NAME):
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert not path.exists()
    run = heapwire("status", "--socket", NAME)
    assert run.status == 3
    assert run.err.startswith(f"heapwire: no reference compositor tells of itself at {path}: ")


def test_one_that_was_left_behind_is_no_hindrance(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    with socket.socket(socket.AF_UNIX) as left:
        left.bind(str(tmp_path / f"{NAME}{STATUS_SUFFIX}"))
    with Compositor(Platform.load("raspberry-pi-4"), socket=NAME) as compositor:
        assert compositor._status is not None


def test_a_folder_whose_name_is_too_long_is_a_warning(monkeypatch, caplog):
    with tempfile.TemporaryDirectory() as short:
        folder = Path(short, "a" * (104 - len(short) - len(NAME) - 1))
        folder.mkdir()
        monkeypatch.setenv("XDG_RUNTIME_DIR", str(folder))
        with Compositor(Platform.load("raspberry-pi-4"), socket=NAME) as compositor:
            assert compositor._status is None
    assert "`heapwire status` cannot ask here" in caplog.text


def test_who_does_not_read_holds_nothing_up(heapwire, compositor, tmp_path):
    idle = []
    for _ in range(20):
        idle.append(socket.socket(socket.AF_UNIX))
        idle[-1].connect(str(tmp_path / f"{NAME}{STATUS_SUFFIX}"))
    assert heapwire("status").status == 0
    assert json.loads(idle[0].makefile("rb").read())["platform"] == "raspberry-pi-4"
    for one in idle:
        one.close()


def holdings(number: int, name: str) -> Holdings:
    """So many heaps, holders and clients, with names like this."""
    heaps = {f"{name}{index}": (1, None) for index in range(number)}
    holders = [
        HolderHolding(
            holder=Holder(one, name),
            buffers=1,
            budget=Bound(1, 1),
            descriptors=Bound(1, 1),
            heaps=heaps,
        )
        for one in range(number)
    ]
    who = ClientIdentity(1, 1, 1, SecurityContext(name, name, name))
    client = ClientHolding(
        client=who,
        set_bytes=1,
        managers=1,
        negotiations=1,
        feedbacks=1,
        statuses=1,
        allocations=1,
    )
    held = tuple(HeapHolding(name=one, used=1, limit=None, capacity=None) for one in heaps)
    return Holdings(heaps=held, holders=tuple(holders), clients=(client,) * number)


@pytest.mark.parametrize("name", ['"' * 5000, "ä" * 5000, "\x1b[2J" * 5000, "org.example"])
def test_what_is_told_is_bounded(name):
    document = holdings_document(name, holdings(1000, name))
    assert len(json.dumps(document, ensure_ascii=False).encode()) < 160_000
    assert document["more_holders"] == 1000 - MOST_HOLDERS
    assert document["more_clients"] == 1000 - MOST_CLIENTS
    assert f"and {1000 - MOST_CLIENTS} more" in render(document)
    assert "\x1b" not in render(document)


@pytest.mark.parametrize("answer", [b"", b"{", b"[]", b"\xff"])
def test_what_is_no_document_is_said(heapwire, tmp_path, monkeypatch, answer):
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(str(tmp_path / f"{NAME}{STATUS_SUFFIX}"))
        listening.listen()
        listening.setblocking(False)
        monkeypatch.setattr(
            socket.socket, "makefile", lambda self, mode: _Stream(answer), raising=True
        )
        run = heapwire("status", "--socket", NAME)
    assert run.status == 3
    assert "what was told is n" in run.err


class _Stream:
    def __init__(self, answer: bytes) -> None:
        self.answer = answer

    def __enter__(self):
        return self

    def __exit__(self, *_):
        return None

    def read(self, _most):
        return self.answer


@pytest.mark.parametrize("command", [("status",), ("check",), ("feedback",)])
def test_without_its_folder_the_socket_is_nowhere(heapwire, monkeypatch, command):
    monkeypatch.delenv("XDG_RUNTIME_DIR", raising=False)
    monkeypatch.setenv("WAYLAND_DISPLAY", "")  # as good as none
    run = heapwire(*command)
    assert run.status == 3
    told = "no compositor at $XDG_RUNTIME_DIR/wayland-0 (XDG_RUNTIME_DIR is not set)"
    assert run.err == f"heapwire: {told}\n"
