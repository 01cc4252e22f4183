"""Drivers that come and go: links, events and allocations follow."""

from __future__ import annotations

import pytest

# What the links are made of: live allocations, by the function that made them.
LINK_ALLOCATIONS = ("dma_heap_user_create", "dma_heap_request_get")


def users(heaps):
    return {name: set(heap["devices"]) for name, heap in heaps.items()}


def of(driver, heaps):
    """The links back whose device, or whose parent, is this driver's."""
    return {
        link
        for heap in heaps.values()
        for link, target in heap["devices"].items()
        if f"/{driver}." in target
    }


@pytest.mark.parametrize("driver", ["vivid", "vicodec"])
def test_links_go_and_come_with_the_driver(machine, driver):
    seen = machine[f"rebound_{driver}"]
    assert of(driver, seen["before"])
    assert not of(driver, seen["unbound"])
    assert len(of(driver, seen["bound"])) == len(of(driver, seen["before"]))


@pytest.mark.parametrize("driver", ["vivid", "vicodec"])
def test_other_devices_keep_their_links(machine, driver):
    seen = machine[f"rebound_{driver}"]
    for name, links in users(seen["unbound"]).items():
        assert links == {
            link
            for link in users(seen["before"])[name]
            if f"/{driver}." not in seen["before"][name]["devices"][link]
        }


def test_class_device_is_announced_and_its_links_follow_in_a_change(machine):
    events = machine["rebound_vivid"]["binding"]
    contiguous, scattering = (
        f"video4linux:{name}"
        for label in ("vivid-000-vid-cap", "vivid-001-vid-cap")
        for name, device in machine["rebound_vivid"]["devices"].items()
        if device["label"] == label
    )
    for device, links in ((contiguous, ["1", "2"]), (scattering, ["1"])):
        assert [event for event in events if event[1] == device] == [
            ["add", device, None],
            *(["change", device, count] for count in links),
        ]


def test_parent_has_its_links_before_its_nodes_are_announced(machine):
    events = machine["rebound_vicodec"]["binding"]
    assert events[0] == ["change", "platform:vicodec.0", "1"]
    assert [event[0] for event in events[1:]] == ["add"] * 3


@pytest.mark.parametrize("driver", ["vivid", "vicodec"])
def test_end_of_the_links_is_an_event(machine, driver):
    counts = {}
    for action, device, links in machine[f"rebound_{driver}"]["unbinding"]:
        if action == "change":
            counts[device] = links
    assert counts
    assert set(counts.values()) == {"0"}


@pytest.mark.parametrize("driver", ["vivid", "vicodec"])
def test_many_rounds_leave_no_allocation_over(machine, driver):
    seen = machine[f"rebound_{driver}"]
    before, after = seen["allocations"], seen["allocations after rounds"]
    for function in LINK_ALLOCATIONS:
        assert before[function] > 0
        assert after[function] == before[function]
    assert after == before


def test_late_heap_ends_in_a_change_of_the_device_that_waited(kernel_tests):
    """The kernel's test lists a heap, then a second, then adds the first."""
    events = kernel_tests["late_heap"]["events"]
    (at,) = [
        index
        for index, event in enumerate(events)
        if event[0] == "add" and event[1].startswith("dma_heap:kunit-late")
    ]
    (before, device, links), (after, same_device, more_links) = events[at - 1], events[at + 1]
    assert device.startswith("kunit:late_heap_takes_its_rank.")
    assert (before, links) == ("change", "1")
    assert (after, same_device, more_links) == ("change", device, "2")


def test_kernels_own_tests_pass(kernel_tests):
    results = kernel_tests["late_heap"]["results"]
    assert "# dma_heap_links: pass:8 fail:0 skip:0 total:8" in results
    assert kernel_tests["complaints"] == []
