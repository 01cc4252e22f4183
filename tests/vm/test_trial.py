"""What the guest's devices say when they are asked: vkms, vicodec, and the memory there is."""

import json
import sys
from pathlib import Path

import pytest

TRIAL = Path(__file__).resolve().parent / "guest" / "trial.py"


@pytest.fixture(scope="module")
def found(run_guest, record):
    done = run_guest([sys.executable, str(TRIAL)], "--counted")
    assert done.returncode == 0, done.stdout + done.stderr
    seen = json.loads(done.stdout)
    record(
        f"trial and gauge of each device, of {', '.join(seen['sources'])}",
        [
            f"{name:<12}{seen['devices'][name]['driver']:<10}{took['processor']:>8} ms of the "
            f"processor, {took['wall']} ms in all, {took['ioctls']} ioctls of a card"
            for name, took in seen["milliseconds"].items()
        ],
    )
    return seen


@pytest.fixture(scope="module")
def display(found):
    [name] = [name for name, device in found["devices"].items() if device["driver"] == "vkms"]
    return name


def taken(record):
    """For each memory that was taken, the formats."""
    return {
        verdict["source"]: {pair[0] for pair in verdict["pairs"]}
        for verdict in record["verdicts"]
        if verdict["taken"]
    }


def test_the_display_takes_every_memory_and_makes_its_own(found, display):
    record = found["records"][display]
    memory = taken(record)
    assert {"system", display} <= set(memory)
    assert all("XRGB8888" in formats for formats in memory.values())
    assert record["own"] is True
    assert found["own"][display] == {"size": 640 * 480 * 4}


def test_the_gauge_tells_what_the_driver_does(found, display):
    """Vkms rounds to nothing but whole pixels and bytes (drm_gem_shmem_dumb_create: 8 bytes)."""
    pitches = found["records"][display]["pitches"]
    assert set(pitches) >= {"32"}
    assert all(rule % 2 == 0 or rule == 1 for rule in pitches.values())


def test_the_display_is_asked_by_few_ioctls(found, display):
    """Of 3 heaps and its own memory, in each format that it lists: what takes the time."""
    formats = sum(len(verdict["pairs"]) for verdict in found["records"][display]["verdicts"])
    assert formats > 4
    assert 10 < found["milliseconds"][display]["ioctls"] <= 40 + 2 * formats


def test_trial_and_gauge_of_the_display_take_less_than_50_ms(found, display):
    """Of a processor that does an instruction in a nanosecond: it is they that are counted."""
    took = found["milliseconds"][display]
    assert len([one for one in found["sources"] if one != display]) >= 3
    assert 0 < took["processor"] <= took["wall"] < 50


def test_as_the_master_each_plane_is_tested_and_takes_what_is_shown(found, display):
    """Vkms takes all memory; what its planes would not show would be told by an errno."""
    told = found["planes"][display]
    assert {verdict["source"] for verdict in told} >= {"system", display}
    assert all(verdict["plane"].startswith("plane-") for verdict in told)
    assert {verdict["taken"] for verdict in told} == {True}


def test_what_is_planned_was_taken(found, display):
    memory = taken(found["records"][display])
    for code, source in found["plans"][display].items():
        if source is not None:
            names = {"XR24": "XRGB8888", "XB24": "XBGR8888", "RG16": "RGB565", "NV12": "NV12"}
            assert names[code] in memory[source]
    assert found["plans"][display]["XR24"] == "system"


def test_the_second_time_nothing_is_asked_and_nothing_is_left(found):
    assert found["remembered"] is True
    assert (found["fds left"], found["bytes left"]) == (0, 0)
