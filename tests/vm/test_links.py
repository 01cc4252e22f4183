"""The links between devices and heaps (kernel/patches), as a program finds them."""

from __future__ import annotations

SYSTEM = "/devices/virtual/dma_heap/system"
RESERVED = "/devices/virtual/dma_heap/reserved"
VICODEC = "/devices/platform/vicodec.0"


def video(devices, label):
    """Name and nearest list of the V4L2 device with this label."""
    ((name, device),) = [item for item in devices.items() if item[1]["label"] == label]
    return name, device["nearest"]


def test_heap_has_the_number_of_its_node(machine):
    heaps = machine["heaps"]
    assert set(heaps) == {"system", "reserved"}
    for heap in heaps.values():
        assert heap["dev"] == heap["node"]
    assert heaps["system"]["dev"] != heaps["reserved"]["dev"]


def test_heap_describes_its_memory(machine):
    system, reserved = machine["heaps"]["system"], machine["heaps"]["reserved"]
    assert (system["contiguous"], system["numa_node"], system["substitutes_for"]) == (
        "0",
        "-1",
        None,
    )
    assert (reserved["contiguous"], reserved["numa_node"], reserved["substitutes_for"]) == (
        "1",
        "0",
        "system",
    )


def test_contiguous_allocator_lists_contiguous_heaps_then_itself(machine):
    name, nearest = video(machine["devices"]["video4linux"], "vivid-000-vid-cap")
    own = f"/devices/platform/vivid.0/video4linux/{name}"
    assert nearest == {
        "device": own,
        "preferred": RESERVED,
        "ranks": ["0", "1"],
        "sources": [RESERVED, own],
    }


def test_scattering_allocator_lists_the_system_heap(machine):
    name, nearest = video(machine["devices"]["video4linux"], "vivid-001-vid-cap")
    assert nearest["device"] == f"/devices/platform/vivid.0/video4linux/{name}"
    assert nearest["sources"] == [SYSTEM]


def test_codec_nodes_find_the_list_of_their_parent(machine):
    for label in ("stateful-encoder", "stateful-decoder", "stateless-decoder"):
        _, nearest = video(machine["devices"]["video4linux"], label)
        assert nearest == {
            "device": VICODEC,
            "preferred": SYSTEM,
            "ranks": ["0"],
            "sources": [SYSTEM],
        }


def test_display_was_there_before_the_heap_and_has_its_link(machine):
    lists = [card["nearest"] for card in machine["devices"]["drm"].values() if card["nearest"]]
    assert {
        "device": "/devices/platform/vkms",
        "preferred": SYSTEM,
        "ranks": ["0", "1"],
        "sources": [SYSTEM, "/devices/platform/vkms"],
    } in lists


def test_device_without_a_list_has_none(machine):
    """vim2m has no patch: user space falls back to what it knows itself."""
    _, nearest = video(machine["devices"]["video4linux"], "vim2m")
    assert nearest is None


def test_every_link_has_its_way_back(machine):
    """Both directions say the same, for all heaps and devices."""
    there = set()
    for devices in machine["devices"].values():
        for device in devices.values():
            if device["nearest"]:
                own = device["nearest"]["device"]
                there |= {(own, source) for source in device["nearest"]["sources"] if source != own}
    back = {
        (device, heap["path"])
        for heap in machine["heaps"].values()
        for device in heap["devices"].values()
    }
    assert there == back
    assert len(back) >= 4


def test_way_back_is_named_by_bus_or_class(machine):
    system = machine["heaps"]["system"]["devices"]
    assert system["platform:vicodec.0"] == VICODEC
    name, nearest = video(machine["devices"]["video4linux"], "vivid-001-vid-cap")
    assert system[f"video4linux:{name}"] == nearest["device"]


def test_missing_heap_fails_no_probe(no_cma):
    assert set(no_cma["heaps"]) == {"system"}
    _, nearest = video(no_cma["devices"]["video4linux"], "vivid-000-vid-cap")
    assert nearest["sources"] == [nearest["device"]]
    assert no_cma["complaints"] == []


def test_ordinary_user_sees_links_and_may_open_no_heap(run_guest):
    script = "readlink -f /sys/devices/platform/vicodec.0/dma_heap; cat /dev/dma_heap/*"
    done = run_guest(["sh", "-c", script], "--user=nobody", cwd="/")
    assert done.stdout == f"/sys{SYSTEM}\n"
    assert [line.split(": ", 1)[1] for line in done.stderr.splitlines()] == [
        "/dev/dma_heap/reserved: Permission denied",
        "/dev/dma_heap/system: Permission denied",
    ]


def test_root_may_open_each_heap(machine):
    assert machine["openable"] == {"system": None, "reserved": None}


def test_kernel_has_no_complaints(machine):
    assert machine["complaints"] == []
