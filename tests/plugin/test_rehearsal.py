"""Nothing is loaded in a slice: what answers a client was run before there was one."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

from heapwire.compositor_plugin import rehearse
from heapwire.compositor_plugin.answering import SolverCall, rehearsal
from heapwire.compositor_plugin.answering.trial import tried
from heapwire.protocol.values import Answer, FailureReason

PROGRAM = """
import json, sys
from heavy_questions import ask_odd_pitches
from stage import Stage

from heapwire.compositor_plugin import rehearse

with Stage() as stage:
    rehearse()
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


def test_both_kinds_of_answer_are_rehearsed_within_a_trial(monkeypatch) -> None:
    answers = []

    def noted(call: SolverCall) -> Answer | None:
        answers.append(tried(call))
        return answers[-1]

    monkeypatch.setattr(rehearsal, "tried", noted)
    rehearse()
    plan, conflict = answers
    assert plan.plans
    assert conflict.reason == FailureReason.CONFLICT
    assert len(conflict.conflict) > 1
