"""In the guest: a stock Weston on vkms, and what it says of its planes."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import time
from pathlib import Path

from limits import PATIENCE
from step_limit import step_limit

from heapwire.client_lib import NoCompositorError
from heapwire.client_lib.wayland import Connection

RUNTIME = Path("/run/weston")
_INI = """
[output]
name=Virtual-1
mode={mode}

[shell]
startup-animation=none
close-animation=none
locking=false

[input-method]
path=
"""
QUIET = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}


@contextlib.contextmanager
def seat():
    """A seatd, which lets Weston have the card."""
    RUNTIME.mkdir(mode=0o700, exist_ok=True)
    os.environ |= {"XDG_RUNTIME_DIR": str(RUNTIME), "LIBGL_ALWAYS_SOFTWARE": "1"}
    ready, told = os.pipe()
    daemon = subprocess.Popen(
        ["seatd", "-n", str(told)],
        env={**os.environ, "SEATD_VTBOUND": "0"},
        pass_fds=[told],
        **QUIET,
    )
    os.close(told)
    try:
        with os.fdopen(ready, "rb") as words:
            if not words.readline():
                sys.exit("seatd does not start")
        yield
    finally:
        daemon.kill()
        daemon.wait()


def vkms_card():
    """The node of vkms, such as card1."""
    cards = Path("/sys/devices/platform/vkms/drm").glob("card*")
    return next(entry.name for entry in cards)


class Weston:
    """One running Weston; `log` is what it has logged. A context manager.

    `size` is the mode of its output, None for what it chooses; with it, nothing is animated.
    """

    def __init__(self, name, *, shell, module=None, size=None, environment=None):
        self.socket = str(RUNTIME / name)
        self._log = Path(f"/tmp/{name}.log")
        config = "--no-config"
        if size is not None:
            Path(f"/tmp/{name}.ini").write_text(_INI.format(mode=size))
            config = f"--config=/tmp/{name}.ini"
        command = ["weston", "--backend=drm-backend.so", f"--drm-device={vkms_card()}"]
        command += [f"--socket={name}", "--continue-without-input", "--idle-time=0", "--debug"]
        command += [f"--shell={shell}-shell.so", f"--log={self._log}", config]
        command += [f"--modules={module}"] if module else []
        self.process = subprocess.Popen(command, env={**os.environ, **(environment or {})}, **QUIET)

    def __enter__(self):
        deadline = time.monotonic() + PATIENCE
        while not Path(self.socket).exists():
            if self.process.poll() is not None or time.monotonic() > deadline:
                self.process.kill()
                sys.exit(f"Weston does not listen:\n{self.log}")
            time.sleep(0.2)
        return self

    def __exit__(self, *_):
        self.process.terminate()
        with step_limit("the end of Weston"):
            try:
                self.process.wait(PATIENCE)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()

    @property
    def log(self):
        return self._log.read_text(errors="replace") if self._log.exists() else ""

    @property
    def module_log(self):
        return [line for line in self.log.splitlines() if "heapwire:" in line]

    @property
    def alive(self):
        return self.process.poll() is None

    def connect(self):
        """A connection that knows the globals; Weston may take its time."""
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

    @contextlib.contextmanager
    def watched(self):
        """Its own log of its planes, for the time of a block; empty until the block ends.

        The scene graph comes at once to whoever asks for it: that it is there says that Weston
        has heard of what was asked for before.
        """
        repaints = Repaints()
        log = Path("/tmp/planes.log")
        with log.open("wb") as file:
            watcher = subprocess.Popen(
                ["weston-debug", "drm-backend", "scene-graph"],
                env={**os.environ, "WAYLAND_DISPLAY": self.socket},
                stdout=file,
                stderr=subprocess.DEVNULL,
            )
            try:
                self._wait_for_words(log, watcher)
                yield repaints
            finally:
                watcher.terminate()
                watcher.wait()
        text = log.read_text(errors="replace")
        repaints.texts = text.split("preparing state for output")[1:]

    def _wait_for_words(self, log, watcher):
        deadline = time.monotonic() + PATIENCE
        while not log.stat().st_size:
            if watcher.poll() is not None or time.monotonic() > deadline:
                sys.exit(f"weston-debug says nothing:\n{self.log}")
            time.sleep(0.05)


class Repaints:
    """What Weston's drm-backend scope says, a text for each repaint."""

    def __init__(self):
        self.texts = []

    def __len__(self):
        return len(self.texts)

    @property
    def plane_only(self):
        """Repaints in which nothing was drawn: clients' buffers are on the planes."""
        # Newer Westons use a state of the planes again, and say "reused plane-only".
        return sum("plane-only state composition" in one for one in self.texts)
