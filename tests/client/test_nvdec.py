"""The player with NVIDIA's decoder: its pictures as they are, and what is done elsewhere."""

from __future__ import annotations

from dataclasses import replace

import av
import numpy as np
import pytest
from fake_gpu import ALONE, PITCH, FakeGpu, clip
from patience import PATIENCE
from test_decoder import encode

from heapwire.client_lib import AllocationError, Player, PlayOptions
from heapwire.client_lib.player.decoding import nvdec
from heapwire.client_lib.player.decoding.decoder_choice import AUTO, open_picture_stream
from heapwire.client_lib.player.decoding.nvdec import nvdecs
from heapwire.client_lib.player.decoding.nvdec_picture_stream import NVDEC_FOURCCS
from heapwire.compositor_plugin.hosts.reference import Compositor
from heapwire.compositor_plugin.hosts.reference.dmabuf.object_memory import ObjectMemory
from heapwire.kernel.description import Platform
from heapwire.kernel.memory import MemfdMemory
from heapwire.protocol import InputError, NotPossibleError
from heapwire.protocol.explain import solve
from heapwire.protocol.values import (
    FORMATS,
    Extent,
    Extents,
    Goal,
    LayoutKind,
    SourceKind,
    parse_fourcc,
)

SIZE = (320, 240)
COUNT = 12
DOWNLOADED = "nvidia0's pictures are downloaded, which counts as copied"


@pytest.fixture
def path(tmp_path):
    return clip(tmp_path / "clip.mp4", COUNT, SIZE)


@pytest.fixture
def plugged(monkeypatch):
    """Makes a GPU, and has the player find it."""
    made = []

    def plug(platform, **more):
        gpu = FakeGpu(platform, **more)
        gpu.plug_in(monkeypatch)
        made.append(gpu)
        return gpu

    yield plug
    for gpu in made:
        gpu.close()


def shown(platform, path, *, decoder="nvdec", screen=SIZE, extension=True, **options):
    """What came of it, and the screen's pictures as RGB."""
    images, records = [], []

    def on_frame(record, image):
        records.append(record)
        images.append(np.array(image()))

    compositor = Compositor(platform, size=Extent(*screen), on_frame=on_frame, extension=extension)
    options = PlayOptions(decoder=decoder, paced=False, timeout=PATIENCE, **options)
    with compositor, compositor.running():
        player = Player(path, display=compositor.connect(), platform=platform, options=options)
        return player.play(), images, records


def wanted(path):
    with av.open(str(path)) as box:
        return [frame.to_ndarray(format="rgb24") for frame in box.decode(video=0)]


def same(images, path):
    """Whether these are the pictures of a clip, but for the rounding of their colours."""
    there = [frame.astype(int) for frame in wanted(path)]
    return len(images) == len(there) and all(
        np.abs(image.astype(int) - frame).max() <= 2
        for image, frame in zip(images, there, strict=True)
    )


class TestAsTheyAre:
    @pytest.mark.parametrize("extension", [True, False])
    @pytest.mark.parametrize("decoder", ["nvdec", "nvidia0", "/dev/nvidia0"])
    def test_pictures_are_shown_where_they_were_decoded(
        self, no_fd_leak, plugged, path, decoder, extension
    ):
        platform = Platform.parse(ALONE)
        gpu = plugged(platform)
        result, images, records = shown(platform, path, decoder=decoder, extension=extension)
        assert (result.frames.shown, result.frames.dropped) == (COUNT, 0)
        assert (result.decoder, result.bytes_copied_per_frame) == ("nvidia0", 0)
        assert result.plan.layout.kind is LayoutKind.FIXED
        assert {record.sources for record in records} == {("gpu's own",)}
        assert result.faults == ()
        assert same(images, path)
        assert gpu.held == 0

    def test_each_memory_is_exported_once_and_what_is_in_it_is_waited_for(self, plugged, path):
        platform = Platform.parse(ALONE)
        gpu = plugged(platform)
        shown(platform, path)
        trial, *exported = gpu.exported
        assert sorted(exported) == list(range(1, gpu.made + 1))
        assert trial in exported
        # The first one's buffer was there when it was shown, as those of all that came again.
        assert gpu.finished == COUNT - gpu.made + 1 > 1

    def test_other_pictures_are_negotiated_anew(self, no_fd_leak, plugged, tmp_path):
        platform = Platform.parse(ALONE)
        gpu = plugged(platform)
        sizes = [SIZE] * 3 + [(160, 120)] * 3
        parts = (
            encode(tmp_path / "a.ts", sizes[:3]),
            encode(tmp_path / "b.ts", sizes[3:]),
        )
        path = tmp_path / "sizes.ts"
        path.write_bytes(b"".join(part.read_bytes() for part in parts))
        result, _, records = shown(platform, path)
        assert result.frames.shown == 6
        assert (result.negotiations, result.bytes_copied_per_frame) == (2, 0)
        assert [(one.extent.width, one.extent.height) for one in records] == sizes
        assert gpu.held == 0

    def test_it_can_go_to_another_place(self, plugged, path):
        platform = Platform.parse(ALONE)
        plugged(platform)
        result, images, _ = shown(platform, path, start=0.2)
        assert result.frames.shown == len(images) == COUNT - 5
        assert result.faults == ()


class TestHeld:
    """Who gives nothing back gets no more than the plan has buffers."""

    @pytest.fixture
    def stream(self, plugged, path):
        platform = Platform.parse(ALONE)
        gpu = plugged(platform)
        (decoder,) = nvdecs()
        stream = decoder.as_they_are(path, ())
        yield stream, gpu
        stream.close()
        assert gpu.held == 0

    def test_no_more_are_held_than_the_plan_has_buffers(self, stream):
        stream, gpu = stream
        first = stream.next()
        problem = Platform.parse(ALONE).problem(
            goals=(Goal(name="it"),),
            participants=(stream.needs.producer,),
            extents=Extents(coded=Extent(*SIZE)),
        )
        (plan,) = solve(replace(problem, fixed=stream.needs.fixed)).plans
        plan = replace(plan, buffer_count=2)
        stream.check(plan)
        buffers = [stream.make_buffer(plan)]
        with pytest.raises(AllocationError, match="no other picture"):
            stream.make_buffer(plan)

        def free():
            buffers.append(stream.make_buffer(plan))
            return buffers[-1]

        stream.use(plan, free)
        assert first.into(free) is buffers[0]
        assert stream.next().into(free) is buffers[1]
        third = stream.next()
        assert third.into(free) is None
        assert gpu.held == 3
        buffers[0].busy = False
        assert third.into(free) is buffers[2]
        del first, third
        assert gpu.held == 2
        for buffer in buffers:
            buffer.close()

    def test_memory_of_a_picture_that_nobody_saw_is_decoded_into_again(self, stream):
        stream, gpu = stream
        for _ in range(COUNT):
            stream.next().drop()
        assert stream.next() is None
        assert stream.ended
        assert gpu.made <= 3


def luma_and_chroma(size):
    return size[0] * size[1] * 3 // 2


class TestRefused:
    """Then they are downloaded, and copied into what was negotiated."""

    @pytest.fixture
    def pi(self):
        return Platform.load("raspberry-pi-4")

    def test_by_a_compositor_that_knows_nothing_of_the_memory(self, no_fd_leak, plugged, path, pi):
        gpu = plugged(Platform.parse(ALONE))
        result, images, records = shown(pi, path)
        assert result.decoder == "nvidia0"
        assert result.frames.shown == COUNT
        assert result.bytes_copied_per_frame == 2 * luma_and_chroma(SIZE)
        note, downloaded = result.faults
        assert downloaded == DOWNLOADED
        assert note.startswith("nvidia0: no memory suits everyone")
        assert note.endswith("of which nothing is known here")
        assert {record.sources for record in records} == {("system",)}
        assert same(images, path)
        assert gpu.held == 0

    def test_no_decoder_is_simulated_that_would_refuse_it(self, plugged, tmp_path, pi):
        size = (2048, 48)  # wider than what that platform's takes
        path = encode(tmp_path / "clip.mp4", [size] * 3, codec="libx264")
        plugged(Platform.parse(ALONE))
        result, *_ = shown(pi, path, screen=size)
        refused, downloaded = result.faults
        assert (refused.partition(":")[0], downloaded) == ("nvidia0", DOWNLOADED)

    def test_by_an_import(self, no_fd_leak, plugged, path, monkeypatch):
        """A compositor that makes no plans has only its import to say so with."""
        platform = Platform.parse(ALONE)
        plugged(platform)
        monkeypatch.setattr(ObjectMemory, "can_be_read", property(_of_a_heap))
        result, images, records = shown(platform, path, extension=False, formats=())
        assert "nvidia0: linux-dmabuf did not take a buffer of NV12" in result.faults[0]
        assert result.bytes_copied_per_frame > 2 * luma_and_chroma(SIZE)
        assert {record.sources for record in records} == {("system",)}
        assert same(images, path)

    def test_by_the_gpu_which_exports_nothing(self, no_fd_leak, plugged, path, pi):
        plugged(Platform.parse(ALONE), refuses="the GPU exports none of its memory")
        result, images, _ = shown(pi, path)
        assert result.faults == ("nvidia0: the GPU exports none of its memory", DOWNLOADED)
        assert same(images, path)

    def test_because_its_memory_is_no_whole_pages(self, no_fd_leak, plugged, tmp_path, pi):
        size = (SIZE[0], 250)
        assert PITCH * size[1] * 3 // 2 % 4096
        path = clip(tmp_path / "clip.mp4", 3, size)
        plugged(Platform.parse(ALONE), rows=1)
        result, images, _ = shown(pi, path, screen=size)
        assert "are not whole pages" in result.faults[0]
        assert same(images, path)

    def test_by_who_wants_another_format(self, no_fd_leak, plugged, path):
        platform = Platform.parse(ALONE)
        plugged(platform)
        result, images, _ = shown(platform, path, formats=(parse_fourcc("XRGB8888"),))
        assert result.faults == (
            "nvidia0: its pictures are NV12, which is not wanted",
            DOWNLOADED,
        )
        assert same(images, path)

    def test_for_lack_of_memory_they_go_through_wl_shm(self, no_fd_leak, plugged, path, pi):
        plugged(Platform.parse(ALONE))
        result, images, _ = shown(replace(pi, sources=(), memory=MemfdMemory(())), path)
        assert result.shared
        assert result.decoder == "nvidia0"
        assert result.faults[0] == "nvidia0: there is no source of memory"
        assert result.faults[1].startswith("shown through wl_shm")
        assert result.bytes_copied_per_frame > luma_and_chroma(SIZE)
        assert len(images) == COUNT


def _of_a_heap(memory):
    return memory.source is None or memory.source.kind is SourceKind.HEAP


class TestChoice:
    """Whether it is chosen at all."""

    @pytest.fixture
    def machine(self):
        """The platform as a real one, which its decoders decode for."""
        return replace(Platform.parse(ALONE), simulated=False)

    def opened(self, path, platform, decoder=AUTO):
        faults = []
        stream = open_picture_stream(path, platform, decoder=decoder, faults=faults)
        stream.close()
        return stream.decoder, faults

    def test_unasked_where_its_memory_is_known_to_be_shown(self, plugged, path, machine):
        plugged(Platform.parse(ALONE))
        assert self.opened(path, machine) == ("nvidia0", [])

    def test_never_unasked_elsewhere(self, plugged, path, machine):
        gpu = plugged(Platform.parse(ALONE))
        (sampler,) = machine.devices
        other = replace(sampler, id=replace(sampler.id, minor=77))
        for devices in ((other,), (replace(sampler, sets={}),), ()):
            assert self.opened(path, replace(machine, devices=devices)) == ("cpu", [])
        assert self.opened(path, Platform.parse(ALONE)) == ("cpu", [])
        assert self.opened(path, None) == ("cpu", [])
        assert gpu.exported == []

    def test_what_it_cannot_decode_the_next_one_does(self, plugged, path, machine):
        plugged(Platform.parse(ALONE), blind=True)
        decoder, (note,) = self.opened(path, machine)
        assert decoder == "cpu"
        assert note == "nvidia0: mpeg4 (Simple Profile): Invalid data found when processing input"

    def test_who_names_it_is_told_what_it_cannot_decode(self, no_fd_leak, plugged, path):
        platform = Platform.parse(ALONE)
        plugged(platform, blind=True)
        with pytest.raises(NotPossibleError, match=r"mpeg4 \(Simple Profile\): Invalid data"):
            shown(platform, path)

    def test_another_name_is_answered_with_those_there_are(self, plugged, path):
        plugged(Platform.parse(ALONE))
        with pytest.raises(InputError) as caught:
            open_picture_stream(path, None, decoder="nvidia7", faults=[])
        assert str(caught.value) == (
            "there is no decoder 'nvidia7'; there is\n  cpu\n  /dev/nvidia0  nvidia0 (nvdec)"
        )

    def test_without_a_gpu_there_is_no_such_decoder(self, path, monkeypatch):
        monkeypatch.setattr(nvdec, "list_nvidia", tuple)
        with pytest.raises(InputError) as caught:
            open_picture_stream(path, None, decoder="nvdec", faults=[])
        assert str(caught.value) == "there is no decoder 'nvdec'; there is\n  cpu"

    def test_what_is_piped_in_is_not_for_it(self, plugged):
        plugged(Platform.parse(ALONE))
        with pytest.raises(InputError, match="nvdec decodes files only"):
            open_picture_stream("-", None, decoder="nvdec", faults=[])


@pytest.mark.parametrize("name", NVDEC_FOURCCS)
def test_what_ffmpeg_calls_its_pictures_is_the_format_that_they_have(name):
    told, known = av.VideoFormat(name, 16, 16), FORMATS[NVDEC_FOURCCS[name]]
    planes = {component.plane: component for component in told.components}
    assert len(planes) == len(known.planes)
    for index, plane in enumerate(known.planes):
        here = [one for one in told.components if one.plane == index]
        one = here[0]
        assert plane.rows(16) == one.height
        assert plane.row_bytes(16) == one.width * len(here) * (2 if one.bits > 8 else 1)
