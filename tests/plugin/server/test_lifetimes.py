"""Objects live exactly as long as libwayland's, whatever ends first."""

from __future__ import annotations

import gc
import itertools
import os
import signal
import socket
import struct
import subprocess
import sys
import weakref

import pytest
from patience import until
from probe import PROBE, Probe, serve
from wire_client import WireClient

from heapwire.compositor_plugin.server import Client, Display, Listener, OwnDisplay
from heapwire.compositor_plugin.server.resource import live_resources

ENDS = ("child", "parent", "client", "display")


def references():
    return [weakref.ref(one) for one in live_resources()]


@pytest.mark.parametrize("order", list(itertools.permutations(ENDS)), ids="-".join)
def test_every_order_of_ends(order) -> None:
    log: list[tuple] = []
    display = OwnDisplay()
    serve(display, log)
    client = WireClient(display, PROBE)
    parent = client.bind("heapwire_probe")
    child = client.new("heapwire_probe")
    client.request(parent, "make", child)
    refs = dict(zip(("parent", "child"), references(), strict=True))
    kept = {name: ref() for name, ref in refs.items()}
    for end in order:
        match end:
            case "client":
                client.close()
                if display.pointer:
                    display.dispatch(0)
            case "display":
                display.destroy()
            case _ if not (client.socket.fileno() < 0 or not display.pointer):
                client.request({"parent": parent, "child": child}[end], "destroy")
                assert not kept[end].alive
        for one in kept.values():
            one.send("later")  # never harmful
            assert one.alive == (one in live_resources())
    assert log.count(("gone",)) == 2
    del kept, one
    gc.collect()
    assert [ref() for ref in refs.values()] == [None, None]


def test_nothing_but_the_wire_keeps_an_object(display) -> None:
    log: list[tuple] = []
    serve(display, log)
    client = WireClient(display, PROBE)
    probe = client.bind("heapwire_probe")
    [ref] = references()
    gc.collect()
    assert ref() is not None
    client.request(probe, "destroy")
    gc.collect()
    assert ref() is None
    client.close()


def test_an_object_that_ends_itself_in_a_handler(display) -> None:
    serve(display, [])
    client = WireClient(display, PROBE)
    probe = client.bind("heapwire_probe")
    client.request(probe, "suicide")
    assert live_resources() == ()
    assert client.error is None
    client.close()


def test_a_failing_end_is_logged_and_the_others_end_too(display, caplog, monkeypatch) -> None:
    log: list[tuple] = []
    serve(display, log)
    client = WireClient(display, PROBE)
    client.bind("heapwire_probe")
    client.bind("heapwire_probe")
    monkeypatch.setattr(Probe, "on_destroy", lambda self: self.nothing)
    client.close()
    display.dispatch(0)
    assert live_resources() == ()
    assert caplog.text.count("AttributeError: 'Probe' object has no attribute") == 2


def test_listeners_hear_the_end_of_resources_clients_and_displays() -> None:
    heard = []
    display = OwnDisplay()
    serve(display, [])
    client = WireClient(display, PROBE)
    client.bind("heapwire_probe")
    [one] = live_resources()
    Listener.on_resource(one.pointer, lambda: heard.append("resource"))
    Listener.on_resource(one.pointer, lambda: heard.append("never")).remove()
    Client(one.client.pointer).on_destroy(lambda: heard.append("client"))
    Display(display.address).on_destroy(lambda: heard.append("display"))
    del one
    client.close()
    display.dispatch(0)
    assert sorted(heard) == ["client", "resource"]
    display.destroy()
    assert heard[-1] == "display"


def test_a_listener_may_remove_itself_and_others_while_it_is_called() -> None:
    heard = []
    display = OwnDisplay()
    listeners = []

    def end() -> None:
        heard.append(1)
        for one in listeners:
            one.remove()

    listeners += [display.on_destroy(end) for _ in range(3)]
    display.destroy()
    assert heard == [1]


def test_a_failing_listener_is_logged(caplog) -> None:
    display = OwnDisplay()
    display.on_destroy(lambda: 1 / 0)  # type: ignore[arg-type, return-value]
    display.destroy()
    assert "ZeroDivisionError" in caplog.text


KILLED = """
import os, socket, struct, sys, time
fd = int(sys.argv[1])
wire = socket.socket(fileno=fd)
name = struct.pack("=I", 15) + b"heapwire_probe\\0\\0"
wire.send(struct.pack("=III", 1, 12 << 16 | 1, 2))
body = struct.pack("=I", int(sys.argv[2])) + name + struct.pack("=II", 2, 3)
wire.send(struct.pack("=II", 2, (8 + len(body)) << 16) + body)
wire.send(struct.pack("=III", 3, 12 << 16 | 2, 4))
print("ready", flush=True)
time.sleep(60)
"""


def test_a_client_that_is_killed_leaves_nothing(display) -> None:
    log: list[tuple] = []
    serve(display, log)
    watcher = WireClient(display, PROBE)
    number, _ = watcher.registry()["heapwire_probe"]
    ours, theirs = socket.socketpair()
    display.add_client(ours.detach())
    process = subprocess.Popen(
        [sys.executable, "-c", KILLED, str(theirs.fileno()), str(number)],
        pass_fds=[theirs.fileno()],
        stdout=subprocess.PIPE,
    )
    theirs.close()
    with process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"ready\n"
        until(lambda: len(live_resources()) >= 2, "resources", lambda: display.dispatch(1000))
        process.send_signal(signal.SIGKILL)
    until(lambda: not live_resources(), "their end", lambda: display.dispatch(1000))
    assert log.count(("gone",)) == 2
    watcher.close()


def test_two_displays_in_one_process() -> None:
    logs: tuple[list, list] = ([], [])
    displays = (OwnDisplay(), OwnDisplay())
    clients = []
    for display, log in zip(displays, logs, strict=True):
        serve(display, log)
        clients.append(WireClient(display, PROBE))
    probes = [client.bind("heapwire_probe") for client in clients]
    clients[0].request(probes[0], "later")
    assert logs[0][-1] == ("later",)
    assert ("later",) not in logs[1]
    displays[0].destroy()
    clients[1].request(probes[1], "later")
    assert logs[1][-1] == ("later",)
    displays[1].destroy()
    for client in clients:
        client.close()


def test_credentials(display) -> None:
    client = WireClient(display, PROBE)
    found = client.client.credentials
    assert (found.pid, found.uid, found.gid) == (os.getpid(), os.getuid(), os.getgid())
    client.close()


def test_garbage_ends_the_client(display) -> None:
    serve(display, [])
    client = WireClient(display, PROBE)
    probe = client.bind("heapwire_probe")
    client.raw(struct.pack("=II", probe, 12 << 16 | 99) + bytes(4))
    client.pump()
    assert client.closed
    assert live_resources() == ()
    client.close()
