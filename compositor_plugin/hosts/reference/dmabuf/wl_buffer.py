"""`wl_buffer`: dma-bufs, one pixel, or what is made from it for `wl_shm`."""

from __future__ import annotations

from typing import ClassVar

from heapwire.compositor_plugin import StatusReason
from heapwire.compositor_plugin.hosts.reference import interface_table
from heapwire.compositor_plugin.hosts.reference.scene import BufferContent
from heapwire.compositor_plugin.server import NewId, Resource


class WlBuffer(Resource):
    """A buffer of a client's.

    `uses` counts the surfaces that show it, and `told` is the last status that
    the plugin was given. The memory, which is the picture's, outlives the object
    for as long as a surface shows it. One that is `synchronised` may be shown and given back at
    points of timelines.
    """

    INTERFACE = interface_table("wl_buffer")
    VERSION = 1
    synchronised: ClassVar[bool] = True

    def __init__(self, new_id: NewId, content: BufferContent) -> None:
        new_id.version = 1
        super().__init__(new_id)
        self.content = content
        self.uses = 0
        self.told: StatusReason | None = None

    def check(self) -> None:
        """Raise `ViolationError` if its content cannot be shown any more."""
