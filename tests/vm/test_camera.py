"""A USB camera, emulated by guest/camera.py and driven by the kernel's uvcvideo."""

from __future__ import annotations

import pytest

SYSTEM = "/devices/virtual/dma_heap/system"
# The control interfaces of the two functions of one USB device.
INTERFACES = ("1-1:1.0", "1-1:1.2")


@pytest.fixture(scope="module")
def seen(observe):
    return observe(["cameras", "camera_frames", "complaints"])


def nearest_lists(seen):
    return {
        name: device["nearest"]
        for name, device in seen["cameras"]["devices"].items()
        if device["label"] == "emulated camera"
    }


def test_two_functions_of_one_usb_device_are_both_there(seen):
    """Each with a node for frames and one for metadata."""
    lists = nearest_lists(seen)
    assert len(lists) == 4
    owners = [nearest["device"].rpartition("/")[2] for nearest in lists.values()]
    assert sorted(owners) == sorted(INTERFACES * 2)


def test_camera_lists_the_system_heap_at_its_interface(seen):
    for nearest in nearest_lists(seen).values():
        assert nearest["sources"] == [SYSTEM]
        assert nearest["preferred"] == SYSTEM


def test_heap_links_back_to_each_function(seen):
    links = seen["cameras"]["heaps"]["system"]["devices"]
    for interface in INTERFACES:
        assert links[f"usb:{interface}"].endswith(f"/usb1/1-1/{interface}")


def test_list_is_there_before_the_nodes_are_announced(seen):
    events = seen["cameras"]["events"]
    assert [event[0] for event in events] == ["change", "add", "add"] * 2
    assert [events[0], events[3]] == [["change", f"usb:{name}", "1"] for name in INTERFACES]


def test_unplugged_camera_leaves_no_link(seen):
    before = seen["cameras"]["heaps"]["system"]["devices"]
    after = seen["cameras"]["unplugged"]["system"]["devices"]
    assert set(before) - set(after) == {f"usb:{name}" for name in INTERFACES}


@pytest.mark.parametrize("heap", ["system", "reserved"])
@pytest.mark.parametrize("code", ["YUYV", "RGBP"])
def test_frames_arrive_whole_in_a_heaps_buffers(seen, heap, code):
    frames = seen["camera_frames"][f"{heap} {code}"]
    numbers = [number for number, _ in frames]
    assert len(set(numbers)) == 4
    assert numbers == sorted(numbers)
    assert all(whole for _, whole in frames)


def test_kernel_has_no_complaints(seen):
    assert seen["complaints"] == []
