"""`zwp_linux_dmabuf_v1`, versions 1 to 6."""

from __future__ import annotations

from typing import TYPE_CHECKING

from heapwire.compositor_plugin.hosts.reference import WlSurface, interface_table
from heapwire.compositor_plugin.hosts.reference.dmabuf.zwp_linux_buffer_params_v1 import (
    ZwpLinuxBufferParamsV1,
)
from heapwire.compositor_plugin.hosts.reference.dmabuf.zwp_linux_dmabuf_feedback_v1 import (
    ZwpLinuxDmabufFeedbackV1,
)
from heapwire.compositor_plugin.server import NewId, Resource
from heapwire.protocol.wire import DmabufVersion, halves

if TYPE_CHECKING:
    from heapwire.compositor_plugin.hosts.reference.scene import Desktop


class ZwpLinuxDmabufV1(Resource):
    """The bound global."""

    INTERFACE = interface_table("zwp_linux_dmabuf_v1")
    VERSION = min(6, INTERFACE.version)

    def __init__(self, new_id: NewId, desktop: Desktop) -> None:
        super().__init__(new_id)
        self._desktop = desktop
        if self.version >= DmabufVersion.FEEDBACK:
            return
        pairs = sorted(desktop.dmabuf.formats)
        for fourcc in dict.fromkeys(pair.fourcc for pair in pairs):
            self.send("format", fourcc)
        if self.version >= DmabufVersion.MODIFIERS:
            for fourcc, modifier in pairs:
                self.send("modifier", fourcc, *halves(modifier))

    def create_params(self, new_id: NewId) -> None:
        """Begin a buffer."""
        ZwpLinuxBufferParamsV1(new_id, self._desktop.dmabuf)

    def get_default_feedback(self, new_id: NewId) -> None:
        """What to allocate for no surface in particular."""
        ZwpLinuxDmabufFeedbackV1(new_id, self._desktop, None)

    def get_surface_feedback(self, new_id: NewId, surface: WlSurface) -> None:
        """What to allocate for one surface."""
        ZwpLinuxDmabufFeedbackV1(new_id, self._desktop, surface)
