"""Show the whole way: a compositor, a player, and the heap that they agree on."""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from heapwire.cli.arguments import (
    DEFAULT_PLATFORM,
    MOST_FRAMES,
    add_json,
    add_platform,
    add_schema,
    add_timeout,
    load_platform,
    output_file,
    whole_number,
)
from heapwire.cli.compositor import READY
from heapwire.cli.pages import Meter, play_document, played, render_play
from heapwire.cli.terminal import DONE, FAILED, documents, show
from heapwire.client_lib.player import Player, PlayOptions
from heapwire.protocol import MachineError
from heapwire.protocol.explain import Document, Json

WIDTH, HEIGHT, RATE = 1280, 720, 30  # pixels of the clip, and frames a second
PATIENCE = 60.0  # seconds that its own compositor may take for an answer, or for its end


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Arguments of `heapwire demo`."""
    add_platform(parser, default=DEFAULT_PLATFORM)
    parser.add_argument(
        "--frames",
        metavar="N",
        type=whole_number(MOST_FRAMES),
        default=60,
        help="length of the clip (default: %(default)s)",
    )
    parser.add_argument(
        *("-o", "--output"),
        metavar="FILE.png",
        type=output_file,
        default="heapwire-demo.png",
        help="where the screenshot goes (default: %(default)s)",
    )
    add_timeout(parser, PATIENCE)
    add_json(parser)
    add_schema(parser, "demo")


def run(options: argparse.Namespace) -> int:
    """Play a clip that is made for it, and show what became of it."""
    platform = load_platform(options.platform)
    with tempfile.TemporaryDirectory(prefix="heapwire-") as folder:
        scratch = Path(folder)
        clip = write_clip(scratch / "clip.mkv", frames=options.frames)
        record, screenshot = scratch / "record.json", scratch / "screenshot.png"
        meter = Meter()
        with compositor(scratch, options.platform, record, screenshot) as socket:
            player = Player(
                clip,
                display=socket,
                platform=platform,
                # Each frame is recorded with its checksum, which takes the compositor longer
                # than the frame lasts: none is dropped for that.
                options=PlayOptions(fullscreen=True, paced=False, timeout=options.timeout),
                on_progress=meter.show,
            )
            result = played(player, meter, as_json=options.json)
        if result is None:
            return FAILED
        options.output.write(screenshot.read_bytes())
        document = play_document(result)
        document["platform"] = platform.name
        document["screenshot"] = str(options.output)
        document["compositor_frames"] = _frames(record)
    show(document, render, as_json=options.json)
    return DONE


def render(document: Document) -> str:
    """The outcome for people."""
    frames = documents(document["compositor_frames"])
    scanned_out = sum(1 for frame in frames if frame["scanned_out"])
    return "\n".join(
        [
            f"platform {document['platform']}, simulated",
            render_play(document),
            f"the compositor recorded {len(frames)} frames, {scanned_out} of them scanned out",
            f"the screenshot is {document['screenshot']}",
        ]
    )


@contextlib.contextmanager
def compositor(folder: Path, platform: str, record: Path, screenshot: Path) -> Iterator[str]:
    """The reference compositor as a process; the path of its socket.

    Raises `MachineError` with what it said on standard error if it does not
    start. It is ended in any case, and has written its files then.
    """
    errors = folder / "compositor.log"
    arguments = ["--platform", platform, "--socket", "wayland-heapwire"]
    arguments += ["--record", os.fspath(record), "--screenshot", os.fspath(screenshot)]
    with errors.open("w") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "heapwire.cli.main", "compositor", *arguments],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=log,
            env={**os.environ, "XDG_RUNTIME_DIR": os.fspath(folder)},
            start_new_session=True,  # Ctrl-C is the player's; the compositor ends after it
        )
    try:
        yield os.fspath(folder / _socket(process, errors))
    finally:
        process.terminate()
        try:
            process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        if process.stdout is not None:
            process.stdout.close()
    if process.returncode != 0:
        raise MachineError(f"the compositor failed: {errors.read_text().strip()}")


def _socket(process: subprocess.Popen[bytes], errors: Path) -> str:
    """The name of the socket, when clients may connect to it."""
    assert process.stdout is not None
    word, _, name = process.stdout.readline().decode().strip().partition(" ")
    if word == READY:
        return name
    raise MachineError(f"the compositor did not start: {errors.read_text().strip()}")


def _frames(record: Path) -> list[Json]:
    frames: list[Json] = json.loads(record.read_text("utf-8"))["frames"]
    return frames


def write_clip(path: Path, *, frames: int) -> Path:
    """Encode a moving picture of so many frames; `MachineError` if PyAV or numpy is missing."""
    try:
        import av
        import numpy as np
    except ImportError as error:
        raise MachineError(
            f"{error.name} is missing: install heapwire with its extra, [play]"
        ) from None
    y, x = np.mgrid[0:HEIGHT, 0:WIDTH].astype(np.float32)
    with av.open(str(path), "w") as container:
        stream = container.add_stream("mpeg4", rate=RATE)
        stream.width, stream.height, stream.pix_fmt = WIDTH, HEIGHT, "yuv420p"
        stream.bit_rate = 6_000_000
        for number in range(frames):
            turn = 2 * np.pi * number / 60
            picture = np.empty((HEIGHT, WIDTH, 3), np.uint8)
            picture[..., 0] = 128 + 100 * np.sin(x / 90 + turn)
            picture[..., 1] = 128 + 100 * np.sin(y / 70 - turn)
            picture[..., 2] = 128 + 100 * np.cos((x + y) / 110 + turn)
            centre = WIDTH * (0.5 + 0.35 * np.sin(turn)), HEIGHT * (0.5 + 0.3 * np.cos(turn))
            ball = (x - centre[0]) ** 2 + (y - centre[1]) ** 2 < 80**2
            picture[ball] = (245, 240, 225)
            frame = av.VideoFrame.from_ndarray(picture, format="rgb24")
            for packet in stream.encode(frame):
                container.mux(packet)
        for packet in stream.encode():
            container.mux(packet)
    return path
