"""Decoders of a simulated platform take part where they could decode, and nowhere else."""

from __future__ import annotations

from dataclasses import replace

import av
import numpy as np
import pytest
from test_colours import shown_by

from heapwire.client_lib.player.decoding.stand_ins import StandIns
from heapwire.client_lib.player.picture_stream import BufferNeeds
from heapwire.client_lib.player.pictures.frame_writer import writer_participant
from heapwire.kernel.description import Platform
from heapwire.protocol.values import Content, Extent, fourcc, parse_fourcc

MACHINE = """
name = "small"
[[memory]]
name = "system"
[[device]]
name = "codec"
kind = "decoder"
bitstreams = ["H264"]
[[device.use]]
usage = ["decode"]
constraints = [{ type = "max-width", value = 640 }]
[[device.use.set]]
formats = ["NV12"]
"""


def clip(path, kind, size=(96, 64)):
    with av.open(str(path), "w") as container:
        stream = container.add_stream("ffv1", rate=25)
        stream.width, stream.height = size
        stream.pix_fmt = kind
        noise = np.random.default_rng(1).integers(0, 256, (size[1], size[0], 3), np.uint8)
        for _ in range(2):
            frame = av.VideoFrame.from_ndarray(noise, format="rgb24")
            container.mux(stream.encode(frame.reformat(format=kind)))
        container.mux(stream.encode())
    return path


@pytest.mark.parametrize(
    "kind",
    ["gbrp10le", "bgra", "yuv444p", "yuv420p10le", "yuv410p", "yuv411p", "gray", "gray16le",
     "yuva420p", "gbrp12le", "yuv444p16le"],
)  # fmt: skip
@pytest.mark.parametrize("name", ["raspberry-pi-4", "exynos4-mfc-v5"])
def test_whatever_the_cpu_decodes_is_played(tmp_path, name, kind):
    platform = Platform.load(name)
    _, images, _, result = shown_by(platform, clip(tmp_path / "a.mkv", kind))
    assert (result.frames.shown, len(images)) == (2, 2)
    assert images[0].std() > 10, "there is a picture"
    assert result.decoder == "cpu"
    [decoder] = [one.name for one in platform.devices if one.kind == "decoder"]
    [note] = result.faults
    assert note.startswith(f"{decoder} would not decode this")


def needs(size=(64, 48), picture="yuv420p"):
    extent = Extent(*size)
    return BufferNeeds(
        extent=extent,
        coded=extent,
        content=Content(),
        producer=writer_participant(picture),
        held=1,
    )


@pytest.fixture
def small(tmp_path):
    file = tmp_path / "small.toml"
    file.write_text(MACHINE)
    return Platform.load(file)


H264 = fourcc("H264")


def test_a_decoder_takes_part_as_long_as_it_could_decode(small):
    stand_ins = StandIns(small, formats=(), coded=H264)
    [(name, decoder)] = stand_ins.change(needs())
    assert decoder == replace(small.participant("codec", decoder.usage), name=name)
    assert list(stand_ins.change(needs((1280, 48)))) == [(name, None)]
    assert list(stand_ins.change(needs((1920, 48)))) == []
    [(again, decoder)] = stand_ins.change(needs())
    assert again == name
    assert decoder is not None
    [note, _] = stand_ins.notes
    assert "codec would not decode this" in note
    assert "640" in note


def test_one_that_is_left_out_comes_back_with_other_pictures(small):
    stand_ins = StandIns(small, formats=(), coded=H264)
    [(name, _)] = stand_ins.change(needs())
    assert stand_ins.leave_out("there is no room") == (name,)
    assert stand_ins.leave_out("there is no room") == ()
    assert stand_ins.notes == [f"done without {name}: there is no room"]
    [(again, decoder)] = stand_ins.change(needs((32, 24)))
    assert (again, decoder is None) == (name, False)


@pytest.mark.parametrize(
    ("picture", "formats", "coded", "note"),
    [
        ("yuv420p", (), fourcc("HEVC"), "it does not know the codec"),
        ("yuv420p", (), None, "it does not know the codec"),
        ("yuv420p10le", (), H264, "NV12"),
        ("yuv422p", (), H264, "NV12"),
        ("gbrp", (), H264, "in no format that buffers have"),
        ("yuv420p", (parse_fourcc("XRGB8888"),), H264, None),
    ],
)
def test_one_that_could_not_is_left_out_with_a_note(small, picture, formats, coded, note):
    stand_ins = StandIns(small, formats=formats, coded=coded)
    assert list(stand_ins.change(needs(picture=picture))) == []
    assert [note in one for one in stand_ins.notes] == ([] if note is None else [True])


def test_the_cpu_as_decoder_means_the_cpu(tmp_path):
    """The decoder of this machine wants luma and chroma in two banks; the display does not."""
    platform, path = Platform.load("exynos4-mfc-v5"), clip(tmp_path / "a.mkv", "yuv420p")
    auto = shown_by(platform, path)[3]
    cpu = shown_by(platform, path, decoder="cpu")[3]
    assert len({entry.source for entry in auto.plan.layout.objects}) == 2
    assert len({entry.source for entry in cpu.plan.layout.objects}) == 1
    assert cpu.faults == ()
