"""NVDEC and CUDA, by the same tests on the stand-in and on a real GPU.

Each test is there twice: `fake` runs anywhere, `real` where this machine has an NVIDIA GPU, and
is skipped elsewhere (tests/skips.toml). The clips are H.264, which every NVDEC decodes, to the bit
as the CPU does.
"""

from __future__ import annotations

from dataclasses import replace

import pytest
from fake_gpu import ALONE, PITCH
from nvidia_gpus import gpu as gpu
from test_decoder import encode
from test_nvdec import DOWNLOADED, SIZE, luma_and_chroma, same, shown

from heapwire.client_lib.player.decoding import nvdec
from heapwire.client_lib.player.decoding.nvdec import nvdecs
from heapwire.kernel.description import Platform
from heapwire.kernel.memory import BufferInfo
from heapwire.protocol import MachineError, NotPossibleError
from heapwire.protocol.explain import solve
from heapwire.protocol.values import Extents, Goal, PlaneLayout

COUNT = 40


def clip(path, sizes):
    return encode(path, sizes, codec="libx264")


@pytest.fixture
def h264(tmp_path):
    return clip(tmp_path / "clip.mp4", [SIZE] * COUNT)


@pytest.fixture
def two_sizes(tmp_path):
    """A clip whose pictures are half as wide and half as high in the end."""
    small = SIZE[0] // 2, SIZE[1] // 2
    parts = (clip(tmp_path / "a.ts", [SIZE] * 5), clip(tmp_path / "b.ts", [small] * 5))
    path = tmp_path / "sizes.ts"
    path.write_bytes(b"".join(part.read_bytes() for part in parts))
    return path, [SIZE] * 5 + [small] * 5


def opened(path):
    """The pictures of a clip as they are."""
    return nvdecs()[0].as_they_are(path, ())


def plan_for(stream, buffer_count):
    """What somebody would answer who takes them as they are."""
    needs = stream.needs
    problem = Platform.parse(ALONE).problem(
        goals=(Goal(name="it"),),
        participants=(needs.producer,),
        extents=Extents(coded=needs.coded),
    )
    frame = replace(problem, fixed=needs.fixed, sources=(stream.own_memory,))
    return replace(solve(frame).plans[0], buffer_count=buffer_count)


def test_pictures_of_1080p_are_laid_out_as_was_recorded(gpu, tmp_path):
    """docs/gpu.md: what an H200 said."""
    stream = opened(clip(tmp_path / "clip.mp4", [(1920, 1080)]))
    plan = plan_for(stream, 1)
    assert plan.layout.planes == (PlaneLayout(0, 0, 2048), PlaneLayout(0, 2228224, 2048))
    assert [one.size for one in plan.layout.objects] == [3342336]
    stream.next().drop()
    buffer = stream.make_buffer(plan)
    told = BufferInfo.of(buffer.objects[0].fd)
    assert (told and told.exporter) == gpu.exporter
    if gpu.exporter is not None:
        with pytest.raises(MachineError, match="cannot be mapped"), buffer.objects[0].map():
            pass
    buffer.close()
    stream.close()


def test_what_is_no_allocation_is_refused_in_the_words_of_cuda(gpu):
    with pytest.raises(NotPossibleError, match="cuPointerGetAttribute: CUDA_ERROR"):
        nvdec.CudaLibrary().allocation(1)


def test_its_pictures_are_where_they_were_decoded(gpu, h264):
    stream = opened(h264)
    plan = plan_for(stream, 3)
    assert [plane.pitch for plane in plan.layout.planes] == [PITCH, PITCH]
    buffers, screen = [], []

    def free():
        buffers.append(stream.make_buffer(plan))
        return buffers[-1]

    stream.use(plan, free)
    while (picture := stream.next()) is not None:
        screen.append(picture.into(free))
        assert screen[-1] is not None
        (told,) = (BufferInfo.of(one.fd) for one in screen[-1].objects)
        assert (told and told.exporter) == gpu.exporter
        if len(screen) > 2:
            screen[-3].busy = screen[-3] in screen[-2:]
    assert len(screen) == COUNT
    assert len(buffers) < COUNT
    for buffer in buffers:
        buffer.close()
    stream.close()


def test_it_has_other_buffers_where_the_size_changes(gpu, two_sizes):
    path, sizes = two_sizes
    stream = opened(path)
    seen, pitches = [], []
    while (picture := stream.next()) is not None:
        seen.append((stream.needs.extent.width, stream.needs.extent.height))
        plan = plan_for(stream, 1)
        pitches.append([plane.pitch for plane in plan.layout.planes])
        stream.make_buffer(plan).close()
        picture.drop()
    assert seen == sizes
    assert pitches == [[PITCH, PITCH]] * len(sizes)
    stream.close()


def test_what_cannot_be_shown_there_is_downloaded(gpu, h264):
    result, images, records = shown(Platform.load("raspberry-pi-4"), h264)
    assert (result.decoder, result.frames.shown) == ("nvidia0", COUNT)
    assert result.faults[0].startswith("nvidia0: no memory suits everyone")
    assert result.bytes_copied_per_frame >= 2 * luma_and_chroma(SIZE)
    assert {record.sources for record in records} == {("system",)}
    assert same(images, h264)


def test_what_is_downloaded_goes_on_in_other_buffers_where_the_size_changes(gpu, two_sizes):
    path, sizes = two_sizes
    result, _, records = shown(Platform.load("raspberry-pi-4"), path)
    assert (result.decoder, result.frames.shown) == ("nvidia0", len(sizes))
    assert (result.frames.dropped, result.faults[-1]) == (0, DOWNLOADED)
    assert [(one.extent.width, one.extent.height) for one in records] == sizes


def test_it_can_go_to_another_place(gpu, h264):
    result, images, _ = shown(Platform.load("raspberry-pi-4"), h264, start=1.2)
    assert result.frames.shown == len(images) == COUNT - 30
