"""Whatever clients send to a stock Weston with the module: it goes on as it was.

A seed makes the same messages here as for the reference compositor (tests/fuzz), but for what needs
a global that this Weston does not have.
"""

from __future__ import annotations

import os

import pytest
import signatures
from fuzzing import Fuzzer
from target import Target

pytestmark = [
    pytest.mark.system("weston", "libweston-*.pc", "cc", "pkg-config"),
]

SEED = os.environ.get("SEED") or "1"
MESSAGES = int(os.environ.get("MESSAGES", "4000"))


@pytest.mark.timeout(0)
def test_made_up_clients(weston) -> None:
    target = Target(weston.process, weston.socket, weston.folder / "log")
    fuzzer = Fuzzer(target, signatures.read())
    fuzzer.run(SEED, MESSAGES)
    print(f"seed {SEED}: {fuzzer.tally}")
    assert fuzzer.tally.ended < fuzzer.tally.connections, "most clients do more than one thing"
    fuzzer.close()
    target.stop()
