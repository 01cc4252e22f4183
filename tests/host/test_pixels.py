"""Drawn pixels against libswscale's, through PyAV."""

from __future__ import annotations

import io

import av
import numpy as np
import pytest

from heapwire.compositor_plugin.hosts.reference.scene import PlaneBytes, png, read_image
from heapwire.compositor_plugin.hosts.reference.scene.pixels import Colours, to_rgb
from heapwire.protocol import NotPossibleError, UsageError
from heapwire.protocol.values import ColourEncoding, ColourRange, parse_fourcc

UNSPECIFIED = Colours()
WIDTH, HEIGHT = 322, 182  # not multiples of 4, so that rows end inside a word

PIX_FMT = {
    "XRGB8888": "bgra",
    "XBGR8888": "rgba",
    "RGB565": "rgb565le",
    "NV12": "nv12",
    "NV21": "nv21",
    "NV16": "nv16",
    "P010": "p010le",
    "YUV420": "yuv420p",
    "YUYV": "yuyv422",
    "UYVY": "uyvy422",
}


def picture() -> np.ndarray:
    """Smooth colours, so that chroma filters hardly matter."""
    y, x = np.mgrid[0:HEIGHT, 0:WIDTH].astype(np.float32)
    red, green = 255 * x / WIDTH, 255 * y / HEIGHT
    blue = 127 + 127 * np.sin((x + y) / 60)
    return np.stack([red, green, blue], axis=-1).astype(np.uint8)


def psnr(one: np.ndarray, other: np.ndarray) -> float:
    error = np.mean((one.astype(np.float64) - other.astype(np.float64)) ** 2)
    return float("inf") if error == 0 else 10 * np.log10(255**2 / error)


def planes_of(frame: av.VideoFrame) -> list[PlaneBytes]:
    return [PlaneBytes(bytes(plane), 0, plane.line_size) for plane in frame.planes]


def drawn(frame: av.VideoFrame, name: str, colours: Colours = UNSPECIFIED) -> np.ndarray:
    planes = planes_of(frame)
    image = read_image(planes, parse_fourcc(name), frame.width, frame.height, colours=colours)
    return to_rgb(image)


@pytest.mark.parametrize("name", ["XRGB8888", "XBGR8888"])
def test_rgb_is_exact(name: str) -> None:
    frame = av.VideoFrame.from_ndarray(picture(), format="rgb24").reformat(format=PIX_FMT[name])
    assert np.array_equal(drawn(frame, name), picture())


@pytest.mark.parametrize("name", [name for name in PIX_FMT if name not in ("XRGB8888", "XBGR8888")])
def test_other_formats_are_as_swscale_reads_them(name: str) -> None:
    frame = av.VideoFrame.from_ndarray(picture(), format="rgb24").reformat(format=PIX_FMT[name])
    theirs = frame.reformat(format="rgb24").to_ndarray()
    assert psnr(drawn(frame, name), theirs) >= 45


@pytest.mark.parametrize(
    ("encoding", "desktop"), [(ColourEncoding.BT601, "ITU601"), (ColourEncoding.BT709, "ITU709")]
)
@pytest.mark.parametrize(("range_", "av_range"), [(ColourRange.LIMITED, 1), (ColourRange.FULL, 2)])
def test_matrix_and_range_are_followed(
    encoding: ColourEncoding, desktop: str, range_: ColourRange, av_range: int
) -> None:
    source = av.VideoFrame.from_ndarray(picture(), format="rgb24")
    frame = source.reformat(format="nv12", dst_colorspace=desktop, dst_color_range=av_range)
    mine = drawn(frame, "NV12", Colours(encoding, range_))
    assert psnr(mine, picture()) >= 40  # what chroma subsampling leaves of the original
    wrong = ColourEncoding.BT2020
    assert psnr(drawn(frame, "NV12", Colours(wrong, range_)), picture()) < 40


def test_offsets_and_pitches_are_honoured() -> None:
    rgb = picture()
    pitch, offset = WIDTH * 4 + 52, 4096
    data = bytearray(b"\xaa" * (offset + pitch * HEIGHT))
    for row in range(HEIGHT):
        start = offset + row * pitch
        line = np.concatenate([rgb[row, :, ::-1], np.zeros((WIDTH, 1), np.uint8)], axis=1)
        data[start : start + WIDTH * 4] = line.tobytes()
    plane = PlaneBytes(bytes(data), offset, pitch)
    image = read_image([plane], parse_fourcc("XRGB8888"), WIDTH, HEIGHT)
    assert np.array_equal(to_rgb(image), rgb)
    assert (image[..., 3] == 255).all()


def test_a_short_buffer_is_refused() -> None:
    plane = PlaneBytes(bytes(WIDTH * 4 * HEIGHT - 1), 0, WIDTH * 4)
    with pytest.raises(UsageError, match="not within"):
        read_image([plane], parse_fourcc("XRGB8888"), WIDTH, HEIGHT)


def test_an_unknown_format_is_refused_by_name() -> None:
    with pytest.raises(NotPossibleError, match="XRGB16161616"):
        read_image([], parse_fourcc("XRGB16161616"), 1, 1)


def test_png_holds_the_picture() -> None:
    frame = next(av.open(io.BytesIO(png(picture()))).decode(video=0))
    assert np.array_equal(frame.to_ndarray(format="rgb24"), picture())
