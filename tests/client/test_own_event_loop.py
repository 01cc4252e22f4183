"""The example of an application with its own event loop runs, and its picture is seen."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from patience import PATIENCE

from heapwire.compositor_plugin.hosts.reference import Compositor
from heapwire.kernel.description import Platform

EXAMPLE = Path(__file__).parents[2] / "docs/examples/own_event_loop.py"


@pytest.mark.parametrize("name", ["raspberry-pi-4", "rockchip-rk3399"])
def test_the_example(name, tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    with Compositor(Platform.load(name), keep_last=True) as compositor, compositor.running():
        ran = subprocess.run(
            [sys.executable, EXAMPLE, name, "12"],
            env={**os.environ, "WAYLAND_DISPLAY": compositor.socket},
            capture_output=True,
            text=True,
            timeout=PATIENCE,
            check=False,
        )
        picture = compositor.screenshot()
        frames = compositor.frames
    assert (ran.returncode, ran.stdout, ran.stderr) == (0, "", "")
    assert len(frames) >= 11  # the last one may be taken away before it is shown
    colours = {tuple(colour) for colour in picture.reshape(-1, 3)}
    assert {(0x10, 0x20, 0xC0), (0xFF, 0xFF, 0xFF)} <= colours
