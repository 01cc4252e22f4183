"""Which cards a process has open."""

from __future__ import annotations

import os
import stat
from pathlib import Path

from heapwire.compositor_plugin.hosts.embed.drm_cards import open_cards
from heapwire.protocol.values import DeviceId

CARD1 = DeviceId(226, 1)


def test_only_primary_drm_nodes_count_as_cards(tmp_path):
    (tmp_path / "3").symlink_to("/dev/null")
    (tmp_path / "4").symlink_to(tmp_path / "closed in the meantime")
    (tmp_path / "5").symlink_to(tmp_path)
    assert open_cards(tmp_path) == frozenset()


def test_cards_and_render_nodes_are_told_apart(tmp_path, monkeypatch):
    """No node is made: root may not in many a container."""
    character, block = stat.S_IFCHR | 0o600, stat.S_IFBLK | 0o600
    nodes = {
        "3": (character, 226, 1),
        "4": (character, 226, 128),  # a render node
        "5": (character, 226, 64),
        "6": (character, 226, 63),
        "7": (character, 13, 2),
        "8": (block, 226, 3),
    }
    for name in nodes:
        (tmp_path / name).touch()
    status_of = Path.stat

    def status(path, **how):
        if path.parent != tmp_path:
            return status_of(path, **how)
        mode, major, minor = nodes[path.name]
        return os.stat_result((mode, *[0] * 9), {"st_rdev": os.makedev(major, minor)})

    monkeypatch.setattr(Path, "stat", status)
    assert open_cards(tmp_path) == {CARD1, DeviceId(226, 63)}
