"""What a question costs in instructions of the interpreter: the same number on any machine.

A client asks the reference compositor in this process, and each bytecode instruction of the
compositor's thread is counted, libwayland's and the client's own left out. How long one takes
is the machine's matter, and what C functions do between them is not told apart.

    make bench-instructions                beside the base; fails where the solver costs a tenth
                                           more, or what a compositor takes with it a quarter
    make bench-instructions ARGS=--keep    let what it costs now be the base, of this version of
                                           Python
"""

from __future__ import annotations

import json
import os
import platform as python_platform
import socket
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from types import FrameType
from typing import Any

import shared_modules
from bench_answer import Plugin
from bench_solve import AIMS, BY_HAND, DISTINCT, SHARED, walk
from heard_question import heard, question_of
from merge_by_hand import as_by_hand, merged_by_hand
from ratio_table import tell_ratio
from solver_questions import four_planes, many_pairs, three_devices

from heapwire.compositor_plugin import spare_the_loop
from heapwire.compositor_plugin.answering import trial
from heapwire.compositor_plugin.hosts.reference import Compositor
from heapwire.kernel.description import Platform
from heapwire.protocol.explain import solve
from heapwire.protocol.solver import solve_plans
from heapwire.protocol.wire import Explanation

PLATFORM = "raspberry-pi-4"
QUESTIONS = 40
SOLVER = "solver: "
BASE = Path(__file__).with_name("instructions_base.json")
# Times the base. What the solver takes is the same in each run; how a question's requests arrive
# at a compositor, and how many turns its loop takes for them, is the machine's matter.
MOST, MOST_OF_THE_SOLVER = 1.25, 1.1


def instructions(work: Callable[[], object]) -> int:
    """How many of them some work takes, in this thread."""
    count = 0

    def traced(frame: FrameType, event: str, _argument: object) -> Any:  # noqa: ANN401
        nonlocal count
        frame.f_trace_opcodes, frame.f_trace_lines = True, False
        count += event == "opcode"
        return traced

    sys.settrace(traced)
    try:
        work()
    finally:
        sys.settrace(None)
    return count


def settled(work: Callable[[], object]) -> int:
    """How many of them it takes again: of code that it has not seen Python 3.13 counts a part."""
    instructions(work)
    return instructions(work)


def answered(compositor: Compositor, client: Plugin) -> None:
    """Dispatch until an answer has come."""
    while True:
        compositor.dispatch(50)
        try:
            if client.socket.recv(1 << 16, socket.MSG_DONTWAIT):
                return
        except BlockingIOError:
            pass


def questions(compositor: Compositor, client: Plugin, widths: list[int]) -> int:
    """The instructions of a question, of so many."""
    total = 0
    for width in widths:
        client.socket.sendall(client.question(width, 480))
        total += instructions(lambda: answered(compositor, client))
    return total // len(widths)


def counted() -> dict[str, int]:
    """The instructions of everything."""
    found: dict[str, int] = {}
    trial.clock = lambda: 0.0  # to count takes so long that a trial would be over
    with tempfile.TemporaryDirectory(prefix="heapwire-") as name:
        os.environ["XDG_RUNTIME_DIR"] = name
        with Compositor(Platform.load(PLATFORM), socket="count-0") as compositor:
            with compositor.running():
                clients = {
                    how: Plugin(Path(name) / "count-0", explanation)
                    for how, explanation in (
                        ("", Explanation.NONE),
                        (", explained", Explanation.ALL),
                    )
                }
            spare_the_loop()
            for how, client in clients.items():
                questions(compositor, client, [704, 720])
                widths = [736 + 16 * n for n in range(QUESTIONS)]
                found[f"a new question{how}"] = questions(compositor, client, widths)
                found[f"the same question{how}"] = questions(compositor, client, [640] * QUESTIONS)
    for row, problem in (
        (BY_HAND, many_pairs(2, 8, 4, 1)),
        (SHARED, many_pairs(4, 1200, 16, 16)),
        (DISTINCT, many_pairs(4, 1200, 16, 16, distinct=True)),
        ("4 planes x 16 drivers, related", four_planes(16)),
        ("3 devices with odd pitches", three_devices((528, 1456, 1360))),
    ):
        for what, how in (("plans", solve_plans), ("explained", solve)):
            found[f"{SOLVER}{row}, {what}"] = settled(lambda how=how, asked=problem: how(asked))
    return found


def compared() -> list[tuple[str, str, int]]:
    """Rows, what their plans are compared with, and its instructions."""
    merged, shared = many_pairs(2, 8, 4, 1), many_pairs(4, 1200, 16, 16)
    distinct = many_pairs(4, 1200, 16, 16, distinct=True)
    questions = {SHARED: question_of(shared), DISTINCT: question_of(distinct)}
    walked = {SHARED: shared, DISTINCT: distinct}
    assert merged_by_hand(merged) == [as_by_hand(plan) for plan in solve_plans(merged).plans]
    return [
        (BY_HAND, "a merge written by hand for it", settled(lambda: merged_by_hand(merged))),
        *(
            (row, "hearing alone", settled(lambda asked=asked: heard(asked)))
            for row, asked in questions.items()
        ),
        *(
            (row, "a walk over its pairs", settled(lambda asked=asked: walk(asked)))
            for row, asked in walked.items()
        ),
    ]


def main(options: list[str]) -> int:
    """Count and print; 1 if something costs too much more than it did, and is not kept."""
    version = ".".join(python_platform.python_version_tuple()[:2])
    bases: dict[str, dict[str, int]] = json.loads(BASE.read_text("utf-8"))
    found = counted()
    keep = "--keep" in options
    if keep:
        text = json.dumps({**bases, version: found}, indent=2)
        BASE.write_text(text + "\n", "utf-8")
    base, status = bases.get(version, {}), 0
    print(f"instructions of the interpreter, Python {version}" + ("" if base else ": no base"))
    for what, count in found.items():
        before = base.get(what, count)
        most = MOST_OF_THE_SOLVER if what.startswith(SOLVER) else MOST
        verdict = f"  ABOVE {most} times" if count > most * before else ""
        status |= bool(verdict) and not keep
        print(f"  {what:48} {count:7}, {count / before:.2f} times the base{verdict}")
        if what in base:
            tell_ratio(f"instructions, {what}", count / before, f"{before}, kept", limit=most)
    for row, other, count in compared():
        what = f"{SOLVER}{row}, plans"
        print(f"  {what}: {found[what] / count:.1f} times {other} ({count})")
        tell_ratio(f"instructions, {what}", found[what] / count, other, limit=AIMS[row])
    return status


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
