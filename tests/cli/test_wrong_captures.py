"""`heapwire replay` of what is no capture: the file and the place, whatever is in it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

CAPTURE = json.loads(Path(__file__).parents[1].joinpath("captures/pi-nv12.json").read_text("utf-8"))


def changed(path, value):
    """The capture with another value at a path of its first problem."""
    capture = json.loads(json.dumps(CAPTURE))
    inner = capture["negotiations"][0]["problem"]
    for key in path[:-1]:
        inner = inner[key]
    inner[path[-1]] = value
    return json.dumps(capture, indent=1)


FIRST_SET = ("participants", 0, "sets", 0)
CONSTRAINT = (*FIRST_SET, "constraints", 0)


def of(type_, value):
    return {"type": type_, "value": value}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[" * 100_000, ":1: brackets stand in more than 64 others"),
        ('\n{"a":' * 100_000, ":66: brackets stand in more than 64 others"),
        ("\n" + "9" * 5000, ":2: a number or key has more than 1000 characters"),
        ("\ufeff{}", ":1: it begins with a byte order mark"),
        ("\0", ":1: this is not JSON"),
        ("", ":1: this is not JSON"),
        ("NaN", "this is not a heapwire capture"),
        (changed(CONSTRAINT, of("when-width", 5)), "constraints[0].value: this is no range"),
        (changed(CONSTRAINT, of("pitch-alignment", [1, 2])), "this is no uint"),
        (changed(CONSTRAINT, of("pitch-alignment", -1)), "this is no uint"),
        (changed(CONSTRAINT, of("pitch-alignment", 1 << 64)), "this is no uint"),
        (changed(CONSTRAINT, of("address-range", [True, 5])), "is no value of a constraint"),
        (changed(CONSTRAINT, of("permitted-sources", [])), "this is no sources"),
        (changed(CONSTRAINT, of("max-hops", [["226:1", 1], ["226:0", 1]])), "this is no pairs"),
        (changed(CONSTRAINT, of("fences", {"bytes": "00"})), "this is no mask"),
        (changed(CONSTRAINT, of("contiguous", 0)), "this is no flag"),
        (changed(CONSTRAINT, of("0x123456789", 0)), "type: a type is a number of 32 bits"),
        (changed((*CONSTRAINT, "planes"), 16), "planes: 0x10 is no mask of four planes"),
        (changed((*FIRST_SET, "costs"), [1] * 99), "sets[0].costs: one for each of formats"),
        (changed((*FIRST_SET, "formats"), ["NV12:0x0"] * 2), "formats: a pair stands here twice"),
        (changed(("sources", 0, "alignment"), 0), "sources[0].alignment: a number of bytes"),
        (changed(("sources", 0, "capacity"), -5), "sources[0].capacity: a number of bytes"),
        (changed(("sources", 0, "address_range"), [9, 3]), "sources[0].address_range: the lowest"),
        (changed(("content",), {"rotation": 45}), "content.rotation: a picture is turned by"),
        (changed(("counts",), {"minimum": -4}), "counts: a count is from 0"),
        (
            changed(
                ("fixed",),
                {
                    "format": "NV12:0x0",
                    "layout": {
                        "kind": "fixed",
                        "extent": "64x64",
                        "objects": [],
                        "planes": [{"object": 0, "offset": 0, "pitch": 64}],
                    },
                },
            ),
            "fixed.layout.planes[0].object: there is no such object",
        ),
    ],
)  # fmt: skip
def test_what_is_wrong_is_said_with_its_place(heapwire, tmp_path, text, said):
    path = tmp_path / "capture.json"
    path.write_text(text, "utf-8")
    run = heapwire("replay", path)
    assert run.status == 1
    (line,) = run.err.splitlines()
    assert line.startswith(f"heapwire: {path}:")
    assert said in line
    assert len(line) < 500


@pytest.mark.parametrize(
    ("events", "said"),
    [
        ([["done"]], "events[0]: done with 0 arguments, not 2"),
        ([["done", 1, 2, 3]], "events[0]: done with 3 arguments, not 2"),
        ([["done", "1", 2]], "events[0]: '1' is no argument of the kind u"),
        ([["done", -1, 2]], "events[0]: -1 is no argument of the kind u"),
        ([["done", 1 << 32, 2]], "events[0]: 4294967296 is no argument of the kind u"),
        ([["format_table", 7]], "events[0] is no event of a negotiation"),
        ([["plan_plane", 0, 0, 64]], "an event of a plan outside any"),
    ],
)
def test_an_exchange_has_the_events_of_the_protocol(heapwire, tmp_path, events, said):
    path = tmp_path / "exchange.json"
    exchange = {"schema_version": 1, "kind": "heapwire exchange", "events": events, "batches": []}
    path.write_text(json.dumps(exchange))
    run = heapwire("replay", path)
    assert (run.status, run.err) == (1, f"heapwire: {path}: {said}\n")


@pytest.mark.parametrize("path", ["/dev/zero", "/proc/self/mem", "/", "/nonexistent/file"])
@pytest.mark.parametrize("command", [("replay",), ("list", "--platform"), ("list", "--policy")])
def test_what_is_no_file_of_ours_is_said(heapwire, path, command):
    run = heapwire(*command, path)
    assert run.status == 1
    (line,) = run.err.splitlines()
    assert line.startswith(f"heapwire: {path}")
