"""What is planned beforehand, and what a real kernel then says of it."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parent / "guest" / "negotiated.py"


@pytest.fixture(scope="module")
def tell(run_guest):
    """Boot a guest, do one thing of guest/negotiated.py in it, and return what it saw."""

    def do(thing, *options, before=()):
        done = run_guest([*before, sys.executable, str(SCRIPT), thing], *options)
        if done.returncode:
            pytest.fail(f"the guest ended with {done.returncode}:\n{done.stdout}{done.stderr}")
        return json.loads(done.stdout)

    return do


@pytest.fixture(scope="module")
def banks(tell):
    """A camera that wants luma in one memory bank and chroma in the other."""
    return tell(
        "banks",
        "--banks=32M",
        "--append=vivid.allocators=1",
        "--append=vivid.multiplanar=2",
        "--append=vivid.node_types=0x1",
        "--append=vivid.bank_nodes=0,1",
    )


@pytest.fixture(scope="module")
def contiguity(tell):
    """Two cameras and two heaps; the first camera has the dma-contig allocator."""
    return tell(
        "contiguity",
        "--append=vivid.n_devs=2",
        "--append=vivid.allocators=1,0",
        "--append=vivid.node_types=0x1,0x1",
    )


@pytest.fixture(scope="module")
def on_screen(tell):
    """An emulated USB camera whose pictures are as large as the screen."""
    return tell(
        "on_screen", "--append=vkms.enable_writeback=1", before=["env", "CAMERA_SIZE=640x480"]
    )


@pytest.fixture(scope="module")
def coming_and_going(tell):
    """A camera that is pulled out in mid-stream, and a codec that is bound while one looks."""
    return tell("coming_and_going", before=["env", "CAMERA_SIZE=640x480"])


class TestTwoBanks:
    def test_the_plan_has_each_plane_in_its_bank(self, banks):
        plan = banks["plan"]
        assert (plan["fourcc"], plan["layout"]) == ("NV12", "exact")
        objects = [plan["objects"][plane["object"]] for plane in plan["planes"]]
        assert [one["source"]["name"] for one in objects] == ["numa0", "numa1"]
        assert banks["from"] == ["numa0", "numa1"]

    def test_the_plan_is_what_the_driver_lays_out(self, banks):
        driver, plan = banks["driver"], banks["plan"]
        assert driver["is NM12"]
        assert [plane["pitch"] for plane in plan["planes"]] == driver["pitches"]
        assert [plane["offset"] for plane in plan["planes"]] == [0, 0]
        for plane, size in zip(plan["planes"], driver["sizes"], strict=True):
            assert plan["objects"][plane["object"]]["size"] >= size

    def test_the_driver_fills_what_was_planned(self, banks):
        assert banks["captured"] == {"index": 0, "damaged": False}
        assert all(values > 2 for values in banks["values"])

    def test_the_swap_is_refused(self, banks):
        assert banks["large"] is None
        assert banks["swapped"] == "the driver refuses the buffer: EFAULT"

    def test_without_the_second_bank_the_conflict_is_about_chroma(self, banks):
        told = banks["without a bank"]
        assert (told["plans"], told["reason"]) == (0, "CONFLICT")
        assert [one[:2] for one in told["conflict"]] == [["permitted-sources", 0b10]]
        assert "plane 1" in told["conflict"][0][2]

    def test_nothing_is_left_over(self, banks):
        assert (banks["fds left"], banks["bytes left"]) == ([], 0)


class TestContiguity:
    """The heaps in order: `system`, then `reserved`, for each of the cameras."""

    def test_the_kernel_refuses_scattered_memory_where_it_has_to_be_contiguous(self, contiguity):
        refusals = [pair["refusal"] for pair in contiguity["pairs"]]
        assert refusals == ["the driver refuses the buffer: EFAULT", None, None, None]

    def test_links_say_so_beforehand(self, contiguity):
        """What the driver lists; that the other camera takes more than it lists is its affair."""
        said = [pair["linked"][0] for pair in contiguity["pairs"]]
        assert said == [False, True, True, False]

    def test_signs_say_so_without_links(self, contiguity):
        """A queue that takes no user pointers counts as one that wants contiguous memory."""
        assert contiguity["links"][0] > 0
        assert contiguity["links"][1] == 0
        said = [pair["alone"] for pair in contiguity["pairs"]]
        assert [good for good, _ in said] == [False, True, True, True]
        assert "contiguous" in said[0][1]

    def test_nothing_is_promised_that_the_kernel_refuses(self, contiguity):
        for pair in contiguity["pairs"]:
            promised = pair["linked"][0] or pair["alone"][0]
            assert pair["refusal"] is None or not promised, pair


class TestCameraToDisplay:
    def test_the_plan_is_a_heap_buffer_for_the_plane(self, on_screen):
        plan = on_screen["plan"]
        assert (plan["fourcc"], plan["layout"], plan["scanout"]) == ("RGB565", "exact", True)
        assert plan["objects"][0]["source"]["name"] == "system"

    def test_frames_arrive_whole_and_one_after_the_other(self, on_screen):
        numbers = on_screen["numbers"]
        assert len(set(numbers)) == 3
        assert numbers == sorted(numbers)
        assert on_screen["whole"] == [True] * 3

    def test_the_display_shows_what_the_camera_saw(self, on_screen):
        assert on_screen["written back"] == [True] * 3

    def test_nothing_is_left_over(self, on_screen):
        assert (on_screen["fds left"], on_screen["bytes left"]) == ([], 0)


class TestComingAndGoing:
    def test_a_camera_pulled_out_in_mid_stream_is_no_such_device(self, coming_and_going):
        assert coming_and_going["streamed"]
        assert coming_and_going["unplugged"] == "ENODEV"
        assert not coming_and_going["camera left"]

    def test_links_that_appear_late_are_noticed(self, coming_and_going):
        assert coming_and_going["quiet"]
        assert coming_and_going["without"] == []
        assert coming_and_going["noticed"]
        assert coming_and_going["with"] == [["system", "KERNEL"]] * 3

    def test_nothing_is_left_over(self, coming_and_going):
        assert (coming_and_going["fds left"], coming_and_going["bytes left"]) == ([], 0)
