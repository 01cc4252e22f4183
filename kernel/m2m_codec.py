"""A stateful memory-to-memory codec: bitstream and pictures, in and out.

The order of calls is that of the kernel's documentation
(userspace-api/media/v4l/dev-decoder.rst and dev-encoder.rst), without seeking
and without a change of resolution: one stream, a picture for each packet.
Pictures of a decoder may go into anybody's dma-bufs.
"""

from __future__ import annotations

import os
import struct
from collections.abc import Callable, Iterable, Iterator, Sequence

from heapwire.kernel.closable import Closable
from heapwire.kernel.dma_buf import DmaBuf
from heapwire.kernel.ioctl import ioctl
from heapwire.kernel.v4l2 import V4l2Device
from heapwire.kernel.v4l2_queue import QueueFormat, V4l2Queue
from heapwire.protocol.model.errors import LocalError
from heapwire.protocol.model.extents import Extent

_SUBSCRIBE_EVENT, _DQEVENT = 0x4020565A, 0x80885659
_EVENT_SOURCE_CHANGE = 5
_INPUTS = 2  # buffers in flight on the side that is fed


class M2mCodec(Closable):
    """One open codec: opens its node and closes it, with its queues."""

    def __init__(self, node: str) -> None:
        self._fd = os.open(node, os.O_RDWR | os.O_CLOEXEC)
        try:
            device = V4l2Device(self._fd)
            if device.output is None or device.capture is None:
                raise LocalError(f"{node} is not a codec")
            self.source = V4l2Queue(self._fd, device.output)
            self.result = V4l2Queue(self._fd, device.capture)
        except BaseException:
            os.close(self._fd)
            raise

    def close(self) -> None:
        """Close the node, and with it its queues; safe to call twice."""
        fd, self._fd = self._fd, -1
        if fd >= 0:
            try:
                self.source.close()
                self.result.close()
            finally:
                os.close(fd)

    def encode(
        self, pictures: Iterable[bytes], *, raw: int, extent: Extent, coded: int
    ) -> Iterator[bytes]:
        """The packets of some pictures, each as the driver lays out the format `raw`.

        `raw` and `coded` are V4L2 fourccs. Raises `LocalError` if the driver
        has not the format or the size.
        """
        _expect(self.result.set_format(coded, extent), coded, None)
        _expect(self.source.set_format(raw, extent), raw, extent)
        self.source.request_mapped(_INPUTS)
        for index in range(self.result.request_mapped(_INPUTS)):
            self.result.queue_mapped(index)
        self.source.stream_on()
        self.result.stream_on()
        for picture in pictures:
            yield from self._through(picture, self._packet)

    def start_decoding(self, coded: int, extent: Extent, first: bytes, *, raw: int) -> QueueFormat:
        """Feed the first packet, and have pictures in a format; how the driver lays them out.

        `extent` is the size to expect. Raises `LocalError` if the driver has
        not the format.
        """
        data = bytearray(32)
        struct.pack_into("=I", data, 0, _EVENT_SOURCE_CHANGE)
        ioctl(self._fd, _SUBSCRIBE_EVENT, data)
        self.source.set_format(coded, extent, size=max(2 * len(first), 1 << 16))
        self.source.request_mapped(_INPUTS)
        self.source.stream_on()
        self._feed(0, first)
        ioctl(self._fd, _DQEVENT, bytearray(136))  # waits for the header to be read
        found = self.result.format
        return _expect(self.result.set_format(raw, found.extent), raw, found.extent)

    def decode_into(
        self, packets: Iterable[bytes], buffers: Sequence[Sequence[DmaBuf]]
    ) -> Iterator[int]:
        """Decode what follows the first packet; the index of the buffer of each picture.

        Each of `buffers` has a dma-buf for each memory plane. It is given to the
        driver again when the next picture is asked for. Raises `LocalError` if
        the driver refuses one.
        """
        self.result.request_dmabuf(len(buffers))

        def give(index: int) -> None:
            planes = buffers[index]
            self.result.queue_dmabuf(
                index, [one.fd for one in planes], [one.size for one in planes]
            )

        for index in range(len(buffers)):
            give(index)
        self.result.stream_on()
        yield from self._pictures(packets, give)

    def decode_mapped(self, packets: Iterable[bytes], count: int) -> Iterator[bytes]:
        """Decode what follows the first packet into the driver's own memory."""
        for index in range(self.result.request_mapped(count)):
            self.result.queue_mapped(index)
        self.result.stream_on()
        for index in self._pictures(packets, self.result.queue_mapped):
            yield bytes(self.result.mapped(index))

    def _pictures(self, packets: Iterable[bytes], give: Callable[[int], None]) -> Iterator[int]:
        done = self.result.dequeue()
        assert done is not None
        yield done.index
        give(done.index)
        for packet in packets:
            fed = self.source.dequeue()
            assert fed is not None
            self._feed(fed.index, packet)
            done = self.result.dequeue()
            if done is None:
                return
            if done.damaged:
                raise LocalError("the decoder could not read a packet")
            yield done.index
            give(done.index)

    def _through(self, data: bytes, read: Callable[[], bytes]) -> Iterator[bytes]:
        """One buffer in, one out: the codecs of the kernel's test drivers keep to that."""
        self._feed(0, data)
        yield read()
        self.source.dequeue()

    def _packet(self) -> bytes:
        done = self.result.dequeue()
        if done is None or done.damaged:
            raise LocalError("the encoder could not read a picture")
        packet = bytes(self.result.mapped(done.index)[: done.used])
        self.result.queue_mapped(done.index)
        return packet

    def _feed(self, index: int, data: bytes) -> None:
        memory = self.source.mapped(index)
        if len(data) > len(memory):
            raise LocalError(f"{len(data)} bytes do not fit a buffer of {len(memory)}")
        memory[: len(data)] = data
        self.source.queue_mapped(index, len(data))


def _expect(found: QueueFormat, fourcc: int, extent: Extent | None) -> QueueFormat:
    if found.fourcc != fourcc or (extent is not None and found.extent != extent):
        name = fourcc.to_bytes(4, "little").decode("ascii", "replace")
        wanted = name if extent is None else f"{name} {extent}"
        raise LocalError(f"the driver has no {wanted}")
    return found
