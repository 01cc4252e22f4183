"""Real clips, the player and the reference compositor: memory, fate and pixels of each frame."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import av
import numpy as np
import pytest
from patience import PATIENCE
from test_decoder import encode

from heapwire.client_lib import (
    BufferPool,
    ConflictError,
    Connection,
    LinuxDmabuf,
    NegotiationManager,
    Player,
    PlayOptions,
    Progress,
    Window,
    writer_participant,
)
from heapwire.compositor_plugin import StatusReason
from heapwire.compositor_plugin.hosts.reference import Compositor
from heapwire.kernel.description import Platform
from heapwire.protocol.values import Extent, Extents, parse_fourcc

CLIPS = ["bikes.mp4", "bigbuckbunny.mp4", "carphone_pristine.mp4"]
DEMANDED = {
    "raspberry-pi-4": ("linux,cma",),
    "rockchip-rk3399": ("system",),
    "exynos4-mfc-v5": ("mfc-right", "mfc-left"),
}
# Its planes know BT.601 alone, and a picture of this size without a tag is one of BT.709.
OF_OTHER_COLOURS = ("rockchip-rk3399", "bigbuckbunny.mp4")
FRAMES = 24
FULLSCREEN = PlayOptions(frames=FRAMES, fullscreen=True, paced=False, timeout=PATIENCE)
LEAST_PSNR = 45.0  # dB


class Screen:
    """A compositor that keeps each frame's record and pixels."""

    def __init__(self, platform: Platform, *, pixels: bool = True) -> None:
        self.platform = platform
        self.records = []
        self.images = []
        self._pixels = pixels
        self.compositor = Compositor(platform, size=Extent(1280, 720), on_frame=self._frame)

    def _frame(self, record, image) -> None:
        self.records.append(record)
        if self._pixels:
            self.images.append(np.array(image()))

    def play(self, path, options=FULLSCREEN, platform=None, **more):
        player = Player(
            path,
            display=self.compositor.connect(),
            platform=platform or self.platform,
            options=options,
            **more,
        )
        return player.play()


@contextmanager
def screen(platform: Platform, **options) -> Iterator[Screen]:
    made = Screen(platform, **options)
    with made.compositor, made.compositor.running():
        yield made


def decoded(path, count=FRAMES):
    """PyAV's own decode, as RGB."""
    with av.open(str(path)) as container:
        for index, frame in enumerate(container.decode(video=0)):
            if index == count:
                return
            # None of the clips says its matrix: the size does.
            large = frame.width >= 1280 or frame.height > 576
            matrix = "itu709" if large and int(frame.colorspace) == 2 else None
            yield frame.to_ndarray(format="rgb24", src_colorspace=matrix, dst_colorspace=matrix)


def psnr(one, other):
    error = np.mean((one.astype(np.float64) - other.astype(np.float64)) ** 2)
    return float("inf") if error == 0 else 10 * np.log10(255**2 / error)


@pytest.mark.parametrize("clip", CLIPS)
@pytest.mark.parametrize("name", DEMANDED)
def test_every_frame_is_scanned_out_from_the_memory_that_the_platform_demands(
    no_fd_leak, clips, name, clip
):
    with screen(Platform.load(name)) as shown:
        result = shown.play(clips[clip])
    counts = result.frames
    converted = (name, clip) != OF_OTHER_COLOURS
    assert (counts.decoded, counts.shown) == (FRAMES, FRAMES)
    assert counts.scanned_out == FRAMES * converted
    assert result.reasons == ({} if converted else {"transform": FRAMES})
    assert [record.sources for record in shown.records] == [DEMANDED[name]] * FRAMES
    assert all(record.scanned_out is converted for record in shown.records)
    qualities = [
        psnr(image, wanted)
        for image, wanted in zip(shown.images, decoded(clips[clip]), strict=True)
    ]
    assert min(qualities) >= LEAST_PSNR


@pytest.mark.parametrize("clip", CLIPS)
def test_rgb_frames_are_exactly_those_of_pyav(no_fd_leak, clips, clip):
    options = PlayOptions(
        frames=FRAMES, paced=False, timeout=PATIENCE, formats=(parse_fourcc("XRGB8888"),)
    )
    with screen(Platform.load("raspberry-pi-4")) as shown:
        result = shown.play(clips[clip], options)
    assert result.frames.shown == FRAMES
    for image, wanted in zip(shown.images, decoded(clips[clip]), strict=True):
        assert (image == wanted).all()


def test_a_window_is_composited_and_the_player_knows_why(no_fd_leak, clips):
    options = PlayOptions(frames=FRAMES, paced=False, timeout=PATIENCE)
    with screen(Platform.load("raspberry-pi-4"), pixels=False) as shown:
        result = shown.play(clips["bikes.mp4"], options)
    assert (result.frames.scanned_out, result.frames.composited) == (0, FRAMES)
    assert result.reasons == {"not_a_candidate": FRAMES}
    assert {record.reason for record in shown.records} == {StatusReason.NOT_A_CANDIDATE}


def test_without_one_bank_the_player_names_plane_and_constraint(no_fd_leak, clips):
    whole = Platform.load("exynos4-mfc-v5")
    left = whole.source("mfc-left")
    rest = tuple(source for source in whole.sources if source is not left)
    broken = Platform(
        name="one bank", sources=rest, devices=whole.devices, memory=whole.memory, simulated=True
    )
    with screen(broken, pixels=False) as shown, pytest.raises(ConflictError) as caught:
        shown.play(clips["bikes.mp4"], platform=whole)
    planes = {plane for entry in caught.value.entries for plane in entry.planes}
    assert planes
    assert all(entry.constraint for entry in caught.value.entries)
    assert shown.records == []


def test_without_a_platform_the_compositor_allocates(no_fd_leak, clips):
    with screen(Platform.load("exynos4-mfc-v5"), pixels=False) as shown:
        player = Player(clips["bikes.mp4"], display=shown.compositor.connect(), options=FULLSCREEN)
        result = player.play()
    assert result.frames.scanned_out == FRAMES


class Cover:
    """Another client's window, on top of what is there."""

    def __init__(self, shown: Screen) -> None:
        self._connection = Connection(shown.compositor.connect())
        self._window = Window(self._connection, title="cover")
        negotiation = NegotiationManager(self._connection).default_negotiation()
        negotiation.set_extents(Extents(coded=Extent(64, 64)))
        negotiation.set_participant(writer_participant("rgb24"))
        self._pool = BufferPool.best(
            negotiation=negotiation,
            batch=negotiation.negotiate(),
            dmabuf=LinuxDmabuf(self._connection),
            memory=shown.platform.memory,
            extent=Extent(64, 64),
        )
        on_screen = []
        self._window.show(self._pool.free(), Extent(64, 64), shown=on_screen.append)
        self._connection.wait(lambda: bool(on_screen), what="cover on the screen")

    def close(self) -> None:
        self._window.close()
        self._connection.roundtrip()
        self._pool.close()
        self._connection.close()


def test_a_covered_player_is_composited_and_scanned_out_again_afterwards(no_fd_leak, clips):
    covers = []
    with screen(Platform.load("raspberry-pi-4"), pixels=False) as shown:

        def progress(at: Progress) -> None:
            if at.counts.decoded == 10:
                covers.append(Cover(shown))
            if at.counts.decoded == 30:
                covers.pop().close()

        options = PlayOptions(frames=60, fullscreen=True, paced=False, timeout=PATIENCE)
        result = shown.play(clips["bikes.mp4"], options, on_progress=progress)
    counts = result.frames
    assert counts.shown == 60
    assert counts.scanned_out + counts.composited == 60
    assert 15 <= counts.composited <= 25
    assert result.reasons == {"not_a_candidate": counts.composited}
    fates = [record.scanned_out for record in shown.records if record.extent.width == 640]
    assert fates[0]
    assert not fates[20]
    assert fates[-1]


def test_a_change_of_resolution_has_other_buffers_and_loses_no_frame(no_fd_leak, tmp_path):
    first = encode(tmp_path / "a.ts", [(64, 48)] * 5)
    second = encode(tmp_path / "b.ts", [(320, 240)] * 5)
    path = tmp_path / "both.ts"
    path.write_bytes(first.read_bytes() + second.read_bytes())
    with screen(Platform.load("exynos4-mfc-v5")) as shown:
        result = shown.play(path)
    assert (result.frames.scanned_out, result.negotiations) == (10, 2)
    assert [record.extent for record in shown.records] == [Extent(64, 48)] * 5 + [
        Extent(320, 240)
    ] * 5
    pairs = zip(shown.images, decoded(path), strict=True)
    assert min(psnr(image, wanted) for image, wanted in pairs) >= LEAST_PSNR


def test_the_last_frame_is_on_the_screen_when_it_says_so(no_fd_leak, clips):
    taken = []
    with screen(Platform.load("raspberry-pi-4")) as shown:
        shown.play(
            clips["bikes.mp4"], on_last_frame=lambda: taken.append(shown.compositor.screenshot())
        )
    (screenshot,) = taken
    *_, last = decoded(clips["bikes.mp4"])
    assert screenshot.std() > 10
    # Scaled to the width of the screen, with bars above and below.
    assert abs(screenshot[88:632].mean() - last.mean()) < 2
    assert screenshot[:80].max() == 0


def test_a_compositor_keeps_the_last_picture_of_a_player_that_has_ended(clips):
    platform = Platform.load("raspberry-pi-4")
    compositor = Compositor(platform, size=Extent(1280, 720), keep_last=True)
    with compositor, compositor.running():
        player = Player(
            clips["bikes.mp4"], display=compositor.connect(), platform=platform, options=FULLSCREEN
        )
        player.play()
        assert compositor.screenshot().std() > 10


def test_a_paced_clip_is_shown_or_dropped_frame_by_frame(no_fd_leak, clips):
    options = PlayOptions(frames=FRAMES, fullscreen=True, timeout=PATIENCE)
    with screen(Platform.load("raspberry-pi-4"), pixels=False) as shown:
        counts = shown.play(clips["carphone_pristine.mp4"], options).frames
    assert counts.decoded == FRAMES
    assert counts.shown + counts.dropped == FRAMES
    assert counts.scanned_out == counts.shown == len(shown.records) > 0
