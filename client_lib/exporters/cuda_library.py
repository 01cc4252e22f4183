"""libcuda through cffi, in ABI mode: the calls that make a dma-buf of device memory.

Names and numbers are those of cuda.h, of the driver API, which is a stable ABI.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from heapwire.protocol import MachineError, NotPossibleError

_SONAME = "libcuda.so.1"
_CONTEXT, _BUFFER_ID, _DEVICE_ORDINAL = 1, 7, 9  # CUpointer_attribute
_DMA_BUF_FD = 1  # CUmemRangeHandleType
_DMA_BUF_SUPPORTED = 124  # CU_DEVICE_ATTRIBUTE_DMA_BUF_SUPPORTED
_BUS_ID_BYTES = 16  # `0000:01:00.0` and its end


class CudaLibrary:
    """The driver's calls; raises `MachineError` where it is not installed.

    Its methods raise `NotPossibleError` with CUDA's own word for what it refuses.
    """

    def __init__(self) -> None:
        from heapwire.client_lib.exporters.libcuda_ffi import ffi

        self._ffi: Any = ffi
        try:
            self._lib: Any = self._ffi.dlopen(_SONAME)
        except OSError as error:
            raise MachineError(f"{_SONAME} is not installed") from error

    def ordinal_at(self, bus_address: str) -> int:
        """The number that CUDA has for the GPU at a PCI address, as sysfs spells it.

        `NotPossibleError` where CUDA has none there: CUDA_VISIBLE_DEVICES hides some.
        """
        self._check("cuInit", self._lib.cuInit(0))
        count, device = self._ffi.new("int *"), self._ffi.new("int *")
        self._check("cuDeviceGetCount", self._lib.cuDeviceGetCount(count))
        for ordinal in range(count[0]):
            self._check("cuDeviceGet", self._lib.cuDeviceGet(device, ordinal))
            if self._bus_address(device[0]) == bus_address:
                return ordinal
        raise NotPossibleError(f"CUDA does not see the GPU at {bus_address}")

    def bus_address(self, pointer: int) -> str:
        """The PCI address of the GPU whose memory a pointer is in, as sysfs spells it."""
        return self._bus_address(self._device(pointer))

    def allocation(self, pointer: int) -> tuple[int, int]:
        """Address and size in bytes of the allocation that a pointer is in."""
        base, size = self._ffi.new("CUdeviceptr *"), self._ffi.new("size_t *")
        with self._context_of(pointer):
            self._check(
                "cuMemGetAddressRange", self._lib.cuMemGetAddressRange_v2(base, size, pointer)
            )
        return int(base[0]), int(size[0])

    def allocation_number(self, pointer: int) -> int:
        """What tells the allocation that a pointer is in from all others of this process.

        An address does not: it is another allocation's once that one is freed.
        """
        number = self._ffi.new("unsigned long long *")
        self._check(
            "cuPointerGetAttribute", self._lib.cuPointerGetAttribute(number, _BUFFER_ID, pointer)
        )
        return int(number[0])

    def finish(self, pointer: int) -> None:
        """Wait until what was begun in the context of some memory is done."""
        with self._context_of(pointer):
            self._check("cuCtxSynchronize", self._lib.cuCtxSynchronize())

    def export(self, base: int, size: int) -> int:
        """A dma-buf of a range of whole pages; the caller closes the fd.

        What CUDA had to do in the context of that memory is done then: FFmpeg hands out a picture
        that is still being copied (cuviddec.c, cuvid_output_frame: cuMemcpy2DAsync), and NVIDIA's
        dma-bufs have no fences to wait for (nv-dmabuf.c).
        """
        handle = self._ffi.new("int *", -1)
        with self._context_of(base):
            self._check("cuCtxSynchronize", self._lib.cuCtxSynchronize())
            result = self._lib.cuMemGetHandleForAddressRange(handle, base, size, _DMA_BUF_FD, 0)
        if result and not self._exports(base):  # it blames the arguments, where it can do nothing
            raise NotPossibleError(
                f"the GPU at {self.bus_address(base)} exports none of its memory "
                "(CU_DEVICE_ATTRIBUTE_DMA_BUF_SUPPORTED is 0)"
            )
        self._check("cuMemGetHandleForAddressRange", result)
        return int(handle[0])

    def _bus_address(self, device: int) -> str:
        name = self._ffi.new("char[]", _BUS_ID_BYTES)
        self._check(
            "cuDeviceGetPCIBusId", self._lib.cuDeviceGetPCIBusId(name, _BUS_ID_BYTES, device)
        )
        return str(self._ffi.string(name).decode("ascii", "replace").lower())

    def _device(self, pointer: int) -> int:
        """The number that CUDA has for the GPU whose memory a pointer is in."""
        ordinal = self._ffi.new("int *")
        self._check(
            "cuPointerGetAttribute",
            self._lib.cuPointerGetAttribute(ordinal, _DEVICE_ORDINAL, pointer),
        )
        return int(ordinal[0])

    def _exports(self, pointer: int) -> bool:
        """Whether a GPU may make dma-bufs of its memory; not every kind does, and CUDA tells."""
        answer = self._ffi.new("int *", 1)  # which it stays in a driver that does not know
        self._lib.cuDeviceGetAttribute(answer, _DMA_BUF_SUPPORTED, self._device(pointer))
        return bool(answer[0])

    @contextmanager
    def _context_of(self, pointer: int) -> Iterator[None]:
        """The context that a pointer belongs to is this thread's, as these calls want it."""
        context = self._ffi.new("CUcontext *")
        self._check(
            "cuPointerGetAttribute", self._lib.cuPointerGetAttribute(context, _CONTEXT, pointer)
        )
        self._check("cuCtxPushCurrent", self._lib.cuCtxPushCurrent_v2(context[0]))
        try:
            yield
        finally:
            self._lib.cuCtxPopCurrent_v2(context)

    def _check(self, call: str, result: int) -> None:
        if result == 0:
            return
        name = self._ffi.new("const char **")
        word = str(result)
        if self._lib.cuGetErrorName(result, name) == 0:
            word = self._ffi.string(name[0]).decode("ascii", "replace")
        raise NotPossibleError(f"{call}: {word}")
