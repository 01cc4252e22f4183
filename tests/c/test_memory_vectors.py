"""Which memory is taken for a pair of a tranche, alike in C and in Python: memory_vectors.json."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from patience import PATIENCE
from problem_building import ask, of
from telling_compositor import (
    VECTORS,
    WRAPPERS,
    TellingCompositor,
    client_socket,
    events,
    in_c,
)

from heapwire.client_lib import Connection, ExtendedFeedback, LinuxDmabuf
from heapwire.client_lib.negotiation.told_goals import told_participants
from heapwire.protocol.explain import solve
from heapwire.protocol.values import FormatModifier, Goal, Participant, Source, SourceId, Usage
from heapwire.protocol.wire import DmabufFeedback

HERE = Path(__file__).parent
CASES = [
    pytest.param(case, id=case["name"])
    for case in json.loads((HERE / "memory_vectors.json").read_text("utf-8"))
]


@pytest.mark.system(
    *("wayland-scanner", "cc", "pkg-config", "wayland-protocols.pc", "wayland-client.pc"),
)
@pytest.mark.parametrize("wrapper", WRAPPERS)
@pytest.mark.parametrize("case", CASES)
def test_in_c(case: dict[str, Any], wrapper: tuple[str, ...], program: Callable[..., Path]) -> None:
    compositor = TellingCompositor(VECTORS["sources"], events(case))
    try:
        assert in_c(program(HERE / "taken.c"), compositor, wrapper) == [case["taken"]]
    finally:
        compositor.close()


@pytest.mark.parametrize("case", CASES)
def test_in_python(case: dict[str, Any]) -> None:
    compositor = TellingCompositor(VECTORS["sources"], events(case))
    told: list[DmabufFeedback] = []
    try:
        with Connection(client_socket(compositor)) as connection:
            dmabuf = LinuxDmabuf(connection)
            ExtendedFeedback(dmabuf, None, told.append)
            connection.wait(lambda: bool(told), what="feedback", timeout=PATIENCE)
            assert dmabuf.sources is not None
            sources = tuple(
                Source(id=one.id, name=one.name, contiguous=one.contiguous)
                for one in dmabuf.sources.sources.values()
            )
    finally:
        compositor.close()
    taken = [
        [*pair, taken_for(FormatModifier(*pair), told[0], sources)]
        for pair in ([fourcc, modifier] for fourcc, modifier, _ in case["taken"])
    ]
    assert taken == case["taken"]


def taken_for(
    pair: FormatModifier, feedback: DmabufFeedback, sources: tuple[Source, ...]
) -> list[int] | None:
    """The kind and the numbers of the memory that is planned for who can write that pair alone."""
    devices = told_participants(feedback.tranches[0])
    writer = Participant(name="writer", usage=Usage.CPU_WRITE, sets=(of(pair),))
    goal = Goal(name="tranche", participants=devices)
    answer = solve(ask(writer, goals=(goal,), sources=sources, size=(64, 64)))
    if not answer.plans:
        return None
    (source,) = {one.source for one in answer.plans[0].layout.objects}
    found = next(one.id for one in sources if source in (one.id, one.name))
    assert isinstance(found, SourceId)
    return [found.kind, found.major, found.minor]
