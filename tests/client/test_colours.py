"""Colours: what a stream says of its YCbCr is what is drawn, whoever shows it."""

from __future__ import annotations

import av
import numpy as np
import pytest
from patience import PATIENCE
from playing_compositor import PlayingCompositor
from test_player import FAST, platform as platform, play

from heapwire.client_lib import Player, PlayOptions
from heapwire.client_lib.buffers.surface_colours import SurfaceColours
from heapwire.client_lib.player.pictures.stream_colours import buffer_colour
from heapwire.compositor_plugin.hosts.reference import Compositor
from heapwire.kernel.description import Platform
from heapwire.protocol.values import ColourEncoding, ColourRange, Content, Extent, parse_fourcc

GREEN = (0, 192, 0)
WEIGHTS = {"bt601": (0.299, 0.114), "bt709": (0.2126, 0.0722), "bt2020": (0.2627, 0.0593)}
SPACES = {"bt601": 5, "bt709": 1, "bt2020": 9}  # AVColorSpace
LIMITED, FULL = 1, 2  # AVColorRange
LEVELS = 2


def codes(rgb, matrix: str, full: bool, bits: int) -> list[int]:
    """Y, Cb and Cr of a colour, by the equations of H.273."""
    red, green, blue = (value / 255 for value in rgb)
    kr, kb = WEIGHTS[matrix]
    luma = kr * red + (1 - kr - kb) * green + kb * blue
    chroma = (blue - luma) / (2 - 2 * kb), (red - luma) / (2 - 2 * kr)
    unit = 1 << bits - 8
    if full:
        most = (1 << bits) - 1
        return [round(most * luma), *(round(most * c) + 128 * unit for c in chroma)]
    return [round(unit * (219 * luma + 16)), *(round(unit * (224 * c + 128)) for c in chroma)]


def coloured(
    path, matrix, full, bits=8, *, size=(640, 360), tagged=True, rgb=GREEN, kind=None, **named
):
    """A clip of three pictures of one colour, which says how it is to be read if `tagged`.

    `kind` is FFmpeg's name of its format, 4:2:0 without one; `named` are more fields of PyAV's,
    such as `color_trc`.
    """
    kind = kind or ("yuv420p" if bits == 8 else "yuv420p10le")
    bits, item = (10, np.dtype("<u2")) if kind.endswith("10le") else (8, np.dtype("u1"))
    with av.open(str(path), "w") as container:
        stream = container.add_stream("ffv1", rate=25)
        stream.width, stream.height = size
        stream.pix_fmt = kind
        if tagged:
            stream.codec_context.colorspace = SPACES[matrix]
            stream.codec_context.color_range = FULL if full else LIMITED
        for name, value in named.items():
            setattr(stream.codec_context, name, value)
        for number in range(3):
            frame = av.VideoFrame(*size, kind)
            if tagged:
                frame.colorspace, frame.color_range = SPACES[matrix], FULL if full else LIMITED
            for name, value in named.items():
                setattr(frame, name, value)
            for plane, code in zip(frame.planes, codes(rgb, matrix, full, bits), strict=True):
                samples = np.full(plane.buffer_size // item.itemsize, code, item)
                plane.update(samples.tobytes())
            frame.pts = number
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    return path


def close_to(image, rgb=GREEN) -> bool:
    return bool((np.abs(image.astype(int) - rgb) <= LEVELS).all())


def shown_by(platform, path, compositor=None, on_progress=None, **options):
    """The fates, the pixels of each picture, the screen at the end, and the player's notes."""
    images, fates, shots = [], [], []

    def frame(record, pixels):
        images.append(np.array(pixels()))
        fates.append(record.scanned_out)

    with (
        Compositor(platform, size=Extent(640, 360), on_frame=frame, **compositor or {}) as made,
        made.running(),
    ):
        result = Player(
            path,
            display=made.connect(),
            platform=platform,
            options=PlayOptions(paced=False, timeout=PATIENCE, **options),
            on_progress=on_progress,
            on_last_frame=lambda: shots.append(made.screenshot()),
        ).play()
    return set(fates), images, shots[0], result


@pytest.mark.parametrize("bits", [8, 10])
@pytest.mark.parametrize("full", [False, True], ids=["limited", "full"])
@pytest.mark.parametrize("matrix", ["bt601", "bt709", "bt2020"])
def test_every_colour_is_shown_as_it_is(no_fd_leak, tmp_path, matrix, full, bits):
    """Scanned out, composited, and made into RGB by the CPU."""
    path = coloured(tmp_path / "a.mkv", matrix, full, bits)
    platform = Platform.load("intel-alder-lake-p")
    wanted = parse_fourcc("NV12" if bits == 8 else "P010")
    for options, scanned_out in (
        ({"fullscreen": True, "formats": (wanted,)}, True),
        ({"formats": (wanted,)}, False),
        ({"formats": (parse_fourcc("XRGB8888"),)}, False),
    ):
        fates, images, shot, result = shown_by(platform, path, **options)
        assert fates == {scanned_out}
        assert all(map(close_to, images)), (options, images[0][9, 9])
        assert close_to(shot), (options, shot[9, 9])
        assert result.faults == ()


@pytest.mark.parametrize(
    ("machine", "format_", "kind", "fullscreen"),
    [
        ("intel-alder-lake-p", "P010", "yuv420p10le", True),
        ("intel-alder-lake-p", "P010", "yuv420p10le", False),
        ("intel-skylake", "P010", "yuv420p10le", False),
        ("rockchip-rk3288", "NV16", "yuv422p", True),
        ("mediatek-mt8183", "YUYV", "yuv422p", False),
    ],
)
def test_no_picture_is_made_poorer_where_somebody_takes_it_as_it_is(
    no_fd_leak, tmp_path, machine, format_, kind, fullscreen
):
    """A machine's file names the formats that a player commonly writes, and that is no limit."""
    path = coloured(tmp_path / "a.mkv", "bt709", False, kind=kind)
    platform = Platform.load(machine)
    fates, images, _, result = shown_by(platform, path, fullscreen=fullscreen, decoder="cpu")
    assert (result.plan.fourcc, fates) == (parse_fourcc(format_), {fullscreen})
    assert all(map(close_to, images)), images[0][9, 9]
    assert result.faults == ()


@pytest.mark.parametrize("fullscreen", [True, False])
def test_a_video_in_rgb_is_shown_as_it_is(no_fd_leak, tmp_path, fullscreen):
    """No decoder of the machine takes one, and nothing of it becomes YCbCr."""
    path = tmp_path / "a.mp4"
    size = (360, 640, 3)
    noise = np.random.default_rng(7).integers(0, 256, size, np.uint8)
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264rgb", rate=25, options={"qp": "0"})  # loses nothing
        stream.height, stream.width, _ = size
        stream.pix_fmt = "rgb24"
        container.mux(stream.encode(av.VideoFrame.from_ndarray(noise, format="rgb24")))
        container.mux(stream.encode())
    platform = Platform.load("raspberry-pi-4")
    fates, [image], _, result = shown_by(platform, path, fullscreen=fullscreen)
    assert fates == {fullscreen}
    assert np.array_equal(image, noise)
    assert result.faults == (
        "codec would not decode this: its pictures are in no format that buffers have",
    )


@pytest.mark.parametrize("size", [(640, 360), (1280, 720), (720, 576), (704, 578)])
def test_without_a_word_the_size_says_which_matrix_it_is(no_fd_leak, tmp_path, size):
    matrix = "bt709" if size[0] >= 1280 or size[1] > 576 else "bt601"
    path = coloured(tmp_path / "a.mkv", matrix, False, size=size, tagged=False)
    _, images, shot, _ = shown_by(Platform.load("raspberry-pi-4"), path)
    assert close_to(images[0]), images[0][9, 9]
    assert close_to(shot)


@pytest.mark.parametrize(("lacking", "extension"), [(True, True), (False, False)])
def test_the_negotiation_or_the_surface_says_it(tmp_path, monkeypatch, lacking, extension):
    """Each of the two is enough."""
    if lacking:
        monkeypatch.setattr(SurfaceColours, "tell", lambda self, colour: False)
    path = coloured(tmp_path / "a.mkv", "bt709", True)
    _, _, shot, result = shown_by(
        Platform.load("raspberry-pi-4"), path, compositor={"extension": extension}
    )
    assert close_to(shot), shot[9, 9]
    assert bool([note for note in result.faults if "BT709 full" in note]) == lacking


CHOOSY = """
name = "choosy"
[[memory]]
name = "system"
[[device]]
name = "lcd"
kind = "display"
[[device.use]]
usage = ["scanout"]
[[device.use.set]]
formats = ["NV12"]
constraints = [{ type = "colours", value = ["BT.601 limited", "BT.709 limited"] }]
[[device.use.set]]
formats = ["XRGB8888"]
"""


@pytest.mark.parametrize(
    ("matrix", "full", "code", "scanned_out"),
    [
        ("bt601", False, "NV12", True),
        ("bt709", False, "NV12", True),
        ("bt709", True, "NV12", False),
        ("bt2020", False, "NV12", False),
        ("bt2020", False, "XRGB8888", True),
    ],
)
def test_a_plane_that_does_not_convert_these_colours_is_no_candidate(
    tmp_path, matrix, full, code, scanned_out
):
    file = tmp_path / "choosy.toml"
    file.write_text(CHOOSY)
    path = coloured(tmp_path / "a.mkv", matrix, full)
    fates, images, _, result = shown_by(
        Platform.load(file), path, fullscreen=True, formats=(parse_fourcc(code),)
    )
    assert fates == {scanned_out}
    assert result.plan.scanout == scanned_out
    assert result.reasons == ({} if scanned_out else {"transform": 3})
    assert close_to(images[0]), "whoever shows it"


@pytest.mark.parametrize("fake", [PlayingCompositor], indirect=True)
@pytest.mark.parametrize("matrix", ["bt601", "bt709"])
def test_a_compositor_that_cannot_be_told_is_noted(fake, tmp_path, platform, matrix):
    result = play(fake, coloured(tmp_path / "a.mkv", matrix, False), platform, FAST)
    assert len(result.faults) == (matrix == "bt709")
    assert all("cannot be told" in note for note in result.faults)


def test_what_the_content_leaves_open_is_guessed():
    nv12, xrgb = parse_fourcc("NV12"), parse_fourcc("XRGB8888")
    small, large = Extent(640, 480), Extent(1920, 1080)
    bt601, bt709 = ColourEncoding.BT601, ColourEncoding.BT709
    limited, full = ColourRange.LIMITED, ColourRange.FULL
    assert buffer_colour(nv12, Content(), small) == (bt601, limited)
    assert buffer_colour(nv12, Content(), large) == (bt709, limited)
    assert buffer_colour(nv12, Content(encoding=bt601, range=full), large) == (bt601, full)
    assert buffer_colour(xrgb, Content(encoding=bt601), large) is None
