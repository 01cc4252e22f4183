"""`wl_buffer` of a `wl_shm_pool`."""

from __future__ import annotations

from typing import ClassVar

from heapwire.compositor_plugin.hosts.reference.dmabuf import WlBuffer
from heapwire.compositor_plugin.hosts.reference.shm.shm_content import ShmContent
from heapwire.compositor_plugin.hosts.reference.shm.shm_formats import ShmError
from heapwire.compositor_plugin.server import NewId, ViolationError


class ShmBuffer(WlBuffer):
    """A part of a pool's file."""

    synchronised: ClassVar[bool] = False

    def __init__(self, new_id: NewId, content: ShmContent) -> None:
        super().__init__(new_id, content)
        self._shm = content

    def check(self) -> None:
        """Refuse to show what the client has cut off the file."""
        if not self._shm.is_there:
            raise ViolationError(self, ShmError.INVALID_FD, "the pool's file ends before it")
