"""Timelines of a real kernel's: virtio-gpu has them, of the drivers that the guest has.

The tests on the host have a kernel that is made up (tests/common/fake_syncobjs.py): what that
one takes for granted is asked of a real one here.
"""

from __future__ import annotations

import errno
import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

SCRIPT = Path(__file__).parent / "guest" / "explicit_sync.py"
SYNC = Path(__file__).parents[1] / "c/sync.c"

pytestmark = pytest.mark.system(
    *("cc", "pkg-config", "wayland-scanner", "wayland-protocols.pc", "wayland-client.pc"),
)


@pytest.fixture(scope="module")
def seen(run_guest: Callable[..., Any], c_client: Callable[[Path], Path]) -> dict[str, Any]:
    options = ["--qemu=-device", "--qemu=virtio-gpu-pci"]
    done = run_guest([sys.executable, str(SCRIPT), str(c_client(SYNC))], *options)
    if done.returncode:
        pytest.fail(f"the guest ended with {done.returncode}:\n{done.stdout}{done.stderr}")
    return json.loads(done.stdout)


def test_the_driver_of_virtio_gpu_has_timelines_and_those_of_vkms_and_vgem_have_none(seen):
    assert {name: set(told) for name, told in seen["drivers"].items()} == {
        "virtio_gpu": {True},
        "vkms": {False},
        "vgem": {False},
    }


def test_points_come_as_is_taken_for_granted_elsewhere(seen):
    points = dict(seen["points"])
    assert points.pop("what is none is refused") == errno.EINVAL
    assert [words for words, so in points.items() if so is not True] == []
    assert len(points) > 10


def test_the_reference_compositor_keeps_to_the_protocol_with_them(seen):
    assert [line for line in seen["cases"] if not line.startswith("ok ")] == []
    assert len(seen["cases"]) > 15


def test_the_player_shows_the_same_pictures_with_and_without(seen):
    assert seen["explicit"]["explicit"] is True
    assert seen["implicit"]["explicit"] is False
    assert seen["explicit"]["pictures"] == seen["implicit"]["pictures"]
    assert seen["explicit"]["shown"] == len(set(seen["explicit"]["pictures"])) == 20


def test_a_client_in_c_is_told_by_an_eventfd_when_its_buffer_is_free(seen):
    """No picture is on the screen before its point, and the kernel tells of the release."""
    told = seen["c"]
    assert (told["status"], told["errors"]) == (0, "")
    assert told["steps"] == [
        ["committed", 0],
        ["signalled", 0x40],
        ["replaced", 0x80],
        ["released", 0x80],
    ]
