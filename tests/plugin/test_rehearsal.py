"""Nothing is loaded in a slice: what answers a client was run before there was one."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from heapwire.compositor_plugin import rehearsal, rehearse
from heapwire.compositor_plugin.answering import SolverCall, tried
from heapwire.kernel.description import Platform, shipped
from heapwire.kernel.memory import MemfdMemory
from heapwire.protocol.solver import SolverMemory
from heapwire.protocol.values import Answer, FailureReason

PROGRAM = """
import json, sys
from heavy_questions import ask_odd_pitches
from stage import Stage

from heapwire.compositor_plugin import rehearse

with Stage() as stage:
    rehearse(stage.platform)
    before = set(sys.modules)
    client = stage.client()
    ask_odd_pitches(client, client.negotiation(), 1)
    client.ask(client.negotiation(), decoder=stage.decoder())
    print(json.dumps(sorted(set(sys.modules) - before)))
"""


def loaded_by_questions() -> list[str]:
    """The modules that a plan and a conflict load, in a new interpreter."""
    here = Path(__file__).parent
    path = os.pathsep.join([str(here), str(here.parent / "common")])
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM],
        env={**os.environ, "PYTHONPATH": path},
        capture_output=True,
        text=True,
        check=True,
    )
    found: list[str] = json.loads(done.stdout)
    return [name for name in found if name.startswith("heapwire.")]


def test_a_client_has_nothing_loaded() -> None:
    assert loaded_by_questions() == []


def rehearsed(platform: Platform, monkeypatch) -> list[tuple[SolverCall, Answer | None]]:
    """What is asked in a rehearsal, and what comes of it."""
    asked: list[tuple[SolverCall, Answer | None]] = []

    def noted(call: SolverCall, memory: SolverMemory | None, seconds: float) -> Answer | None:
        asked.append((call, tried(call, memory, seconds)))
        return asked[-1][1]

    monkeypatch.setattr(rehearsal, "tried", noted)
    rehearse(platform)
    return asked


def test_both_kinds_of_answer_are_rehearsed_within_a_trial(monkeypatch) -> None:
    """Also for a machine of which nothing is known."""
    nothing = Platform(name="nothing", sources=(), devices=(), memory=MemfdMemory(()))
    (_, plan), (_, conflict), *_ = rehearsed(nothing, monkeypatch)
    assert plan is not None
    assert plan.plans
    assert conflict is not None
    assert conflict.reason == FailureReason.CONFLICT
    assert len(conflict.conflict) > 1


@pytest.mark.parametrize("name", shipped())
def test_each_machine_is_rehearsed(name, monkeypatch) -> None:
    """A plan of its own, explained or not, and one that is kept: as after a hot-plug."""
    platform = Platform.load(name)
    known = {source.id for source in platform.sources}
    of_it = [
        (call, answer)
        for call, answer in rehearsed(platform, monkeypatch)
        if known.intersection(source.id for source in call.problem.sources)
    ]
    with_plans = [call for call, answer in of_it if answer is not None and answer.plans]
    assert {call.explained for call in with_plans} == {False, True}
    assert any(call.problem.fixed for call in with_plans)
