"""What GPUs sample: the formats that EGL lists, and GPUs that have no DRM node."""

from typing import TYPE_CHECKING

from heapwire.protocol.lazy_exports import lazy_exports

if TYPE_CHECKING:
    from heapwire.kernel.discovery.gpu.gpu_formats import with_gpu_formats as with_gpu_formats
    from heapwire.kernel.discovery.gpu.nvidia import (
        NvidiaGpu as NvidiaGpu,
        list_nvidia as list_nvidia,
    )
else:
    __getattr__, __dir__, __all__ = lazy_exports(
        __name__,
        {
            "gpu_formats": "with_gpu_formats",
            "nvidia": "NvidiaGpu list_nvidia",
        },
    )
