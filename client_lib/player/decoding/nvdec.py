"""NVIDIA's decoder, NVDEC, through PyAV: its pictures where they are, or downloaded."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from heapwire.client_lib.exporters import CudaLibrary, Exporter
from heapwire.client_lib.player.decoding.cpu_picture_stream import CpuPictureStream
from heapwire.client_lib.player.decoding.decoder import Decoder
from heapwire.client_lib.player.decoding.nvdec_picture_stream import NvdecPictureStream
from heapwire.client_lib.player.decoding.video_file import VideoFile
from heapwire.kernel.description import Platform
from heapwire.kernel.discovery import NvidiaGpu, list_nvidia
from heapwire.protocol.values import Usage

if TYPE_CHECKING:
    from av.codec.hwaccel import HWAccel

NVDEC = "nvdec"
"""The decoder that stands for the first NVIDIA GPU."""


class Nvdec:
    """The decoder of one GPU, whose `name` is that of its node, as `nvidia0`."""

    def __init__(self, gpu: NvidiaGpu) -> None:
        self.gpu = gpu
        self.node = gpu.node
        self.name = gpu.node.rpartition("/")[2]

    def is_meant_by(self, wanted: str) -> bool:
        """Whether a person who names a decoder means this one."""
        return wanted in (NVDEC, self.name, self.node)

    def is_shown_from(self, platform: Platform) -> bool:
        """Whether something is known to show pictures that lie in the GPU's own memory."""
        own = self.gpu.number
        return any(
            device.id is not None
            and (device.id == own or platform.topology.linked(own, device.id))
            and not device.sets.keys().isdisjoint({Usage.SAMPLING, Usage.SCANOUT})
            for device in platform.devices
        )

    def as_they_are(self, path: str | Path, formats: Sequence[int]) -> NvdecPictureStream:
        """The pictures of a file in the memory that they are decoded into.

        Raises what `NvdecPictureStream` raises, and `MachineError` without CUDA.
        """
        VideoFile(path).close()  # what is wrong with the file is not the GPU's fault
        cuda = CudaLibrary()
        exporter = Exporter(name=self.name, device=self.gpu.number)
        decoder = Decoder(path, self._on_gpu(cuda, stays=True))
        return NvdecPictureStream(decoder, cuda, exporter, formats)

    def downloaded(self, path: str | Path, formats: Sequence[int]) -> CpuPictureStream:
        """The same pictures, which the CPU writes into any buffers once it has them.

        Raises what `CpuPictureStream` raises, and `MachineError` without CUDA.
        """
        VideoFile(path).close()
        on_gpu = self._on_gpu(CudaLibrary(), stays=False)
        return CpuPictureStream(path, formats, gpu=on_gpu, decoder=self.name)

    def _on_gpu(self, cuda: CudaLibrary, *, stays: bool) -> HWAccel:
        from av.codec.hwaccel import HWAccel

        return HWAccel(
            device_type="cuda",
            device=str(cuda.ordinal_at(self.gpu.entry.name)),
            allow_software_fallback=False,
            is_hw_owned=stays,
        )


def named_nvdec(wanted: str) -> Nvdec | None:
    """The one that a person who names a decoder means, if it is one."""
    return next((gpu for gpu in nvdecs() if gpu.is_meant_by(wanted)), None)


def nvdecs() -> list[Nvdec]:
    """Those of this machine's NVIDIA GPUs."""
    return [Nvdec(gpu) for gpu in list_nvidia()]
