"""Frames that exist: what they are told as, and whether they are good as they are.

The bytes of the descriptors are those of FFmpeg's and VA-API's headers on a 64-bit machine.
"""

import os
import struct
from dataclasses import replace

import pytest
from open_files import are_closed

from heapwire.client_lib.exporters import (
    DRM_FRAME_BYTES,
    VA_FRAME_BYTES,
    ExportedFrame,
    ExportedObject,
    Exporter,
    GstMemory,
    export_v4l2_frames,
    frame_problem,
    parse_drm_format,
    read_drm_frame,
    read_gst_frame,
    read_va_frame,
)
from heapwire.kernel.description import Platform
from heapwire.kernel.memory import BufferInfo
from heapwire.kernel.video import QueueFormat
from heapwire.protocol import InputError, MachineError, NotPossibleError
from heapwire.protocol.explain import solve
from heapwire.protocol.values import (
    CONTIGUOUS,
    LINEAR,
    PERMITTED_SOURCES,
    Constraint,
    ConstraintSet,
    DeviceId,
    Extent,
    Extents,
    FormatModifier,
    Goal,
    Participant,
    PlaneLayout,
    Source,
    SourceId,
    Usage,
    fourcc,
)

NV12, P010, R8, GR88 = fourcc("NV12"), fourcc("P010"), fourcc("R8"), fourcc("GR88")
HD = Extent(1920, 1080)
ROWS = FormatModifier(NV12, LINEAR)
CAMERA = Exporter(name="camera", device=DeviceId(81, 0), iommu=False)
MEMORY = CAMERA.memory("videobuf2_dma_contig")


def object_of(fd, size):
    return ExportedObject(MEMORY, size, fd)


def drm_descriptor(objects, layers):
    """An AVDRMFrameDescriptor: objects of (fd, size, modifier), layers of (format, planes)."""
    data = bytearray(DRM_FRAME_BYTES)
    struct.pack_into("=i", data, 0, len(objects))
    for index, entry in enumerate(objects[:4]):
        struct.pack_into("=i4xQQ", data, 8 + 24 * index, *entry)
    struct.pack_into("=i", data, 104, len(layers))
    for index, (format_, planes) in enumerate(layers[:4]):
        struct.pack_into("=Ii", data, 112 + 104 * index, format_, len(planes))
        for number, plane in enumerate(planes[:4]):
            struct.pack_into("=i4xqq", data, 120 + 104 * index + 24 * number, *plane)
    return bytes(data)


def va_descriptor(objects, layers, *, code=NV12, size=(1920, 1088)):
    data = bytearray(VA_FRAME_BYTES)
    struct.pack_into("=IIII", data, 0, code, *size, len(objects))
    for index, entry in enumerate(objects[:4]):
        struct.pack_into("=iIQ", data, 16 + 16 * index, *entry)
    struct.pack_into("=I", data, 80, len(layers))
    for index, (format_, planes) in enumerate(layers[:4]):
        at = 84 + 56 * index
        struct.pack_into("=II", data, at, format_, len(planes))
        for number, (object_, offset, pitch) in enumerate(planes[:4]):
            struct.pack_into("=I", data, at + 8 + 4 * number, object_)
            struct.pack_into("=I", data, at + 24 + 4 * number, offset)
            struct.pack_into("=I", data, at + 40 + 4 * number, pitch)
    return bytes(data)


LUMA, CHROMA = (0, 0, 2048), (0, 2048 * 1088, 2048)
WHOLE = [(NV12, [LUMA, CHROMA])]
PARTS = [(R8, [LUMA]), (GR88, [CHROMA])]
ONE = [(7, 3342336, LINEAR)]
PLANES = (PlaneLayout(*LUMA), PlaneLayout(*CHROMA))


class TestFfmpeg:
    def test_a_picture_in_one_layer(self):
        frame = read_drm_frame("vaapi", drm_descriptor(ONE, WHOLE), HD, object_of)
        assert frame.format == FormatModifier(NV12, LINEAR)
        assert frame.objects == (ExportedObject(MEMORY, 3342336, 7),)
        assert frame.planes == PLANES

    def test_a_picture_in_a_layer_for_each_plane(self):
        said = drm_descriptor(ONE, PARTS)
        frame = read_drm_frame("vaapi", said, HD, object_of, whole=NV12)
        assert (frame.format.fourcc, frame.planes) == (NV12, PLANES)
        with pytest.raises(InputError, match="R8 and GR88 it does not follow"):
            read_drm_frame("vaapi", said, HD, object_of)
        with pytest.raises(InputError, match="R8 and GR88 are not the planes of P010"):
            read_drm_frame("vaapi", said, HD, object_of, whole=P010)

    def test_planes_of_16_bits(self):
        layers = [(fourcc("R16"), [LUMA]), (fourcc("GR32"), [CHROMA])]
        frame = read_drm_frame("x", drm_descriptor(ONE, layers), HD, object_of, whole=P010)
        assert frame.format.fourcc == P010

    @pytest.mark.parametrize(
        ("objects", "layers", "why"),
        [
            ([], WHOLE, "0 objects"),
            (ONE * 5, WHOLE, "5 objects"),
            (ONE, [], "0 layers"),
            (ONE, WHOLE * 9, "9 layers"),
            (ONE, [(NV12, [])], "0 planes"),
            (ONE, [(NV12, [LUMA] * 5)], "5 planes"),
            (ONE, [(NV12, [(1, 0, 2048), CHROMA])], "object 1"),
            (ONE, [(NV12, [(-1, 0, 2048), CHROMA])], "object -1"),
            (ONE, [(NV12, [(0, -1, 2048), CHROMA])], "begins at -1"),
            (ONE, [(NV12, [(0, 3342336, 2048), CHROMA])], "begins at 3342336"),
            (ONE, [(NV12, [(0, 0, -2048), CHROMA])], "a pitch of -2048"),
            ([(7, 0, LINEAR)], WHOLE, "no size"),
            ([(7, 4096, LINEAR), (8, 4096, 1)], WHOLE, "different modifiers"),
        ],
    )
    def test_what_contradicts_itself(self, objects, layers, why):
        with pytest.raises(InputError, match=why):
            read_drm_frame("x", drm_descriptor(objects, layers), HD, object_of)

    def test_half_a_descriptor(self):
        with pytest.raises(InputError, match="527 bytes"):
            read_drm_frame("x", bytes(DRM_FRAME_BYTES - 1), HD, object_of)


class TestVaApi:
    @pytest.mark.parametrize("layers", [WHOLE, PARTS])
    def test_composed_and_separate_layers(self, layers):
        frame = read_va_frame("vaapi", va_descriptor(ONE, layers), object_of)
        assert (frame.format, frame.extent) == (FormatModifier(NV12, LINEAR), Extent(1920, 1088))
        assert frame.planes == PLANES

    def test_a_fourcc_of_its_own(self):
        planes = [[(0, 0, 1920)], [(0, 2088960, 960)], [(0, 2611200, 960)]]
        layers = [(R8, plane) for plane in planes]
        frame = read_va_frame("x", va_descriptor(ONE, layers, code=fourcc("I420")), object_of)
        assert frame.format.fourcc == fourcc("YU12")

    def test_planes_in_two_objects(self):
        objects = [(7, 2228224, 9), (8, 1114112, 9)]
        layers = [(NV12, [(0, 0, 2048), (1, 0, 2048)])]
        frame = read_va_frame("x", va_descriptor(objects, layers), object_of)
        assert [entry.fd for entry in frame.objects] == [7, 8]
        assert (frame.format.modifier, frame.planes[1]) == (9, PlaneLayout(1, 0, 2048))

    @pytest.mark.parametrize(
        ("said", "why"),
        [
            (va_descriptor([], WHOLE), "0 objects"),
            (va_descriptor(ONE, WHOLE * 5), "5 layers"),
            (va_descriptor(ONE, [(NV12, [LUMA] * 5)]), "5 planes"),
            (va_descriptor(ONE, WHOLE, size=(0, 1088)), "surface"),
            (va_descriptor([(7, 1, 0), (8, 1, 1)], WHOLE), "different modifiers"),
            (bytes(VA_FRAME_BYTES - 1), "311 bytes"),
        ],
    )
    def test_what_contradicts_itself(self, said, why):
        with pytest.raises(InputError, match=why):
            read_va_frame("x", said, object_of)


class TestGStreamer:
    def test_offsets_count_through_all_memories(self):
        memories = [GstMemory(7, 4096, 2088960, 2093056), GstMemory(8, 0, 1044480, 1044480)]
        frame = read_gst_frame(
            "v4l2src", "NV12", HD, memories,
            offsets=(0, 2088960), strides=(1920, 1920), object_of=object_of,
        )  # fmt: skip
        assert frame.planes == (PlaneLayout(0, 4096, 1920), PlaneLayout(1, 0, 1920))
        assert [(entry.fd, entry.size) for entry in frame.objects] == [(7, 2093056), (8, 1044480)]

    def test_planes_in_one_memory(self):
        frame = read_gst_frame(
            "x", "NV12:0x0100000000000001", HD, [GstMemory(7, 0, 3133440, 3133440)],
            offsets=(0, 2073600), strides=(1920, 1920), object_of=object_of,
        )  # fmt: skip
        assert frame.planes[1] == PlaneLayout(0, 2073600, 1920)
        assert frame.format.modifier == 0x0100000000000001

    @pytest.mark.parametrize("offset", [-1, 3133440, 1 << 60])
    def test_an_offset_in_no_memory(self, offset):
        with pytest.raises(InputError, match="in no memory"):
            read_gst_frame(
                "x", "NV12", HD, [GstMemory(7, 0, 3133440, 3133440)],
                offsets=(offset,), strides=(1920,), object_of=object_of,
            )  # fmt: skip

    @pytest.mark.parametrize("text", ["NV12:", "NV12:x", "NV12:0x10000000000000000", "NV123", ""])
    def test_a_format_that_cannot_be_read(self, text):
        with pytest.raises(InputError):
            parse_drm_format(text)


def reader_that_needs(wanted):
    """Somebody who takes rows of NV12 from any memory that is so."""
    return reader_with(Constraint(type=wanted.type, value=1))


def reader_from(machine, name):
    """Somebody who takes rows of NV12 from one source of a machine."""
    return reader_with(Constraint(type=PERMITTED_SOURCES.type, value=(machine.source(name).id,)))


def reader_with(needs):
    pairs = ConstraintSet(formats=(ROWS,), constraints=(needs,))
    return Participant(name=f"reader by {needs.type}", usage=Usage.CPU_READ, sets=(pairs,))


ONE_RUN = reader_that_needs(CONTIGUOUS)


def exported(memory, pitch=1920, size=3133440, code=NV12):
    return ExportedFrame(
        exporter="camera",
        format=FormatModifier(code, LINEAR),
        extent=Extent(1920, 1088),
        objects=(ExportedObject(memory, size),),
        planes=(PlaneLayout(0, 0, pitch), PlaneLayout(0, pitch * 1088, pitch)),
    )


def answer_for(platform, frame, members):
    problem = platform.problem(
        participants=tuple(members),
        goals=(Goal(name="sampling"),),
        extents=Extents(coded=Extent(1920, 1080)),
    )
    return solve(frame_problem(problem, frame))


class TestJudged:
    """On a Raspberry Pi 4, whose display needs contiguous memory in the lowest gigabyte."""

    platform = Platform.load("raspberry-pi-4")
    display = (platform.participant("hvs", Usage.SCANOUT),)

    def test_a_heap_s_memory_in_a_good_layout(self):
        cma = self.platform.source("linux,cma")
        assert answer_for(self.platform, exported(cma), self.display).plans

    def test_pages_as_they_come_are_refused_by_name(self):
        answer = answer_for(
            self.platform, exported(CAMERA.memory("videobuf2_vmalloc")), self.display
        )
        assert not answer.plans
        assert "contiguous" in answer.message

    def test_memory_behind_an_iommu_is_not_called_contiguous(self):
        behind = Exporter(name="isp", device=DeviceId(81, 1), iommu=True)
        nobody_knows = Exporter(name="isp", device=DeviceId(81, 1))
        for exporter in (behind, nobody_knows):
            assert exporter.memory("videobuf2_dma_contig").contiguous is None
        assert MEMORY.contiguous is True

    @pytest.mark.parametrize(
        ("exporter", "good"), [("videobuf2_dma_contig", True), ("videobuf2_vmalloc", False)]
    )
    def test_what_a_machine_does_not_know_of_its_device_s_memory_the_frame_tells(
        self, exporter, good
    ):
        """A device that allocates for itself is one of its machine's sources, by a link or so."""
        answer = answer_for(self.with_own(CAMERA), exported(CAMERA.memory(exporter)), [ONE_RUN])
        assert bool(answer.plans) is good
        assert good or "contiguous" in answer.message

    @pytest.mark.parametrize("knows", [True, False])
    def test_what_a_machine_does_know_of_it_counts(self, knows):
        claims = CAMERA.memory("videobuf2_vmalloc" if knows else "videobuf2_dma_contig")
        machine = self.with_own(CAMERA, contiguous=knows)
        assert bool(answer_for(machine, exported(claims), [ONE_RUN]).plans) is knows

    @pytest.mark.parametrize("exporter", ["videobuf2_dma_contig", "videobuf2_vmalloc"])
    @pytest.mark.parametrize("knows", [True, False])
    def test_who_takes_any_page_takes_those_of_an_exporter(self, exporter, knows):
        """A display that lists the system heap, by a link or a trial, names no exporter."""
        machine = self.with_own(CAMERA) if knows else self.platform
        frame = exported(CAMERA.memory(exporter))
        assert answer_for(machine, frame, [reader_from(machine, "system")]).plans
        assert not answer_for(machine, frame, [reader_from(machine, "linux,cma")]).plans
        answer = answer_for(machine, frame, [reader_from(machine, "system"), ONE_RUN])
        assert bool(answer.plans) is (exporter == "videobuf2_dma_contig")

    def test_and_those_of_a_heap_that_serves_in_its_place(self):
        """As the kernel says of a heap: by way of another one, too."""
        near, far = (
            Source(id=SourceId.parse(f"heap 254:{minor}"), name=name, substitutes_for=(place,))
            for minor, name, place in ((78, "near", "system"), (79, "far", "near"))
        )
        machine = replace(self.platform, sources=(*self.platform.sources, near, far))
        for memory in (near, far):
            assert answer_for(machine, exported(memory), [reader_from(machine, "system")]).plans
        assert not answer_for(machine, exported(near), [reader_from(machine, "far")]).plans

    def with_own(self, exporter, **properties):
        """The machine where the exporter is a source, of which no more is known than that."""
        name, number = exporter.name, exporter.device
        own = Source(id=SourceId.device(number), name=name, device_local=number, **properties)
        return replace(self.platform, sources=(*self.platform.sources, own))

    def test_the_least_change_is_named(self):
        platform = Platform.load("rockchip-rk3399")
        gpu = [platform.participant("gpu", Usage.SAMPLING)]
        system = platform.source("system")
        wrong = exported(system, pitch=1922, size=1 << 22)
        answer = answer_for(platform, wrong, gpu)
        assert "pitch of plane 0 is 1922 and would have to be 1984" in answer.message
        assert answer_for(platform, exported(system, pitch=1984, size=1 << 22), gpu).plans


class Driver:
    """A capture queue of NV12, in one memory plane or in two; it exports memfds."""

    def __init__(self, *sizes, code="NV12"):
        self.format = QueueFormat(fourcc(code), HD, (1920,) * len(sizes), sizes)
        self.fds = []
        self.fails_at = None

    def request_own(self, count):
        return count

    def export(self, index, plane):
        if self.fails_at == (index, plane):
            raise OSError(24, os.strerror(24))
        fd = os.memfd_create("vb2")
        self.fds.append(fd)
        return fd


class TestV4l2:
    def test_both_planes_in_one_buffer(self):
        driver = Driver(3110400)
        with export_v4l2_frames(driver, CAMERA, 3) as exported_:
            assert len(exported_.frames) == len(driver.fds) == 3
            for frame in exported_.frames:
                assert frame.planes == (PlaneLayout(0, 0, 1920), PlaneLayout(0, 2073600, 1920))
        assert are_closed(driver.fds)

    def test_a_buffer_for_each_plane(self):
        driver = Driver(2073600, 1036800, code="NM12")
        with export_v4l2_frames(driver, CAMERA, 1) as exported_:
            (frame,) = exported_.frames
            assert frame.planes == (PlaneLayout(0, 0, 1920), PlaneLayout(1, 0, 1920))
            assert [entry.size for entry in frame.objects] == [2073600, 1036800]

    def test_the_kernel_s_word_for_the_memory_counts(self, monkeypatch):
        told = BufferInfo(size=3112960, references=1, exporter="videobuf2_vmalloc")
        monkeypatch.setattr(BufferInfo, "of", lambda fd: told)
        with export_v4l2_frames(Driver(3110400), CAMERA, 1) as exported_:
            (entry,) = exported_.frames[0].objects
            assert (entry.size, entry.source.contiguous) == (3112960, False)

    @pytest.mark.parametrize("fails_at", [(0, 0), (1, 1)])
    def test_nothing_is_left_open(self, fails_at):
        driver = Driver(2073600, 1036800, code="NM12")
        driver.fails_at = fails_at
        with pytest.raises(MachineError, match="Too many open files"):
            export_v4l2_frames(driver, CAMERA, 2)
        assert are_closed(driver.fds)

    def test_a_format_without_a_name(self):
        driver = Driver(3110400, code="MJPG")
        with pytest.raises(NotPossibleError):
            export_v4l2_frames(driver, CAMERA, 2)
        assert driver.fds == []
