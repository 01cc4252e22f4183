"""Sandboxes that are made up: wrong files, wrong orders, odd names, and ends at once."""

from __future__ import annotations

from collections import deque
from random import Random

import pytest
from fuzzing import Fuzzer, Player
from raw_connection import RawConnection
from scripts import FILES, Script

MANAGER, CONTEXT = "wp_security_context_manager_v1", "wp_security_context_v1"
SAYS = ("set_sandbox_engine", "set_app_id", "set_instance_id")
NAMES = (b"", b"org.flatpak", b"\xff\xfe", b"\x1b[2J", b"a" * 4000, "ä".encode() * 100)


def sandbox(script: Script) -> None:
    """Contexts of which some come to be; each pipe has hung up when it arrives."""
    random = script.random
    for _ in range(random.randrange(1, 4)):
        manager = script.bind(MANAGER)
        context = script.new(CONTEXT)
        listening = "listening" if random.random() < 0.9 else random.choice(FILES)
        files = (listening, "pipe")
        script.request(manager, "create_listener", context, files=files)
        said = random.sample(SAYS, random.randrange(4))
        if random.random() < 0.1:
            said.append(random.choice(SAYS))
        for what in said:
            script.request(context, what, random.choice(NAMES))
        for _ in range(random.choice((0, 1, 1, 1, 1, 2))):
            script.request(context, "commit")
        if random.random() < 0.7:
            script.request(context, "destroy")
        script.sync()


@pytest.mark.timeout(0)
def test_made_up_sandboxes(fuzzer: Fuzzer) -> None:
    for number in range(200):
        script = fuzzer.script(Random(number))
        sandbox(script)
        connection = RawConnection(fuzzer.target.socket)
        player = Player(connection, deque(script.steps), fuzzer.healthy)
        fuzzer.tally.connections += 1
        while not player.done:
            player.turn(fuzzer.tally)
        if number % 20 == 0:
            fuzzer.check()
    print(fuzzer.tally)
    assert 0 < fuzzer.tally.ended < fuzzer.tally.connections
