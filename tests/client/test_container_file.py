"""Packets for a decoder of V4L2's: in its framing, with their times."""

import pytest
from test_decoder import encode

from heapwire.client_lib.player.decoding.container_file import ContainerFile
from heapwire.protocol import FileError
from heapwire.protocol.values import Extent, fourcc


def packets(path):
    file = ContainerFile(path)
    try:
        return file, list(file)
    finally:
        file.close()


def test_h264_in_mp4_comes_with_start_codes(no_fd_leak, tmp_path):
    path = encode(tmp_path / "a.mp4", [(64, 48)] * 6, codec="libx264")
    file, found = packets(path)
    assert file.coded == fourcc("H264")
    assert file.extent == Extent(64, 48)
    assert len(found) == 6
    assert all(one.data.startswith((b"\0\0\0\1", b"\0\0\1")) for one in found)
    # The first also has the parameter sets, which MP4 keeps elsewhere (NAL unit types 7 and 8).
    kinds = {part[0] & 0x1F for part in found[0].data.split(b"\0\0\1")[1:]}
    assert {7, 8} <= kinds


def test_times_are_those_of_the_pictures_and_the_order_that_of_decoding(no_fd_leak, tmp_path):
    path = encode(tmp_path / "a.mp4", [(64, 48)] * 12, codec="libx264", max_b_frames=2)
    _, found = packets(path)
    stamps = [one.stamp for one in found]
    assert sorted(stamps) == pytest.approx([0.04 * n for n in range(12)])
    assert stamps != sorted(stamps)


@pytest.mark.parametrize(
    ("codec", "name", "code"),
    [("mpeg4", "a.mp4", "MPG4"), ("mpeg2video", "a.mkv", "MPG2"), ("libvpx", "a.mkv", "VP80")],
)
def test_other_codecs_come_as_they_are(no_fd_leak, tmp_path, codec, name, code):
    path = encode(tmp_path / name, [(64, 48)] * 3, codec=codec)
    file, found = packets(path)
    assert file.coded == fourcc(code)
    assert len(found) == 3


def test_a_codec_that_v4l2_has_not_is_named(no_fd_leak, tmp_path):
    path = encode(tmp_path / "a.mkv", [(64, 48)], codec="ffv1")
    with pytest.raises(FileError, match=r"a\.mkv: no decoder of V4L2's takes ffv1"):
        ContainerFile(path)
