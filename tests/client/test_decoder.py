"""Files as pictures: times, colours, and faults that name the file."""

from __future__ import annotations

import struct
from types import SimpleNamespace

import av
import numpy as np
import pytest
from av.stream import Disposition

from heapwire.client_lib.player.decoding.decoder import Decoder
from heapwire.client_lib.player.decoding.decoder_stream import DecoderStream
from heapwire.client_lib.player.decoding.video_file import stream_to_play
from heapwire.protocol import FileError, MachineError
from heapwire.protocol.values import ColourEncoding, ColourRange, Extent


def encode(path, sizes, *, codec="mpeg4", rate=25, **context):
    """A clip with one frame of each size; a change of size starts a new sequence."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream(codec, rate=rate)
        stream.width, stream.height = sizes[0]
        stream.pix_fmt = "yuv420p"
        for name, value in context.items():
            setattr(stream.codec_context, name, value)
        for index, (width, height) in enumerate(sizes):
            pixels = np.full((height, width, 3), (index * 40) % 256, np.uint8)
            frame = av.VideoFrame.from_ndarray(pixels, format="rgb24")
            container.mux(stream.encode(frame.reformat(format="yuv420p")))
        container.mux(stream.encode())
    return path


def test_every_frame_comes_with_its_time(tmp_path):
    path = encode(tmp_path / "a.mp4", [(64, 48)] * 5)
    with Decoder(path) as decoder:
        assert decoder.rate == 25
        assert decoder.frame_count == 5
        frames = list(decoder)
    assert [frame.time for frame in frames] == pytest.approx([0, 0.04, 0.08, 0.12, 0.16])
    assert {frame.extent for frame in frames} == {Extent(64, 48)}


def test_the_coded_size_is_at_least_the_visible_one(tmp_path):
    path = encode(tmp_path / "a.mp4", [(50, 38)])
    with Decoder(path) as decoder:
        assert decoder.coded.width >= 50
        assert decoder.coded.height >= 38


def test_colours_are_those_of_the_stream(tmp_path):
    path = encode(tmp_path / "a.mkv", [(64, 48)], codec="mpeg2video", colorspace=1, color_range=1)
    with Decoder(path) as decoder:
        content = next(iter(decoder)).content
    assert content.encoding is ColourEncoding.BT709
    assert content.range is ColourRange.LIMITED
    assert not content.protected


def turn(path, degrees):
    """Write a rotation into the track header of an MP4 (ISO/IEC 14496-12, 8.3.2)."""
    one, zero = 0x10000, 0
    plain = struct.pack(">9I", one, zero, zero, zero, one, zero, zero, zero, 0x40000000)
    minus = 0xFFFF0000
    first = {90: (zero, minus, one, zero), 180: (minus, zero, zero, minus)}[degrees]
    turned = struct.pack(
        ">9I", first[0], first[1], zero, first[2], first[3], zero, zero, zero, 0x40000000
    )
    raw = path.read_bytes()
    at = raw.index(plain, raw.index(b"tkhd"))
    path.write_bytes(raw[:at] + turned + raw[at + len(plain) :])
    return path


@pytest.mark.parametrize("degrees", [90, 180])
def test_pictures_say_how_they_are_to_be_turned(tmp_path, degrees):
    path = turn(encode(tmp_path / "a.mp4", [(64, 48)]), degrees)
    with Decoder(path) as decoder:
        assert next(iter(decoder)).content.rotation == degrees


def test_motion_jpeg_has_full_range(tmp_path):
    path = tmp_path / "a.avi"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("mjpeg", rate=25)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuvj420p"
        container.mux(stream.encode(av.VideoFrame(64, 48, "yuvj420p")))
        container.mux(stream.encode())
    with Decoder(path) as decoder:
        assert next(iter(decoder)).content.range is ColourRange.FULL


def test_a_clock_that_jumps_back_goes_on(tmp_path):
    one = encode(tmp_path / "a.ts", [(64, 48)] * 3).read_bytes()
    path = tmp_path / "twice.ts"
    path.write_bytes(one + one)
    with Decoder(path) as decoder:
        times = [frame.time for frame in decoder]
    assert times == pytest.approx([0, 0.04, 0.08, 0.12, 0.16, 0.2])


def test_a_clock_that_jumps_ahead_goes_on_where_clocks_are_known_to_jump(tmp_path):
    def part(start):
        path = tmp_path / f"{start}.ts"
        with av.open(str(path), "w") as container:
            stream = container.add_stream("mpeg2video", rate=25)
            stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
            for number in range(3):
                frame = av.VideoFrame(64, 48, "yuv420p")
                frame.pts = start * 25 + number
                container.mux(stream.encode(frame))
            container.mux(stream.encode())
        return path.read_bytes()

    path = tmp_path / "joined.ts"
    path.write_bytes(part(10) + part(700))
    with Decoder(path) as decoder:
        times = [frame.time for frame in decoder]
    assert times == pytest.approx([0, 0.04, 0.08, 0.12, 0.16, 0.2])


def videos(path, sizes, *, default):
    """A file with a video of each size; `default` is the one that is to be played."""
    with av.open(str(path), "w") as container:
        streams = []
        for index, (width, height) in enumerate(sizes):
            stream = container.add_stream("mpeg4", rate=25)
            stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
            stream.disposition = Disposition.default if index == default else Disposition(0)
            streams.append(stream)
        for stream in streams:
            frame = av.VideoFrame(stream.width, stream.height, stream.pix_fmt)
            container.mux(stream.encode(frame))
        for stream in streams:
            container.mux(stream.encode())
    return path


@pytest.mark.parametrize(("default", "wanted"), [(None, 0), (0, 0), (1, 1), (2, 2)])
def test_the_track_that_the_file_names_is_played(tmp_path, default, wanted):
    sizes = [(64, 48), (96, 64), (32, 32)]
    with Decoder(videos(tmp_path / "a.mkv", sizes, default=default)) as decoder:
        assert {frame.extent for frame in decoder} == {Extent(*sizes[wanted])}


COVER = 1024  # libavformat/avformat.h, AV_DISPOSITION_ATTACHED_PIC


@pytest.mark.parametrize(
    ("dispositions", "wanted"),
    [
        ((COVER,), None),
        ((COVER | 1, 0), 1),
        ((0, COVER | 1), 0),
        ((2048, COVER, 0, 1), 3),
        ((), None),
    ],
)
def test_a_cover_is_no_video(dispositions, wanted):
    streams = [SimpleNamespace(disposition=each) for each in dispositions]
    assert stream_to_play(streams) is (None if wanted is None else streams[wanted])


class BreakingContainer:
    """Gives some packets of a file, and then what a broken one gives."""

    def __init__(self, container, count):
        self._container, self._left = container, count
        self.format, self.close = container.format, container.close

    def demux(self, stream):
        for packet in self._container.demux(stream):
            if not self._left:
                raise av.error.InvalidDataError(1, "Invalid data found")
            self._left -= 1
            yield packet


@pytest.mark.parametrize("codec", ["mpeg4", "libx264"])
def test_a_file_that_breaks_off_ends_there(no_fd_leak, tmp_path, codec):
    """What its codec still has is decoded too."""
    decoder = Decoder(encode(tmp_path / "a.mkv", [(64, 48)] * 8, codec=codec))
    with decoder:
        decoder._file._container = BreakingContainer(decoder._file._container, 5)
        assert decoder.broken is None
        assert len(list(decoder)) == 5
        assert "Invalid data" in decoder.broken


def test_a_stream_that_has_ended_goes_on_where_it_is_sent(no_fd_leak, tmp_path):
    stream = DecoderStream(Decoder(encode(tmp_path / "a.mp4", [(64, 48)] * 5)))
    assert [frame.position for frame in iter(stream._decoded, None)][-1] == pytest.approx(0.16)
    assert stream.ended
    assert stream.seek(-1.0)  # which is the beginning
    assert not stream.ended
    assert stream._decoded().position == 0
    assert (stream.rate, stream.count, stream.damaged, stream.notes) == (25, 5, 0, [])
    stream._decoder.close()


def test_a_stream_notes_how_its_file_breaks_off(no_fd_leak, tmp_path):
    stream = DecoderStream(Decoder(encode(tmp_path / "a.mkv", [(64, 48)] * 8)))
    with stream._decoder as decoder:
        decoder._file._container = BreakingContainer(decoder._file._container, 5)
        assert len(list(iter(stream._decoded, None))) == 5
    [note] = stream.notes
    assert note.startswith("the file breaks off: ")


def test_what_the_codec_still_has_comes_in_its_time(no_fd_leak, tmp_path):
    """Of a file whose time does not begin at 0: what is before its beginning is not shown."""
    path = tmp_path / "a.mkv"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=25)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        for number in range(8):
            frame = av.VideoFrame(64, 48, "yuv420p")
            frame.pts = 50 + number
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    with Decoder(path) as decoder:
        decoder._file._container = BreakingContainer(decoder._file._container, 5)
        positions = [frame.position for frame in decoder]
    assert len(positions) == 5
    assert min(positions) == pytest.approx(0, abs=0.01)
    assert all(round(position / 0.04, 1).is_integer() for position in positions), positions
    assert len(set(positions)) == 5


def test_one_that_breaks_off_before_its_first_packet_is_no_video(no_fd_leak, tmp_path):
    decoder = Decoder(encode(tmp_path / "a.mkv", [(64, 48)] * 8))
    with decoder:
        decoder._file._container = BreakingContainer(decoder._file._container, 0)
        with pytest.raises(FileError, match=r"a\.mkv: Invalid data"):
            list(decoder)


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(FileError, match=r"gone\.mp4: No such file"):
        Decoder(tmp_path / "gone.mp4")


@pytest.mark.parametrize("content", [b"", b"this is no video" * 100])
def test_what_is_no_video_is_named(tmp_path, content):
    path = tmp_path / "text.mp4"
    path.write_bytes(content)
    with pytest.raises(FileError, match=r"text\.mp4: ") as caught, Decoder(path) as decoder:
        list(decoder)
    assert "\n" not in str(caught.value)


def test_a_file_without_pictures_is_named(tmp_path):
    path = tmp_path / "a.wav"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("pcm_s16le", rate=8000)
        frame = av.AudioFrame.from_ndarray(np.zeros((1, 800), np.int16), layout="mono")
        frame.sample_rate = 8000
        container.mux(stream.encode(frame))
        container.mux(stream.encode())
    with pytest.raises(FileError, match="there is no video in it"):
        Decoder(path)


def test_damage_in_the_middle_is_skipped_and_counted(tmp_path):
    path = tmp_path / "pngs.mov"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("png", rate=25)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "rgb24"
        for value in range(5):
            pixels = np.full((48, 64, 3), value, np.uint8)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(pixels, format="rgb24")))
        container.mux(stream.encode())
    raw = path.read_bytes()
    parts = raw.split(b"\x89PNG")
    assert len(parts) == 6
    path.write_bytes(b"\x89PNG".join(parts[:3]) + b"\x00PNG" + b"\x89PNG".join(parts[3:]))
    with Decoder(path) as decoder:
        frames = list(decoder)
        assert decoder.damaged == 1
    assert [int(frame.picture.to_ndarray()[0, 0, 0]) for frame in frames] == [0, 1, 3, 4]
    assert [frame.time for frame in frames] == pytest.approx([0, 0.04, 0.12, 0.16], abs=1e-3)


def test_tags_in_an_old_encoding_do_not_matter(tmp_path):
    path = encode(tmp_path / "a.mkv", [(64, 48)] * 2)
    tagged = tmp_path / "b.mkv"
    with av.open(str(path)) as source, av.open(str(tagged), "w") as target:
        target.metadata["title"] = "a title of zzzz"
        stream = target.add_stream_from_template(source.streams.video[0])
        for packet in source.demux(video=0):
            if packet.dts is not None:
                packet.stream = stream
                target.mux(packet)
    raw = tagged.read_bytes()
    assert b"zzzz" in raw
    tagged.write_bytes(raw.replace(b"zzzz", b"\xe4\xf6\xfc\xff"))
    with Decoder(tagged) as decoder:
        assert len(list(decoder)) == 2


def test_a_codec_that_nobody_knows_is_said(no_fd_leak, tmp_path):
    path = encode(tmp_path / "a.avi", [(64, 48)])
    path.write_bytes(path.read_bytes().replace(b"FMP4", b"ZZQZ"))
    with pytest.raises(FileError, match=r"a\.avi: its video is coded in a way that is not known"):
        Decoder(path)


def test_a_picture_beyond_any_size_is_said(no_fd_leak, tmp_path):
    path = tmp_path / "a.ppm"
    path.write_bytes(b"P6\n70000 2\n255\n" + bytes(3 * 70_000 * 2))
    with (
        pytest.raises(FileError, match=r"a\.ppm: a picture in it is too large: 70000x2"),
        Decoder(path) as decoder,
    ):
        list(decoder)


@pytest.mark.parametrize("path", ["/dev/zero", "/dev/null", "/", "/nonexistent/file"])
def test_what_is_no_video_is_said(no_fd_leak, path):
    with pytest.raises(FileError, match=path):
        Decoder(path)


def test_without_pyav_it_says_what_to_install(monkeypatch, tmp_path):
    import sys

    monkeypatch.setitem(sys.modules, "av", None)
    with pytest.raises(MachineError, match=r"install heapwire with its extra, \[play\]"):
        Decoder(tmp_path / "a.mp4")


def test_it_closes_the_file(no_fd_leak, tmp_path):
    path = encode(tmp_path / "a.mp4", [(64, 48)] * 3)
    with Decoder(path) as decoder:
        next(iter(decoder))


@pytest.mark.parametrize("name", ["bikes.mp4", "bigbuckbunny.mp4", "carphone_pristine.mp4"])
def test_real_clips_decode_as_pyav_does(clips, name):
    with av.open(str(clips[name])) as container:
        wanted = [frame.to_ndarray() for frame in container.decode(video=0)]
    with Decoder(clips[name]) as decoder:
        found = [frame.picture.to_ndarray() for frame in decoder]
    assert len(found) == len(wanted) > 0
    assert all((one == other).all() for one, other in zip(found, wanted, strict=True))
