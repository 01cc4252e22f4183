"""VP8 for drivers that parse nothing: what is read in its headers, and which pictures it names."""

from __future__ import annotations

import struct

import pytest
from coded_clip import coded_clip, coded_headers, coded_packets
from vp8_frames import EVERY, FRAMES, HERE, checksums, frame

from heapwire.kernel.video import stateless_form
from heapwire.kernel.video.vp8 import Vp8Parser
from heapwire.protocol import InputError
from heapwire.protocol.values import Extent, fourcc

# RFC 6386, 9.1
SHOWN = 1 << 4
# Where struct v4l2_ctrl_vp8_frame has them, from its end (v4l2-controls.h).
STAMPS = struct.Struct("=3Q")
CLIPS = {
    "plain": {},
    "noisy": {"noise-sensitivity": "4", "deadline": "realtime", "cpu-used": "6", "b:v": "100k"},
    "in parts": {"error-resilient": "default+partitions", "slices": "4", "profile": "3"},
}


def control(parser, packet):
    [(number, data)] = parser.read(packet).controls
    assert number == 0x00A40000 + 0x900 + 200  # V4L2_CID_STATELESS_VP8_FRAME
    return data


def test_whatever_a_header_says_is_what_gstreamer_reads_in_it():
    """To the byte, what holds from the frames before included."""
    parser, controls = Vp8Parser(), []
    for stamp, packet in enumerate(FRAMES, start=1):
        controls.append(control(parser, packet))
        parser.follow(stamp)
    assert checksums(controls) == (HERE / "vp8_controls.txt").read_text().split()


@pytest.mark.parametrize("clip", CLIPS)
def test_what_an_encoder_has_written_is_what_ffmpeg_reads_in_it(tmp_path, clip):
    path = coded_clip(tmp_path / "a.mkv", "libvpx", CLIPS[clip], size=(320, 240))
    parser = Vp8Parser()
    for stamp, (packet, fields) in enumerate(
        zip(coded_packets(path), coded_headers(path), strict=True), start=1
    ):
        read = parser.read(packet)
        parser.follow(stamp)
        assert (read.extent, read.payload, read.hidden) == (Extent(320, 240), packet, False)
        [(_, data)] = read.controls
        (level,) = struct.unpack_from("=B", data, 25)
        (quantizer,) = struct.unpack_from("=B", data, 32)
        (first,) = struct.unpack_from("=I", data, len(data) - 72)
        assert level == fields["loop_filter_level"]
        assert quantizer == fields["base_qindex"]
        assert first == fields["first_partition_length_in_bytes"]
        assert data[len(data) - 73] == 1 << fields["log2_token_partitions"]


def test_the_pictures_that_are_referred_to_are_named_by_their_stamps():
    """Each is what it was, until a frame replaces it."""
    parser, last = Vp8Parser(), 0
    for stamp, packet in enumerate(FRAMES, start=1):
        before = parser.references
        read = parser.read(packet)
        [(_, data)] = read.controls
        stamps = STAMPS.unpack_from(data, len(data) - 32)
        assert {one // 1000 for one in stamps} - {0} == read.references
        if (stamp - 1) % EVERY == 0:
            assert read.references == set()
            last = stamp
        else:
            assert read.references == before
            assert min(before) >= last, "nothing is referred to over a key frame"
            assert len(before) <= parser.most_references
        parser.follow(stamp)
        if (stamp - 1) % EVERY == 0:
            assert parser.references == {stamp}


def test_a_frame_that_is_not_to_be_shown_says_so():
    parser = Vp8Parser()
    packet = bytearray(frame(0))
    for shown in (0, SHOWN):
        packet[0] = packet[0] & ~SHOWN | shown
        assert parser.read(bytes(packet)).hidden == (not shown)


def test_what_comes_before_a_key_frame_refers_to_nothing_that_there_is():
    with pytest.raises(InputError, match="begins with a frame that refers to others"):
        Vp8Parser().read(frame(1))


@pytest.mark.parametrize("kept", [0, 2, 5, 9, 10, 100])
def test_a_frame_that_is_cut_off_is_refused(kept):
    with pytest.raises(InputError):
        Vp8Parser().read(frame(0)[:kept])


@pytest.mark.parametrize(
    ("place", "byte", "why"),
    [
        (0, frame(0)[0] | 4 << 1, "no profile"),
        (3, 0, "no start code"),
        (10, 255, "begins with what is none"),
    ],
)
def test_what_no_encoder_writes_is_refused(place, byte, why):
    packet = bytearray(frame(0))
    packet[place] = byte
    with pytest.raises(InputError, match=why):
        Vp8Parser().read(bytes(packet))


def test_a_header_that_is_longer_than_its_partition_is_refused():
    packet, short = frame(0), 2
    tag = int.from_bytes(packet[:3], "little") & 0x1F | short << 5
    with pytest.raises(InputError, match="breaks off"):
        Vp8Parser().read(tag.to_bytes(3, "little") + packet[3 : 10 + short] + bytes(64))


def test_partitions_that_are_longer_than_the_frame_are_refused():
    packet = next(one for one in FRAMES[::EVERY] if _partitions(one) > 1)
    start = 10 + 3000
    damaged = packet[:start] + b"\xff" * 3 + packet[start + 3 :]
    with pytest.raises(InputError, match="shorter than it says"):
        Vp8Parser().read(damaged)


def _partitions(packet):
    data = control(Vp8Parser(), packet)
    return data[len(data) - 73]


def test_a_refused_frame_changes_nothing():
    parser = Vp8Parser()
    parser.read(frame(0))
    parser.follow(1)
    with pytest.raises(InputError):
        parser.read(frame(1)[:50])
    other = Vp8Parser()
    other.read(frame(0))
    other.follow(1)
    assert control(parser, frame(2)) == control(other, frame(2))


def test_drivers_without_a_parser_call_it_by_another_name():
    assert stateless_form(fourcc("VP80")) == fourcc("VP8F")
