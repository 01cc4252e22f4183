"""`local_platform` on a real kernel: what it finds, and that what it concludes is true."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parent / "guest" / "discovery.py"
OPTIONS = (
    "--append=vivid.n_devs=2",
    "--append=vivid.allocators=1,0",
    "--append=vivid.node_types=0x1,0x1",
)


def look(run_guest, *arguments):
    done = run_guest([sys.executable, str(SCRIPT), *arguments], *OPTIONS)
    if done.returncode:
        pytest.fail(f"the guest ended with {done.returncode}:\n{done.stdout}{done.stderr}")
    return json.loads(done.stdout)


@pytest.fixture(scope="module")
def found(run_guest):
    """Two cameras, the first with the dma-contig allocator, everything tried with everything."""
    return look(run_guest, "probe")


@pytest.fixture(scope="module")
def ordinary(run_guest):
    """The same as somebody who may open nothing."""
    return look(run_guest, "ordinary")


def by_driver(found, driver):
    return {name: device for name, device in found["devices"].items() if device["driver"] == driver}


def test_heaps_have_the_pairs_that_the_kernel_assigned(found):
    heaps = {name: heap for name, heap in found["heaps"].items() if name in found["numbers"]}
    assert set(heaps) == {"system", "reserved"}
    for name, heap in heaps.items():
        assert heap["id"] == f"heap {found['numbers'][name]}"


def test_heaps_are_described_by_the_kernel(found):
    reserved = found["heaps"]["reserved"]
    assert reserved["contiguous"] is True
    assert reserved["numa_node"] == 0
    assert reserved["substitutes_for"] == ["system"]
    assert reserved["capacity"] == 128 << 20
    assert set(reserved["provenance"].values()) == {"KERNEL"}
    assert found["heaps"]["system"]["contiguous"] is False


@pytest.mark.parametrize("name", ["system", "reserved", "udmabuf"])
def test_a_buffer_says_where_it_is_from(found, name):
    told = found["heaps"][name]["allocated"]
    assert told["openable"]
    assert (told["exporter"], told["source"]) == (name, name)
    assert (told["size"], told["references"]) == (5 << 20, 1)
    assert (told["zeroed"], told["kept"]) == (True, 7)
    assert told["too much"] == "OutOfMemoryError"
    if name != "udmabuf":  # which has no say in its name
        assert told["name"] == "a name"


def test_displays_codecs_and_cameras_are_found(found):
    (display,) = by_driver(found, "vkms").values()
    assert display["kind"] == "display"
    assert "primary" in display["planes"]
    assert "XRGB8888" in display["uses"]["SCANOUT"]["formats"]
    assert "max-width KERNEL" in display["uses"]["SCANOUT"]["constraints"]
    kinds = sorted(device["kind"] for device in by_driver(found, "vicodec").values())
    assert kinds == ["decoder", "decoder", "encoder"]
    cameras = by_driver(found, "vivid")
    assert [device["kind"] for device in cameras.values()] == ["camera", "camera"]
    assert all("NV12" in camera["uses"]["CAMERA"]["formats"] for camera in cameras.values())


def test_links_have_their_order_and_provenance(found):
    contiguous, scattered = by_driver(found, "vivid").items()
    assert contiguous[1]["links"] == [
        ["reserved", "supported", "KERNEL"],
        [contiguous[0], "supported", "KERNEL"],
    ]
    assert scattered[1]["links"] == [["system", "supported", "KERNEL"]]


def test_the_solver_says_beforehand_what_the_kernel_says(found):
    """Whatever is planned for a device is taken, and what vivid refuses was not planned."""
    trials = found["trials"]
    planned = 0
    for name, device in found["devices"].items():
        for use in device["uses"].values():
            for source in use["planned"]:
                taken = trials.get(f"{name} {source}")
                assert taken is not False, f"{name} refuses {source}"
                planned += taken is True
    assert planned > 5
    contiguous, scattered = by_driver(found, "vivid")
    assert trials[f"{contiguous} system"] is False
    assert trials[f"{contiguous} reserved"] is True
    assert trials[f"{scattered} system"] is True
    assert "system" not in found["devices"][contiguous]["uses"]["CAMERA"]["planned"]


def test_nothing_is_left_over(found):
    assert (found["fds left"], found["bytes left"]) == (0, 0)


def test_what_has_no_name_is_said_and_nothing_else(found):
    assert found["notes"] == []
    assert all("no DRM name" in remark for remark in found["remarks"])
    assert any(one.startswith("video") for one in found["remarks"])  # vivid's Bayer patterns


def test_an_ordinary_user_sees_the_machine_and_may_not_use_it(ordinary):
    assert ordinary["user"] != 0
    assert set(ordinary["heaps"]) >= {"system", "reserved"}
    for name in ("system", "reserved"):
        told = ordinary["heaps"][name]["allocated"]
        assert not told["openable"]
        assert "this user may not open /dev/dma_heap/" in told["error"]
    assert any("Permission denied" in note for note in ordinary["notes"])
    assert (ordinary["fds left"], ordinary["bytes left"]) == (0, 0)
