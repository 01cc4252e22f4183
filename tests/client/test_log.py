"""What a client logs with the level `debug`: each refusal, with its reason."""

from __future__ import annotations

import logging

import pytest

from heapwire.client_lib import AllocationError
from heapwire.client_lib.buffers import allocate
from heapwire.kernel.description import Platform
from heapwire.kernel.memory import OutOfMemoryError
from heapwire.protocol.explain import solve
from heapwire.protocol.values import Extent, Extents, Goal, Usage


@pytest.fixture
def plan():
    board = Platform.load("raspberry-pi-4")
    problem = board.problem(
        participants=[board.participant("codec", Usage.DECODE)],
        goals=(Goal(name="sampling", participants=()),),
        extents=Extents(coded=Extent(64, 48)),
    )
    return solve(problem).plans[0]


class Full:
    openable = frozenset()

    def allocate(self, source, size, *, name="", shape=None):
        raise OutOfMemoryError("nothing is left")

    def identify(self, fd):
        return None


def test_memory_that_is_allocated_and_refused_is_logged(plan, caplog):
    caplog.set_level(logging.DEBUG, "heapwire.buffers")
    with allocate(plan, Platform.load("raspberry-pi-4").memory) as buffer:
        size = buffer.objects[0].size
    assert caplog.messages == [f"allocated {size} bytes of linux,cma"]
    caplog.clear()
    with pytest.raises(AllocationError) as refused:
        allocate(plan, Full())
    assert caplog.messages == [str(refused.value)]
    assert "nothing is left" in str(refused.value)
