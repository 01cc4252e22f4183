"""Buffers in memory that is shared with the compositor, by `wl_shm`: what every compositor has.

Nothing reads such a buffer but the CPU: the compositor copies each frame before it is drawn, and
no display scans it out. It is what is left where there is nothing to negotiate.
"""

from __future__ import annotations

from pywayland.protocol.wayland import WlShm

from heapwire.client_lib.buffers.buffer import Buffer
from heapwire.client_lib.wayland import DEFAULT_TIMEOUT, AnyProxy, Connection, create, listen
from heapwire.protocol import UsageError
from heapwire.protocol.values import FORMATS, DeviceId, Extent, parse_fourcc

# wl_shm.format has numbers of its own for these two, and fourccs for everything else.
_FOURCCS = {0: parse_fourcc("ARGB8888"), 1: parse_fourcc("XRGB8888")}
_NUMBERS = {fourcc: number for number, fourcc in _FOURCCS.items()}


class SharedMemory:
    """The compositor's `wl_shm`.

    Raises `MissingGlobalError` if it is not on offer, `NoAnswerError` if it has not been
    told of for `timeout` seconds.
    """

    def __init__(self, connection: Connection, *, timeout: float = DEFAULT_TIMEOUT) -> None:
        self.connection = connection
        self._codes: list[int] = []
        self._proxy: AnyProxy = connection.bind(WlShm, minimum=1, maximum=1, timeout=timeout)[0]
        listen(self._proxy, connection.handler_failed, {"format": self._format})
        connection.roundtrip(timeout=timeout)

    @property
    def formats(self) -> tuple[int, ...]:
        """The fourccs of RGB that the compositor reads.

        Of YCbCr, `wl_shm` does not say where further planes are.
        """
        return tuple(self._codes)

    def import_buffer(
        self, buffer: Buffer, extent: Extent, *, device: DeviceId | None = None
    ) -> SharedImport:
        """Give a buffer in one piece of memory its `wl_buffer`; its memory has to be a memfd."""
        (memory,), (plane,) = buffer.objects, buffer.plan.layout.planes
        if buffer.plan.fourcc not in self._codes:
            raise UsageError("wl_shm does not offer the format of the buffer")
        pool = create(self._proxy, "create_pool", memory.fd, memory.size)
        code = _NUMBERS.get(buffer.plan.fourcc, buffer.plan.fourcc)
        proxy = create(
            pool,
            "create_buffer",
            *(plane.offset, extent.width, extent.height, plane.pitch, code),
        )
        pool.destroy()

        def released() -> None:
            buffer.busy = False

        listen(proxy, self.connection.handler_failed, {"release": released})
        buffer.proxy = proxy
        return SharedImport()

    def close(self) -> None:
        """Destroy the object; buffers stay valid."""
        if not self._proxy.destroyed and not self.connection.closed:
            self._proxy.destroy()

    def _format(self, number: int) -> None:
        code = _FOURCCS.get(number, number)
        known = FORMATS.get(code)
        if known is not None and len(known.planes) == 1 and not known.is_yuv:
            self._codes.append(code)


class SharedImport:
    """An import that is done already: of memory that is in order no compositor refuses one."""

    def wait(self, *, timeout: float = DEFAULT_TIMEOUT) -> None:
        """Nothing is waited for."""

    def cancel(self) -> None:
        """The buffer that has the `wl_buffer` destroys it."""
