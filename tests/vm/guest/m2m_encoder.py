"""A stateful encoder of V4L2: pictures in, packets out, one after the other.

The order of calls is that of the kernel's documentation
(userspace-api/media/v4l/dev-encoder.rst), for one stream and an encoder that
keeps no picture back.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator

from heapwire.kernel.system import Owner
from heapwire.kernel.video.v4l2_device import V4l2Device, v4l2_format_name
from heapwire.kernel.video.v4l2_queue import QueueFormat, V4l2Queue
from heapwire.protocol import MachineError
from heapwire.protocol.values import Extent

_BUFFERS = 2  # on each side


class M2mEncoder(Owner):
    """One open encoder: opens its node and closes it, with its queues."""

    def __init__(self, node: str) -> None:
        self._fd = os.open(node, os.O_RDWR | os.O_CLOEXEC)
        try:
            device = V4l2Device(self._fd)
            if device.output is None or device.capture is None:
                raise MachineError(f"{node} is not a codec")
            self._pictures = V4l2Queue(self._fd, device.output)
            self._packets = V4l2Queue(self._fd, device.capture)
        except BaseException:
            os.close(self._fd)
            raise

    def close(self) -> None:
        """Close the node, and with it its queues; safe to call twice."""
        fd, self._fd = self._fd, -1
        if fd >= 0:
            try:
                self._pictures.close()
                self._packets.close()
            finally:
                os.close(fd)

    def encode(
        self, pictures: Iterable[bytes], *, raw: int, extent: Extent, coded: int
    ) -> Iterator[bytes]:
        """The packets of some pictures, each as the driver lays out the format `raw`.

        `raw` and `coded` are V4L2 fourccs. Raises `MachineError` if the driver
        has not the format or the size.
        """
        _expect(self._packets.set_format(coded, extent), coded, None)
        _expect(self._pictures.set_format(raw, extent), raw, extent)
        self._pictures.request_mapped(_BUFFERS)
        for index in range(self._packets.request_mapped(_BUFFERS)):
            self._packets.queue_mapped(index)
        self._pictures.stream_on()
        self._packets.stream_on()
        for picture in pictures:
            memory = self._pictures.mapped(0)
            if len(picture) > len(memory):
                raise MachineError(f"{len(picture)} bytes do not fit a buffer of {len(memory)}")
            memory[: len(picture)] = picture
            self._pictures.queue_mapped(0, len(picture))
            yield self._packet()
            self._pictures.dequeue()

    def _packet(self) -> bytes:
        done = self._packets.dequeue()
        if done is None or done.damaged:
            raise MachineError("the encoder could not read a picture")
        packet = bytes(self._packets.mapped(done.index)[: done.used])
        self._packets.queue_mapped(done.index)
        return packet


def _expect(found: QueueFormat, fourcc: int, extent: Extent | None) -> None:
    if found.fourcc != fourcc or (extent is not None and found.extent != extent):
        name = v4l2_format_name(fourcc)
        wanted = name if extent is None else f"{name} {extent}"
        raise MachineError(f"the driver has no {wanted}")
