"""The JSON schemas that are shipped, against what the commands print of every machine."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from json_schema import faults

from heapwire.kernel.description import shipped

SCHEMAS = Path(__file__).parents[2] / "cli/schemas"


@pytest.fixture
def schema(heapwire):
    """The schema of a command, as it prints it."""
    return lambda command: heapwire(command, "--schema").document


@pytest.mark.parametrize("name", shipped())
def test_a_list_is_as_its_schema_says(heapwire, schema, name):
    whole = schema("list")
    assert list(faults(heapwire("list", "--platform", name, "--json").document, whole, whole)) == []


@pytest.mark.parametrize("name", shipped())
@pytest.mark.parametrize("words", [(), ("--protected",), ("--size", "16000x9000")])
def test_an_answer_is_as_its_schema_says(heapwire, schema, name, words):
    whole = schema("explain")
    document = heapwire("explain", "--platform", name, *words, "--json").document
    if "error" not in document:  # nobody there takes part
        assert list(faults(document, whole, whole)) == []


def test_a_list_with_a_policy_is_too(heapwire, schema, tmp_path):
    policy = tmp_path / "policy.toml"
    policy.write_text(
        '[[device]]\nname = "hvs"\n[[device.use]]\nusage = "scanout"\n'
        'constraints = [{ type = "address-range", value = ["0", "0xfff"], source = "measured" }]\n'
    )
    whole = schema("list")
    arguments = ("list", "--platform", "raspberry-pi-4", "--policy", policy, "--json")
    document = heapwire(*arguments).document
    assert "policy" in document
    assert any(use["overruled"] for one in document["devices"] for use in one["usages"])
    assert list(faults(document, whole, whole)) == []


@pytest.mark.parametrize("name", shipped())
def test_what_a_compositor_tells_is_as_its_schemas_say(heapwire, serving, name):
    feedback, answer = "feedback", ("negotiate", "--platform", name)
    with serving(name) as compositor:
        told = heapwire(feedback, "--json").document  # looked at as it is read (conftest.py)
        assert told["sources"]
        assert heapwire(feedback, "--fullscreen", "--json").document["tranches"]
        for words in (("--format", "XRGB8888"), ("--protected", "--format", "NV12")):
            answered = heapwire(*answer, "--fullscreen", *words, "--json").document
            assert answered["planned_by"] == "the compositor"
        # Nobody has this one, so that each goal has a conflict.
        assert heapwire(*answer, "--format", "0x31313131", "--json").document["failures"]
        assert compositor.plugin.platform.sources


@pytest.mark.parametrize("name", shipped())
def test_what_two_machines_differ_in_is_as_its_schema_says(heapwire, name):
    assert heapwire("diff", "raspberry-pi-4", name, "--json").document["first"] == "raspberry-pi-4"


def test_what_is_missing_is_as_its_schema_says(heapwire, serving, tmp_path):
    with serving("raspberry-pi-4"):
        assert heapwire("doctor", "--json").document["checks"]  # of the machine that this runs on
    (tmp_path / "sys").mkdir()
    assert not heapwire("doctor", "--root", tmp_path, "--json").document["ready"]


@pytest.mark.parametrize(
    "command", sorted(file.stem for file in SCHEMAS.iterdir() if file.suffix == ".json")
)
def test_a_command_prints_its_schema_whatever_else_it_wants(heapwire, command):
    run = heapwire(command, "--schema")
    assert run.status == 0
    assert json.loads(run.out)["title"] == f"heapwire {command} --json"


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        ({"simulated": "yes"}, ".simulated: 'yes' is not of boolean"),
        ({"schema_version": 2}, ".schema_version: 2 is not 1"),
        ({"heaps": [{}]}, ".heaps[0].kind is missing"),
        ({"invented": 1}, ".invented is not named"),
    ],
)
def test_what_is_not_as_a_schema_says_is_found(heapwire, schema, change, fault):
    whole = schema("list")
    document = heapwire("list", "--platform", "raspberry-pi-4", "--json").document
    assert fault in list(faults({**document, **change}, whole, whole))


def test_the_players_share_a_schema(schema):
    assert schema("camera") == schema("play")
