"""Who makes a `wl_buffer` of a buffer: linux-dmabuf, or wl_shm."""

from __future__ import annotations

from typing import Protocol

from heapwire.client_lib.buffers import Buffer
from heapwire.client_lib.wayland import DEFAULT_TIMEOUT, Connection
from heapwire.protocol.values import Extent


class StartedImport(Protocol):
    """An import whose answer may be still to come."""

    def wait(self, *, timeout: float = DEFAULT_TIMEOUT) -> None:
        """Until the buffer has its `wl_buffer`; raises `ImportRefusedError` if it gets none."""

    def cancel(self) -> None:
        """Want the `wl_buffer` no more."""


class Importer(Protocol):
    """A `LinuxDmabuf` or a `SharedMemory`."""

    @property
    def connection(self) -> Connection:
        """Where the buffers are shown."""

    def import_buffer(self, buffer: Buffer, extent: Extent) -> StartedImport:
        """Ask for the `wl_buffer` of a buffer with pictures of `extent`."""
