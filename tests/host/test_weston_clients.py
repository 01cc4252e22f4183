"""Programs that nobody wrote for this compositor: Weston's clients and wayland-info."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from patience import PATIENCE, until

from heapwire.compositor_plugin.hosts.reference import Compositor
from heapwire.compositor_plugin.hosts.reference.scene import FrameRecord, png
from heapwire.kernel.description import Platform
from heapwire.protocol.values import Extent

SIZE = Extent(800, 600)


class Session:
    """A compositor on a thread, with a socket that programs find."""

    def __init__(self, folder) -> None:
        self.frames = 0
        self.surfaces: dict[int, int] = {}
        self.changed = threading.Event()
        self.compositor = Compositor(
            Platform.load("raspberry-pi-4"), size=SIZE, on_frame=self._shown
        )
        self.environment = {
            **os.environ,
            "XDG_RUNTIME_DIR": str(folder),
            "WAYLAND_DISPLAY": str(self.compositor.socket),
        }

    def _shown(self, record: FrameRecord, _pixels: object) -> None:
        self.frames += 1
        self.surfaces[record.surface] = self.surfaces.get(record.surface, 0) + 1
        self.changed.set()

    @contextlib.contextmanager
    def program(self, *command: str) -> Iterator[subprocess.Popen]:
        """A program, ended by SIGTERM; it must not have ended before."""
        process = subprocess.Popen(
            command,
            env=self.environment,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
        )
        with process:
            try:
                yield process
                assert process.poll() is None, process.stderr.read()
            finally:
                process.send_signal(signal.SIGTERM)
                with contextlib.suppress(subprocess.TimeoutExpired):
                    process.wait(PATIENCE)
                process.kill()

    def until(self, process: subprocess.Popen, condition: Callable[[], bool]) -> None:
        until(lambda: condition() or process.poll() is not None, "frames", self._turn)
        assert process.poll() is None, process.stderr.read()

    def _turn(self) -> None:
        self.changed.wait(0.1)
        self.changed.clear()

    def more(self, process: subprocess.Popen) -> None:
        """Wait for a few frames more."""
        known = self.frames
        self.until(process, lambda: self.frames > known + 4)


@pytest.fixture
def session(tmp_path, monkeypatch) -> Iterator[Session]:
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    session = Session(tmp_path)
    with session.compositor, session.compositor.running():
        yield session


def lit(image: np.ndarray) -> float:
    """Which part of the screen is not black."""
    return float(np.mean(image.any(axis=2)))


def colours(image: np.ndarray) -> int:
    """How many different colours are on the screen."""
    return len(np.unique(image.reshape(-1, 3), axis=0))


@pytest.mark.system("weston-simple-shm")
def test_simple_shm_moves(session) -> None:
    with session.program("weston-simple-shm") as process:
        session.until(process, lambda: session.frames >= 3)
        first = session.compositor.screenshot()
        assert 0.1 < lit(first) < 0.2, "a square of 800 x 600 pixels"
        assert colours(first) > 100
        ys, xs = np.nonzero(first.any(axis=2))
        width, height = xs.max() - xs.min() + 1, ys.max() - ys.min() + 1
        assert width == height
        assert width in {250, 256}, "what Weston 10 and 16 have it"
        session.until(process, lambda: bool((session.compositor.screenshot() != first).any()))


@pytest.mark.system("weston-simple-damage")
@pytest.mark.parametrize(
    ("arguments", "size"),
    [
        ((), (300, 200)),
        (("--scale=2",), (300, 200)),
        (("--transform=90",), (300, 200)),
        (("--transform=flipped-270", "--scale=2"), (300, 200)),
        (("--use-viewport", "--rotating-transform"), None),
        (("--width=400", "--height=100"), (400, 100)),
    ],
    ids=lambda value: " ".join(map(str, value)) if value else "none",
)
def test_simple_damage_bounces(session, arguments, size) -> None:
    with session.program("weston-simple-damage", *arguments) as process:
        session.until(process, lambda: session.frames >= 10)
        image = session.compositor.screenshot()
        assert colours(image) >= 2
        if size is not None:
            ys, xs = np.nonzero(image.any(axis=2))
            assert (xs.max() - xs.min() + 1, ys.max() - ys.min() + 1) == size


@pytest.mark.system("weston-presentation-shm")
@pytest.mark.parametrize("mode", ["-f", "-i", "-p"])
def test_presentation_shm_hears_of_its_frames(session, mode) -> None:
    """Its three modes: feedback for each frame, idle, and low latency."""
    command = ["weston-presentation-shm", mode]
    if shutil.which("stdbuf"):
        command = ["stdbuf", "-oL", *command]
    process = subprocess.Popen(
        command,
        env=session.environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    lines = []
    with process:
        killer = threading.Timer(PATIENCE, process.kill)
        killer.start()
        for line in process.stdout:
            lines.append(line)
            if sum("seq " in one for one in lines) >= 5:
                break
        killer.cancel()
        assert process.poll() is None, "".join(lines)
        assert lit(session.compositor.screenshot()) > 0.05
        process.kill()
    presented = [line for line in lines if "seq " in line]
    assert len(presented) >= 5, "".join(lines)
    if mode == "-f":
        sequences = [int(line.partition("seq ")[2].split()[0]) for line in presented]
        assert sequences == sorted(set(sequences))


@pytest.mark.system("weston-subsurfaces")
@pytest.mark.parametrize("mode", ["-r0", "-r1", "-t0", "-t1"])
def test_subsurfaces_are_on_their_parent(session, mode) -> None:
    """Its modes: synchronised or not, with the parent's rhythm or their own."""
    with session.program("weston-subsurfaces", mode) as process:
        session.until(process, lambda: len(session.surfaces) == 3)
        image = session.compositor.screenshot()
        ys, xs = np.nonzero(image.any(axis=2))
        assert (xs.max() - xs.min() + 1, ys.max() - ys.min() + 1) == (336, 236)
        assert colours(image) > 20


@pytest.mark.system(
    "weston-simple-shm", "weston-simple-damage", "weston-presentation-shm", "weston-subsurfaces"
)
def test_all_of_them_at_once_and_one_picture(session, tmp_path) -> None:
    """With HEAPWIRE_KEEP_PICTURE=FILE.png the picture is kept to be looked at."""
    programs = [
        ("weston-subsurfaces",),
        ("weston-presentation-shm",),
        ("weston-simple-damage",),
        ("weston-simple-shm",),
    ]
    with contextlib.ExitStack() as stack:
        for command in programs:
            known = set(session.surfaces)

            def joined(known=known) -> bool:
                frames = [n for surface, n in session.surfaces.items() if surface not in known]
                return len(frames) > 0 and max(frames) > 3

            session.until(stack.enter_context(session.program(*command)), joined)
        picture = Path(os.environ.get("HEAPWIRE_KEEP_PICTURE") or tmp_path / "all.png")
        picture.write_bytes(png(session.compositor.screenshot()))
        assert lit(session.compositor.screenshot()) > 0.2
        assert len(session.surfaces) == 6, "three of them are subsurfaces' and their parent's"
        assert picture.stat().st_size > 1000


@pytest.mark.system("wayland-info")
def test_wayland_info_lists_the_globals(session) -> None:
    done = subprocess.run(
        ["wayland-info"], env=session.environment, capture_output=True, text=True, timeout=PATIENCE
    )
    assert done.returncode == 0, done.stderr
    for name in (
        "wl_compositor",
        "wl_subcompositor",
        "wl_shm",
        "wl_output",
        "wl_seat",
        "xdg_wm_base",
        "wp_viewporter",
        "wp_presentation",
        "zwp_linux_dmabuf_v1",
        "xx_dmabuf_negotiation_manager_v1",
        "xx_dmabuf_allocation_manager_v1",
        "xx_dmabuf_buffer_status_manager_v1",
    ):
        assert f"interface: '{name}'" in done.stdout
    assert "width: 800 px, height: 600 px, refresh: 60.000 Hz" in done.stdout
    assert "NV12" in done.stdout
    assert "presentation clock id: 1" in done.stdout


@pytest.mark.system("weston-simple-shm")
def test_a_killed_client_leaves_the_others_alone(session) -> None:
    with session.program("weston-simple-shm") as stays:
        session.until(stays, lambda: session.frames >= 3)
        for _ in range(3):
            killed = subprocess.Popen(["weston-simple-shm"], env=session.environment)
            session.more(stays)
            killed.kill()
            killed.wait()
        session.more(stays)
