"""The captures beside this file keep their answers.

Each is a negotiation as it was once answered, to the byte. Where an answer is meant to change,
`heapwire replay` shows the difference, and tests/captures/renew writes the new ones.
"""

from __future__ import annotations

from pathlib import Path

import pytest

CAPTURES = sorted((Path(__file__).resolve().parents[1] / "captures").glob("*.json"))


@pytest.mark.parametrize("path", CAPTURES, ids=lambda path: path.stem)
def test_the_answer_is_the_same_to_the_byte(heapwire, path):
    run = heapwire("replay", path)
    assert run.status == 0, run.out


def test_there_are_captures():
    assert len(CAPTURES) >= 10
