"""What failed, for people and for programs: a slip with what was meant, an object with `--json`."""

from __future__ import annotations

import json

import pytest

import heapwire.cli.explain as heapwire_explain
from heapwire.client_lib import NoCompositorError
from heapwire.protocol import InputError

EXPLAIN = ("explain", "--platform", "raspberry-pi-4", "--format", "NV12", "--json")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("explain", "--fromat", "NV12"), "there is no option --fromat; did you mean '--format'?"),
        (("list", "--plaform=local"), "there is no option --plaform; did you mean '--platform'?"),
        (("diff", "--sjon"), "there is no option --sjon; did you mean '--json'?"),
        (("check-frame", "--objekt=a:1", "--format"), "there is no option --objekt; did you mean"),
        (("protocol", "xml", "--outputs"), "there is no option --outputs; did you mean '--output'"),
        (("list", "--bogus"), "there is no option --bogus; there are --help, --platform,"),
        (("-v", "list", "--xyz"), "there is no option --xyz; there are --help, --platform,"),
        (("list", "raspberry-pi-4"), "'raspberry-pi-4' is one word too many"),
    ],
)
def test_a_slip_in_an_option_is_told_with_what_was_meant(heapwire, words, said):
    run = heapwire(*words)
    assert run.status == 2
    assert said in run.err
    command = next(word for word in words if not word.startswith("-"))
    assert run.err.startswith(f"usage: heapwire {command} ")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("import", "--", "--nmae"), "--nmae: No such file or directory"),
        (("compositor", "no-such-program", "--frobnicate"), "cannot run no-such-program"),
    ],
)
def test_what_is_for_others_is_no_option_of_ours(heapwire, words, said, tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    run = heapwire(*words)
    assert run.status == 1
    assert said in run.err


def test_an_error_is_an_object_for_programs(heapwire):
    run = heapwire("list", "--json", "--platform", "nowhere")
    error = run.document["error"]
    assert (run.status, error["status"], error["kind"]) == (1, 1, "InputError")
    assert f"heapwire: {error['message']}\n" == run.err
    assert run.document["schema_version"] == 1


def test_a_missing_compositor_is_an_object_for_programs(heapwire, monkeypatch):
    def run(_options):
        raise NoCompositorError("nobody")

    monkeypatch.setattr(heapwire_explain, "run", run)
    done = heapwire(*EXPLAIN)
    assert done.status == 3
    assert done.document["error"] == {"kind": "NoCompositorError", "message": "nobody", "status": 3}


@pytest.mark.parametrize("words", [("lst",), ("list", "--platfrom", "x"), ("list", "one")])
def test_a_slip_is_an_object_for_programs(heapwire, words):
    run = heapwire(*words, "--json")
    assert run.status == run.document["error"]["status"] == 2
    assert run.document["error"]["message"] in run.err


def test_for_people_standard_output_stays_empty(heapwire):
    assert heapwire("list", "--platform", "nowhere").out == ""
    assert heapwire("lst").out == ""


def test_what_fails_after_its_object_says_no_second_one(heapwire, monkeypatch):
    shows = heapwire_explain.run

    def run(options):
        shows(options)
        raise InputError("too late")

    monkeypatch.setattr(heapwire_explain, "run", run)
    done = heapwire(*EXPLAIN)
    assert done.status == 1
    assert "plans" in done.document  # one object, and the answer's
    assert done.err == "heapwire: too late\n"


def test_each_run_begins_anew(heapwire):
    assert "plans" in heapwire(*EXPLAIN).document
    assert "error" in json.loads(heapwire("list", "--json", "--platform", "nowhere").out)
