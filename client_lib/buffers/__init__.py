"""Buffers made by plans: allocated, imported and shown."""

from typing import TYPE_CHECKING

from heapwire.protocol.lazy_exports import lazy_exports

if TYPE_CHECKING:
    from heapwire.client_lib.buffers.allocation import Allocation as Allocation
    from heapwire.client_lib.buffers.allocation_manager import (
        AllocationManager as AllocationManager,
    )
    from heapwire.client_lib.buffers.buffer import Buffer as Buffer, allocate as allocate
    from heapwire.client_lib.buffers.buffer_status import BufferStatus as BufferStatus
    from heapwire.client_lib.buffers.buffer_status_manager import (
        BufferStatusManager as BufferStatusManager,
    )
    from heapwire.client_lib.buffers.extended_feedback import (
        ExtendedFeedback as ExtendedFeedback,
    )
    from heapwire.client_lib.buffers.keyboard import Keyboard as Keyboard
    from heapwire.client_lib.buffers.linux_dmabuf import (
        Import as Import,
        LinuxDmabuf as LinuxDmabuf,
    )
    from heapwire.client_lib.buffers.plane_view import (
        PlaneView as PlaneView,
        check_planes as check_planes,
    )
    from heapwire.client_lib.buffers.shared_memory import SharedMemory as SharedMemory
    from heapwire.client_lib.buffers.surface_light import Light as Light
    from heapwire.client_lib.buffers.window import (
        Presented as Presented,
        Window as Window,
        bare_surface as bare_surface,
    )
else:
    __getattr__, __dir__, __all__ = lazy_exports(
        __name__,
        {
            "allocation": "Allocation",
            "allocation_manager": "AllocationManager",
            "buffer": "Buffer allocate",
            "buffer_status": "BufferStatus",
            "buffer_status_manager": "BufferStatusManager",
            "extended_feedback": "ExtendedFeedback",
            "keyboard": "Keyboard",
            "linux_dmabuf": "Import LinuxDmabuf",
            "plane_view": "PlaneView check_planes",
            "shared_memory": "SharedMemory",
            "surface_light": "Light",
            "window": "Presented Window bare_surface",
        },
    )
