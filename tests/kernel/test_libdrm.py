"""How a DRM node is opened: for looking only, and given back whatever happens."""

import os

import pytest

from heapwire.kernel.discovery import libdrm
from heapwire.kernel.discovery.libdrm import open_drm
from heapwire.kernel.memory import dumb_buffer


@pytest.fixture
def calls(monkeypatch):
    """What is asked of the card; nothing is behind it, nor behind libdrm."""
    asked = []
    drop_master = 0x641F  # include/uapi/drm/drm.h, DRM_IOCTL_DROP_MASTER
    said = {drop_master: "drop master"}
    monkeypatch.setattr(
        dumb_buffer, "plain_ioctl", lambda fd, number: asked.append((said[number], fd))
    )
    monkeypatch.setattr(libdrm, "_library", lambda: (None, None))
    return asked


@pytest.fixture
def node(tmp_path):
    path = tmp_path / "card0"
    path.touch()
    return str(path)


def test_whoever_looks_is_not_the_master(node, calls):
    """Else a compositor that starts now finds the card taken."""
    with open_drm(node):
        ((what, fd),) = calls
        assert what == "drop master"
        assert os.fstat(fd)
        assert not os.get_inheritable(fd)
    with pytest.raises(OSError, match="Bad file descriptor"):
        os.fstat(fd)


def test_the_node_is_closed_when_looking_fails(node, calls):
    with pytest.raises(ZeroDivisionError), open_drm(node):
        raise ZeroDivisionError  # the fixture of the room sees an fd that is left
