"""The page of `explain --html`: an object is one box, planes lie where the plan has them."""

from __future__ import annotations

import re

import pytest

from heapwire.cli.pages.layout_drawing import drawn_objects


def plan(size, *planes, fourcc="NV12", modifier="0x0", width=1900, height=1080):
    source = {"name": "a<b", "kind": "heap"}
    return {
        "fourcc": fourcc,
        "modifier": modifier,
        "extent": {"width": width, "height": height},
        "objects": [{"source": source, "size": one} for one in size],
        "planes": [
            {"object": number, "offset": offset, "pitch": pitch} for number, offset, pitch in planes
        ],
    }


def parts(drawing):
    """What is drawn of each object: kind and bytes of each part."""
    bars = re.findall(r'<div class="bar".*?</div>', drawing)
    return [re.findall(r'class="(\w+)" style="flex:(\d+) ', bar) for bar in bars]


def test_one_object_is_one_box_with_its_planes_in_their_places():
    pitch, rows = 1920, 1080
    chroma = pitch * rows + 4096
    end = chroma + pitch * rows // 2
    drawing = drawn_objects(plan([end + 100], (0, 0, pitch), (0, chroma, pitch)))
    assert drawing.count('class="card') == 1
    assert "a&lt;b" in drawing
    assert parts(drawing) == [
        [
            ("plane", str(pitch * rows)),
            ("gap", "4096"),
            ("plane", str(pitch * rows // 2)),
            ("gap", "100"),
        ]
    ]
    assert drawing.count("pitch 1920, of which 20 are padding") == 2


def test_planes_are_drawn_in_the_order_in_which_they_lie():
    drawing = drawn_objects(plan([3 << 20], (0, 1 << 20, 1920), (0, 64, 1920)))
    kinds = [kind for kind, _ in parts(drawing)[0]]
    assert kinds[0] == "gap"
    assert drawing.index(">plane 1<") < drawing.index(">plane 0<")


def test_two_objects_are_two_boxes():
    drawing = drawn_objects(plan([1920 * 1080, 1920 * 540], (0, 0, 1920), (1, 0, 1920)))
    assert drawing.count('class="card') == 2
    assert [len(one) for one in parts(drawing)] == [1, 1]


def test_of_tiles_no_padding_is_told():
    drawing = drawn_objects(plan([4096], (0, 0, 2048), fourcc="XRGB8888", modifier="0x1", width=3))
    assert parts(drawing) == [[("plane", "4096")]]
    assert "padding" not in drawing


def test_who_takes_part_is_told_with_formats_and_modifiers(heapwire, tmp_path):
    page = tmp_path / "page.html"
    heapwire("explain", "--platform", "raspberry-pi-4", "--html", page)
    said = re.findall(r'<p class="dim">for ([^<]*)</p>', page.read_text("utf-8"))
    assert any(one.startswith("NV12 with LINEAR (profile, ") for one in said)
    tiled = ", XRGB8888 with LINEAR, BROADCOM_VC4_T_TILED"
    assert any(tiled in one for one in said)
    assert any("; P030 with BROADCOM_SAND128(0)" in one for one in said)


@pytest.mark.parametrize(
    ("colour", "words"),
    [
        ("good", "scanned out"),
        ("fair", "sampled, not scanned out"),
    ],
)
def test_only_what_is_scanned_out_is_green(heapwire, tmp_path, colour, words):
    page = tmp_path / "page.html"
    more = ("--participant", "cpu:cpu-write", "--participant", "v3d:sampling")
    wanted = () if colour == "good" else ("--format", "XRGB8888", *more)
    heapwire("explain", "--platform", "raspberry-pi-4", *wanted, "--html", page)
    [(told, text)] = re.findall(r'class="verdict (\w+)">([^<]*)<', page.read_text("utf-8"))
    assert told == colour
    assert text.endswith(f", {words}")
