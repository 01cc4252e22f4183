"""`heapwire replay`: captures keep their answers, and a change of them is shown."""

from __future__ import annotations

import json

import pytest

from heapwire.kernel.description import shipped


def captured(heapwire, path, platform="raspberry-pi-4"):
    # What MediaTek's decoder writes only a converter reads.
    unsolved = 1 if platform == "mediatek-mt8183" else 0
    assert heapwire("explain", "--platform", platform, "--capture", path).status == unsolved
    return path


@pytest.mark.parametrize("platform", shipped())
def test_a_capture_gives_the_same_answer(heapwire, tmp_path, platform):
    path = captured(heapwire, tmp_path / "capture.json", platform)
    run = heapwire("replay", path, "--json")
    assert run.status == 0
    assert run.document["same"] is True


def test_the_answer_is_solved_and_not_read(heapwire, tmp_path):
    path = captured(heapwire, tmp_path / "capture.json")
    capture = json.loads(path.read_text())
    for source in capture["negotiations"][0]["problem"]["sources"]:
        source["contiguous"] = False
    path.write_text(json.dumps(capture))
    run = heapwire("replay", path)
    assert run.status == 1
    assert "another answer" in run.out
    assert '+ "satisfiable": false' in run.out


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{", ":1: this is not JSON"),
        ("[]", "this is not a heapwire capture"),
        ('{"kind": "heapwire capture", "schema_version": 9}', "schema_version is not 1"),
        (
            '{"kind": "heapwire capture", "schema_version": 1, "negotiations": [{"problem": '
            '{"participants": 3}, "answer": {}}]}',
            "negotiations[0].problem.participants: 3 is not a list",
        ),
    ],
)
def test_a_broken_capture_is_pointed_at(heapwire, tmp_path, text, message):
    path = tmp_path / "capture.json"
    path.write_text(text)
    run = heapwire("replay", path)
    assert run.status == 1
    assert message in run.err
