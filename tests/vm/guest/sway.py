"""In the guest: a stock sway without a display, that renders on vgem."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

from limits import PATIENCE
from step_limit import step_limit

from heapwire.client_lib import NoCompositorError
from heapwire.client_lib.wayland import Connection

NOBODY = 65534  # it refuses to run as root
HOME = Path("/tmp/sway")
LOG = Path("/tmp/sway.log")
CONFIG = "xwayland disable\nseat * hide_cursor 1\n"


def vgem_nodes():
    """The card and the render node of vgem."""
    names = [entry.name for entry in Path("/sys/devices/platform/vgem/drm").iterdir()]
    return (
        next(Path("/dev/dri", name) for name in names if name.startswith(kind))
        for kind in ("card", "renderD")
    )


class Sway:
    """One running sway, whose EGL names vgem as its device (egl_device.c). A context manager."""

    def __init__(self, preload):
        HOME.mkdir(mode=0o700)
        (HOME / "config").write_text(CONFIG)
        os.chown(HOME, NOBODY, NOBODY)
        # The folder that it comes from may be its owner's alone.
        preload = shutil.copy(preload, HOME)
        card, render = vgem_nodes()
        for node in (card, render):
            node.chmod(0o666)
        environment = {
            "PATH": os.environ["PATH"],
            "HOME": str(HOME),
            "XDG_RUNTIME_DIR": str(HOME),
            "LIBGL_ALWAYS_SOFTWARE": "1",
            "LD_PRELOAD": str(preload),
            "EGL_DEVICE_CARD": str(card),
            "EGL_DEVICE_RENDER": str(render),
            "WLR_BACKENDS": "headless",
            "WLR_RENDERER": "gles2",
            "WLR_RENDERER_ALLOW_SOFTWARE": "1",
            "WLR_RENDER_DRM_DEVICE": str(render),
        }
        self.socket = str(HOME / "wayland-1")
        self._file = LOG.open("wb")
        self.process = subprocess.Popen(
            ["sway", "--config", HOME / "config", "--debug"],
            env=environment,
            stdout=self._file,
            stderr=self._file,
            user=NOBODY,
            group=NOBODY,
            extra_groups=[],
        )

    def __enter__(self):
        deadline = time.monotonic() + PATIENCE
        while not Path(self.socket).exists():
            if self.process.poll() is not None or time.monotonic() > deadline:
                self.process.kill()
                sys.exit(f"sway does not listen:\n{self.log}")
            time.sleep(0.2)
        return self

    def __exit__(self, *_):
        self.process.terminate()
        with step_limit("the end of sway"):
            try:
                self.process.wait(PATIENCE)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        self._file.close()

    @property
    def log(self):
        return LOG.read_text(errors="replace")

    @property
    def alive(self):
        return self.process.poll() is None

    def connect(self):
        """A connection that knows the globals."""
        deadline = time.monotonic() + PATIENCE
        while True:
            try:
                connection = Connection(self.socket)
            except NoCompositorError:
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.2)
            else:
                connection.globals(timeout=PATIENCE)
                return connection
