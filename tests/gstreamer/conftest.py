"""The element built once, a program that plays pipelines, and compositors to play them on."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from threading import Event

import pytest
from patience import until

from heapwire.client_lib.gstreamer import build_gstreamer_plugin
from heapwire.compositor_plugin.hosts.reference import Compositor
from heapwire.compositor_plugin.hosts.reference.dmabuf.zwp_linux_buffer_params_v1 import (
    ZwpLinuxBufferParamsV1,
)
from heapwire.compositor_plugin.hosts.reference.scene import FrameRecord
from heapwire.kernel.description import Platform
from heapwire.protocol.values import Extent

HERE = Path(__file__).parent
SCREEN = Extent(640, 480)
STRICT = "-Wall -Wextra -Werror"


@pytest.fixture(scope="session")
def plugin(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder with the plugin, which was built with every warning an error."""
    folder = tmp_path_factory.mktemp("gstreamer")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CC", f"cc -g {STRICT}")
        build_gstreamer_plugin(folder)
    return folder


@pytest.fixture(scope="session")
def play(plugin: Path) -> Path:
    """play.c, compiled."""
    command = ["pkg-config", "--cflags", "--libs", "gstreamer-1.0"]
    flags = subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()
    out = plugin / "play"
    subprocess.run(
        ["cc", "-g", *STRICT.split(), HERE / "play.c", *flags, "-o", out],
        check=True,
    )
    return out


class Playing:
    """A pipeline that plays in a process of its own; its sink is called `sink`."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self.process = process
        self.heard: list[str] = []

    def tell(self, line: str) -> None:
        """Have play.c do something."""
        assert self.process.stdin is not None
        self.process.stdin.write(f"{line}\n")
        self.process.stdin.flush()

    def hear(self, word: str) -> str:
        """The rest of the next line that begins so."""
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.heard.append(line.rstrip())
            if line.startswith(f"{word}"):
                return line.removeprefix(word).strip()
        raise AssertionError(f"it ended, and has said: {self.heard}")

    def stats(self) -> dict[str, str]:
        """The sink's statistics as they are now."""
        self.tell("stats")
        fields = self.hear("stats").removeprefix("heapwire").strip(" ,;").split(", ")
        pairs = (field.partition("=") for field in fields)
        return {
            name: value.partition(")")[2].strip('"').replace("\\", "") for name, _, value in pairs
        }

    def until(self, condition: Callable[[], object], what: str) -> None:
        """Wait for something that is so as long as it plays."""

        def over() -> bool:
            met = bool(condition())
            assert met or self.process.poll() is None, f"it ended before {what}"
            return met

        until(over, what)

    def end(self) -> int:
        """End it in good order; its exit status."""
        self.process.communicate("end\n")
        return self.process.returncode


class Stage:
    """A compositor of this process, and what plays on it."""

    def __init__(
        self, compositor: Compositor, play: Path, plugin: Path, *, hang_up: Callable[[], None]
    ) -> None:
        self.compositor = compositor
        self.hang_up = hang_up
        self._play = play
        self._plugin = plugin

    @contextmanager
    def playing(self, pipeline: str) -> Iterator[Playing]:
        """Play a pipeline until it is left."""
        with subprocess.Popen(
            [self._play, pipeline],
            env={
                **os.environ,
                "WAYLAND_DISPLAY": "stage",
                "GST_PLUGIN_PATH": str(self._plugin),
                "GST_REGISTRY": str(self._plugin / "registry.bin"),
            },
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        ) as process:
            try:
                yield Playing(process)
            finally:
                process.kill()

    def frames(self) -> list[FrameRecord]:
        """What was on the screen."""
        return list(self.compositor.frames)

    def crcs(self, since: int = 0) -> list[int]:
        """The checksums of it."""
        return [one.crc32 for one in self.frames()[since:]]


@pytest.fixture
def machine(
    play: Path, plugin: Path, tmp_path_factory: pytest.TempPathFactory, monkeypatch
) -> Callable[..., AbstractContextManager[Stage]]:
    """A simulated machine whose display wants contiguous memory, unlike its GPU.

    Whether its compositor has heapwire, an `extension` of Wayland's, is said when it is begun.
    """
    monkeypatch.setenv("HEAPWIRE_SIMULATED", "1")
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path_factory.mktemp("run")))
    platform = Platform.load("raspberry-pi-4")

    @contextmanager
    def begun(*, extension: bool = True) -> Iterator[Stage]:
        with ExitStack() as stack:
            compositor = stack.enter_context(
                Compositor(
                    platform,
                    socket="stage",
                    size=SCREEN,
                    record=True,
                    keyboard=True,
                    extension=extension,
                )
            )
            stack.enter_context(compositor.running())
            yield Stage(compositor, play, plugin, hang_up=stack.close)

    return begun


@pytest.fixture
def stage(machine) -> Iterator[Stage]:
    """The machine with heapwire."""
    with machine() as stage:
        yield stage


@dataclass(frozen=True, slots=True)
class HeldBack:
    """A buffer that the compositor makes only when it is told to."""

    asked: Event
    answer: Event


@pytest.fixture
def hold_back(monkeypatch) -> Iterator[Callable[[int], HeldBack]]:
    """Let the compositor stand still when it is asked for its buffer of a number."""
    held = HeldBack(Event(), Event())
    create = ZwpLinuxBufferParamsV1.create

    def hold_back(number: int) -> HeldBack:
        asked = count(1)

        def held_back(params: ZwpLinuxBufferParamsV1, *arguments: int) -> None:
            if next(asked) == number:
                held.asked.set()
                held.answer.wait()
            create(params, *arguments)

        monkeypatch.setattr(ZwpLinuxBufferParamsV1, "create", held_back)
        return held

    yield hold_back
    held.answer.set()
