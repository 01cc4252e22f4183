"""NVDEC's pictures: what CUDA says of them, and who can show them."""

import os
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest
from open_files import are_closed

from heapwire.client_lib.exporters import (
    CudaLibrary,
    CudaPlane,
    ExportedFrame,
    ExportedObject,
    Exporter,
    export_cuda_frame,
    frame_problem,
)
from heapwire.kernel.description import Platform
from heapwire.protocol import InputError, MachineError, NotPossibleError
from heapwire.protocol.explain import solve
from heapwire.protocol.values import (
    CPU_ACCESS,
    FORMATS,
    LINEAR,
    PERMITTED_SOURCES,
    PROTECTED,
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
    Topology,
    Usage,
    fourcc,
)

NV12, P010, P012 = fourcc("NV12"), fourcc("P010"), fourcc("P012")
YU24, Q410 = fourcc("YU24"), fourcc("Q410")
HD = Extent(1920, 1080)
ROWS = FormatModifier(NV12, LINEAR)
GPU = Exporter(name="nvidia0", device=DeviceId(195, 0))
OWN = GPU.memory("nv_dmabuf")
SYSTEM = Source(id=SourceId.parse("heap 254:77"), name="system", contiguous=False, cached=True)
NEIGHBOURS = Topology()
LIBRARY = "heapwire.client_lib.exporters.cuda_library._SONAME"


class Cuda:
    """What an H200 said (driver 580.159.04, PyAV 19.0.2): base and size of each frame's memory."""

    def __init__(self, base, size):
        self.range = base, size
        self.exported = []

    def allocation(self, pointer):
        base, size = self.range
        assert base <= pointer < base + size
        return self.range

    def export(self, base, size):
        fd = os.memfd_create("nv")
        os.ftruncate(fd, size)
        self.exported.append(fd)
        return fd


# Of each picture: codec, format, size, the base and the bytes of its memory, the pitch of each
# plane, and the addresses of the planes. A driver of the API 13000.
NVDEC = [
    ("h264", NV12, (48, 16), 0x8200000, 0x3000, 512, (0x8200000, 0x8202000)),
    ("h264", NV12, (636, 358), 0x8206000, 0x8A000, 1024, (0x8206000, 0x8262000)),
    ("vp8", NV12, (640, 360), 0x5368000, 0x87000, 1024, (0x5368000, 0x53C2000)),
    ("mjpeg", NV12, (640, 480), 0x42B4000, 0xB4000, 1024, (0x42B4000, 0x432C000)),
    ("mpeg2", NV12, (720, 576), 0x52B4000, 0xD8000, 1024, (0x52B4000, 0x5344000)),
    ("h264", NV12, (1920, 1080), 0x3A00000, 0x330000, 2048, (0x3A00000, 0x3C20000)),
    ("h264", NV12, (4096, 2304), 0x9000000, 0xD80000, 4096, (0x9000000, 0x9900000)),
    ("hevc", P010, (1280, 720), 0x3200000, 0x2A3000, 2560, (0x3200000, 0x33C2000)),
    ("hevc", P012, (640, 360), 0x2E00000, 0xCF000, 1536, (0x2E00000, 0x2E8A000)),
    ("hevc", YU24, (640, 360), 0x3C00000, 0x114000, 1024, (0x3C00000, 0x3C5C000, 0x3CB8000)),
    ("hevc", Q410, (640, 360), 0x3A00000, 0x19E000, 1536, (0x3A00000, 0x3A8A000, 0x3B14000)),
]


class TestExported:
    @pytest.mark.parametrize(("codec", "code", "size", "base", "bytes_", "pitch", "planes"), NVDEC)
    def test_pictures_of_a_real_decoder(self, codec, code, size, base, bytes_, pitch, planes):
        cuda = Cuda(base, bytes_)
        told = [CudaPlane(plane, pitch) for plane in planes]
        with export_cuda_frame(cuda, GPU, code, Extent(*size), told) as exported:
            frame = exported.frame
            assert frame.planes == tuple(PlaneLayout(0, plane - base, pitch) for plane in planes)
            assert [entry.size for entry in frame.objects] == [bytes_]
            assert len(cuda.exported) == 1
        assert are_closed(cuda.exported)

    @pytest.mark.parametrize(("codec", "code", "size", "base", "bytes_", "pitch", "planes"), NVDEC)
    def test_they_are_as_ffmpeg_lays_them_out(self, codec, code, size, base, bytes_, pitch, planes):
        """Rows of multiples of 512 bytes (CU_DEVICE_ATTRIBUTE_TEXTURE_ALIGNMENT), and the codec's.

        What is behind the last row is of a height that the codec rounds up to, or does not.
        """
        rows = FORMATS[code].planes
        assert pitch == -(-rows[0].row_bytes(size[0]) // 512) * 512
        height = (planes[1] - base) // pitch
        assert height == size[1] if codec == "vp8" else height == -(-size[1] // 16) * 16
        assert bytes_ == sum(pitch * one.rows(height) for one in rows)

    def test_vp9_is_rounded_up_to_no_whole_pages(self):
        """1000x562: 562 rows of 1024 bytes, and half as many."""
        cuda = Cuda(0x5287000, 863232)
        planes = [CudaPlane(0x5287000, 1024), CudaPlane(0x5287000 + 562 * 1024, 1024)]
        with pytest.raises(InputError, match="863232 bytes at 0x5287000 are not whole pages"):
            export_cuda_frame(cuda, GPU, NV12, Extent(1000, 562), planes)
        assert cuda.exported == []

    def test_memory_that_is_no_whole_pages_is_not_exported(self):
        cuda = Cuda(0x1000, 4097)
        with pytest.raises(InputError, match="4097 bytes at 0x1000 are not whole pages"):
            export_cuda_frame(cuda, GPU, NV12, HD, [CudaPlane(0x1000, 64)])
        assert cuda.exported == []

    def test_what_was_exported_is_closed_when_the_rest_fails(self):
        cuda = Cuda(0x1000, 4096)
        planes = [CudaPlane(0x1000, 64), CudaPlane(0x1800, 0)]
        with pytest.raises(InputError, match="a pitch of 0"):
            export_cuda_frame(cuda, GPU, NV12, HD, planes)
        assert are_closed(cuda.exported)


@pytest.fixture(scope="module")
def library(tmp_path_factory):
    """A libcuda that does as CUDA_DOUBLE says."""
    made = tmp_path_factory.mktemp("cuda") / "libcuda.so.1"
    source = Path(__file__).parent / "cuda_double.c"
    command = ["cc", "-Wall", "-Wextra", "-Werror", "-shared", "-fPIC", source]
    subprocess.run([*command, "-o", made], check=True)
    return made


@pytest.mark.system("cc")
class TestLibrary:
    """The calls themselves, as they are made: in which context, and what an error becomes."""

    BASE, SIZE = 0x4E00000, 0x330000

    @pytest.fixture
    def cuda(self, library, monkeypatch):
        def loaded(says):
            monkeypatch.setenv("CUDA_DOUBLE", says)
            monkeypatch.setattr(LIBRARY, str(library))
            return CudaLibrary()

        return loaded

    def test_a_picture_becomes_a_dma_buf(self, cuda):
        planes = [CudaPlane(self.BASE, 2048), CudaPlane(self.BASE + 2228224, 2048)]
        with export_cuda_frame(cuda("exports"), GPU, NV12, HD, planes) as made:
            (one,) = made.objects
            assert os.fstat(one.fd).st_size == self.SIZE
            assert Path(f"/proc/self/fd/{one.fd}").readlink().name.startswith("memfd:a picture")
            assert made.frame.planes == (PlaneLayout(0, 0, 2048), PlaneLayout(0, 2228224, 2048))

    def test_a_gpu_has_its_address_on_the_bus_as_sysfs_spells_it(self, cuda):
        assert cuda("exports").bus_address(self.BASE) == "0000:c1:00.0"

    def test_a_gpu_is_found_by_its_address_whatever_number_it_has(self, cuda):
        assert cuda("exports").ordinal_at("0000:c1:00.0") == 1
        assert cuda("exports").ordinal_at("0000:03:00.0") == 0
        with pytest.raises(NotPossibleError, match="does not see the GPU at 0000:06"):
            cuda("exports").ordinal_at("0000:06:00.0")

    def test_an_allocation_has_a_number_of_its_own(self, cuda):
        assert cuda("exports").allocation_number(self.BASE + 2228224) == 41
        with pytest.raises(NotPossibleError, match="cuPointerGetAttribute: CUDA_ERROR"):
            cuda("exports").allocation_number(1)

    def test_what_was_begun_is_waited_for_in_the_context_of_the_memory(self, cuda):
        cuda("exports").finish(self.BASE)
        with pytest.raises(NotPossibleError, match="cuPointerGetAttribute: CUDA_ERROR"):
            cuda("exports").finish(1)

    def test_a_gpu_that_exports_nothing_is_not_told_as_wrong_arguments(self, cuda):
        with pytest.raises(NotPossibleError, match=r"the GPU at 0000:c1:00\.0 exports none"):
            cuda("never").export(self.BASE, self.SIZE)

    def test_other_refusals_are_in_the_words_of_cuda(self, cuda):
        with pytest.raises(NotPossibleError, match="AddressRange: CUDA_ERROR_NOT_SUPPORTED"):
            cuda("not now").export(self.BASE, self.SIZE)
        with pytest.raises(NotPossibleError, match="AddressRange: CUDA_ERROR_INVALID_VALUE"):
            cuda("exports").export(self.BASE, self.SIZE - 1)
        with pytest.raises(NotPossibleError, match="cuPointerGetAttribute: CUDA_ERROR"):
            cuda("exports").allocation(1)

    def test_without_a_driver_it_says_so(self, monkeypatch):
        monkeypatch.setattr(LIBRARY, "libnone.so.1")
        with pytest.raises(MachineError, match=r"libnone\.so\.1 is not installed"):
            CudaLibrary()


def who_needs(*constraints, device=None, usage=Usage.SAMPLING):
    """Somebody who takes rows of NV12, and needs this and no more."""
    pairs = ConstraintSet(formats=(ROWS,), constraints=constraints)
    return Participant(name="they", usage=usage, sets=(pairs,), device=device)


def who_takes_all(device):
    """A device of which nothing is known but that it samples."""
    return Participant(name="they", usage=Usage.SAMPLING, sets=(), device=device)


def answer_for(member, *memory, topology=NEIGHBOURS, sources=()):
    """Whether one participant can use a frame whose planes are each in one memory, or all in it."""
    size = 2228224 + 1114112
    frame = ExportedFrame(
        exporter="nvdec",
        format=ROWS,
        extent=HD,
        objects=tuple(ExportedObject(one, size) for one in memory),
        planes=(PlaneLayout(0, 0, 2048), PlaneLayout(len(memory) - 1, 2228224, 2048)),
    )
    platform = Platform.load("generic-desktop")
    problem = platform.problem(
        participants=(member,),
        goals=(Goal(name="sampling"),),
        extents=Extents(coded=HD),
    )
    sources = (*problem.sources, *sources)
    return solve(frame_problem(replace(problem, topology=topology, sources=sources), frame))


class TestShown:
    """Memory of a GPU that the CPU cannot map, and that nobody protects."""

    OTHER = DeviceId(226, 128)

    @pytest.mark.parametrize("known", [(), (Source(id=OWN.id, name="nvidia0"),)])
    @pytest.mark.parametrize("wanted", [CPU_ACCESS, PROTECTED])
    def test_the_cpu_does_not_reach_it_and_nobody_calls_it_protected(self, wanted, known):
        needs = who_needs(Constraint(type=wanted.type, value=1), usage=Usage.CPU_READ)
        assert not answer_for(needs, OWN, sources=known).plans
        assert answer_for(needs, SYSTEM).plans or wanted is PROTECTED

    @pytest.mark.parametrize("who", [who_needs(device=GPU.device), who_takes_all(GPU.device)])
    def test_the_gpu_itself_has_it_though_its_content_is_not_protected(self, who):
        assert answer_for(who, OWN).plans

    @pytest.mark.parametrize("who", [who_needs(device=OTHER), who_takes_all(OTHER)])
    def test_another_device_does_not_and_it_says_why(self, who):
        answer = answer_for(who, OWN)
        assert not answer.plans
        assert "local to device 226:128 or to a device with a peer link to it" in answer.message
        assert answer_for(who, SYSTEM).plans

    def test_a_peer_of_the_gpu_has_it(self):
        linked = Topology(peer_links=frozenset({frozenset({GPU.device, self.OTHER})}))
        assert answer_for(who_takes_all(self.OTHER), OWN, topology=linked).plans

    def test_who_names_it_among_what_it_takes_has_it(self):
        named = Constraint(type=PERMITTED_SOURCES.type, value=(OWN.id,))
        assert answer_for(who_needs(named, device=self.OTHER), OWN).plans

    def test_a_plane_there_is_enough_to_be_refused_and_no_reason_for_its_own_gpu(self):
        assert not answer_for(who_takes_all(self.OTHER), SYSTEM, OWN).plans
        assert answer_for(who_takes_all(GPU.device), SYSTEM, OWN).plans

    def test_memory_of_a_device_that_the_cpu_can_map_is_anybody_s(self):
        assert answer_for(who_takes_all(self.OTHER), GPU.memory("videobuf2_vmalloc")).plans
