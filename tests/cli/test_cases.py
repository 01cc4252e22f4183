"""Machines of public bug reports, with the layouts that their drivers take, worked out by hand.

Each is a file of `cases/`. What is asked of it was refused, or garbage, where it was reported.
"""

from __future__ import annotations

from pathlib import Path

import pytest

CASES = Path(__file__).parent / "cases"


@pytest.fixture
def plan_of(heapwire):
    """The best plan for a picture."""

    def plan_of(name: str, fourcc: str, size: str, *participants: str):
        who = [word for one in participants for word in ("--participant", one)]
        file = CASES / f"{name}.toml"
        run = heapwire(
            "explain", "--platform", file, "--format", fourcc, "--size", size, *who, "--json"
        )
        assert run.status == 0, run.out + run.err
        return run.document["plans"][0]

    return plan_of


@pytest.mark.parametrize(
    ("name", "fourcc", "size", "participants", "pitches", "offsets"),
    [
        # endlessm/linux-meson#67: the driver is told one bytesperline for both planes.
        ("tied-pitch", "NV12", "1040x720", (), [1088, 1088], [0, 1088 * 720]),
        # raspberrypi/firmware#1608: chroma at multiples of 64 is luma at multiples of 128.
        ("each-pitch", "YUV420", "1296x972", (), [1408, 704, 704],
         [0, 1408 * 972, 1408 * 972 + 704 * 486]),
        # raspberrypi/linux#4419: chroma begins where luma ends, and has half of its pitch.
        ("isp-yuv420", "YUV420", "800x650", ("isp:camera", "hvs:scanout"), [832, 416, 416],
         [0, 832 * 650, 832 * 650 + 416 * 325]),
        # anholt/linux#12: chroma begins after whole macroblocks.
        ("macroblock-height", "NV12", "640x200", (), [640, 640], [0, 133120]),
        # hbiyik/FFmpeg#14: the GPU needs multiples of 64.
        ("gpu-stride", "NV12", "720x576", (), [768, 768], [0, 768 * 576]),
    ],
)  # fmt: skip
def test_the_layout_is_the_one_that_every_driver_takes(
    plan_of, name, fourcc, size, participants, pitches, offsets
):
    plan = plan_of(name, fourcc, size, *participants)
    assert [plane["pitch"] for plane in plan["planes"]] == pitches
    assert [plane["offset"] for plane in plan["planes"]] == offsets
    assert len(plan["objects"]) == 1
