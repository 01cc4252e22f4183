"""Clients that die or misuse the protocol, and Weston's own end."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from patience import PATIENCE, until
from pywayland.protocol.wayland import WlCompositor
from stock_weston import DMABUF_DEVICES, PLATFORM
from windows import SIZE, Client

from heapwire.client_lib import ExtendedFeedback, LinuxDmabuf, ProtocolError
from heapwire.client_lib.negotiation import NegotiationManager
from heapwire.client_lib.wayland import send

HERE = Path(__file__).parent

pytestmark = [
    pytest.mark.system("weston", "libweston-*.pc", "cc", "pkg-config"),
]

# A client in a process of its own, which negotiates, shows a frame, says so, and waits.
CLIENT = """
import sys
from windows import SIZE, Client
from heapwire.client_lib.wayland.connection import Connection
with Connection(sys.argv[1]) as connection:
    client = Client(connection)
    client.negotiate()
    buffer = client.shm_buffer(SIZE)
    client.negotiation.watch(buffer, client.statuses.append)
    client.show(buffer, SIZE)
    client.negotiation.commit()
    connection.flush()
    print("shown", flush=True)
    sys.stdin.read()
"""


def spawn(weston):
    client = subprocess.Popen(
        [sys.executable, "-c", CLIENT, str(weston.socket)],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert client.stdout.readline() == "shown\n"
    return client


def end(client, how):
    os.kill(client.pid, how)
    client.communicate(timeout=PATIENCE)


def test_a_client_that_is_killed_leaves_the_others_alone(weston):
    with weston.connect() as connection:
        survivor = Client(connection)
        survivor.negotiate()
        for _ in range(3):
            end(spawn(weston), signal.SIGKILL)
        survivor.show(survivor.shm_buffer(SIZE), SIZE)
        assert survivor.negotiate().offers
    assert weston.stop() == 0


def test_a_client_that_misuses_the_protocol_is_ended_alone(weston):
    with weston.connect() as good, weston.connect() as bad:
        manager = NegotiationManager(good, timeout=PATIENCE)
        negotiation = NegotiationManager(bad, timeout=PATIENCE).default_negotiation()
        send(negotiation._planner.proxy, "set_extents", *(0,) * len_of(negotiation, "set_extents"))
        with pytest.raises(ProtocolError):
            bad.roundtrip(timeout=PATIENCE)
        assert manager.default_negotiation().negotiate(timeout=PATIENCE).reason is None
    assert weston.stop() == 0


def len_of(negotiation, request):
    requests = negotiation._planner.proxy.interface.requests
    return next(len(one.arguments) for one in requests if one.name == request)


def test_nothing_is_left_open_by_clients_that_went(weston):
    end(spawn(weston), signal.SIGKILL)
    before = weston.open_fds
    for _ in range(5):
        end(spawn(weston), signal.SIGKILL)
    until(lambda: weston.open_fds <= before, f"{before} fds were open, now {weston.open_fds}")


def test_weston_ends_while_clients_are_connected(weston):
    with weston.connect() as connection:
        client = Client(connection)
        client.negotiate()
        client.show(client.shm_buffer(SIZE), SIZE)
        assert weston.stop() == 0


def listen(connection, count):
    """Feedback objects of a client, most of them for a surface, after one that is extended."""
    dmabuf = LinuxDmabuf(connection)
    told = []
    extended = ExtendedFeedback(dmabuf, None, told.append)
    connection.wait(lambda: bool(told), timeout=PATIENCE, what="feedback")
    extended.close()
    compositor = connection.bind(WlCompositor)[0]
    surfaces = [compositor.create_surface() for _ in range(9)]
    objects = []
    while len(objects) < count:
        wanted = range(min(100, count - len(objects)))
        objects += [dmabuf.feedback((None, *surfaces)[number % 10]) for number in wanted]
        connection.roundtrip(timeout=PATIENCE)
    for surface in surfaces[::2]:
        surface.destroy()
    return objects


@pytest.mark.system("valgrind", "wayland-scanner", "wayland-protocols.pc")
def test_valgrind_finds_no_fault(start, module, dmabuf_module):
    """From start to end, with a client that ends well, one that is killed, one that stays.

    The first and the last have feedback objects, more than are followed, some of them extended.
    """
    suppressions = HERE / "valgrind.supp"
    # Not in weston-desktop-shell and the other programs that Weston starts.
    wrapper = (
        *("valgrind", "--error-exitcode=99", "--trace-children=no", "--quiet"),
        *("--leak-check=full", "--show-leak-kinds=definite", "--errors-for-leak-kinds=none"),
        "--num-callers=40",
        f"--suppressions={suppressions}",
    )
    weston = start(
        module=Path(f"{module},{dmabuf_module}"),
        environment={"HEAPWIRE_PLATFORM": PLATFORM, **DMABUF_DEVICES},
        wrapper=wrapper,
    )
    with weston.connect() as connection:
        Client(connection).negotiate()
        feedbacks = listen(connection, 1100)
        for feedback in feedbacks[::2]:
            feedback.destroy()
        connection.roundtrip(timeout=PATIENCE)
    end(spawn(weston), signal.SIGKILL)
    with weston.connect() as connection:
        client = Client(connection)
        kept = listen(connection, 10)
        client.negotiate()
        client.show(client.shm_buffer(SIZE), SIZE)
        weston.process.send_signal(signal.SIGTERM)
        _, output = weston.process.communicate(timeout=PATIENCE)
    said = output.decode()
    assert weston.process.returncode == 0, said
    assert len(kept) == 10
    # Each Weston has leaks of its own; ours are those with the module among the callers.
    records = re.split(r"^==\d+== \n", said, flags=re.MULTILINE)
    assert [one for one in records if "definitely lost" in one and str(module) in one] == []
