"""linux-dmabuf: buffers made of dma-bufs, and whether they can be used."""

from typing import TYPE_CHECKING

from heapwire.protocol.lazy_exports import lazy_exports

if TYPE_CHECKING:
    from heapwire.compositor_plugin.hosts.reference.dmabuf.buffer_attributes import (
        BufferAttributes as BufferAttributes,
    )
    from heapwire.compositor_plugin.hosts.reference.dmabuf.buffer_check import (
        BufferCheck as BufferCheck,
    )
    from heapwire.compositor_plugin.hosts.reference.dmabuf.client_descriptors import (
        ClientDescriptors as ClientDescriptors,
        KeptDescriptor as KeptDescriptor,
        raise_limit as raise_limit,
    )
    from heapwire.compositor_plugin.hosts.reference.dmabuf.dmabuf_content import (
        DmabufContent as DmabufContent,
    )
    from heapwire.compositor_plugin.hosts.reference.dmabuf.dmabuf_importer import (
        MAX_PIXELS as MAX_PIXELS,
        DmabufImporter as DmabufImporter,
    )
    from heapwire.compositor_plugin.hosts.reference.dmabuf.wl_buffer import WlBuffer as WlBuffer
    from heapwire.compositor_plugin.hosts.reference.dmabuf.zwp_linux_dmabuf_feedback_v1 import (
        ZwpLinuxDmabufFeedbackV1 as ZwpLinuxDmabufFeedbackV1,
    )
    from heapwire.compositor_plugin.hosts.reference.dmabuf.zwp_linux_dmabuf_v1 import (
        ZwpLinuxDmabufV1 as ZwpLinuxDmabufV1,
    )
else:
    __getattr__, __dir__, __all__ = lazy_exports(
        __name__,
        {
            "buffer_attributes": "BufferAttributes",
            "buffer_check": "BufferCheck",
            "client_descriptors": "ClientDescriptors KeptDescriptor raise_limit",
            "dmabuf_content": "DmabufContent",
            "dmabuf_importer": "DmabufImporter MAX_PIXELS",
            "wl_buffer": "WlBuffer",
            "zwp_linux_dmabuf_feedback_v1": "ZwpLinuxDmabufFeedbackV1",
            "zwp_linux_dmabuf_v1": "ZwpLinuxDmabufV1",
        },
    )
