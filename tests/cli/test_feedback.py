"""`heapwire feedback`: where memory can come from, as a compositor tells it."""

from __future__ import annotations

import json

from heapwire.compositor_plugin.hosts.reference.dmabuf import ZwpLinuxDmabufV1
from heapwire.protocol.values import Usage


def test_each_tranche_says_where_its_memory_can_come_from(heapwire, serving):
    with serving("exynos4-mfc-v5") as compositor:
        machine = compositor.plugin.platform
        document = json.loads(heapwire("feedback", "--json").out)
        text = heapwire("feedback").out
    assert {one["name"] for one in document["sources"]} == {one.name for one in machine.sources}
    assert document["linux_dmabuf"] == 6
    [tranche] = document["tranches"]
    assert tranche["flags"] == ["sampling"]
    renderer = next(one for one in machine.devices if Usage.SAMPLING in one.sets)
    assert tranche["device"] == str(renderer.id)
    assert tranche["memory"][0]["name"] in {one.name for one in machine.sources}
    assert {"fourcc": "NV12", "modifier": "LINEAR"} in tranche["formats"]
    assert "mfc-right (heap" in text
    assert any(line.startswith("    memory ") for line in text.splitlines())


def test_a_surface_that_fills_the_screen_is_offered_what_is_scanned_out(heapwire, serving):
    with serving("raspberry-pi-4"):
        any_surface, window, filling = (
            json.loads(heapwire("feedback", *options, "--json").out)
            for options in ((), ("--surface",), ("--fullscreen",))
        )
    assert [one["flags"] for one in window["tranches"]] == [["sampling"]]
    assert window["tranches"] == any_surface["tranches"]
    assert [one["flags"] for one in filling["tranches"]] == [["scanout"], ["sampling"]]
    [memory] = filling["tranches"][0]["memory"]
    assert memory["name"] == "linux,cma"


def test_what_the_devices_require_is_shown(heapwire, serving):
    with serving("rockchip-rk3399") as compositor:
        machine = compositor.plugin.platform
        document = json.loads(heapwire("feedback", "--json").out)
        text = heapwire("feedback").out
    [tranche] = document["tranches"]
    renderer = next(one for one in machine.devices if Usage.SAMPLING in one.sets)
    said = [one for entry in tranche["sets"] for one in entry["constraints"]]
    required = [one for entry in renderer.sets[Usage.SAMPLING] for one in entry.constraints]
    assert len(said) == len(required)
    assert bool(required) == (" requires for " in text)
    assert {one["presumed"] for one in said} <= {True, False}


def test_what_is_required_is_told_in_sentences_with_units(heapwire, serving):
    with serving("raspberry-pi-4"):
        text = heapwire("feedback", "--fullscreen").out
        document = json.loads(heapwire("feedback", "--fullscreen", "--json").out)
    needs = "memory that is at addresses 0x0 to 0x3fffffff"
    _, _, yuv = text.partition("    device 0 requires for YUV420 LINEAR, NV12 LINEAR\n")
    assert f"        {needs}\n" in yuv.partition("\ntranche: ")[0]
    assert "memory that is from heap linux,cma or heap system\n" in text
    [first, *_] = document["tranches"][0]["sets"]
    assert f"device 0 needs {needs}" in [one["text"] for one in first["constraints"]]


def test_without_the_core_it_is_linux_dmabufs_own(heapwire, serving):
    with serving("raspberry-pi-4", extension=False):
        document = json.loads(heapwire("feedback", "--json").out)
        done = heapwire("feedback")
    assert done.status == 0
    assert document["sources"] == []
    assert [one["memory"] for one in document["tranches"]] == [None]
    assert "the compositor announces no memory" in done.out
    assert "memory not told" in done.out
    assert "XRGB8888 LINEAR" in done.out


def test_without_feedback_it_is_what_linux_dmabuf_lists(heapwire, serving, monkeypatch):
    monkeypatch.setattr(ZwpLinuxDmabufV1, "VERSION", 3)
    with serving("raspberry-pi-4"):
        document = json.loads(heapwire("feedback", "--json").out)
    assert {one["name"] for one in document["sources"]} == {"linux,cma", "system"}
    [tranche] = document["tranches"]
    assert {"fourcc": "NV12", "modifier": "LINEAR"} in tranche["formats"]
    assert tranche["memory"] is None
