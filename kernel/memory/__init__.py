"""Memory of this machine: heaps, udmabuf, dma-bufs, and simulated ones."""

from typing import TYPE_CHECKING

from heapwire.protocol.lazy_exports import lazy_exports

if TYPE_CHECKING:
    from heapwire.kernel.memory.buffer_info import BufferInfo as BufferInfo
    from heapwire.kernel.memory.dma_buf import CpuAccess as CpuAccess, DmaBuf as DmaBuf
    from heapwire.kernel.memory.dma_heap import read_only_buffer as read_only_buffer
    from heapwire.kernel.memory.exporter_facts import (
        FACTS_OF_EXPORTERS as FACTS_OF_EXPORTERS,
        ExporterFacts as ExporterFacts,
    )
    from heapwire.kernel.memory.local_memory import LocalMemory as LocalMemory, grant as grant
    from heapwire.kernel.memory.memfd_memory import (
        MemfdMemory as MemfdMemory,
        simulated_name_fault as simulated_name_fault,
    )
    from heapwire.kernel.memory.memory import Memory as Memory, OutOfMemoryError as OutOfMemoryError
    from heapwire.kernel.memory.picture_shape import PictureShape as PictureShape
else:
    __getattr__, __dir__, __all__ = lazy_exports(
        __name__,
        {
            "buffer_info": "BufferInfo",
            "dma_buf": "CpuAccess DmaBuf",
            "dma_heap": "read_only_buffer",
            "exporter_facts": "FACTS_OF_EXPORTERS ExporterFacts",
            "local_memory": "LocalMemory grant",
            "memfd_memory": "MemfdMemory simulated_name_fault",
            "memory": "Memory OutOfMemoryError",
            "picture_shape": "PictureShape",
        },
    )
