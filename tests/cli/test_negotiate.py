"""`heapwire negotiate`: what a running compositor answers, as explain shows answers."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import replace

from heapwire.protocol.values import MAX_BUFFER_COUNT

BOARD = "raspberry-pi-4"
NEGOTIATE = ("negotiate", "--platform", BOARD)


def layout(plan):
    return [plan[key] for key in ("fourcc", "modifier", "extent", "planes", "layout")]


def test_for_a_window_it_is_sampled_and_for_the_whole_screen_scanned_out(heapwire, serving):
    with serving(BOARD):
        window = heapwire(*NEGOTIATE, "--format", "NV12", "--json").document
        screen = heapwire(*NEGOTIATE, "--format", "NV12", "--fullscreen", "--json").document
        text = heapwire(*NEGOTIATE, "--format", "NV12", "--fullscreen").out
    assert {plan["goal"] for plan in window["plans"]} == {"sampling"}
    assert screen["plans"][0]["goal"] == "scanout"
    explained = heapwire("explain", "--platform", BOARD, "--format", "NV12", "--json").document
    assert layout(screen["plans"][0]) == layout(explained["plans"][0])
    assert screen["plans"][0]["access"] == [["client", "compositor"]]
    [chosen] = [source for source in screen["sources"] if source["chosen"]]
    assert chosen["name"] == screen["plans"][0]["objects"][0]["source"]["name"] == "linux,cma"
    assert text.startswith("scanout: NV12 LINEAR from linux,cma\n")
    assert "system (254:" in text
    assert text.endswith("planned by the compositor\n")


def test_the_size_and_who_takes_part_are_asked_for(heapwire, serving):
    with serving(BOARD):
        asked = (*NEGOTIATE, "--participant", "codec:decode", "--size", "640x480", "--buffers", "7")
        [plan, *_] = heapwire(*asked, "--json").document["plans"]
        small = heapwire(*NEGOTIATE, "--format", "NV12", "--size", "640x480", "--json").document
    assert plan["extent"]["width"] == small["plans"][0]["extent"]["width"] == 640
    assert plan["buffer_count"] > small["plans"][0]["buffer_count"]


def test_as_many_buffers_are_asked_for_as_a_compositor_can_be_told_of(heapwire, serving):
    few, most = ("--format", "NV12", "--size", "64x64"), MAX_BUFFER_COUNT + 2
    with serving(BOARD):
        [plan, *_] = heapwire(*NEGOTIATE, *few, "--buffers", most, "--json").document["plans"]
    [count] = [reason["text"] for reason in plan["reasons"] if reason["subject"] == "count"]
    assert ": 63 for the producer, 1 in flight, " in count
    refused = heapwire(*NEGOTIATE, *few, "--buffers", most + 1)
    assert refused.status == 2
    assert "'67' is not a whole number from 1 to 66" in refused.err


def test_where_there_is_no_plan_it_says_who_stands_in_the_way(heapwire, serving):
    with serving(BOARD):
        run = heapwire(*NEGOTIATE, "--participant", "codec:decode", "--format", "XRGB8888")
        document = heapwire(
            *NEGOTIATE, "--participant", "codec:decode", "--format", "XRGB8888", "--json"
        ).document
    assert run.status == 1
    assert run.out.startswith("no plan: ")
    assert not document["satisfiable"]
    assert {"codec:decode", "the request"} == {one["participant"] for one in document["conflict"]}


def test_a_compositor_that_makes_no_plans_is_said_to_make_none(heapwire, serving):
    with serving(BOARD, extension=False):
        run = heapwire(*NEGOTIATE, "--format", "NV12")
    assert run.status == 0
    assert run.out.endswith("planned by this client\n")


def test_a_machine_without_anybody_is_told_what_to_say(heapwire, serving):
    with serving(BOARD):
        run = heapwire("negotiate", "--platform", "tegra-k1")
        wanted = heapwire("negotiate", "--platform", "tegra-k1", "--format", "XRGB8888", "--json")
    assert run.status == 1
    assert "--participant" in run.err
    assert "--format" in run.err
    assert wanted.document["plans"]


def test_without_a_compositor_it_ends_in_3(heapwire, monkeypatch, tmp_path):
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    monkeypatch.setenv("WAYLAND_DISPLAY", "nobody")
    run = heapwire(*NEGOTIATE, "--json")
    assert run.status == run.document["error"]["status"] == 3


def test_verbose_tells_what_is_asked_and_answered(serving):
    command = [sys.executable, "-m", "heapwire.cli.main", "-v", *NEGOTIATE]
    with serving(BOARD):
        asked = subprocess.run(
            [*command, "--format", "NV12", "--fullscreen"],
            capture_output=True,
            text=True,
            check=True,
        )
    told = asked.stderr.replace("heapwire: heapwire.negotiation: ", "")
    assert "question 1: 1920x1080, for codec:decode (2 constraint sets), the request" in told
    assert "answer to question 1: plan 0, for scanout: NV12 LINEAR from linux,cma\n" in told
    assert "answer to question 1: not system: codec:decode needs" in told


def document_from(stream):
    """The next JSON object of a stream, which ends with the line of its last brace."""
    lines = []
    for line in stream:
        lines.append(line)
        if line == "}\n":
            break
    return json.loads("".join(lines))


def test_watching_shows_what_changes(serving):
    command = [sys.executable, "-m", "heapwire.cli.main", *NEGOTIATE]
    with serving(BOARD) as compositor:
        process = subprocess.Popen(
            [*command, "--format", "NV12", "--watch", "--json"],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        first = document_from(process.stdout)
        platform = compositor.plugin.platform
        left = replace(platform, sources=tuple(s for s in platform.sources if s.name == "system"))
        compositor.call(lambda: compositor.plugin.platform_changed(left))
        second = document_from(process.stdout)
    # The compositor is gone, and with it who could tell more.
    rest, said = process.communicate()
    assert first["satisfiable"]
    assert not second["satisfiable"]
    assert (process.returncode, rest) == (3, "")
    assert said.startswith("heapwire: ")
