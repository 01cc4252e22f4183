"""`heapwire check`, as a command."""

from __future__ import annotations

import json
import xml.etree.ElementTree as ET
from collections.abc import Iterator

import pytest

from heapwire.client_lib.compliance import Outcome, Result, junit
from heapwire.compositor_plugin.hosts.reference import Compositor
from heapwire.compositor_plugin.hosts.reference.dmabuf.zwp_linux_buffer_params_v1 import (
    ZwpLinuxBufferParamsV1 as Params,
)
from heapwire.kernel.description import Platform

PLATFORM = "raspberry-pi-4"
CASE = "params/plane-4/v5/immed"


@pytest.fixture
def compositor(tmp_path, monkeypatch) -> Iterator[Compositor]:
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    monkeypatch.setenv("WAYLAND_DISPLAY", "checked")
    with Compositor(Platform.load(PLATFORM), socket="checked") as running, running.running():
        yield running


@pytest.fixture
def deviating(compositor, monkeypatch) -> Compositor:
    def add(self, *_arguments):
        self.client.post_implementation_error("a deviation")

    monkeypatch.setattr(Params, "add", add)
    return compositor


def check(heapwire, *arguments):
    return heapwire("check", "--platform", PLATFORM, *arguments)


@pytest.mark.usefixtures("compositor")
def test_a_line_for_each_case_and_totals(heapwire):
    done = check(heapwire, "params/plane-4", "params/memfd/v3/immed")
    assert done.status == 0
    assert done.out.splitlines() == [
        "skipped params/memfd/v3/immed: on a simulated platform a memfd is a dma-buf",
        *(f"ok      params/plane-4/v{n}{how}" for n in range(3, 7) for how in ("", "/immed")),
        "9 cases: 8 ok, 0 FAIL, 1 skipped",
    ]


@pytest.mark.usefixtures("deviating")
def test_a_deviation_is_told_with_what_was_expected_and_what_was_seen(heapwire):
    done = check(heapwire, CASE)
    assert done.status == 1
    assert done.out.splitlines() == [
        f"FAIL    {CASE}: expected plane_idx; seen the error wl_display.implementation "
        "('a deviation')",
        "1 cases: 0 ok, 1 FAIL, 0 skipped",
    ]


@pytest.mark.usefixtures("deviating")
def test_for_programs_it_is_json(heapwire):
    done = check(heapwire, "--json", CASE)
    assert done.status == 1
    assert done.document == {
        "schema_version": 1,
        "planned": 1,
        "totals": {"ok": 0, "fail": 1, "skipped": 0},
        "results": [
            {
                "case": CASE,
                "outcome": "fail",
                "expected": "plane_idx",
                "seen": "the error wl_display.implementation ('a deviation')",
            }
        ],
    }


@pytest.mark.usefixtures("deviating")
def test_for_ci_it_is_junit(heapwire, tmp_path):
    file = tmp_path / "results.xml"
    assert (
        check(heapwire, "--junit", file, CASE, "params/memfd/v3/immed", "dmabuf/silent/v4").status
        == 1
    )
    suite = ET.parse(file).getroot()
    assert {name: suite.get(name) for name in ("tests", "failures", "skipped", "errors")} == {
        "tests": "3",
        "failures": "1",
        "skipped": "1",
        "errors": "0",
    }
    told = {f"{one.get('classname')}/{one.get('name')}": [*one] for one in suite}
    assert [child.tag for child in told[CASE]] == ["failure"]
    assert "plane_idx" in (told[CASE][0].get("message") or "")
    assert [child.tag for child in told["params/memfd/v3/immed"]] == ["skipped"]
    assert told["dmabuf/silent/v4"] == []


def test_what_a_compositor_says_cannot_break_the_xml():
    seen = "an error '\x00\x1b]\ud800'"
    document = junit([Result("a/b", Outcome.FAIL, expected="<none>", seen=seen)])
    assert ET.fromstring(document)[0][0].get("message", "").startswith("expected <none>; seen an")


def test_the_cases_are_listed_with_a_sentence_each(heapwire):
    listed = heapwire("check", "--list", "params/plane-twice")
    assert listed.status == 0
    assert len(listed.out.splitlines()) == 8
    assert "params/plane-twice/v5/immed: plane_set is raised" in listed.out
    everything = heapwire("check", "--list", "--json").document["cases"]
    assert len(everything) == len({one["case"] for one in everything})
    assert [one for one in everything if len(one["says"]) < 20] == []


def test_a_case_that_there_is_not(heapwire):
    done = heapwire("check", "--list", "params/plain-4")
    assert done.status == 2
    assert "no case is named 'params/plain-4': did you mean 'params/plane-4/v" in done.err


def test_no_compositor(heapwire, tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    monkeypatch.setenv("WAYLAND_DISPLAY", "nobody")
    done = check(heapwire)
    assert done.status == 3
    assert f"no compositor at {tmp_path}/nobody" in done.err
    monkeypatch.delenv("XDG_RUNTIME_DIR")
    assert check(heapwire).status == 3


def test_the_document_is_one_object(heapwire):
    assert json.loads(heapwire("check", "--list", "--json", "dmabuf").out)["schema_version"] == 1
