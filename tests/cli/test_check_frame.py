"""`heapwire check-frame`: whether a frame that exists can be shown as it is."""

from __future__ import annotations

import pytest

PI = ("check-frame", "--platform", "raspberry-pi-4", "--format", "NV12", "--size", "1920x1088")
PLANES = ("--plane", "0:1920", "--plane", "2088960:1920")
DISPLAY = ("--participant", "hvs:scanout")


def test_a_frame_of_the_right_heap_is_scanned_out(heapwire):
    run = heapwire(*PI, "--object", "linux,cma:3133440", *PLANES)
    assert run.status == 0
    assert run.out.startswith("good as it is: it can be scanned out\n")


def test_scattered_pages_are_composited_and_it_says_what_would_do_better(heapwire):
    run = heapwire(*PI, "--object", "videobuf2_vmalloc:3133440", *PLANES)
    assert run.status == 0
    assert run.out.startswith("good as it is: it can be composited\n")
    assert "hvs:scanout needs memory that is contiguous" in run.out
    better = run.out.partition("what would do better\n")[2]
    assert better.startswith("scanout: NV12 LINEAR from linux,cma\n")


def test_a_frame_that_nobody_can_use_ends_with_1(heapwire):
    run = heapwire(*PI, *DISPLAY, "--object", "videobuf2_vmalloc:3133440", *PLANES, "--json")
    assert run.status == 1
    assert run.document["satisfiable"] is False
    assert "contiguous" in run.document["message"]
    assert run.document["instead"]["plans"][0]["objects"][0]["source"]["name"] == "linux,cma"


def test_what_is_contiguous_behind_an_iommu_is_not_believed(heapwire):
    frame = (*DISPLAY, "--object", "videobuf2_dma_contig:3133440", *PLANES)
    assert "nobody knows" in heapwire(*PI, *frame).out
    believed = heapwire(*PI, *frame, "--no-iommu").out.partition("what would do better")[0]
    assert "0x0 to 0x3fffffff" in believed  # nobody says at which addresses it is
    assert "contiguous" not in believed


def test_the_picture_may_be_less_than_the_frame_has_room_for(heapwire):
    short = ("--object", "linux,cma:3110400", *PLANES)
    assert heapwire(*PI, *short).status == 1
    assert heapwire(*PI, "--picture", "1920x1064", *short).status == 0


def test_planes_in_two_objects(heapwire):
    apart = ("--object", "linux,cma:2088960", "--object", "linux,cma:1044480")
    run = heapwire(*PI, *apart, "--plane", "0:0:1920", "--plane", "1:0:1920", "--json")
    assert [plane["object"] for plane in run.document["plans"][0]["planes"]] == [0, 1]


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        (("--object", "linux,cma:x", *PLANES), "is not MEMORY:BYTES"),
        (("--object", "linux,cma:0", *PLANES), "is not MEMORY:BYTES"),
        (("--object", f"linux,cma:{'9' * 5000}", *PLANES), "is not MEMORY:BYTES"),
        (("--object", "linux,cma:4096", "--plane", "1"), "is not [OBJECT:]OFFSET:PITCH"),
        (("--object", "linux,cma:4096", "--plane", "0:-1"), "is not [OBJECT:]OFFSET:PITCH"),
        (PLANES, "--object"),
        (("--object", "system:4096", *PLANES[:2]), "NV12 in rows has 2 planes"),
        (("--object", "system:4096", *PLANES, *PLANES[:2]), "NV12 in rows has 2 planes"),
    ],
)
def test_what_cannot_be_read(heapwire, arguments, why):
    run = heapwire(*PI, *arguments)
    assert run.status == 2
    assert why in run.err


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        (("--object", "linux,cma:4096", "--plane", "1:0:64", *PLANES[:2]), "in object 1"),
        (("--object", "nvram:4096", *PLANES), "nothing is known of a memory 'nvram'"),
        (("--object", "linux,cma:4096", *PLANES, "--exporter", "none"), "none"),
        (("--object", "linux,cma:4096", *PLANES, "--exporter", "cpu"), "no node"),
    ],
)
def test_what_cannot_be(heapwire, arguments, why):
    run = heapwire(*PI, *arguments)
    assert run.status == 1
    assert why in run.err
