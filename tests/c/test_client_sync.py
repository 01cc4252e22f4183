"""Explicit synchronisation in the client library in C: its tables, and points on the screen."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from patience import until
from pywayland.protocol.linux_drm_syncobj_v1 import (
    WpLinuxDrmSyncobjManagerV1,
    WpLinuxDrmSyncobjSurfaceV1,
    WpLinuxDrmSyncobjTimelineV1,
)
from pywayland.scanner.argument import ArgumentType

from heapwire.compositor_plugin.hosts.reference import Compositor
from heapwire.kernel.description import Platform

HERE = Path(__file__).parent
CODE = HERE.parents[1] / "client_lib/c/heapwire-client.c"
LETTERS = {
    ArgumentType.Uint: "u",
    ArgumentType.Object: "o",
    ArgumentType.NewId: "n",
    ArgumentType.FileDescriptor: "h",
}

pytestmark = pytest.mark.system(
    *("wayland-scanner", "cc", "pkg-config", "wayland-protocols.pc", "wayland-client.pc"),
)


def in_c(name: str) -> list[tuple[str, str]]:
    """The requests of an interface as the C file has them: names and signatures."""
    text = CODE.read_text("utf-8")
    [(count, array)] = re.findall(rf'"{name}", 1, (\d), (\w+), 0, NULL', text)
    [body] = re.findall(rf"{array}\[\] = {{(.*?)}};", text, re.DOTALL)
    requests = re.findall(r'{"(\w+)", "(\w*)", \w+}', body)
    assert len(requests) == int(count)
    return requests


@pytest.mark.parametrize(
    "interface",
    [WpLinuxDrmSyncobjManagerV1, WpLinuxDrmSyncobjSurfaceV1, WpLinuxDrmSyncobjTimelineV1],
    ids=lambda interface: interface.name,
)
def test_the_tables_are_the_protocols(interface: type) -> None:
    """They are written by hand, because wayland-protocols may be too old to have the file."""
    wanted = [
        (one.name, "".join(LETTERS[argument.argument_type] for argument in one.arguments))
        for one in interface.requests
    ]
    assert in_c(interface.name) == wanted
    assert not interface.events
    assert interface.version == 1


class Steps:
    """The program, a step at a time."""

    def __init__(self, program: Path, socket: int) -> None:
        self.process = subprocess.Popen(
            [program],
            env={"WAYLAND_SOCKET": str(socket), "HEAPWIRE_SIMULATED": "1"},
            pass_fds=[socket],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def __enter__(self) -> Steps:
        return self

    def __exit__(self, *_: object) -> None:
        self.process.kill()
        self.process.communicate()

    def until(self, word: str) -> None:
        """Read the line that the program says next."""
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        if line != f"{word}\n":
            assert self.process.stderr is not None
            pytest.fail(f"{line!r} in place of {word}: {self.process.stderr.read()}")

    def go_on(self) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write("\n")
        self.process.stdin.flush()


def test_a_buffer_is_shown_when_it_is_acquired_and_released_at_its_point(
    program: Callable[..., Path],
) -> None:
    sync = program(HERE / "sync.c", shell=True)
    seen: list[int] = []
    compositor = Compositor(
        Platform.load("raspberry-pi-4"),
        on_frame=lambda record, pixels: seen.append(int(pixels()[..., :3].max())),
    )
    with compositor, compositor.running(), Steps(sync, compositor.connect()) as client:
        client.until("committed")
        assert 0x40 not in seen
        client.go_on()
        client.until("signalled")
        until(lambda: 0x40 in seen, "the frame")
        assert 0x80 not in seen
        client.go_on()
        client.until("replaced")
        until(lambda: 0x80 in seen, "the other frame")
        client.go_on()
        client.until("released")
        client.go_on()
        assert client.process.wait() == 0
