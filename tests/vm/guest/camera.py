"""A USB camera made of software: raw-gadget on dummy_hcd, seen by the kernel's uvcvideo.

dummy_hcd has no isochronous endpoints, which is why the kernel's own f_uvc cannot use it, but
uvcvideo takes bulk endpoints as well. The numbers are those of the USB Video Class 1.0
specification and of include/uapi/linux/usb/raw_gadget.h.

usage: camera.py FUNCTIONS    (runs until it is killed, which unplugs it)

A device with two FUNCTIONS is two cameras that share one USB device. The environment's
CAMERA_SIZE is the size of the pictures, such as 640x480; with CAMERA_STILL all are the first one.
"""

import ctypes
import os
import struct
import sys
import threading

WIDTH, HEIGHT = map(int, os.environ.get("CAMERA_SIZE", "320x240").split("x"))
STILL = "CAMERA_STILL" in os.environ
FRAME_SIZE = WIDTH * HEIGHT * 2
# Two formats of 16 bits a pixel, by the V4L2 name and the GUID's first half.
FORMATS = {"YUYV": b"YUY2", "RGBP": b"RGBP"}
GUID_TAIL = bytes.fromhex("0000 1000 8000 00aa00389b71")

# One request of raw-gadget carries a page at most; each is one payload, with its own header.
PAYLOAD = 4096
HEADER = 2
END_OF_FRAME = 0x02
FRAME_INTERVAL = 333_333  # 100 ns

RAW_INIT = 0x41015500
RAW_RUN = 0x00005501
RAW_EVENT_FETCH = 0x80085502
RAW_EP0_WRITE = 0x40085503
RAW_EP0_READ = 0xC0085504
RAW_EP_ENABLE = 0x40095505
RAW_EP_WRITE = 0x40085507
RAW_CONFIGURE = 0x00005509
RAW_EP0_STALL = 0x0000550C
EVENT_CONTROL = 2
SPEED_HIGH = 3

IN = 0x80
CLASS_INTERFACE = 0x21  # a class request to an interface, without its direction
GET_DESCRIPTOR, SET_CONFIGURATION = 6, 9
DEVICE, CONFIGURATION, STRING = 1, 2, 3
SET_CUR, GET_CUR, GET_MIN, GET_MAX, GET_DEF = 0x01, 0x81, 0x82, 0x83, 0x87
PROBE, COMMIT = 1, 2

NAME = "emulated camera"
STRINGS = {1: "heapwire", 2: NAME}

# Unlike fcntl.ioctl, this lets other threads run while it waits, whatever its argument.
libc = ctypes.CDLL(None, use_errno=True)


def frame(number):
    """Frame `number` (modulo 65536), which begins with its number and is like no other."""
    row = bytes((number + x) & 0xFF for x in range(2 * WIDTH))
    rows = b"".join(row[y:] + row[:y] for y in range(HEIGHT))
    return struct.pack("<H", number & 0xFFFF) + rows[2:]


def ioctl(fd, request, argument=0):
    result = libc.ioctl(fd, ctypes.c_ulong(request), argument)
    if result < 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    return result


def descriptor(kind, body):
    return bytes([len(body) + 2, kind]) + body


def device_descriptor():
    # USB 2.0, composite with interface associations, 64 bytes at endpoint 0
    return descriptor(
        DEVICE, struct.pack("<HBBBBHHHBBBB", 0x200, 0xEF, 2, 1, 64, 0x1D6B, 0x0102, 1, 1, 2, 0, 1)
    )


def endpoint_descriptor(function):
    return descriptor(5, struct.pack("<BBHB", IN | (function + 1), 2, 512, 0))


def streaming_formats():
    for index, code in enumerate(FORMATS.values(), start=1):
        yield descriptor(0x24, bytes([4, index, 1]) + code + GUID_TAIL + bytes([16, 1, 0, 0, 0, 0]))
        rate = FRAME_SIZE * 8 * 30
        yield descriptor(
            0x24,
            struct.pack("<BBBHHIIIIB", 5, 1, 0, WIDTH, HEIGHT, rate, rate, FRAME_SIZE,
                        FRAME_INTERVAL, 1)
            + struct.pack("<I", FRAME_INTERVAL),
        )  # fmt: skip


def function_descriptors(function):
    """One camera: a control interface and a streaming interface with a bulk endpoint."""
    control, streaming = 2 * function, 2 * function + 1
    terminals = descriptor(0x24, struct.pack("<BBHBBHHHBBH", 2, 1, 0x201, 0, 0, 0, 0, 0, 3, 0, 0))
    terminals += descriptor(0x24, struct.pack("<BBHBBB", 3, 2, 0x101, 0, 1, 0))
    head = struct.pack("<BHHIBB", 1, 0x100, 13 + len(terminals), 48_000_000, 1, streaming)
    formats = b"".join(streaming_formats())
    count = len(FORMATS)
    stream = struct.pack("<BBHB", 1, count, 13 + count + len(formats), IN | (function + 1))
    stream += bytes([0, 2, 0, 0, 0, 1, *[0] * count])
    return b"".join(
        [
            descriptor(0x0B, bytes([control, 2, 0x0E, 3, 0, 0])),
            descriptor(4, bytes([control, 0, 0, 0x0E, 1, 0, 0])),
            descriptor(0x24, head),
            terminals,
            descriptor(4, bytes([streaming, 0, 1, 0x0E, 2, 0, 0])),
            descriptor(0x24, stream),
            formats,
            endpoint_descriptor(function),
        ]
    )


def configuration_descriptor(functions):
    body = b"".join(function_descriptors(function) for function in range(functions))
    head = struct.pack("<HBBBBB", 9 + len(body), 2 * functions, 1, 0, 0x80, 250)
    return descriptor(CONFIGURATION, head) + body


def string_descriptor(index):
    if index == 0:
        return descriptor(STRING, struct.pack("<H", 0x0409))
    return descriptor(STRING, STRINGS[index].encode("utf-16-le"))


def stream_control(format_index):
    """The 26 bytes that probe and commit exchange: all but the format is fixed."""
    return struct.pack("<HBBIHHHHHII", 1, format_index, 1, FRAME_INTERVAL, 0, 0, 0, 0, 0,
                       FRAME_SIZE, PAYLOAD)  # fmt: skip


class Camera:
    def __init__(self, functions):
        self.functions = functions
        self.formats = [1] * functions
        self.fd = os.open("/dev/raw-gadget", os.O_RDWR | os.O_CLOEXEC)
        ioctl(self.fd, RAW_INIT, struct.pack("128s128sB", b"dummy_udc", b"dummy_udc.0", SPEED_HIGH))
        ioctl(self.fd, RAW_RUN)

    def serve(self):
        while True:
            event = ctypes.create_string_buffer(struct.pack("II8x", 0, 8), 16)
            ioctl(self.fd, RAW_EVENT_FETCH, event)
            kind, _ = struct.unpack_from("II", event)
            if kind == EVENT_CONTROL:
                self.answer(*struct.unpack_from("<BBHHH", event, 8))

    def answer(self, request_type, request, value, index, length):
        if request_type & IN:
            data = self.data_for(request_type & ~IN, request, value, index)
            if data is None:
                ioctl(self.fd, RAW_EP0_STALL)
            else:
                self.transfer(RAW_EP0_WRITE, 0, data[:length])
            return
        if request_type == 0 and request == SET_CONFIGURATION:
            # Before it is acknowledged: the host may use the endpoints from then on.
            self.configure()
        data = self.transfer(RAW_EP0_READ, 0, bytes(length))
        if request_type == CLASS_INTERFACE and request == SET_CUR and value >> 8 in (PROBE, COMMIT):
            self.formats[index // 2] = data[2] if data[2] in (1, 2) else 1

    def data_for(self, request_type, request, value, index):
        """What the host reads, or None where there is nothing to read."""
        if request_type == 0 and request == GET_DESCRIPTOR:
            if value >> 8 == DEVICE:
                return device_descriptor()
            if value >> 8 == CONFIGURATION:
                return configuration_descriptor(self.functions)
            if value >> 8 == STRING and value & 0xFF in (0, *STRINGS):
                return string_descriptor(value & 0xFF)
        stream = request_type == CLASS_INTERFACE and value >> 8 in (PROBE, COMMIT) and index & 1
        if stream and request in (GET_CUR, GET_MIN, GET_MAX, GET_DEF):
            return stream_control(self.formats[index // 2])
        return None

    def configure(self):
        for function in range(self.functions):
            # The audio fields of struct usb_endpoint_descriptor follow
            endpoint = ioctl(self.fd, RAW_EP_ENABLE, endpoint_descriptor(function) + bytes(2))
            threading.Thread(target=self.stream, args=(endpoint,), daemon=True).start()
        ioctl(self.fd, RAW_CONFIGURE)

    def stream(self, endpoint):
        """Frame after frame: each payload waits until the host wants it."""
        for number in range(1 << 30):
            data = frame(0 if STILL else number)
            step = PAYLOAD - HEADER
            for start in range(0, len(data), step):
                flags = 0x80 | number & 1
                if start + step >= len(data):
                    flags |= END_OF_FRAME
                payload = bytes([HEADER, flags]) + data[start : start + step]
                self.transfer(RAW_EP_WRITE, endpoint, payload)

    def transfer(self, request, endpoint, data):
        """Write `data`, or read as much into its place; what is there afterwards."""
        buffer = ctypes.create_string_buffer(struct.pack("HHI", endpoint, 0, len(data)) + data)
        count = ioctl(self.fd, request, buffer)
        return buffer.raw[8 : 8 + count]


if __name__ == "__main__":
    Camera(int(sys.argv[1])).serve()
