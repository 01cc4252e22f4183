"""The client in C and the one in Python make the same of the same events: feedback_vectors.json."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from patience import PATIENCE
from telling_compositor import (
    VECTORS,
    WRAPPERS,
    TellingCompositor,
    client_socket,
    events,
    in_c,
)

from heapwire.client_lib import Connection, ExtendedFeedback, LinuxDmabuf
from heapwire.protocol import PeerError
from heapwire.protocol.values import Provenance
from heapwire.protocol.wire import DmabufFeedback
from heapwire.protocol.wire.bindings import FeedbackSourcesFlag, SourcesProperty
from heapwire.protocol.wire.constraint_value import encode_value

HERE = Path(__file__).parent
CASES = [pytest.param(case, id=case["name"]) for case in VECTORS["feedback"]]
SOURCES = [
    {
        "id": [kind, major, minor],
        "properties": properties,
        "known": known,
        "size": high << 32 | low,
        "name": name,
    }
    for _, kind, major, minor, properties, known, high, low, name in VECTORS["sources"][:-1]
]
# The same numbers as another source, and a source that has gone again, in one group.
AGAIN = [
    *VECTORS["sources"][:-1],
    ["source", 0, 250, 7, 0, 7, 0, 0, "short-lived"],
    ["source_gone", 0, 250, 1],
    ["source_gone", 0, 250, 7],
    ["source", 0, 250, 1, 2, 3, 0, 4096, "reserved"],
    ["done"],
]
AGAIN_SOURCES = [
    *(one for one in SOURCES if one["id"] != [0, 250, 1]),
    {"id": [0, 250, 1], "properties": 2, "known": 3, "size": 4096, "name": "reserved"},
]


def whole(answer: dict[str, Any]) -> dict[str, Any]:
    """A set for all pairs of its tranche as one that names them; of a fault only whose it is."""
    if "fault" in answer:
        return {"fault": {3: "peer"}[answer["fault"]]}
    for tranche in answer["tranches"]:
        for entry in tranche["sets"]:
            entry["pairs"] = entry["pairs"] or tranche["pairs"]
    return answer


def document(feedback: DmabufFeedback) -> dict[str, Any]:
    """A batch of the Python client as the C program prints it."""

    def flags(constraint: Any) -> int:
        presumed = constraint.provenance is Provenance.PRESUMPTION
        return FeedbackSourcesFlag.MUST_UNDERSTAND * constraint.must_understand | (
            FeedbackSourcesFlag.PRESUMED * presumed
        )

    def number(device: Any) -> int:
        return device.dev_t if device is not None else 0

    def pairs(formats: Any) -> list[list[int]]:
        return [[pair.fourcc, pair.modifier] for pair in formats]

    return {
        "main_device": number(feedback.main_device),
        "described": all(tranche.memory is not None for tranche in feedback.tranches),
        "tranches": [
            {
                "device": number(tranche.device),
                "flags": int(tranche.flags),
                "pairs": pairs(tranche.formats),
                "sources": [
                    [source.kind, source.major, source.minor]
                    for source in (tranche.memory.sources if tranche.memory else ())
                ],
                "sets": [
                    {
                        "device": entry.device,
                        "pairs": pairs(entry.set.formats),
                        "constraints": [
                            [
                                one.type,
                                one.planes,
                                int(flags(one)),
                                encode_value(one.type, one.value).hex(),
                            ]
                            for one in entry.set.constraints
                        ],
                    }
                    for entry in (tranche.memory.sets if tranche.memory else ())
                ],
            }
            for tranche in feedback.tranches
        ],
    }


@pytest.mark.system(
    *("wayland-scanner", "cc", "pkg-config", "wayland-protocols.pc", "wayland-client.pc"),
)
@pytest.mark.parametrize("wrapper", WRAPPERS)
@pytest.mark.parametrize("case", CASES)
def test_in_c(case: dict[str, Any], wrapper: tuple[str, ...], program: Callable[..., Path]) -> None:
    compositor = TellingCompositor(VECTORS["sources"], events(case), case.get("version", 5))
    try:
        sources, *answers = in_c(program(HERE / "decode.c"), compositor, wrapper)
    finally:
        compositor.close()
    assert sources == SOURCES
    assert [whole(answer) for answer in answers] == case["answers"]


@pytest.mark.parametrize("case", CASES)
def test_in_python(case: dict[str, Any]) -> None:
    compositor = TellingCompositor(VECTORS["sources"], events(case), case.get("version", 5))
    answers: list[dict[str, Any]] = []
    try:
        with Connection(client_socket(compositor)) as connection:
            dmabuf = LinuxDmabuf(connection)
            assert dmabuf.sources is not None
            connection.roundtrip(timeout=PATIENCE)
            assert [
                (source.id.kind, source.id.major, source.id.minor, source.name, source.size or 0)
                for source in dmabuf.sources.sources.values()
            ] == [(*one["id"], one["name"], one["size"]) for one in SOURCES]
            for source, one in zip(dmabuf.sources.sources.values(), SOURCES, strict=True):
                known = bool(one["known"] & SourcesProperty.CONTIGUOUS)
                assert (source.contiguous is not None) == known
            ExtendedFeedback(
                dmabuf,
                None,
                lambda feedback: answers.append(document(feedback)),
                lambda _: answers.append({"fault": "peer"}),
            )
            for _ in range(2):  # as often as a case settles
                with contextlib.suppress(PeerError):
                    connection.roundtrip(timeout=PATIENCE)
    finally:
        compositor.close()
    assert answers == case["answers"]


@pytest.mark.system(
    *("wayland-scanner", "cc", "pkg-config", "wayland-protocols.pc", "wayland-client.pc"),
)
def test_in_c_the_same_numbers_again_are_a_new_source(program: Callable[..., Path]) -> None:
    compositor = TellingCompositor(AGAIN, events(VECTORS["feedback"][0]), 5)
    try:
        sources = in_c(program(HERE / "decode.c"), compositor)[0]
    finally:
        compositor.close()
    assert sources == AGAIN_SOURCES


def test_in_python_the_same_numbers_again_are_a_new_source() -> None:
    compositor = TellingCompositor(AGAIN, [])
    try:
        with Connection(client_socket(compositor)) as connection:
            told = LinuxDmabuf(connection).sources
            assert told is not None
            connection.roundtrip(timeout=PATIENCE)
            sources = told.sources.values()
    finally:
        compositor.close()
    assert [(source.id.minor, source.name, source.size or 0) for source in sources] == [
        (one["id"][2], one["name"], one["size"]) for one in AGAIN_SOURCES
    ]
    assert [(source.contiguous, source.protected) for source in sources][-1] == (False, True)
