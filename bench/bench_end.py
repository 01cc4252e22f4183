"""What a host does between SIGTERM and its end, whatever runs: processor time, and time in all.

A host of its own for each row. The time in all is the machine's as well: it is as long as others
have the processors. What holds the host up, if anything does, is counted by tests/host/test_end.py.

    make bench-end                the reference compositor
    make bench-end ARGS=weston    a headless Weston with the module
"""

from __future__ import annotations

import math
import os
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

import shared_modules
from asked_questions import (
    LONG_SETS,
    MANY,
    PATIENCE,
    decoder,
    long_values,
    made,
    many_answered,
    odd_pitches,
)
from costly_questions import DEAR_BY_A_CLIENT, question
from measured_host import Host, reference, weston
from patience import until
from ratio_table import tell_ratio

from heapwire.client_lib.negotiation import Negotiation, NegotiationManager
from heapwire.client_lib.wayland import create
from heapwire.protocol import MachineError
from heapwire.protocol.wire import CLIENT_SET_BYTES, NEGOTIATIONS, SET_OVERHEAD

LIMIT = 100.0  # milliseconds of the host's processor time
_BASE = f"{LIMIT:g} ms of processor time"
CLIENTS = 4
LONG_CLIENTS = 14  # two sets of each are what one may have, and all of them not too much for all
FULL_CLIENTS = 15
BUFFERS = 1000
UNREAD, ASKED_AGAIN = 100, 20
UNDER_WAY = 0.03  # seconds of the host's processor time, of the 0.1 or more that each of them takes


def at_rest(host: Host) -> None:
    host.client()


def in_slices(host: Host) -> None:
    """Conflicts of which each fills a slice, all asked at once."""
    manager = host.client()
    negotiations = [
        made(manager, odd_pitches(), 640 + 16 * number) for number in range(NEGOTIATIONS // 2)
    ]
    manager.connection.roundtrip(timeout=PATIENCE)

    def ask() -> None:
        for negotiation in negotiations:
            negotiation.commit()
        manager.connection.flush()

    host.begun(ask, UNDER_WAY)


def dear(manager: NegotiationManager, width: int = 1280) -> Negotiation:
    negotiation = made(manager, question(DEAR_BY_A_CLIENT[1]).participants, width)
    negotiation.commit()
    manager.connection.roundtrip(timeout=PATIENCE)
    return negotiation


def in_the_helper(host: Host) -> None:
    """A dearest question, solved beside the host by a process that is there already."""
    manager = host.client()
    negotiation = dear(manager)
    manager.connection.wait(
        lambda: negotiation.batch is not None and negotiation.batch.cookie != 0,
        timeout=PATIENCE,
        what="an answer",
    )
    negotiation.close()
    dear(manager, 640)


def starting(host: Host) -> None:
    """The first such question, for which the process is started."""
    before = host.children
    dear(host.client())
    until(lambda: host.children != before, "the process to be started")


def long_sets(host: Host) -> None:
    """Two sets of 250 KiB from each of several clients, on their way and being read."""

    def ask(manager: NegotiationManager) -> None:
        for _ in range(LONG_SETS):
            made(manager, long_values()).commit()
        manager.connection.roundtrip(timeout=PATIENCE)

    def all_ask() -> None:
        for _ in range(LONG_CLIENTS):
            host.client_beside(ask)

    host.begun(all_ask, UNDER_WAY)


def many_sets(host: Host) -> None:
    """As many sets that have been begun as clients may have."""
    kept = CLIENT_SET_BYTES // SET_OVERHEAD - 1
    done, all_done = os.pipe()

    def begin(manager: NegotiationManager) -> None:
        for number in range(kept):
            create(manager._proxy, "create_constraint_set")
            if number % 100 == 0:
                manager.connection.roundtrip(timeout=PATIENCE)
        manager.connection.roundtrip(timeout=PATIENCE)
        os.write(all_done, b".")

    for _ in range(FULL_CLIENTS):
        host.client_beside(begin)
    for _ in range(FULL_CLIENTS):
        os.read(done, 1)
    os.close(done)
    os.close(all_done)


def plugged(host: Host) -> None:
    """A thousand negotiations that are being answered anew."""
    many_answered([host.client() for _ in range(CLIENTS)])
    host.begun(host.hot_plug, UNDER_WAY)


def allocating(host: Host) -> None:
    """A thousand buffers that have been asked for."""
    manager = host.client()
    negotiation = made(manager, decoder(), 16)
    plan = negotiation.negotiate(timeout=PATIENCE).offers[0]

    def ask() -> None:
        for _ in range(BUFFERS):
            negotiation.allocate(plan)
        manager.connection.flush()

    host.begun(ask, UNDER_WAY)


def unread(host: Host) -> None:
    """More answers than a connection holds, for a client that reads none."""

    def ask(manager: NegotiationManager) -> None:
        negotiations = [made(manager, decoder(), 640 + 16 * n) for n in range(UNREAD)]
        for one in negotiations * ASKED_AGAIN:
            one.commit()
            manager.connection.flush()

    host.begun(lambda: host.client_beside(ask), UNDER_WAY)


def looking(host: Host) -> None:
    host.client()
    before = host.children
    host.look()
    until(lambda: host.children != before, "a look at the machine")


def hanging(host: Host) -> None:
    host.client()
    host.hang()


ROWS: tuple[tuple[str, Callable[[Host], None]], ...] = (
    ("at rest", at_rest),
    ("dear questions in slices", in_slices),
    ("a dearest question in the process that solves", in_the_helper),
    ("that process just starting", starting),
    (f"{LONG_CLIENTS} clients' sets of 250 KiB, asked at once", long_sets),
    (f"what {FULL_CLIENTS} clients may have of sets", many_sets),
    (f"{MANY} negotiations amid a hot-plug", plugged),
    (f"{BUFFERS} allocations on their way", allocating),
    ("a client that never reads", unread),
    ("a look at the machine", looking),
    ("a thread that waits for a driver", hanging),
)


def main() -> None:
    host_of = weston if "weston" in sys.argv[1:] else reference
    print(f"{host_of.__name__}: from SIGTERM to the end, limit {LIMIT:g} ms of processor time")
    for name, begin in ROWS:
        with tempfile.TemporaryDirectory(prefix="heapwire-") as folder:
            os.environ["XDG_RUNTIME_DIR"] = folder
            try:
                with host_of(Path(folder)) as host:
                    begin(host)
                    end = host.end()
                    host.close()
            except MachineError as error:
                print(f"  {name:48} not measured: {error}")
                tell_ratio(f"{host_of.__name__}'s end: {name}", math.inf, _BASE, limit=1)
                continue
        verdict = "" if end.processor <= LIMIT else f"  ABOVE {LIMIT:g} ms"
        print(f"  {name:48} {end.processor:6.1f} ms, {end.passed:6.1f} in all{verdict}", flush=True)
        tell_ratio(f"{host_of.__name__}'s end: {name}", end.processor / LIMIT, _BASE, limit=1)


if __name__ == "__main__":
    main()
