"""The clients in C and in Python make the same of the same answers: negotiation_vectors.json.

What is not in a version's enums is no fault where it only explains, and one where it decides.
"""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from answer_document import document
from answering_compositor import AnsweringCompositor
from patience import PATIENCE
from telling_compositor import LEAK_CHECK, WRAPPERS, in_c

from heapwire.client_lib import Connection
from heapwire.client_lib.negotiation import NegotiationManager
from heapwire.protocol import PeerError
from heapwire.protocol.values import Extent, Extents

HERE = Path(__file__).parent
VECTORS = json.loads((HERE / "negotiation_vectors.json").read_text("utf-8"))
CASES = [pytest.param(case, id=case["name"]) for case in VECTORS]
PEER = {"fault": "peer"}


@pytest.mark.system(
    *("wayland-scanner", "cc", "pkg-config", "wayland-protocols.pc", "wayland-client.pc"),
)
@pytest.mark.parametrize("wrapper", WRAPPERS)
@pytest.mark.parametrize("case", CASES)
def test_in_c(case: dict[str, Any], wrapper: tuple[str, ...], program: Callable[..., Path]) -> None:
    compositor = AnsweringCompositor(case["events"])
    try:
        answers = in_c(program(HERE / "plan.c"), compositor, wrapper, arguments=("64", "0", "1"))
    finally:
        compositor.close()
    assert answers == case["answers"]


@pytest.mark.system("valgrind")
def test_nothing_is_lost_of_answers_that_are_given_up(program: Callable[..., Path]) -> None:
    """Each kind of thing that is kept of an answer, and then the answer is none."""
    good = next(case for case in VECTORS if case["name"] == "the layout is left to the allocator")
    bad = next(case for case in VECTORS if case["name"] == "no plan")
    whole = [*good["events"][:-1], *bad["events"][:-1]]
    compositor = AnsweringCompositor([*whole, ["done", 1, 1], *whole, ["done", 9, 9]])
    try:
        plan = program(HERE / "plan.c")
        _, last = in_c(plan, compositor, LEAK_CHECK, arguments=("64", "0", "1"))
    finally:
        compositor.close()
    assert last == PEER


@pytest.mark.parametrize("case", CASES)
def test_in_python(case: dict[str, Any]) -> None:
    compositor = AnsweringCompositor(case["events"])
    answers: list[dict[str, Any]] = []
    try:
        with Connection(compositor.socket.detach()) as connection:
            negotiation = NegotiationManager(connection).default_negotiation()
            negotiation.on_batch = lambda batch: answers.append(document(batch))
            negotiation.set_extents(Extents(coded=Extent(1920, 1080)))
            try:
                negotiation.commit()
                connection.roundtrip(timeout=PATIENCE)
                connection.roundtrip(timeout=PATIENCE)
            except PeerError:
                answers.append(PEER)
            with contextlib.suppress(PeerError):
                negotiation.close()
    finally:
        compositor.close()
    assert answers == case["answers"]
