"""Questions that take longer than a slice, and a way to keep them from being solved."""

from __future__ import annotations

import os
import signal
from collections.abc import Sequence
from contextlib import suppress

import pytest
from problem_building import need
from stage import DECODE, NV12, SIZE, XRGB, Client, Stage

from heapwire.compositor_plugin.answering import SolverQueue
from heapwire.protocol.values import Constraint, FormatModifier
from heapwire.protocol.wire.array import format_chunks

UNKNOWN = 0x7F000100  # a vendor's type that nobody knows
TRIED = 512  # pairs and constraints: docs/decisions/0010-slices.md


def ask_participants(
    client: Client,
    negotiation: int,
    cookie: int,
    *sets: tuple[FormatModifier, Sequence[Constraint]],
) -> None:
    """A participant for each set of a pair and constraints."""
    for number, (pair, constraints) in enumerate(sets, 1):
        set_ = client.constraint_set(pair, constraints=constraints)
        client.request(negotiation, "set_participant", number, DECODE, 81, number, f"p{number:02}")
        client.request(negotiation, "add_alternative", number, set_)
        client.request(set_, "destroy")
    client.request(negotiation, "set_extents", SIZE.width, SIZE.height, 0, 0, 0, 0)
    client.request(negotiation, "commit", cookie)


def ask_fences(client: Client, negotiation: int, cookie: int, unknowns: int = 58) -> None:
    """16 participants that each leave one fence out, so that nothing is left."""
    vendor = [
        Constraint(type=UNKNOWN + n, value=b"vendor", must_understand=False)
        for n in range(unknowns)
    ]
    everyone = [(XRGB, [need("fences", 0xFFFF & ~(1 << n)), *vendor]) for n in range(16)]
    ask_participants(client, negotiation, cookie, *everyone)


def ask_odd_pitches(client: Client, negotiation: int, cookie: int) -> None:
    """Three honest devices whose pitches cannot be met together."""
    devices = [
        (
            NV12,
            [
                need("pitch-alignment", alignment),
                need("max-pitch", 16384),
                need("scanline-alignment", 2 << n),
                need("size-alignment", 4096),
                need("max-width", 8192),
            ],
        )
        for n, alignment in enumerate((528, 1456, 1360))
    ]
    ask_participants(client, negotiation, cookie, *devices)


def ask_heavily(client: Client, negotiation: int, cookie: int) -> None:
    """A decoder that knows NV12 in more made-up modifiers than are tried, and LINEAR."""
    client.request(negotiation, "set_participant", 1, DECODE, 81, 3, "decoder")
    pairs = [FormatModifier(NV12.fourcc, 1 << 56 | n) for n in range(TRIED)]
    creator = client.new("xx_dmabuf_constraint_set_creator_v1")
    set_ = client.new("xx_dmabuf_constraint_set_v1")
    client.request(client.manager, "create_constraint_set", creator)
    for chunk in format_chunks([*pairs, NV12]):
        client.request(creator, "add_formats", 0, chunk)
    client.request(creator, "create", set_)
    client.request(negotiation, "add_alternative", 1, set_)
    client.request(negotiation, "set_extents", SIZE.width, SIZE.height, 0, 0, 0, 0)
    client.request(negotiation, "commit", cookie)


class Gate:
    """Stops the process that solves whenever it is given a question, until it is opened."""

    def __init__(self, stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
        self._stage = stage
        self._patch = monkeypatch.context()
        self.asked: list[int] = []  # the numbers of the clients' questions, in order
        self.pids: list[int] = []
        self.shut = True
        run = SolverQueue._run

        def stopped(queue: SolverQueue, process, job) -> None:
            if self.shut:
                os.kill(process.pid, signal.SIGSTOP)
            self.pids.append(process.pid)
            self.asked.append(job.client.address)
            run(queue, process, job)

        monkeypatch.setattr(SolverQueue, "_run", stopped)

    def wait(self) -> None:
        """Until a question is with the process, which cannot answer."""
        state = self._stage.plugin._state
        self._stage.until(
            lambda: bool(self.asked) or (state.solving.idle and not state.answers.busy)
        )
        assert self.asked, "it was answered on the loop"

    def open(self) -> None:
        """Let everything be solved."""
        self.shut = False
        for pid in set(self.pids):
            # One whose question nobody wants any more, or whose time is up, may be gone already.
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGCONT)


def later(stage: Stage, client: Client, negotiation: int, count: int = 1) -> list:
    """The next batches of an object, which may take a while."""
    found = client.batches(negotiation)
    stage.until(lambda: found.extend(client.batches(negotiation)) or len(found) >= count)
    return found
