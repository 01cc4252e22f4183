"""A clip for the demo: a moving picture, encoded on the spot."""

from __future__ import annotations

from pathlib import Path

from heapwire.protocol import MachineError

WIDTH, HEIGHT, RATE = 1280, 720, 30  # pixels and frames a second


def write_clip(path: Path, *, frames: int) -> Path:
    """Encode a clip of so many frames; `MachineError` if PyAV or numpy is missing."""
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
