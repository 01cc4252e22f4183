"""Whatever clients send, in whatever order they end: the compositor goes on as it was.

make fuzz                             # a million messages of a seed of its own
make fuzz SEED=5 MESSAGES=20000       # again what a failure has named
"""

from __future__ import annotations

import os
import secrets
from pathlib import Path

import pytest
from fuzzing import Fuzzer

HERE = Path(__file__).parent
MESSAGES = int(os.environ.get("MESSAGES", "4000"))
SEED = os.environ.get("SEED") or ("1" if os.environ.get("CI") == "true" else secrets.token_hex(4))
FOUND = [
    line.split(maxsplit=2)[:2]
    for line in (HERE / "seeds.txt").read_text("utf-8").splitlines()
    if line and not line.startswith("#")
]


@pytest.mark.parametrize(("seed", "messages"), FOUND or [("0", "100")])
def test_seeds_that_found_something(fuzzer: Fuzzer, seed: str, messages: str) -> None:
    fuzzer.run(seed, int(messages))


@pytest.mark.timeout(0)
def test_made_up_clients(fuzzer: Fuzzer) -> None:
    fuzzer.run(SEED, MESSAGES)
    print(f"seed {SEED}: {fuzzer.tally}")
    assert fuzzer.tally.ended < fuzzer.tally.connections, "most clients do more than one thing"
    assert fuzzer.tally.descriptors, "some of them got as far as memory or a table"
