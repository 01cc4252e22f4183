"""`heapwire import`: what other programs print, as a platform file."""

from __future__ import annotations

import json

DUMP = {
    "/dev/dri/card0": {
        "driver": {"name": "meson"},
        "device": {"bus_type": 2},
        "planes": [
            {
                "id": 33,
                "possible_crtcs": 1,
                "formats": [],
                "properties": {
                    "type": {"raw_value": 1},
                    "IN_FORMATS": {"data": [{"modifier": 0, "formats": [0x34325258]}]},
                },
            }
        ],
    }
}


def test_a_dump_becomes_a_platform_that_is_explained(heapwire, tmp_path):
    dump, made = tmp_path / "board.json", tmp_path / "board.toml"
    dump.write_text(json.dumps(DUMP))
    printed = heapwire("import", dump)
    assert printed.status == 0
    assert printed.out.startswith(f"# From '{dump}'.\nname = \"board\"\n")
    assert heapwire("import", dump, "-o", made).out == ""
    assert made.read_text() == printed.out
    told = heapwire("explain", "--platform", made, "--format", "XRGB8888", "--json").document
    (plan, *_) = told["plans"]
    assert [one["source"]["name"] for one in plan["objects"]] == ["default_cma_region"]
    text = heapwire("explain", "--platform", made, "--format", "XRGB8888").out
    assert "drm_gem_dma_prime_import_sg_table" in text  # what the driver table has of meson


def test_a_fault_has_its_place(heapwire, tmp_path):
    dump = tmp_path / "board.json"
    dump.write_text(json.dumps({"/dev/dri/card0": {"planes": []}}, indent=1))
    run = heapwire("import", dump)
    assert run.status == 1
    assert run.err == f"heapwire: {dump}:2: '/dev/dri/card0': 'driver' is missing\n"


def test_what_is_not_there_is_said(heapwire, tmp_path):
    run = heapwire("import", tmp_path / "none.json")
    assert run.status == 1
    assert "No such file" in run.err
