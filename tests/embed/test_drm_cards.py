"""Which cards a process has open."""

from __future__ import annotations

import os

import pytest

from heapwire.compositor_plugin.hosts.embed.drm_cards import open_cards
from heapwire.protocol.values import DeviceId

CARD1 = DeviceId(226, 1)


def test_only_primary_drm_nodes_count_as_cards(tmp_path):
    (tmp_path / "3").symlink_to("/dev/null")
    (tmp_path / "4").symlink_to(tmp_path / "closed in the meantime")
    (tmp_path / "5").symlink_to(tmp_path)
    assert open_cards(tmp_path) == frozenset()


@pytest.mark.skipif(os.geteuid() != 0, reason="device nodes are made by root")
def test_cards_and_render_nodes_are_told_apart(tmp_path):
    for name, minor in (("3", 1), ("4", 128), ("5", 64), ("6", 63)):
        try:
            os.mknod(tmp_path / name, 0o600 | 0o020000, os.makedev(226, minor))
        except PermissionError:
            pytest.skip("device nodes cannot be made here")
    assert open_cards(tmp_path) == {CARD1, DeviceId(226, 63)}
