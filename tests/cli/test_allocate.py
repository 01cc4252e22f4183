"""`heapwire allocate`: one buffer by a plan, what is in it, and what cannot be done with it."""

from __future__ import annotations

import pytest
from open_files import open_fds

from heapwire.protocol.values import FORMATS, parse_fourcc

WIDTH, HEIGHT = 322, 242  # of no multiple that the board wants
ALLOCATE = ("allocate", "--platform", "raspberry-pi-4", "--size", f"{WIDTH}x{HEIGHT}")
NV12 = (*ALLOCATE, "--format", "NV12")
BYTES = WIDTH * HEIGHT * 3 // 2


def test_it_is_allocated_as_it_is_explained(heapwire):
    before = open_fds()
    run = heapwire(*NV12)
    document = heapwire(*NV12, "--json").document
    explained = heapwire("explain", *NV12[1:], "--json").document
    assert run.status == 0
    assert document["plan"] == explained["plans"][0]
    [one] = document["buffers"]
    assert one["source"]["name"] == "linux,cma"
    assert one["allocated"] >= one["size"] > 0
    assert one["inode"]
    assert f"allocated object 0: {one['allocated']} bytes" in run.out
    assert run.out.startswith("scanout: NV12 LINEAR from linux,cma\n")
    assert document["picture_bytes"] is None  # no row was asked for
    assert open_fds() == before


def test_what_is_filled_in_comes_out_again_without_the_padding(heapwire, tmp_path):
    picture, out = tmp_path / "in.raw", tmp_path / "out.raw"
    picture.write_bytes(bytes(number * 7 % 251 for number in range(BYTES)))
    run = heapwire(*NV12, "--fill", picture, "--dump", out, "--json")
    assert run.status == 0
    assert run.document["picture_bytes"] == BYTES
    assert run.document["plan"]["planes"][0]["pitch"] > WIDTH  # there is padding
    assert out.read_bytes() == picture.read_bytes()


@pytest.mark.parametrize(("byte", "value"), [("0", 0), ("128", 128), ("0xfF", 255)])
def test_a_number_fills_each_byte(heapwire, tmp_path, byte, value):
    out = tmp_path / "out.raw"
    assert heapwire(*NV12, "--fill", byte, "--dump", out).status == 0
    assert out.read_bytes() == bytes((value,)) * BYTES


def test_new_memory_is_empty(heapwire, tmp_path):
    out = tmp_path / "out.raw"
    assert heapwire(*NV12, "--dump", out).status == 0
    assert out.read_bytes() == bytes(BYTES)


@pytest.mark.parametrize(
    ("participant", "name"), [("gpu:render", "XRGB8888"), ("cpu:cpu-write", "YUV420")]
)
def test_a_raw_picture_has_the_bytes_of_its_format(heapwire, tmp_path, participant, name):
    out = tmp_path / "out.raw"
    asked = ("allocate", "--platform", "generic-desktop", "--size", "65x49", "--format", name)
    run = heapwire(*asked, "--participant", participant, "--fill", "1", "--dump", out)
    assert run.status == 0
    planes = FORMATS[parse_fourcc(name)].planes
    assert len(out.read_bytes()) == sum(one.rows(49) * one.row_bytes(65) for one in planes)


@pytest.mark.parametrize("platform", ["raspberry-pi-sand", "exynos4-mfc-v5"])
def test_what_has_columns_or_tiles_is_not_filled(heapwire, platform):
    asked = ("allocate", "--platform", platform, "--format", "NV12", "--size", "64x48")
    run = heapwire(*asked, "--fill", "1")
    assert run.status == 1
    assert "only rows can be filled and written, and the plan has tiles" in run.err


@pytest.mark.parametrize("byte", ["256", "0x100", "0xg", "-1"])
def test_what_is_no_byte_is_told_with_the_limit(heapwire, byte):
    run = heapwire(*NV12, "--fill", byte)
    assert run.status == 2
    assert "a byte is a number from 0 to 255" in run.err


@pytest.mark.parametrize(("size", "what"), [(BYTES - 1, f"only {BYTES - 1}"), (BYTES + 9, "more")])
def test_a_file_of_another_size_is_told_with_both(heapwire, tmp_path, size, what):
    file = tmp_path / "in.raw"
    file.write_bytes(bytes(size))
    run = heapwire(*NV12, "--fill", file)
    assert run.status == 1
    assert f"the picture has {BYTES} bytes, and the file has {what}" in run.err


def test_tiles_are_allocated_and_not_filled(heapwire):
    asked = ("allocate", "--platform", "allwinner-a20")
    assert heapwire(*asked).status == 0
    run = heapwire(*asked, "--fill", "1")
    assert run.status == 1
    assert "only rows can be filled" in run.err


def test_without_a_plan_it_says_why(heapwire):
    run = heapwire(*ALLOCATE, "--format", "XRGB8888")
    assert run.status == 1
    assert run.out.startswith("no plan: ")
