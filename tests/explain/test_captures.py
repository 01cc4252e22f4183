"""Problems as documents: every one is read back, and a wrong one is told where it is wrong."""

from __future__ import annotations

import json
from dataclasses import fields, replace

import pytest
from problem_building import CMA, NV12, SYSTEM, XRGB, ask, display, need, of, pair, part

from heapwire.protocol import (
    ANY_FOURCC,
    ANY_MODIFIER,
    BufferCount,
    BufferObject,
    CapturedProblem,
    ColourEncoding,
    Constraint,
    Content,
    DeviceId,
    Extent,
    Extents,
    FixedBuffer,
    FormatModifier,
    InputError,
    Json,
    Layout,
    LayoutKind,
    Place,
    PlaneLayout,
    Problem,
    Provenance,
    Topology,
    Usage,
    UsageError,
    capture_document,
    differences,
    parse_capture,
    solve,
)
from heapwire.protocol.explain import canonical, to_json
from heapwire.protocol.explain.problem_document import parse_problem, problem_document

GPU, DISPLAY = DeviceId(226, 128), DeviceId(226, 0)
FULL = Problem(
    participants=(
        part(
            "decoder",
            of(
                [NV12, FormatModifier(ANY_FOURCC, ANY_MODIFIER)],
                need("permitted-sources", (CMA.id, SYSTEM.id), provenance=Provenance.KERNEL),
                need("max-hops", ((DISPLAY, 1), (GPU, 2))),
                need("address-range", (0, 1 << 32)),
                need("fences", 0b110),
                replace(need("pitch-alignment", 64, 0, 1), must_understand=False),
                Constraint(type=0x7F00_0001, value=b"\x00\xff"),
                Constraint(type=0x7F00_0002, value=()),
                costs=(0, 3),
            ),
            usage=Usage.DECODE | Usage.CPU_READ,
            device=GPU,
        ),
    ),
    goals=ask(shown=(display(of(XRGB)),)).goals,
    sources=(replace(CMA, provenance={"contiguous": Provenance.TRIAL}), SYSTEM),
    extents=Extents(coded=Extent(64, 64), visible=Extent(60, 60), maximum=Extent(128, 64)),
    content=Content(protected=True, rotation=90, encoding=ColourEncoding.BT709),
    counts=BufferCount(minimum=4, queue=0, hold=1),
    topology=Topology(
        places={GPU: Place(("pci", "0000:01"), 1)},
        peer_links=frozenset({frozenset({GPU, DISPLAY})}),
    ),
    fixed=FixedBuffer(
        NV12,
        Layout(
            kind=LayoutKind.FIXED,
            extent=Extent(64, 64),
            objects=(BufferObject(CMA.id, 8192),),
            planes=(PlaneLayout(0, 0, 64), PlaneLayout(0, 4096, 64)),
        ),
    ),
    absent={SYSTEM.id: "gone"},
    format_costs={NV12: 0, pair("NV12", "SAMSUNG_64_32_TILE"): 2},
)


def test_a_problem_is_read_back() -> None:
    assert parse_problem(json.loads(json.dumps(problem_document(FULL)))) == FULL


def test_the_problem_above_leaves_no_default_alone() -> None:
    plain = Problem(participants=(), goals=(), sources=(), extents=FULL.extents)
    names = [field.name for field in fields(Problem)]
    assert [name for name in names if getattr(plain, name) == getattr(FULL, name)] == ["extents"]


def test_what_is_left_at_its_default_is_not_written() -> None:
    document = problem_document(ask(part("any", of(NV12))))
    assert set(document) == {"participants", "goals", "sources", "extents"}


def test_what_only_equals_its_default_is_written() -> None:
    assert to_json(Content(rotation=False)) == {"rotation": False}


def test_a_value_of_no_model_has_no_place_in_a_document() -> None:
    with pytest.raises(UsageError, match="no place in a document"):
        to_json(object())


def wrong(path: tuple[str | int, ...], value: Json) -> Json:
    """The document of the problem above with another value at a path; None takes it away."""
    document: Json = json.loads(json.dumps(problem_document(FULL)))
    inner = document
    for key in path[:-1]:
        inner = inner[key]  # type: ignore[index,call-overload]  # a path of the document
    if value is None:
        del inner[path[-1]]  # type: ignore[union-attr,arg-type]  # as above
    else:
        inner[path[-1]] = value  # type: ignore[index,call-overload]  # as above
    return document


FIRST_SET = ("participants", 0, "sets", 0)


@pytest.mark.parametrize(
    ("path", "value", "said"),
    [
        (("participants",), None, "problem: 'participants' is missing"),
        (("participants",), {}, "problem.participants: {} is not a list"),
        (("participants", 0), [], r"problem.participants\[0\]: \[\] is not an object"),
        (("participants", 0, "name"), 7, r"participants\[0\].name: 7 is not a text"),
        (("participants", 0, "name"), None, r"participants\[0\]: 'name' is missing"),
        (("participants", 0, "usage"), ["eat"], r"'eat' is none of decode, encode"),
        (("participants", 0, "device"), "226", r"'226' is not MAJOR:MINOR"),
        (("participants", 0, "device"), "4096:0", r"4096:0 is not a Linux device number"),
        ((*FIRST_SET, "formats", 0), "NV12:x", r"formats\[0\]: 'x' is not a format modifier"),
        ((*FIRST_SET, "formats", 0), "NV12", r"formats\[0\]: '' is not a pixel format"),
        ((*FIRST_SET, "costs", 0), True, r"costs\[0\]: True is not a number"),
        ((*FIRST_SET, "constraints", 0, "type"), "pitch", "no type of constraint 'pitch'"),
        ((*FIRST_SET, "constraints", 0, "type"), None, "'type' is missing"),
        ((*FIRST_SET, "constraints", 0, "value"), "x", "'x' is no value of a constraint"),
        ((*FIRST_SET, "constraints", 0, "value"), True, "True is no value of a constraint"),
        ((*FIRST_SET, "constraints", 0, "value"), {"bytes": "f"}, "'f' is not bytes in hex"),
        ((*FIRST_SET, "constraints", 0, "value"), ["lake 1:1"], "is not a source"),
        ((*FIRST_SET, "constraints", 0, "provenance"), "dream", "'dream' is none of presumption"),
        (("sources", 0, "address_range"), [1], "1 entries, not 2"),
        (("sources", 0, "colour"), "red", "'colour' is no entry of a Source"),
        (("extents", "coded"), "0x64", "0x64 is not a size"),
        (("topology", "places"), {"x": {}}, "problem.topology.places: 'x' is not MAJOR:MINOR"),
    ],
)
def test_a_wrong_problem_is_told_where(path: tuple[str | int, ...], value: Json, said: str) -> None:
    with pytest.raises(InputError, match=said):
        parse_problem(wrong(path, value))


def capture() -> dict[str, Json]:
    problem = ask(part("any", of(XRGB)))
    return capture_document([(problem, solve(problem))])


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"kind": "other"}, "not a heapwire capture"),
        ({"schema_version": 2}, "schema_version is not 1"),
        ({"negotiations": {}}, "no list of negotiations"),
        ({"negotiations": [{}]}, r"negotiations\[0\] has no problem and answer"),
        ({"negotiations": [{"problem": [], "answer": {}}]}, r"negotiations\[0\]\.problem: \[\] is"),
    ],
)
def test_what_is_no_capture(changed: dict[str, Json], said: str) -> None:
    with pytest.raises(InputError, match=said):
        parse_capture({**capture(), **changed})
    with pytest.raises(InputError, match="not a heapwire capture"):
        parse_capture([])


def test_another_answer_is_a_difference() -> None:
    (captured,) = parse_capture(capture())
    assert differences(captured) is None
    other = CapturedProblem(captured.problem, {**captured.answer, "message": "other"})
    told = differences(other)
    assert told is not None
    assert told[0] == canonical(other.answer)
    assert told[1] == canonical(captured.answer)


def test_the_canonical_text_does_not_depend_on_the_order_of_keys() -> None:
    assert (
        canonical({"b": "é", "a": 1})
        == canonical({"a": 1, "b": "é"})
        == ('{\n "a": 1,\n "b": "é"\n}')
    )
