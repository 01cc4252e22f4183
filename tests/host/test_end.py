"""SIGTERM ends the compositor at once, whatever it is in the middle of: counted, and not timed."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from patience import PATIENCE, until
from problem_building import need

from heapwire.client_lib.negotiation import Negotiation, NegotiationManager
from heapwire.client_lib.wayland import Connection
from heapwire.protocol import HeapwireError
from heapwire.protocol.values import (
    Constraint,
    ConstraintSet,
    Extent,
    Extents,
    FormatModifier,
    Participant,
    Usage,
    parse_fourcc,
)

NV12 = FormatModifier(parse_fourcc("NV12"), 0)
CLIENTS, MANY = 4, 1000
LONG_CLIENTS = 14
UNKNOWN = 0x7F000100  # a vendor's types that nobody knows
# Who looks whether there is something, and does not wait for it. The slice that may come starts the
# process that solves, and hears whether that could be.
NO_WAITS = {
    "read in _drain",
    "socket.recv in SolverProcess._read",
    "socket.send in SolverProcess._write",
    "poll.poll in OwnDisplay.dispatch",  # of the pass that the signal is in: its byte is there
    "poll.poll in Client.takes_more",
    "epoll.poll in ReadyOrder.put_last",
    "waitpid in SpawnedProcess.has_ended",
}


class Ending:
    """A compositor that is going to end, and its clients."""

    def __init__(self, folder: Path, state: str) -> None:
        self.socket, self.gate = folder / "ending", folder / "gate"
        os.mkfifo(self.gate)
        script = Path(__file__).with_name("ending_host.py")
        self.process = subprocess.Popen(
            [sys.executable, script, state, self.socket.name, self.gate],
            env={**os.environ, "XDG_RUNTIME_DIR": str(folder)},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        self.clients: list[Connection] = []
        assert self.process.stdout is not None
        assert self.process.stdout.readline().startswith("socket"), self.process.communicate()

    def client(self) -> NegotiationManager:
        self.clients.append(Connection(str(self.socket)))
        return NegotiationManager(self.clients[-1], timeout=PATIENCE)

    def count(self) -> dict:
        """What the compositor did after the signal."""
        out, err = self.process.communicate(timeout=PATIENCE)
        assert (self.process.returncode, "Traceback" in err) == (0, False), err
        return json.loads(out)

    def close(self) -> None:
        self.process.kill()
        self.process.communicate()
        for client in self.clients:
            client.close()
        held = os.open(self.gate, os.O_RDWR)  # whoever waits for a writer goes on, to the end
        self.gate.unlink()  # and whoever has only begun finds nothing to wait for
        os.close(held)


@pytest.fixture
def ending(tmp_path, request) -> Iterator[Ending]:
    ending = Ending(tmp_path, request.param)
    yield ending
    ending.close()


def part(number: int, *constraints: Constraint) -> Participant:
    sets = (ConstraintSet(formats=(NV12,), constraints=constraints),)
    return Participant(name=f"device {number}", usage=Usage.DECODE, sets=sets)


def made(manager: NegotiationManager, width: int, *everyone: Participant) -> Negotiation:
    negotiation = manager.default_negotiation()
    for participant in everyone:
        negotiation.set_participant(participant)
    negotiation.set_extents(Extents(coded=Extent(width, 720)))
    return negotiation


def nothing(ending: Ending) -> None:
    """A client that has its answer."""
    assert made(ending.client(), 640, part(0)).negotiate(timeout=PATIENCE).offers
    ending.process.send_signal(signal.SIGTERM)


def odd_pitches(ending: Ending) -> None:
    """Conflicts by the dozen, of which each fills a slice."""
    manager = ending.client()
    odd = [part(n, need("pitch-alignment", one)) for n, one in enumerate((528, 1456, 1360))]
    for number in range(40):
        made(manager, 640 + 16 * number, *odd).commit()
    manager.connection.flush()


def heavy(ending: Ending) -> None:
    """A question of more formats than are tried on the loop."""
    manager = ending.client()
    pairs = tuple(FormatModifier(NV12.fourcc, 1 << 56 | n) for n in range(4095))
    sets = (ConstraintSet(formats=(*pairs, NV12)),)
    made(manager, 640, Participant(name="heavy", usage=Usage.DECODE, sets=sets)).commit()
    manager.connection.flush()


def long_sets(ending: Ending) -> None:
    """Two sets of 250 KiB of each of many clients, all at once."""
    values = [
        Constraint(type=UNKNOWN + n, value=bytes(1000), must_understand=False) for n in range(250)
    ]

    def ask(manager: NegotiationManager) -> None:
        with contextlib.suppress(HeapwireError):  # the compositor is gone
            for number in range(2):
                made(manager, 640 + 16 * number, part(0, *values)).commit()
            manager.connection.roundtrip(timeout=PATIENCE)

    managers = [ending.client() for _ in range(LONG_CLIENTS)]
    asking = [threading.Thread(target=ask, args=[one]) for one in managers]
    for one in asking:
        one.start()
    for one in asking:
        one.join()


def hot_plug(ending: Ending) -> None:
    """A thousand negotiations, and a heap that goes."""
    managers = [ending.client() for _ in range(CLIENTS)]
    negotiations = []
    for number in range(MANY):
        negotiations.append(made(managers[number % CLIENTS], 640 + 16 * (number % 8), part(0)))
        negotiations[-1].commit()
        managers[number % CLIENTS].connection.dispatch(0)
    for one in managers:
        mine = negotiations[managers.index(one) :: CLIENTS]
        one.connection.wait(
            lambda mine=mine: all(each.batch and each.batch.cookie for each in mine),
            timeout=PATIENCE,
            what="answers",
        )
    ending.process.send_signal(signal.SIGUSR1)


def buffers(ending: Ending) -> None:
    """A thousand buffers, of which the first never comes."""
    manager = ending.client()
    negotiation = made(manager, 16, part(0))
    plan = negotiation.negotiate(timeout=PATIENCE).offers[0]
    with contextlib.suppress(HeapwireError):
        for _ in range(MANY):
            negotiation.allocate(plan)
        manager.connection.flush()


def deaf(ending: Ending) -> None:
    """More answers than a connection holds, which nobody reads."""
    manager = ending.client()
    negotiations = [made(manager, 640 + 16 * n, part(0)) for n in range(100)]
    with contextlib.suppress(HeapwireError):
        for number in range(4000):
            negotiations[number % 100].commit()
            manager.connection.flush()


def alone(_: Ending) -> None:
    """What is under way is the compositor's own."""


@pytest.mark.parametrize(
    ("ending", "act"),
    [
        *(("at_rest", nothing), ("in_a_slice", odd_pitches), ("with_the_helper", heavy)),
        *(("helper_starting", heavy), ("sets_arriving", long_sets), ("plugged", hot_plug)),
        *(("allocating", buffers), ("unread", deaf), ("looking", alone)),
        ("trying_a_display", alone),
    ],
    indirect=["ending"],
    ids=lambda one: one if isinstance(one, str) else "",
)
def test_it_ends_at_once(ending: Ending, act: Callable[[Ending], None]) -> None:
    act(ending)
    count = ending.count()
    print(count)
    assert count["slices"] <= 1, "of what others wait for, no more is begun"
    assert count["passes"] == 0, "nothing more is read"
    assert not count["waits"].keys() - NO_WAITS
    for pid in count["children"]:
        until(lambda pid=pid: is_gone(pid), "the process that solves to be gone")


def is_gone(pid: int) -> bool:
    """Whether a process has ended, collected or not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text("ascii").rpartition(")")[2].split()[0] == "Z"
    except FileNotFoundError:
        return True
