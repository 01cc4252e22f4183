"""Whatever clients send, in whatever order they end: the compositor goes on as it was.

make fuzz                             # a million messages of a seed of its own
make fuzz SEED=5 MESSAGES=20000       # again what a failure has named
"""

from __future__ import annotations

import os
import re
import secrets
from pathlib import Path
from random import Random

import pytest
from fuzzing import Fuzzer
from scripts import Send

from heapwire.protocol.wire.bindings import (
    INTERFACES,
    XX_DMABUF_FEEDBACK_SOURCES_V1,
    XX_DMABUF_SOURCES_V1,
)

HERE = Path(__file__).parent
SCRIPTS = 400  # of which each request is in several
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


def test_no_request_is_left_out(fuzzer: Fuzzer) -> None:
    """Of none of the protocols, whoever of the managers is asked."""
    sent = {
        tuple(re.split(r"@\d+\.", step.words.split()[0]))
        for number in range(SCRIPTS)
        for step in fuzzer.made_up(Random(number)).steps
        if isinstance(step, Send) and "@" in step.words
    }
    served = (*INTERFACES, XX_DMABUF_SOURCES_V1, XX_DMABUF_FEEDBACK_SOURCES_V1)
    missing = {(one.name, request.name) for one in served for request in one.requests} - sent
    assert not missing


@pytest.mark.timeout(0)
def test_made_up_clients(fuzzer: Fuzzer) -> None:
    fuzzer.run(SEED, MESSAGES)
    print(f"seed {SEED}: {fuzzer.tally}")
    assert fuzzer.tally.ended < fuzzer.tally.connections, "most clients do more than one thing"
    assert fuzzer.tally.descriptors, "some of them got as far as memory or a table"
