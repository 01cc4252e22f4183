"""How long a client waits while others ask what is dear, in the host's processor time.

A ticker in a process of its own sends `wl_display.sync`, one after the other. Between sending
one and its answer the processor time of the host is read, of all its threads: what the host
did meanwhile, and no more than the wait was, since its threads may work beside each other. The
first row is a host at rest, in the same run.

Each row is measured three times, and judged by the longest of all waits. Processor time does not
grow while others run, but work takes longer beside them; and what a virtual machine's host takes
away is counted as processor time of whatever ran: the first line says how much that was for a
process that only looks at its clock. So each row also says what work that is always the same took
in the same time, at its best and at its longest (yardstick.py): a wait that is above the limit by
no more than that work was stretched is the machine's. The limit is what it is all the same.
Beside each row stands the longest wait in all, which is the machine's as well.

    make bench-loop                the reference compositor
    make bench-loop ARGS=weston    a headless Weston with the module
"""

from __future__ import annotations

import contextlib
import math
import os
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import shared_modules
from asked_questions import (
    LONG_SETS,
    MANY,
    PATIENCE,
    combinations,
    decoder,
    fences,
    long_values,
    made,
    many_answered,
    never_asked,
    odd_pitches,
)
from costly_questions import DEAR_BY_A_CLIENT, question
from measured_host import Host, reference, weston
from ratio_table import tell_ratio
from slice_times import FILE, SliceTimes
from ticker import Ticker, Waits
from yardstick import Stretch, Yardstick

from heapwire.client_lib import AllocationError, NegotiationError
from heapwire.client_lib.negotiation import Negotiation
from heapwire.kernel.memory import DmaBuf
from heapwire.protocol import MachineError
from heapwire.protocol.values import Participant
from heapwire.protocol.wire import ALLOCATIONS

LIMIT = 5.0  # milliseconds of the host's processor time that the ticker may wait
SLICE_LIMIT = 4.0  # milliseconds of the loop's thread that a slice may take
_BASE = f"{LIMIT:g} ms of processor time"
CLIENTS = 4
LOOKS = 3.0  # seconds
TIMES = 3
SHAPES = ((4, 3), (3, 5), (2, 9))  # devices and alternatives: 81, 125 and 81 combinations
NOBODY = 65534  # another user than root
COMES_AGAIN = 4
SETTLED = 2.0  # seconds, in which the compositor has looked whether memory is free


def asked(negotiation: Negotiation) -> None:
    with contextlib.suppress(NegotiationError):  # a conflict is an answer too
        negotiation.negotiate(timeout=PATIENCE)


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
                allocation.wait(timeout=PATIENCE)
        except AllocationError as error:  # what the compositor may answer
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


def all_given(host: Host, user: int | None = None) -> tuple[list[DmaBuf], str]:
    """All the memory that a new client is given, and by which words it is refused more."""
    manager, given = host.client(user), list[DmaBuf]()
    negotiation = made(manager, decoder(), 3840)
    try:
        while True:
            plan = negotiation.negotiate(timeout=PATIENCE).offers[0]
            with negotiation.allocate(plan) as allocation:
                allocation.wait(timeout=PATIENCE)
                given += allocation.take()
    except (AllocationError, NegotiationError) as error:
        return given, str(error).removeprefix("the compositor did not allocate: ")


def kept(host: Host) -> str:
    """Memory up to the budget, whose descriptors stay when its client hangs up and comes again."""
    memory: list[DmaBuf] = []
    try:
        for _ in range(COMES_AGAIN):
            given, refusal = all_given(host)
            memory += given
            host.close()
        said = f"{mebibytes(memory)} MiB in all; then {refusal}"
        if os.geteuid() == 0:  # who else can be another user
            given, _ = all_given(host, NOBODY)
            memory += given
            said = f"{said}; another user {mebibytes(given)} MiB"
    finally:
        for one in memory:
            one.close()
    host.close()
    time.sleep(SETTLED)
    return said


def mebibytes(memory: list[DmaBuf]) -> int:
    return sum(one.size for one in memory) >> 20


def combined(host: Host) -> str:
    """More combinations of alternatives than anybody needs, all of which work."""
    manager, longest = host.client(), 0.0
    for participants, sets in SHAPES:
        for equal in (False, True):
            asked_now = never_asked(combinations(participants, sets, equal=equal))
            negotiation = made(manager, asked_now)
            start = time.monotonic()
            offers = negotiation.negotiate(timeout=PATIENCE).offers
            longest = max(longest, time.monotonic() - start)
            if not offers:
                return f"no plan for {participants} devices with {sets} alternatives"
            negotiation.close()
    return f"all answered, in {1e3 * longest:.0f} ms at most"


def long_sets(host: Host) -> str:
    """Sets of 250 KiB by who hangs up and comes again."""
    sets = 0
    for _ in range(20):
        manager = host.client()
        for _ in range(LONG_SETS):
            negotiation = made(manager, long_values())
            negotiation.negotiate(timeout=PATIENCE)
            negotiation.close()
            sets += 1
        host.close()
    return f"{sets} sets"


def many(host: Host) -> str:
    """A thousand negotiations, and then a hot-plug."""
    managers = [host.client() for _ in range(CLIENTS)]
    negotiations = many_answered(managers)
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
    ("memory up to the budget, kept; hung up", kept),
    ("81 to 125 combinations of alternatives", combined),
    ("sets of 250 KiB", long_sets),
    (f"{MANY} negotiations and a hot-plug", many),
    ("a look at the machine, and another, while one asks", looking),
    ("20 different sizes", sizes),
)  # fmt: skip


def measure(host: Host, host_name: str, yardstick: Yardstick) -> float:
    """Print a row for each: the longest wait of each time, and what was said the last time.

    Returned is how many times as long as at its best the same work took at most, in all rows.
    """
    most = 1.0
    for name, run in ROWS:
        times: list[Waits] = []
        yardstick.look()
        for _ in range(TIMES):
            ticker = Ticker(host.path, host.pid)
            try:
                said = run(host)
            finally:
                host.close()
                times.append(ticker.stop())
        longest, passed = max(one.blamed for one in times), max(one.passed for one in times)
        verdict = "" if longest <= LIMIT else f"  ABOVE {LIMIT:g} ms"
        each = " ".join(f"{one.blamed:5.2f}" for one in times)
        waits = f"{each} ms, {passed:6.1f} in all, of {sum(one.count for one in times):5}"
        stretch = yardstick.look()
        most = max(most, stretch.times)
        print(f"  {name:48} {waits}  {told(stretch)}  {said}{verdict}", flush=True)
        tell_both(f"{host_name}'s loop: {name}", longest / LIMIT, _BASE, stretch.times)
    return most


def told(stretch: Stretch) -> str:
    """In a row: what the same work took at its best, and at its longest in the row's time."""
    return f"[{stretch.least:.2f} -> {stretch.longest:5.2f} ms of {stretch.count:4}]"


def tell_both(figure: str, ratio: float, base: str, stretched: float) -> None:
    """A row of the table that has a limit, and one of it without what the machine made of it."""
    tell_ratio(figure, ratio, base, limit=1)
    tell_ratio(
        f"{figure}, by the same work", ratio / stretched, f"{base}, stretched {stretched:.1f} times"
    )


def tell_slices(slices: SliceTimes, host_name: str, stretched: float) -> None:
    """Print the longest slice of all rows, beside how much the same work was stretched."""
    longest = slices.longest
    verdict = "" if longest <= SLICE_LIMIT else f"  ABOVE {SLICE_LIMIT:g} ms"
    same = f"[stretched up to {stretched:.1f} times]"
    print(f"  {'the longest slice':48} {longest:5.2f} ms of {slices.count}  {same}{verdict}")
    base = f"{SLICE_LIMIT:g} ms of processor time"
    tell_both(f"{host_name}'s longest slice", longest / SLICE_LIMIT, base, stretched)


def taken_away() -> float:
    """Milliseconds that were counted for a process at once which did nothing but look, in 2 s."""
    longest, last = 0.0, time.thread_time()
    end = last + 2
    while last < end:
        now = time.thread_time()
        longest, last = max(longest, now - last), now
    return 1e3 * longest


def main() -> None:
    """Measure and print."""
    host_of = weston if sys.argv[1:] == ["weston"] else reference
    name = host_of.__name__
    with tempfile.TemporaryDirectory(prefix="heapwire-") as folder:
        os.environ["XDG_RUNTIME_DIR"] = folder
        os.environ[FILE] = f"{folder}/slices"
        slices = SliceTimes(Path(os.environ[FILE]))
        try:
            with contextlib.closing(Yardstick()) as yardstick, host_of(Path(folder)) as host:
                print(
                    f"{name}: the ticker's longest wait, limit {LIMIT:g} ms; "
                    f"who only looks at its clock misses up to {taken_away():.2f} ms of it; "
                    "[the same work beside it: at its best -> at its longest]"
                )
                stretched = measure(host, name, yardstick)
                host.end()
            tell_slices(slices, name, stretched)
        except MachineError as error:
            print(f"{name}: not measured: {error}")
            tell_ratio(f"{name}'s loop", math.inf, _BASE, limit=1)


if __name__ == "__main__":
    main()
