"""The player: each frame arrives, in the right memory, and everything ends cleanly."""

from __future__ import annotations

import threading
import time
from dataclasses import replace

import av
import numpy as np
import pytest
from fake_compositor import CMA, XRGB, plan, plans
from open_files import open_fds
from patience import PATIENCE
from playing_compositor import COMPOSITED, PlayingCompositor, RgbCompositor
from pywayland.protocol.wayland import WlOutput
from test_decoder import encode, turn

import heapwire.client_lib.player.decoding.cpu_picture_stream
import heapwire.client_lib.player.media_clock
import heapwire.client_lib.player.pictures.written_picture
import heapwire.client_lib.player.playback
from heapwire.client_lib import DisconnectedError, MissingGlobalError, NoAnswerError
from heapwire.client_lib.negotiation import ConflictError
from heapwire.client_lib.player import Player, PlayOptions
from heapwire.client_lib.player.media_clock import MediaClock
from heapwire.kernel.description import Platform
from heapwire.kernel.memory import MemfdMemory
from heapwire.protocol import FileError, HeapwireError
from heapwire.protocol.values import Extent, FailureReason, Source, parse_fourcc
from heapwire.protocol.wire import Batch

FAST = PlayOptions(paced=False, timeout=PATIENCE)


@pytest.fixture
def platform():
    sources = (Source(id=CMA, name="linux,cma", contiguous=True),)
    return Platform(
        name="fake", sources=sources, devices=(), memory=MemfdMemory(sources), simulated=True
    )


@pytest.fixture
def fake(request):
    before = open_fds()
    compositor = getattr(request, "param", PlayingCompositor)()
    yield compositor
    compositor.close()
    assert open_fds() <= before


@pytest.fixture(scope="session")
def clip(tmp_path_factory):
    """Ten frames of noise."""
    path = tmp_path_factory.mktemp("clip") / "noise.mkv"
    noise = np.random.default_rng(1)
    with av.open(str(path), "w") as container:
        stream = container.add_stream("ffv1", rate=50)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        for _ in range(10):
            pixels = noise.integers(0, 256, (48, 64, 3), np.uint8)
            frame = av.VideoFrame.from_ndarray(pixels, format="rgb24")
            container.mux(stream.encode(frame.reformat(format="yuv420p")))
        container.mux(stream.encode())
    return path


def decoded(path):
    with av.open(str(path)) as container:
        return list(container.decode(video=0))


def play(fake, path, platform, options=FAST, **more):
    return Player(
        path, display=fake.socket.detach(), platform=platform, options=options, **more
    ).play()


def planar(picture):
    """The components of a yuv420p picture."""
    found = []
    for plane in picture.planes:
        rows = np.frombuffer(plane, np.uint8).reshape(-1, plane.line_size)
        found.append(rows[: plane.height, : plane.width])
    return found


def nv12(picture):
    luma, u, v = planar(picture)
    return luma.tobytes(), np.stack((u, v), axis=2).tobytes()


def test_every_frame_is_shown_as_it_was_decoded(fake, clip, platform):
    result = play(fake, clip, platform)
    assert [shown.planes for shown in fake.shown] == [nv12(one) for one in decoded(clip)]
    counts = result.frames
    assert (counts.decoded, counts.shown, counts.scanned_out) == (10, 10, 10)
    assert (counts.composited, counts.dropped) == (0, 0)
    assert result.bytes_copied_per_frame == 64 * 48 * 3 // 2
    assert result.negotiations == 1
    assert result.plan is not None
    assert result.source_names[CMA] == "linux,cma"
    assert not result.stopped
    assert platform.memory.live() == 0


@pytest.mark.parametrize("fake", [RgbCompositor], indirect=True)
def test_rgb_is_exactly_what_pyav_shows(fake, clip, platform):
    play(fake, clip, platform)
    wanted = [one.to_ndarray(format="bgra").tobytes() for one in decoded(clip)]
    assert [shown.planes[0] for shown in fake.shown] == wanted


@pytest.mark.parametrize("name", ["bikes.mp4", "carphone_pristine.mp4"])
def test_real_clips_arrive_unchanged(fake, clips, name, platform):
    options = replace(FAST, frames=40)
    result = play(fake, clips[name], platform, options)
    assert result.frames.decoded == 40
    wanted = [nv12(one) for one in decoded(clips[name])[:40]]
    assert [shown.planes for shown in fake.shown] == wanted


def test_the_formats_can_be_restricted(fake, clip, platform):
    options = replace(FAST, formats=(parse_fourcc("NV21"),))
    play(fake, clip, platform, options)
    assert {shown.fourcc for shown in fake.shown} == {parse_fourcc("NV21")}


def test_paced_frames_come_no_earlier_than_their_time(fake, clip, platform, monkeypatch):
    progress, commits = [], []
    committed = MediaClock.committed
    monkeypatch.setattr(
        MediaClock,
        "committed",
        lambda *args: committed(*args) or commits.append(time.monotonic()),
    )
    options = replace(FAST, paced=True)
    result = play(fake, clip, platform, options, on_progress=progress.append)
    assert result.frames.decoded == 10
    assert result.frames.shown + result.frames.dropped == 10
    assert progress[-1].counts == result.frames
    wanted = [nv12(one) for one in decoded(clip)]
    # The clock starts when the first frame is committed or, as soon as that is known, when it is
    # on the screen; the fake may hear of the first one late, and of the next ones at once.
    start = min(commits[0], fake.times[0])
    for shown, at in zip(fake.shown, fake.times, strict=True):
        due = wanted.index(shown.planes) * 0.02
        assert at - start >= due - 0.0167 - 0.001  # a refresh before it is to be seen


class Slow(PlayingCompositor):
    """Takes five times as long for a frame as the frame lasts."""

    def display(self, pending):
        time.sleep(0.1)
        super().display(pending)


@pytest.mark.parametrize("fake", [Slow], indirect=True)
def test_frames_that_are_too_late_are_dropped_before_they_are_written(
    fake, clip, platform, monkeypatch
):
    # However slow the machine is, only what this test is about drops frames.
    monkeypatch.setattr(heapwire.client_lib.player.playback, "HIDDEN", 60.0)
    monkeypatch.setattr(heapwire.client_lib.player.media_clock, "STARVED", 60.0)
    written = []
    write = heapwire.client_lib.player.pictures.written_picture.write_picture
    monkeypatch.setattr(
        heapwire.client_lib.player.pictures.written_picture,
        "write_picture",
        lambda picture, *rest: written.append(picture) or write(picture, *rest),
    )
    result = play(fake, clip, platform, replace(FAST, paced=True))
    assert result.frames.dropped > 0
    assert result.frames.shown == 10 - result.frames.dropped == len(fake.shown) == len(written)


@pytest.mark.parametrize("fake", [Slow], indirect=True)
def test_none_is_dropped_without_pacing(fake, clip, platform):
    result = play(fake, clip, platform)
    assert (result.frames.shown, result.frames.dropped) == (10, 0)


class Composing(PlayingCompositor):
    status = COMPOSITED


@pytest.mark.parametrize("fake", [Composing], indirect=True)
def test_what_is_composited_is_counted_with_its_reason(fake, clip, platform):
    result = play(fake, clip, platform)
    assert (result.frames.scanned_out, result.frames.composited) == (0, 10)
    assert result.reasons == {"not_a_candidate": 10}


class Changing(PlayingCompositor):
    """Is covered after four frames."""

    def display(self, pending):
        self.status = COMPOSITED if len(self.shown) >= 4 else self.status
        super().display(pending)


@pytest.mark.parametrize("fake", [Changing], indirect=True)
def test_a_change_of_status_is_counted_from_its_frame_on(fake, clip, platform):
    result = play(fake, clip, platform)
    assert (result.frames.scanned_out, result.frames.composited) == (4, 6)


class Silent(PlayingCompositor):
    """Never says what became of a buffer."""

    def on_xx_dmabuf_buffer_status_manager_v1_get_buffer_status(self, _id, new, buffer):
        pass


@pytest.mark.parametrize("fake", [Silent], indirect=True)
def test_what_the_compositor_does_not_say_is_not_made_up(fake, clip, platform):
    result = play(fake, clip, platform)
    assert (result.frames.shown, result.frames.scanned_out, result.frames.composited) == (10, 0, 0)
    assert result.reasons == {"unknown": 10}


class Replanning(PlayingCompositor):
    """Has another plan, unasked, after three frames."""

    def display(self, pending):
        super().display(pending)
        if len(self.shown) == 3:
            self.send_batch(self.negotiation, plans(plan(pair=XRGB)))


@pytest.mark.parametrize("fake", [Replanning], indirect=True)
def test_a_new_plan_is_switched_to_without_losing_a_frame(fake, clip, platform):
    result = play(fake, clip, platform)
    assert result.frames.shown == 10
    assert result.negotiations == 2
    codes = [shown.fourcc for shown in fake.shown]
    assert codes[:3] == [parse_fourcc("NV12")] * 3
    assert codes[-1] == parse_fourcc("XRGB8888")
    assert codes == sorted(codes, key=lambda code: code == parse_fourcc("XRGB8888"))
    assert fake.torn == [], "a buffer was destroyed while it was on the screen"
    ends = [
        index
        for index, request in enumerate(fake.requests)
        if (request.interface, request.name) == ("wl_buffer", "destroy")
    ]
    commits = [
        index
        for index, request in enumerate(fake.requests)
        if (request.interface, request.name) == ("wl_surface", "commit")
    ]
    assert len([index for index in ends if index < commits[-1]]) == 3, "the old buffers stay"


class SamePlanAgain(PlayingCompositor):
    def display(self, pending):
        super().display(pending)
        if len(self.shown) == 3:
            self.send_batch(self.negotiation, plans(plan()))


@pytest.mark.parametrize("fake", [SamePlanAgain], indirect=True)
def test_the_same_plan_again_keeps_the_buffers(fake, clip, platform):
    result = play(fake, clip, platform)
    assert result.negotiations == 1
    assert fake.names("zwp_linux_buffer_params_v1").count("create") == 3


class UselessPlan(PlayingCompositor):
    globals = (*PlayingCompositor.globals, ("xx_dmabuf_allocation_manager_v1", 1))

    def display(self, pending):
        super().display(pending)
        if len(self.shown) == 3:
            elsewhere = plan(source=replace(CMA, minor=99))
            self.send_batch(self.negotiation, plans(elsewhere))

    def on_xx_dmabuf_allocation_manager_v1_allocate(self, _id, new, *_buffer):
        self.event(new, "failed", 1, "not from there")


@pytest.mark.parametrize("fake", [UselessPlan], indirect=True)
def test_a_plan_that_cannot_be_followed_leaves_the_old_buffers(fake, clip, platform):
    result = play(fake, clip, platform)
    assert result.frames.shown == 10
    assert len(result.faults) == 1
    assert "heap 250:99" in result.faults[0] or "not from there" in result.faults[0]


def test_a_change_of_resolution_negotiates_again(fake, tmp_path, platform):
    first = encode(tmp_path / "a.ts", [(64, 48)] * 4)
    second = encode(tmp_path / "b.ts", [(128, 96)] * 4)
    both = tmp_path / "both.ts"
    both.write_bytes(first.read_bytes() + second.read_bytes())
    result = play(fake, both, platform)
    sizes = [shown.size for shown in fake.shown]
    assert sizes == [(64, 48)] * 4 + [(128, 96)] * 4
    assert result.negotiations == 2
    wanted = [nv12(one) for one in decoded(both)]
    assert [shown.planes for shown in fake.shown] == wanted


class Large(PlayingCompositor):
    bounds = (640, 240)


@pytest.mark.parametrize("fake", [Large], indirect=True)
def test_fullscreen_pictures_fill_the_screen_in_their_shape(fake, clip, platform):
    play(fake, clip, platform, replace(FAST, fullscreen=True))
    assert "set_fullscreen" in fake.names("xdg_toplevel")
    assert set(fake.destinations) == {(320, 240)}


def test_a_picture_of_its_own_size_is_not_scaled(fake, clip, platform):
    play(fake, clip, platform)
    assert set(fake.destinations) == {(-1, -1)}


@pytest.mark.parametrize("fake", [Large], indirect=True)
def test_a_turned_picture_is_turned_by_the_compositor(fake, tmp_path, platform):
    path = turn(encode(tmp_path / "a.mp4", [(64, 48)] * 3), 90)
    play(fake, path, platform, replace(FAST, fullscreen=True))
    assert set(fake.transforms) == {WlOutput.transform.transform_270.value}
    assert set(fake.destinations) == {(180, 240)}
    contents = [one for one in fake.requests if one.name == "set_content"]
    assert contents[-1].args[1] == 90


class Bare(PlayingCompositor):
    globals = (
        ("wl_compositor", 4),
        ("xdg_wm_base", 1),
        ("zwp_linux_dmabuf_v1", 3),
        ("xx_dmabuf_negotiation_manager_v1", 1),
        ("xx_dmabuf_buffer_status_manager_v1", 1),
    )


@pytest.mark.parametrize("fake", [Bare], indirect=True)
def test_it_plays_without_viewporter_and_presentation_time(fake, clip, platform):
    result = play(fake, clip, platform)
    assert (result.frames.shown, result.frames.scanned_out) == (10, 10)


class Closing(PlayingCompositor):
    def display(self, pending):
        super().display(pending)
        if len(self.shown) == 3:
            self.event(self.role("xdg_toplevel"), "close")


@pytest.mark.parametrize("fake", [Closing], indirect=True)
def test_the_close_button_ends_it_with_a_result(fake, clip, platform):
    result = play(fake, clip, platform)
    assert result.stopped
    assert 3 <= result.frames.shown < 10
    assert platform.memory.live() == 0


class Hiding(PlayingCompositor):
    """Never wants another frame, as for a window that nobody sees; but it lives."""

    def display(self, pending):
        pending.callbacks.clear()
        super().display(pending)


@pytest.mark.parametrize("fake", [Hiding], indirect=True)
def test_a_hidden_window_drops_frames_and_goes_on(fake, clip, platform):
    result = play(fake, clip, platform, replace(FAST, paced=True))
    assert result.frames.decoded == 10
    assert result.frames.shown == 1
    assert result.frames.dropped == 9


@pytest.mark.parametrize("fake", [Hiding], indirect=True)
def test_stop_ends_a_wait_without_end(fake, clip, platform, monkeypatch):
    monkeypatch.setattr(heapwire.client_lib.player.playback, "HEARTBEAT", 1000.0)
    player = Player(clip, display=fake.socket.detach(), platform=platform, options=FAST)
    timer = threading.Timer(0.3, player.stop)
    timer.start()
    result = player.play()
    timer.join()
    assert result.stopped
    assert result.frames.shown == 1


class Hanging(PlayingCompositor):
    """Answers nothing any more after the second frame."""

    def display(self, pending):
        super().display(pending)
        if len(self.shown) == 2:
            self.event = lambda *_: None


@pytest.mark.parametrize("fake", [Hanging], indirect=True)
def test_a_compositor_that_hangs_is_given_up(fake, clip, platform):
    with pytest.raises(NoAnswerError):
        play(fake, clip, platform, replace(FAST, timeout=0.3))
    assert platform.memory.live() == 0


class Dying(PlayingCompositor):
    def display(self, pending):
        super().display(pending)
        if len(self.shown) == 2:
            self.hang_up()


@pytest.mark.parametrize("fake", [Dying], indirect=True)
def test_a_compositor_that_dies_ends_it(fake, clip, platform):
    with pytest.raises(DisconnectedError):
        play(fake, clip, platform)
    assert platform.memory.live() == 0


class Refusing(PlayingCompositor):
    def answer(self, negotiation, cookie):
        self.send_batch(
            negotiation, Batch(cookie=cookie, reason=FailureReason.NO_FORMAT, message="of yours")
        )


@pytest.mark.parametrize("fake", [Refusing], indirect=True)
def test_no_plan_is_an_error_that_says_so(fake, clip, platform):
    with pytest.raises(HeapwireError, match="of yours") as caught:
        play(fake, clip, platform)
    assert not isinstance(caught.value, ConflictError)


class WithoutHeaps(PlayingCompositor):
    globals = tuple(one for one in PlayingCompositor.globals if "negotiation" not in one[0])


@pytest.mark.parametrize("fake", [WithoutHeaps], indirect=True)
def test_a_compositor_without_the_protocol_is_named_where_no_platform_stands_in(fake, clip):
    with pytest.raises(MissingGlobalError, match="xx_dmabuf_negotiation_manager_v1"):
        play(fake, clip, None)


def test_a_broken_file_is_told_before_anything_is_connected(fake, tmp_path, platform):
    path = tmp_path / "broken.mp4"
    path.write_bytes(b"no video" * 99)
    with pytest.raises(FileError, match=r"broken\.mp4"):
        Player(path, display=fake.socket.fileno(), platform=platform).play()
    assert fake.requests == []


@pytest.mark.parametrize(
    ("coded", "taken"),
    [
        ((100, 100), (100, 100)),
        ((227, 100), (227, 100)),
        ((100, 227), (100, 227)),
        ((228, 100), (100, 100)),  # more than a coding block: of another picture's size
        ((100, 228), (100, 100)),
        ((99, 100), (100, 100)),
    ],
)
def test_the_codecs_size_counts_if_it_is_the_pictures_with_padding(coded, taken):
    codec_size = heapwire.client_lib.player.decoding.cpu_picture_stream._coded
    assert codec_size(Extent(100, 100), Extent(*coded)) == Extent(*taken)
