"""The example that plays: the CPU's pictures, where there is no camera."""

from __future__ import annotations

import os
import subprocess
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from fake_compositor import CMA, TABLES
from patience import PATIENCE
from playing_compositor import Imported, RgbCompositor

from heapwire.compositor_plugin.hosts.reference import Compositor
from heapwire.kernel.description import Platform
from heapwire.protocol.values import Extent, FailureReason
from heapwire.protocol.wire import Batch
from heapwire.protocol.wire.bindings import XX_DMABUF_SOURCES_V1

PLAYER = Path(__file__).parents[2] / "docs/examples/player.c"
LEAK_CHECK = ("valgrind", "-q", "--leak-check=full", "--error-exitcode=9")
PICTURES = 20
SIZE = Extent(320, 240)

TABLES[XX_DMABUF_SOURCES_V1.name] = XX_DMABUF_SOURCES_V1

pytestmark = pytest.mark.system(
    *("wayland-scanner", "cc", "pkg-config", "wayland-protocols.pc", "wayland-client.pc"),
)


def checksum(number: int) -> int:
    """That of a picture: a row of the pattern is one grey, and each picture begins a row later."""
    rows = (bytes([(row + number) & 0xFF]) * SIZE.width * 3 for row in range(SIZE.height))
    return zlib.crc32(b"".join(rows))


def played(
    player: Path, socket: int, *arguments: str, wrapper: tuple[str, ...] = ()
) -> subprocess.CompletedProcess[str]:
    try:
        return subprocess.run(
            [*wrapper, player, *arguments],
            env={
                "WAYLAND_SOCKET": str(socket),
                "HEAPWIRE_SIMULATED": "1",
                "PATH": os.environ["PATH"],
            },
            pass_fds=[socket],
            capture_output=True,
            text=True,
            timeout=PATIENCE,
            check=False,
        )
    finally:
        os.close(socket)


def test_it_is_short() -> None:
    assert len(PLAYER.read_text("utf-8").splitlines()) <= 300


@pytest.mark.system("valgrind")
@pytest.mark.parametrize(
    ("platform", "source"), [("raspberry-pi-4", "linux,cma"), ("rockchip-rk3399", "system")]
)
def test_its_pictures_are_on_the_screen(
    platform: str, source: str, program: Callable[..., Path]
) -> None:
    player = program(PLAYER, shell=True)
    with Compositor(Platform.load(platform), size=SIZE, record=True) as compositor:
        with compositor.running():
            done = played(player, compositor.connect(), str(PICTURES), wrapper=LEAK_CHECK)
        assert (done.returncode, done.stderr) == (0, "")
        frames = list(compositor.frames)
    assert [frame.crc32 for frame in frames] == [checksum(number) for number in range(PICTURES)]
    assert all(frame.scanned_out for frame in frames)
    assert {frame.sources for frame in frames} == {(source,)}


class BusyAtFirst(RgbCompositor):
    """Has time for the question at the third time of asking."""

    globals = (*RgbCompositor.globals, ("xx_dmabuf_sources_v1", 1))
    patient = 3
    commits = 0

    def on_wl_registry_bind(self, id_: int, name: int, interface: str, *new: int) -> None:
        super().on_wl_registry_bind(id_, name, interface, *new)
        if interface == "xx_dmabuf_sources_v1":
            cma = (CMA.kind, CMA.major, CMA.minor)
            self.event(new[-1], "source", *cma, 0, 0, 0, 0, "linux,cma")
            self.event(new[-1], "done")

    def on_zwp_linux_buffer_params_v1_create_immed(
        self, id_: int, new: int, width: int, height: int, code: int, _flags: int
    ) -> None:
        self._buffers[new] = Imported((width, height), code, self._params.pop(id_))

    def answer(self, negotiation: int, cookie: int) -> None:
        self.commits += 1
        if self.commits < self.patient:
            self.send_batch(negotiation, Batch(cookie=cookie, reason=FailureReason.BUSY))
        else:
            super().answer(negotiation, cookie)


class AlwaysBusy(BusyAtFirst):
    patient = 1 << 30


@pytest.mark.parametrize(("kind", "commits", "status"), [(BusyAtFirst, 3, 0), (AlwaysBusy, 4, 1)])
def test_who_had_no_time_for_its_question_is_asked_again(
    kind: type[BusyAtFirst], commits: int, status: int, program: Callable[..., Path]
) -> None:
    player = program(PLAYER, shell=True)
    compositor = kind()
    try:
        done = played(player, compositor.socket.detach(), "3")
    finally:
        compositor.close()
    assert done.returncode == status, done.stderr
    assert ("no plan: " in done.stderr) == bool(status)
    assert compositor.commits == commits
    assert len(compositor.shown) == (0 if status else 3)


class BusyLater(BusyAtFirst):
    """Has no time any more once it has answered; to be asked again is the end."""

    patient = 1

    def answer(self, negotiation: int, cookie: int) -> None:
        super().answer(negotiation, cookie)
        self.send_batch(negotiation, Batch(cookie=0, reason=FailureReason.BUSY))
        if self.commits > 1:
            self.hang_up()

    def display(self, pending: Any) -> None:
        super().display(pending)
        self.shown.clear()


def test_it_asks_again_while_pictures_go_on(program: Callable[..., Path]) -> None:
    player = program(PLAYER, shell=True)
    compositor = BusyLater()
    try:
        done = played(player, compositor.socket.detach(), "0")
    finally:
        compositor.close()
    assert (done.returncode, compositor.commits) == (1, 2)
    assert "the compositor: " in done.stderr


def test_what_is_missing_is_said(program: Callable[..., Path], tmp_path: Path) -> None:
    player = program(PLAYER, shell=True)
    no_camera = tmp_path / "video0"
    with Compositor(Platform.load("raspberry-pi-4")) as compositor, compositor.running():
        done = played(player, compositor.connect(), "1", str(no_camera))
        assert (done.returncode, done.stderr) == (1, f"{no_camera}: No such file or directory\n")
        done = played(player, compositor.connect(), "1", "/dev/null")
        said = "the camera has no formats: Inappropriate ioctl for device\n"
        assert (done.returncode, done.stderr) == (1, said)
