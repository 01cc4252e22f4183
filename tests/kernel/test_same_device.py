"""Two nodes of one device on a bus, in a tree of files."""

from __future__ import annotations

import pytest

from heapwire.kernel.discovery import same_device
from heapwire.protocol.values import DeviceId

CARD, RENDER, OTHER, GONE = (DeviceId(226, minor) for minor in (0, 128, 1, 9))


@pytest.fixture
def root(tmp_path):
    sys = tmp_path / "sys"
    for name in ("class/drm", "bus/pci", "dev/char"):
        (sys / name).mkdir(parents=True)
    for slot, nodes in {
        "0:2": {"card0": CARD, "renderD128": RENDER},
        "0:3": {"card1": OTHER},
    }.items():
        device = sys / "devices" / "pci0" / slot
        (device / "drm").mkdir(parents=True)
        (device / "subsystem").symlink_to(sys / "bus" / "pci")
        for name, number in nodes.items():
            node = device / "drm" / name
            node.mkdir()
            (node / "subsystem").symlink_to(sys / "class" / "drm")
            (sys / "dev" / "char" / str(number)).symlink_to(node)
    return tmp_path


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        (CARD, RENDER, True),
        (RENDER, CARD, True),
        (CARD, OTHER, False),
        (RENDER, OTHER, False),
        (GONE, GONE, True),
        (CARD, GONE, False),
    ],
)
def test_nodes_are_the_same_device_if_their_bus_device_is(root, one, other, same):
    assert same_device(one, other, root) is same
