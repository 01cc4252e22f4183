"""How long a client waits while others ask what is dear, in the host's processor time.

A ticker in a process of its own sends `wl_display.sync`, one after the other. Between sending
one and its answer the processor time of the host is read, of all its threads: what the host
did meanwhile. The first row is a host at rest, in the same run.

Each row is measured three times, and judged by the least: what the host does comes again each
time. What a virtual machine's host takes away from it does not, and is counted as processor
time of whatever ran: the first line says how much that was for a process that only looks at its
clock.

    bench_loop.py            the reference compositor
    bench_loop.py weston     a headless Weston with the module (`make bench-weston`)
"""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from costly_questions import DEAR_BY_A_CLIENT, question
from measured_host import Host, reference, weston
from ticker import Ticker

from heapwire.client_lib import NegotiationError
from heapwire.client_lib.negotiation import Negotiation, NegotiationManager
from heapwire.protocol import MachineError
from heapwire.protocol.values import (
    BY_NAME,
    LINEAR,
    Constraint,
    ConstraintSet,
    Extent,
    Extents,
    FormatModifier,
    Participant,
    Usage,
    Value,
    parse_fourcc,
)
from heapwire.protocol.wire import ALLOCATIONS

LIMIT = 5.0  # milliseconds of the host's processor time that the ticker may wait
XRGB, NV12 = (FormatModifier(parse_fourcc(name), LINEAR) for name in ("XRGB8888", "NV12"))
PATIENCE = 120.0  # seconds
NEGOTIATIONS, CLIENTS = 1000, 4
UNKNOWN = 0x7F000100  # a vendor's types that nobody knows
LOOKS = 3.0  # seconds
TIMES = 3


def constraint(name: str, value: Value) -> Constraint:
    return Constraint(type=BY_NAME[name].type, value=value)


def part(number: int, pair: FormatModifier, *constraints: Constraint) -> Participant:
    sets = (ConstraintSet(formats=(pair,), constraints=constraints),)
    return Participant(name=f"p{number:02}", usage=Usage.DECODE, sets=sets)


def fences() -> tuple[Participant, ...]:
    """16 participants that each leave one fence out; weight 960."""
    vendor = [
        Constraint(type=UNKNOWN + n, value=b"vendor", must_understand=False) for n in range(58)
    ]
    return tuple(
        part(n, XRGB, constraint("fences", 0xFFFF & ~(1 << n)), *vendor) for n in range(16)
    )


def odd_pitches() -> tuple[Participant, ...]:
    """Three honest devices whose pitches cannot be met together."""
    return tuple(
        part(
            *(n, NV12, constraint("pitch-alignment", alignment), constraint("max-pitch", 16384)),
            *(constraint("scanline-alignment", 2 << n), constraint("size-alignment", 4096)),
            constraint("max-width", 8192),
        )
        for n, alignment in enumerate((528, 1456, 1360))
    )


def made(
    manager: NegotiationManager, participants: tuple[Participant, ...], width: int = 1280
) -> Negotiation:
    negotiation = manager.default_negotiation()
    for participant in participants:
        negotiation.set_participant(participant)
    negotiation.set_extents(Extents(coded=Extent(width, 720)))
    return negotiation


def never_asked(participants: tuple[Participant, ...]) -> tuple[Participant, ...]:
    """The same, so that no answer to it is remembered, nor anything of it."""
    new = Constraint(type=UNKNOWN + 99, value=os.urandom(8), must_understand=False)
    return tuple(
        replace(
            one,
            sets=tuple(replace(own, constraints=(*own.constraints, new)) for own in one.sets),
        )
        for one in participants
    )


def asked(negotiation: Negotiation) -> None:
    with contextlib.suppress(NegotiationError):  # a conflict is an answer too
        negotiation.negotiate(timeout=PATIENCE)


def decoder(number: int = 0) -> tuple[Participant, ...]:
    return (part(number, NV12, constraint("pitch-alignment", 64)),)


def at_rest(host: Host) -> str:
    time.sleep(0.5)
    return ""


def one_question(participants: tuple[Participant, ...]) -> Callable[[Host], str]:
    def run(host: Host) -> str:
        manager = host.client()
        sets = sum(len(one.sets) for one in participants)
        objects = 3 if sets <= 16 else 1  # what one client may have the compositor keep is bounded
        asked_now = never_asked(participants)
        negotiations = [made(manager, asked_now) for _ in range(objects)]
        start = time.monotonic()
        for negotiation in negotiations:
            negotiation.commit()
            manager.connection.roundtrip(timeout=PATIENCE)
        while not all(
            negotiation.batch and negotiation.batch.cookie for negotiation in negotiations
        ):
            manager.connection.dispatch(0.1)
        return f"answered in {1e3 * (time.monotonic() - start):.0f} ms"

    return run


def hang_up(host: Host) -> str:
    """Heavy questions whose askers hang up at once, while another client is given memory."""
    other = host.client()
    negotiation = made(other, decoder())
    longest, failed = 0.0, ""
    for _ in range(10):
        doomed = host.client()
        made(doomed, never_asked(question(DEAR_BY_A_CLIENT[0]).participants)).commit()
        doomed.connection.roundtrip()
        doomed.connection.close()
        batch = negotiation.negotiate(timeout=PATIENCE)
        start = time.monotonic()
        try:
            with negotiation.allocate(batch.offers[0]) as allocation:
                allocation.wait() if hasattr(allocation, "wait") else None
        except Exception as error:
            failed = f"; {error}"
        longest = max(longest, time.monotonic() - start)
    return f"allocate took at most {1e3 * longest:.1f} ms{failed}"


def allocations(host: Host) -> str:
    """As many small buffers as a client may ask for, by one that hangs up and comes again."""
    asked_for = 0
    for _ in range(4):
        manager = host.client()
        negotiation = made(manager, decoder(), 16)
        plan = negotiation.negotiate(timeout=PATIENCE).offers[0]
        for _ in range(ALLOCATIONS // 2):
            negotiation.allocate(plan)
            asked_for += 1
        manager.connection.roundtrip(timeout=PATIENCE)
        host.close()
    return f"{asked_for} were asked for"


def long_values(host: Host) -> str:
    """Sets of 250 KiB by who hangs up and comes again."""
    sets = 0
    for _ in range(20):
        manager = host.client()
        for _ in range(2):  # a client may have no more
            constraints = (
                Constraint(type=UNKNOWN + n, value=os.urandom(1000), must_understand=False)
                for n in range(250)
            )
            negotiation = made(manager, (part(0, NV12, *constraints),))
            negotiation.negotiate(timeout=PATIENCE)
            negotiation.close()
            sets += 1
        host.close()
    return f"{sets} sets"


def many(host: Host) -> str:
    """A thousand negotiations, and then a hot-plug."""
    managers = [host.client() for _ in range(CLIENTS)]
    negotiations = []
    for number in range(NEGOTIATIONS):
        one = made(managers[number % CLIENTS], decoder(), 640 + 16 * (number % 100))
        one.commit()
        for manager in managers:
            manager.connection.dispatch(0)  # who does not read is disconnected by libwayland
        negotiations.append(one)
    while not all(one.batch and one.batch.cookie for one in negotiations):
        for manager in managers:
            manager.connection.dispatch(0.001)
    batches = [one.batch for one in negotiations]
    start = time.monotonic()
    host.hot_plug()
    while any(one.batch is batch for one, batch in zip(negotiations, batches, strict=True)):
        for manager in managers:
            manager.connection.dispatch(0.001)
        if time.monotonic() - start > PATIENCE:
            return "not all were answered again"
    return f"answered again in {1e3 * (time.monotonic() - start):.0f} ms"


def looking(host: Host) -> str:
    """The machine is looked at, once after the other, while somebody asks."""
    negotiation = made(host.client(), decoder())
    start, answers = time.monotonic(), 0
    while time.monotonic() - start < LOOKS:
        if answers % 20 == 0:
            host.look()
        asked(negotiation)
        answers += 1
    return f"{answers} answers meanwhile"


def sizes(host: Host) -> str:
    """An unchanged question with one size, and with twenty in turn."""
    manager = host.client()
    negotiations = [made(manager, decoder(), 640 + 16 * n) for n in range(20)]
    for one in negotiations:
        asked(one)

    def cost(turns: list[Negotiation]) -> float:
        before = host.cpu()
        for one in turns:
            asked(one)
        return 1e6 * (host.cpu() - before) / len(turns)

    one, twenty = cost(negotiations[:1] * 200), cost(negotiations * 10)
    return f"{one:.0f} us for one size, {twenty:.0f} us for twenty: {twenty / one:.2f} times"


ROWS: tuple[tuple[str, Callable[[Host], str]], ...] = (
    ("at rest", at_rest),
    ("16 fences and 58 unknown types, three objects", one_question(fences())),
    ("three odd pitches that contradict", one_question(odd_pitches())),
    *(
        (f"a dearest question: {one.participants}x{one.sets}, {one.weight}",
         one_question(question(one).participants))
        for one in DEAR_BY_A_CLIENT
    ),
    ("heavy questions, hung up; another allocates", hang_up),
    ("allocations by the hundred, hung up", allocations),
    ("sets of 250 KiB", long_values),
    (f"{NEGOTIATIONS} negotiations and a hot-plug", many),
    ("a look at the machine, and another, while one asks", looking),
    ("20 different sizes", sizes),
)  # fmt: skip


def measure(host: Host) -> None:
    """Print a row for each: the longest wait of each time, and what was said the last time."""
    for name, run in ROWS:
        waits: list[float] = []
        count = 0
        for _ in range(TIMES):
            ticker = Ticker(host.path, host.pid)
            try:
                said = run(host)
            finally:
                host.close()
                longest, counted = ticker.stop()
            waits.append(longest)
            count += counted
        verdict = "" if min(waits) <= LIMIT else f"  ABOVE {LIMIT:g} ms"
        each = " ".join(f"{one:5.2f}" for one in waits)
        print(f"  {name:48} {each} ms of {count:5}  {said}{verdict}", flush=True)


def taken_away() -> float:
    """Milliseconds that were counted for a process at once which did nothing but look, in 2 s."""
    longest, last = 0.0, time.thread_time()
    end = last + 2
    while last < end:
        now = time.thread_time()
        longest, last = max(longest, now - last), now
    return 1e3 * longest


def ended(host: Host) -> float:
    """Milliseconds from SIGTERM to the end, while the dearest question is solved."""
    manager = host.client()
    made(manager, question(DEAR_BY_A_CLIENT[1]).participants).commit()
    manager.connection.roundtrip()
    time.sleep(0.05)
    start = time.monotonic()
    host.end()
    host.close()
    return 1e3 * (time.monotonic() - start)


def main() -> None:
    """Measure and print."""
    host_of = weston if sys.argv[1:] == ["weston"] else reference
    with tempfile.TemporaryDirectory(prefix="heapwire-") as name:
        os.environ["XDG_RUNTIME_DIR"] = name
        try:
            with host_of(Path(name)) as host:
                print(
                    f"{host_of.__name__}: the ticker's longest wait, limit {LIMIT:g} ms; "
                    f"who only looks at its clock misses up to {taken_away():.2f} ms of it"
                )
                try:
                    measure(host)
                except BaseException:
                    os.kill(host.pid, signal.SIGKILL)
                    raise
                print(
                    f"  SIGTERM while a dearest question is solved: {ended(host):.0f} ms to the end"
                )
        except MachineError as error:
            print(f"{host_of.__name__}: not measured: {error}")


if __name__ == "__main__":
    main()
