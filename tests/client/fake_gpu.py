"""A stand-in for an NVIDIA GPU: `CudaLibrary`, and NVDEC through PyAV, as an H200 was seen to be.

The pictures are PyAV's own, laid out as FFmpeg does on the GPU: pitches and heights are rounded up,
each picture has memory of its own, and the same again once nobody has the picture. Its memory is
that of a simulated platform, so that a compositor there can look at it.
"""

from __future__ import annotations

import os
import weakref
from dataclasses import dataclass, replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
from test_decoder import encode

import heapwire.client_lib.player.decoding.cpu_picture_stream as cpu_stream
from heapwire.client_lib.player.decoding import nvdec
from heapwire.client_lib.player.decoding.decoder import Decoder
from heapwire.kernel.description import Platform
from heapwire.kernel.discovery import NvidiaGpu
from heapwire.kernel.discovery.sysfs import SysfsDevice
from heapwire.protocol import NotPossibleError

PITCH = 512  # bytes: CU_DEVICE_ATTRIBUTE_TEXTURE_ALIGNMENT of an H200
BUS = "0000:00:06.0"

ALONE = """
name = "one-gpu"

[[memory]]
name = "system"
cached = true
contiguous = false
source = "made up"

[[memory]]
name = "gpu's own"
kind = "device"
device = "gpu"
source = "made up"

[[device]]
name = "gpu"
kind = "gpu"
iommu = true
source = "made up"

[[device.use]]
usage = "sampling"

[[device.use.set]]
formats = ["NV12"]
modifiers = ["LINEAR"]
constraints = [{ type = "permitted-sources", value = ["gpu's own"], source = "made up" }]
source = "made up"

[[device.use.set]]
formats = ["XRGB8888"]
modifiers = ["LINEAR"]
source = "made up"
"""
"""A machine whose GPU samples what is in its own memory; RGB may be anywhere."""


@dataclass(frozen=True)
class _Memory:
    base: int
    number: int
    dma_buf: object
    size: int


class _Picture:
    """What PyAV calls a frame of the format `cuda`."""

    def __init__(self, picture, planes, name):
        self._picture = picture
        self.planes = planes
        self.sw_format = SimpleNamespace(name=name)

    def __getattr__(self, name):
        return getattr(self._picture, name)


class FakeGpu:
    """`number` is the device's on a platform, whose `memory` it has its own from.

    `rows` is what heights are a multiple of, as a codec has it; `refuses` is what CUDA says where
    it exports nothing, and one that is `blind` has no decoder for the profile. It counts: `made`
    its pieces of memory, `held` those with a picture in them, `exported` each that was,
    `finished` how often a picture was waited for.
    """

    def __init__(
        self, platform: Platform, *, rows: int = 16, refuses: str = "", blind: bool = False
    ) -> None:
        self.gpu = NvidiaGpu(
            number=platform.device("gpu").id,
            title="made up",
            node="/dev/nvidia0",
            entry=SysfsDevice(Path("/sys/devices", BUS)),
        )
        (self._source,) = (one.id for one in platform.sources if one.id.kind.name == "DEVICE")
        self._platform = platform
        self._rows = rows
        self._refuses = refuses
        self._blind = blind
        self._made: list[_Memory] = []
        self._free: dict[int, list[_Memory]] = {}
        self.exported: list[int] = []
        self.finished = 0

    def plug_in(self, monkeypatch) -> None:
        """Have the player find it, and nothing else of NVIDIA's."""
        monkeypatch.setattr(nvdec, "list_nvidia", lambda: (self.gpu,))
        monkeypatch.setattr(nvdec, "CudaLibrary", lambda: self)
        monkeypatch.setattr(nvdec, "Decoder", self._decoder)
        monkeypatch.setattr(cpu_stream, "Decoder", self._decoder)

    @property
    def made(self) -> int:
        return len(self._made)

    @property
    def held(self) -> int:
        return len(self._made) - sum(map(len, self._free.values()))

    def close(self) -> None:
        for memory in self._made:
            memory.dma_buf.close()

    # What a CudaLibrary does.

    def ordinal_at(self, bus_address):
        assert bus_address == BUS
        return 0

    def allocation(self, pointer):
        memory = self._memory_of(pointer)
        return memory.base, memory.size

    def allocation_number(self, pointer):
        return self._memory_of(pointer).number

    def finish(self, pointer):
        self._memory_of(pointer)
        self.finished += 1

    def export(self, base, size):
        if self._refuses:
            raise NotPossibleError(self._refuses)
        memory = self._memory_of(base)
        assert (base, size) == (memory.base, memory.size)
        self.exported.append(memory.number)
        return os.dup(memory.dma_buf.fd)

    def _memory_of(self, pointer):
        for one in self._made:
            if one.base <= pointer < one.base + one.size:
                return one
        raise NotPossibleError("cuPointerGetAttribute: CUDA_ERROR_INVALID_VALUE")

    # What FFmpeg does with it.

    def _decoder(self, path, gpu=None):
        if gpu is None:
            return Decoder(path)
        made = _GpuDecoder(path)
        made.on_gpu = self if gpu.is_hw_owned else None
        made._on_gpu = True
        if self._blind:
            made._file = _Refused(made._file)
        return made

    def decoded(self, picture):
        """A picture of FFmpeg's in memory of its own."""
        nv12 = picture.reformat(format="nv12")
        pitch = -(-nv12.width // PITCH) * PITCH
        height = -(-nv12.height // self._rows) * self._rows
        size = pitch * height * 3 // 2
        free = self._free.setdefault(size, [])
        memory = free.pop() if free else self._more(size)
        with memory.dma_buf.map() as view:
            whole = np.frombuffer(view, np.uint8).reshape(-1, pitch)
            for plane, top in zip(nv12.planes, (0, height), strict=True):
                rows = np.frombuffer(plane, np.uint8).reshape(plane.height, -1)
                whole[top : top + plane.height, : nv12.width] = rows[:, : nv12.width]
            del whole
        planes = [
            SimpleNamespace(buffer_ptr=memory.base + top * pitch, line_size=pitch)
            for top in (0, height)
        ]
        made = _Picture(picture, planes, "nv12")
        weakref.finalize(made, free.append, memory)
        return made

    def _more(self, size):
        number = len(self._made) + 1
        dma_buf = self._platform.memory.allocate(self._source, size)
        self._made.append(_Memory(number << 32, number, dma_buf, size))
        return self._made[-1]


class _GpuDecoder(Decoder):
    """One that leaves its pictures on a GPU, or downloads them."""

    on_gpu: FakeGpu | None = None

    def __iter__(self):
        for frame in super().__iter__():
            if self.on_gpu is None:
                yield replace(frame, picture=frame.picture.reformat(format="nv12"))
            else:
                yield replace(frame, picture=self.on_gpu.decoded(frame.picture))
            del frame


class _Refused:
    """A file whose packets the GPU refuses."""

    def __init__(self, file):
        self._file = file

    def __getattr__(self, name):
        return getattr(self._file, name)

    def packets(self):
        for packet in self._file.packets():
            yield SimpleNamespace(is_keyframe=packet.is_keyframe, decode=self._decode)

    def _decode(self):
        raise self._file.fault(1094995529, "Invalid data found when processing input")


def clip(path, count=12, size=(320, 240)):
    """Pictures of one grey each."""
    return encode(path, [size] * count)
