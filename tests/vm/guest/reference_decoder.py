"""vicodec's decoder in its simplest use: the driver's own memory, one packet, one picture.

What the pictures of `M2mDecoder`, in anybody's memory, are held against. It shares the ioctls
of a queue with it, and nothing of the order in which they are called.
"""

import os
import struct

from heapwire.kernel.system import ioctl
from heapwire.kernel.video import V4l2Device
from heapwire.kernel.video.v4l2_queue import V4l2Queue

SUBSCRIBE_EVENT, DQEVENT, SOURCE_CHANGE = 0x4020565A, 0x80885659, 5
BUFFERS = 2


def decode(node, packets, *, coded, raw, extent):
    """How the driver lays out `raw`, and the bytes of each picture."""
    fd = os.open(node, os.O_RDWR | os.O_CLOEXEC)
    try:
        device = V4l2Device(fd)
        fed, filled = V4l2Queue(fd, device.output), V4l2Queue(fd, device.capture)
        ioctl(fd, SUBSCRIBE_EVENT, bytearray(struct.pack("=I28x", SOURCE_CHANGE)))
        fed.set_format(coded, extent)
        fed.request_mapped(BUFFERS)
        fed.stream_on()
        _feed(fed, 0, packets[0])
        ioctl(fd, DQEVENT, bytearray(136))  # waits for the header to be read
        layout = filled.set_format(raw, filled.format.extent)
        for index in range(filled.request_mapped(BUFFERS)):
            filled.queue_mapped(index)
        filled.stream_on()
        pictures = [_picture(filled)]
        for packet in packets[1:]:
            _feed(fed, fed.dequeue().index, packet)
            pictures.append(_picture(filled))
        filled.close()
        fed.close()
        return layout, pictures
    finally:
        os.close(fd)


def _feed(queue, index, packet):
    queue.mapped(index)[: len(packet)] = packet
    queue.queue_mapped(index, len(packet))


def _picture(queue):
    done = queue.dequeue()
    assert done.used
    assert not done.damaged
    picture = bytes(queue.mapped(done.index))
    queue.queue_mapped(done.index)
    return picture
