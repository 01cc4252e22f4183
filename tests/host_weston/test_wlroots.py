"""The example compositor on wlroots, which has no wl_buffers to tell of, built as it says."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from patience import PATIENCE, until
from pywayland.protocol.wayland import WlCompositor, WlSubcompositor
from windows import SIZE, Client, offers_scanout

from heapwire.client_lib.wayland import AnyProxy, Connection, create, listen
from heapwire.compositor_plugin.hosts.embed import build_library
from heapwire.protocol.values import Extent
from heapwire.protocol.wire.bindings import BufferStatusReason, BufferStatusResult

EXAMPLE = Path(__file__).parents[2] / "docs" / "examples" / "wlroots_compositor.c"
PLATFORM = "raspberry-pi-4"
STRICT = ("-std=c11", "-Wall", "-Wextra", "-Wpedantic", "-Werror")
DEFINED = ("-D_POSIX_C_SOURCE=200809L", "-DWLR_USE_UNSTABLE")
SMALL = Extent(16, 16)
COMPOSITED = (BufferStatusResult.COMPOSITED, BufferStatusReason.NO_PLANE)

pytestmark = [
    pytest.mark.system(
        *("cc", "pkg-config", "wayland-scanner", "wayland-server.pc"),
        *("wayland-protocols.pc", "wlroots.pc"),
    )
]


def asked(*arguments: str, path: Path | None = None) -> list[str]:
    environment = {**os.environ, **({"PKG_CONFIG_PATH": str(path)} if path else {})}
    done = subprocess.run(
        ["pkg-config", *arguments], env=environment, capture_output=True, text=True, check=True
    )
    return done.stdout.split()


@pytest.fixture(scope="module")
def program(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("wlroots")
    build_library(folder)
    [protocols] = asked("--variable=pkgdatadir", "wayland-protocols")
    xml = f"{protocols}/stable/xdg-shell/xdg-shell.xml"
    header = folder / "xdg-shell-protocol.h"
    subprocess.run(["wayland-scanner", "server-header", xml, header], check=True)
    flags = asked("--cflags", "--libs", "heapwire", "wlroots", "wayland-server", path=folder)
    foreign = [flag.replace("-I/usr", "-isystem/usr") for flag in flags]
    made = folder / "compositor"
    subprocess.run(
        ["cc", *STRICT, *DEFINED, f"-I{folder}", EXAMPLE, "-o", made, *foreign], check=True
    )
    return made


@pytest.fixture
def socket(program: Path) -> Iterator[str]:
    folder = tempfile.mkdtemp(prefix="heapwire-")
    clean = {name: text for name, text in os.environ.items() if not name.startswith("HEAPWIRE")}
    headless = {"WLR_BACKENDS": "headless", "WLR_RENDERER": "pixman", "XDG_RUNTIME_DIR": folder}
    process = subprocess.Popen(
        [program, PLATFORM], env={**clean, **headless}, stdout=subprocess.PIPE, text=True
    )
    try:
        assert process.stdout is not None
        name = process.stdout.readline().strip()
        assert name
        until((Path(folder) / name).exists, "its socket")
        yield f"{folder}/{name}"
        process.terminate()
        process.communicate(timeout=PATIENCE)
        assert process.returncode == 0
    finally:
        if process.poll() is None:
            process.kill()
            process.communicate()
        shutil.rmtree(folder, ignore_errors=True)


def test_a_buffer_that_is_hidden_is_told_of_all_the_same(socket: str) -> None:
    with Connection(socket) as connection:
        client = Client(connection)
        assert offers_scanout(client.negotiate())
        first, second = (client.shm_buffer(SIZE) for _ in range(2))
        told: dict[str, list[tuple[int, int]]] = {"first": [], "second": []}
        for name, buffer in (("first", first), ("second", second)):
            client.negotiation.watch(
                buffer, lambda status, name=name: told[name].append((status.result, status.reason))
            )
        client.show(first, SIZE)
        client.wait(lambda: bool(told["first"]), "status of the first")
        assert told == {"first": [COMPOSITED], "second": []}
        client.show(second, SIZE)
        client.wait(lambda: bool(told["second"]), "status of the second")
        assert told == {"first": [COMPOSITED], "second": [COMPOSITED]}


class Part:
    """A subsurface, synchronized as it begins."""

    def __init__(self, client: Client) -> None:
        self.client = client
        connection = client.connection
        compositor = connection.bind(WlCompositor, maximum=4)[0]
        subcompositor = connection.bind(WlSubcompositor, maximum=1)[0]
        self.surface = create(compositor, "create_surface")
        whole = client.window.surface
        self.subsurface = create(subcompositor, "get_subsurface", self.surface, whole)

    def commit(self, buffer: AnyProxy) -> None:
        self.surface.attach(buffer, 0, 0)
        self.surface.damage(0, 0, SMALL.width, SMALL.height)
        self.surface.commit()

    def frame(self, buffer: AnyProxy) -> None:
        """Show a buffer, and wait for the frame."""
        done: list[int] = []
        callback = self.surface.frame()
        listen(callback, self.client.connection.handler_failed, {"done": done.append})
        self.commit(buffer)
        self.client.wait(lambda: bool(done), "frame")


def test_a_subsurface_shows_what_it_committed_when_its_parent_commits(socket: str) -> None:
    with Connection(socket) as connection:
        client = Client(connection)
        client.show(client.shm_buffer(SIZE), SIZE)
        part, clock = Part(client), Part(client)
        clock.subsurface.set_desync()
        for one in (part, clock):
            one.commit(client.shm_buffer(SMALL))
        client.show(client.shm_buffer(SIZE), SIZE)  # with which both are there
        buffers = [client.shm_buffer(SMALL) for _ in range(2)]
        told: list[int] = []
        for place, buffer in enumerate(buffers):
            client.negotiation.watch(buffer, lambda _status, place=place: told.append(place))
        part.commit(buffers[0])
        part.commit(buffers[1])  # takes the place of the first, which is never shown
        for _ in range(2):
            clock.frame(client.shm_buffer(SMALL))
        assert told == []
        client.show(client.shm_buffer(SIZE), SIZE)
        client.wait(lambda: bool(told), "status of what the subsurface shows")
        assert told == [1]
        part.subsurface.set_desync()
        part.commit(buffers[0])
        client.wait(lambda: told == [1, 0], "status of what it shows by itself")


def test_a_buffer_that_is_gone_is_not_taken_for_another(socket: str) -> None:
    """The next one has its place in memory, as a rule."""
    with Connection(socket) as connection:
        client = Client(connection)
        gone, *others = (client.shm_buffer(SIZE) for _ in range(4))
        client.show(gone, SIZE)
        clock = Part(client)
        clock.subsurface.set_desync()
        client.window.surface.commit()
        for buffer in (gone, *others):
            buffer.destroy()
        told: list[object] = []
        for buffer in [client.shm_buffer(SIZE) for _ in range(40)]:
            client.negotiation.watch(buffer, told.append)
        for _ in range(2):
            clock.frame(client.shm_buffer(SMALL))
        assert told == []
