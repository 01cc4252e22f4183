"""Files of FWHT: every whole frame is found, whatever stands between them."""

import struct

import pytest
from hypothesis import given, strategies as st

from heapwire.client_lib.player.decoding.fwht_file import FwhtFile, is_fwht
from heapwire.protocol import FileError
from heapwire.protocol.values import ColourEncoding, ColourRange, Extent

MAGIC = b"\x4f\x4f\x4f\x4f\xff\xff\xff\xff"
RGB, YUV = 2 << 19, 1 << 19


def frame(data=b"coded", *, size=(64, 48), flags=RGB, colours=(0, 0, 0, 0), length=None):
    length = len(data) if length is None else length
    return MAGIC + struct.pack(">9I", 1, *size, flags, *colours, length) + data


def read(tmp_path, content):
    path = tmp_path / "clip.fwht"
    path.write_bytes(content)
    file = FwhtFile(path)
    try:
        return file, [packet.data for packet in file]
    finally:
        file.close()


def test_each_frame_is_a_packet_with_its_header(tmp_path):
    frames = [frame(bytes([n]) * n * 1000, size=(640, 480)) for n in range(1, 200)]
    file, packets = read(tmp_path, b"".join(frames))
    assert packets == frames
    assert (file.extent, file.damaged) == (Extent(640, 480), 0)


def test_the_colours_are_those_of_the_header(tmp_path):
    rgb, _ = read(tmp_path, frame())
    assert rgb.content.encoding is ColourEncoding.RGB
    yuv, _ = read(tmp_path, frame(flags=YUV, colours=(3, 1, 2, 2)))
    assert yuv.content.encoding is ColourEncoding.BT709
    assert yuv.content.range is ColourRange.LIMITED
    full, _ = read(tmp_path, frame(flags=YUV, colours=(0, 0, 0, 1)))
    assert full.content.encoding is ColourEncoding.UNSPECIFIED
    assert full.content.range is ColourRange.FULL


def test_what_is_between_frames_is_skipped_and_counted(tmp_path):
    good = frame(b"x" * 100)
    file, packets = read(tmp_path, b"rubbish" * 20_000 + good + MAGIC[:5] + good + b"tail")
    assert packets == [good, good]
    assert file.damaged == 3


def test_a_frame_that_is_cut_off_is_left_out(tmp_path):
    good = frame(b"x" * 100)
    file, packets = read(tmp_path, good + good[:-1])
    assert packets == [good]
    assert file.damaged == 1


@pytest.mark.parametrize(
    "bad", [frame(size=(0, 48)), frame(size=(64, 1 << 31)), frame(length=0xFFFFFFFF)]
)
def test_sizes_that_cannot_be_are_not_believed(tmp_path, bad):
    good = frame()
    file, packets = read(tmp_path, bad + good)
    assert packets == [good]
    assert file.damaged > 0


@given(pieces=st.lists(st.one_of(st.binary(max_size=64), st.just(MAGIC), st.just(frame(b"whole")))))
def test_no_content_breaks_it_and_whole_frames_come_out_of_any(tmp_path_factory, pieces):
    content = b"".join(pieces) + frame(b"last")
    _, packets = read(tmp_path_factory.mktemp("fwht"), content)
    assert all(packet.startswith(MAGIC) for packet in packets)
    assert b"".join(packets).count(frame(b"last")) == 1 or frame(b"last") in b"".join(packets)


def test_it_is_recognised_by_its_beginning(tmp_path):
    path = tmp_path / "clip"
    path.write_bytes(frame())
    assert is_fwht(path)
    path.write_bytes(b"RIFF")
    assert not is_fwht(path)
    assert not is_fwht(tmp_path / "gone")


def test_a_file_without_a_frame_or_that_is_not_there_is_named(tmp_path):
    path = tmp_path / "clip.fwht"
    path.write_bytes(MAGIC)
    with pytest.raises(FileError, match=r"clip\.fwht: there is no frame of FWHT"):
        FwhtFile(path)
    with pytest.raises(FileError, match=r"gone\.fwht: No such file"):
        FwhtFile(tmp_path / "gone.fwht")
