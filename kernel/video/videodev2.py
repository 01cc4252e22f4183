"""The structs and numbers of V4L2 that are used here: include/uapi/linux/videodev2.h.

Names are those of the header without their prefixes, and layouts those of 64-bit
machines, which all have the same. `ioctl` is given a struct and changes it in
place. A number holds the size of its struct, so it is made from it.
"""

from __future__ import annotations

import ctypes
from ctypes import c_char, c_int32, c_int64, c_uint8, c_uint16, c_uint32, c_uint64
from enum import IntEnum, IntFlag

MAX_PLANES = 8  # VIDEO_MAX_PLANES

MEMORY_MMAP, MEMORY_DMABUF = 1, 4  # enum v4l2_memory
FIELD_NONE = 1  # enum v4l2_field: whole frames
FMT_FLAG_COMPRESSED = 0x1
FRMSIZE_TYPE_DISCRETE = 1
BUF_CAP_SUPPORTS_USERPTR, BUF_CAP_SUPPORTS_DMABUF = 0x2, 0x4
BUF_FLAG_ERROR, BUF_FLAG_LAST, BUF_FLAG_REQUEST_FD = 0x40, 0x00100000, 0x00800000
CTRL_WHICH_CUR_VAL, CTRL_WHICH_REQUEST_VAL = 0, 0x0F010000
SEL_TGT_COMPOSE = 0x100
EVENT_SOURCE_CHANGE = 5
DEC_CMD_STOP = 1
CID_MIN_BUFFERS_FOR_CAPTURE = 0x00980927  # v4l2-controls.h


class Capability(IntFlag):
    """The V4L2_CAP_ bits of `CapabilityInfo` that are read here."""

    VIDEO_CAPTURE = 0x1
    VIDEO_OUTPUT = 0x2
    VIDEO_CAPTURE_MPLANE = 0x1000
    VIDEO_OUTPUT_MPLANE = 0x2000
    VIDEO_M2M_MPLANE = 0x4000
    VIDEO_M2M = 0x8000
    STREAMING = 0x4000000
    DEVICE_CAPS = 0x80000000


class Queue(IntEnum):
    """The four queues of pictures and bitstreams (enum v4l2_buf_type)."""

    CAPTURE = 1
    OUTPUT = 2
    CAPTURE_MPLANE = 9
    OUTPUT_MPLANE = 10

    @property
    def is_multiplanar(self) -> bool:
        """Whether its buffers may have their planes in several memories."""
        return self in (Queue.CAPTURE_MPLANE, Queue.OUTPUT_MPLANE)


class CapabilityInfo(ctypes.Structure):
    """struct v4l2_capability: `device_caps` is the node's, `capabilities` all nodes' together."""

    __slots__ = ()
    _fields_ = (
        ("driver", c_char * 16),
        ("card", c_char * 32),
        ("bus_info", c_char * 32),
        ("version", c_uint32),
        ("capabilities", c_uint32),
        ("device_caps", c_uint32),
        ("reserved", c_uint32 * 3),
    )


class FormatDescription(ctypes.Structure):
    """struct v4l2_fmtdesc."""

    __slots__ = ()
    _fields_ = (
        ("index", c_uint32),
        ("type", c_uint32),
        ("flags", c_uint32),
        ("description", c_char * 32),
        ("pixelformat", c_uint32),
        ("mbus_code", c_uint32),
        ("reserved", c_uint32 * 3),
    )


class FrameSize(ctypes.Structure):
    """struct v4l2_frmsizeenum; a discrete size is in `min_width` and `max_width` alone.

    The header has a union: of a discrete size, width and height are the first two
    numbers, of a range they are the least and the greatest width.
    """

    __slots__ = ()
    _fields_ = (
        ("index", c_uint32),
        ("pixel_format", c_uint32),
        ("type", c_uint32),
        ("min_width", c_uint32),
        ("max_width", c_uint32),
        ("step_width", c_uint32),
        ("min_height", c_uint32),
        ("max_height", c_uint32),
        ("step_height", c_uint32),
        ("reserved", c_uint32 * 2),
    )


class PixFormat(ctypes.Structure):
    """struct v4l2_pix_format: all planes in one memory."""

    __slots__ = ()
    _fields_ = (
        ("width", c_uint32),
        ("height", c_uint32),
        ("pixelformat", c_uint32),
        ("field", c_uint32),
        ("bytesperline", c_uint32),
        ("sizeimage", c_uint32),
        ("colorspace", c_uint32),
        ("priv", c_uint32),
        ("flags", c_uint32),
        ("ycbcr_enc", c_uint32),
        ("quantization", c_uint32),
        ("xfer_func", c_uint32),
    )


class PlanePixFormat(ctypes.Structure):
    """struct v4l2_plane_pix_format."""

    __slots__ = ()
    _fields_ = (
        ("sizeimage", c_uint32),
        ("bytesperline", c_uint32),
        ("reserved", c_uint16 * 6),
    )


class PixFormatMplane(ctypes.Structure):
    """struct v4l2_pix_format_mplane: begins as `PixFormat` does."""

    __slots__ = ()
    _fields_ = (
        ("width", c_uint32),
        ("height", c_uint32),
        ("pixelformat", c_uint32),
        ("field", c_uint32),
        ("colorspace", c_uint32),
        ("plane_fmt", PlanePixFormat * MAX_PLANES),
        ("num_planes", c_uint8),
        ("flags", c_uint8),
        ("ycbcr_enc", c_uint8),
        ("quantization", c_uint8),
        ("xfer_func", c_uint8),
        ("reserved", c_uint8 * 7),
    )


class _FormatUnion(ctypes.Union):
    __slots__ = ()
    _fields_ = (
        ("pix", PixFormat),
        ("pix_mp", PixFormatMplane),
        ("raw_data", c_uint64 * 25),  # 200 bytes; v4l2_window's pointers align it to 8
    )


class Format(ctypes.Structure):
    """struct v4l2_format: `fmt.pix_mp` where the queue is multiplanar, else `fmt.pix`."""

    __slots__ = ()
    _fields_ = (("type", c_uint32), ("fmt", _FormatUnion))


class Selection(ctypes.Structure):
    """struct v4l2_selection, its rectangle taken apart."""

    __slots__ = ()
    _fields_ = (
        ("type", c_uint32),
        ("target", c_uint32),
        ("flags", c_uint32),
        ("left", c_int32),
        ("top", c_int32),
        ("width", c_uint32),
        ("height", c_uint32),
        ("reserved", c_uint32 * 9),
    )


class RequestBuffers(ctypes.Structure):
    """struct v4l2_requestbuffers."""

    __slots__ = ()
    _fields_ = (
        ("count", c_uint32),
        ("type", c_uint32),
        ("memory", c_uint32),
        ("capabilities", c_uint32),
        ("flags", c_uint8),
        ("reserved", c_uint8 * 3),
    )


class _MemoryUnion(ctypes.Union):
    __slots__ = ()
    _fields_ = (("offset", c_uint32), ("address", c_uint64), ("fd", c_int32))


class Plane(ctypes.Structure):
    """struct v4l2_plane: `m.offset` is the header's mem_offset."""

    __slots__ = ()
    _fields_ = (
        ("bytesused", c_uint32),
        ("length", c_uint32),
        ("m", _MemoryUnion),
        ("data_offset", c_uint32),
        ("reserved", c_uint32 * 11),
    )


class Buffer(ctypes.Structure):
    """struct v4l2_buffer: of a multiplanar queue `m.address` points at `length` `Plane`s."""

    __slots__ = ()
    _fields_ = (
        ("index", c_uint32),
        ("type", c_uint32),
        ("bytesused", c_uint32),
        ("flags", c_uint32),
        ("field", c_uint32),
        ("seconds", c_int64),
        ("microseconds", c_int64),
        ("timecode", c_uint32 * 4),
        ("sequence", c_uint32),
        ("memory", c_uint32),
        ("m", _MemoryUnion),
        ("length", c_uint32),
        ("reserved2", c_uint32),
        ("request_fd", c_int32),
    )


class ExportBuffer(ctypes.Structure):
    """struct v4l2_exportbuffer: `flags` are those of open(2), and the driver fills in `fd`."""

    __slots__ = ()
    _fields_ = (
        ("type", c_uint32),
        ("index", c_uint32),
        ("plane", c_uint32),
        ("flags", c_uint32),
        ("fd", c_int32),
        ("reserved", c_uint32 * 11),
    )


class Event(ctypes.Structure):
    """struct v4l2_event."""

    __slots__ = ()
    _fields_ = (
        ("type", c_uint32),
        ("data", c_uint64 * 8),
        ("pending", c_uint32),
        ("sequence", c_uint32),
        ("timestamp", c_int64 * 2),
        ("id", c_uint32),
        ("reserved", c_uint32 * 8),
    )


class EventSubscription(ctypes.Structure):
    """struct v4l2_event_subscription."""

    __slots__ = ()
    _fields_ = (
        ("type", c_uint32),
        ("id", c_uint32),
        ("flags", c_uint32),
        ("reserved", c_uint32 * 5),
    )


class DecoderCommand(ctypes.Structure):
    """struct v4l2_decoder_cmd."""

    __slots__ = ()
    _fields_ = (("cmd", c_uint32), ("flags", c_uint32), ("raw", c_uint64 * 8))


class Control(ctypes.Structure):
    """struct v4l2_control."""

    __slots__ = ()
    _fields_ = (("id", c_uint32), ("value", c_int32))


class ExtControl(ctypes.Structure):
    """struct v4l2_ext_control, which is packed: `address` is where its value of `size` bytes is."""

    __slots__ = ()
    _pack_ = 1
    _layout_ = "ms"  # what Python wants said of a packed struct; the same without bit fields
    _fields_ = (
        ("id", c_uint32),
        ("size", c_uint32),
        ("reserved2", c_uint32),
        ("address", c_uint64),
    )


class ExtControls(ctypes.Structure):
    """struct v4l2_ext_controls: `address` is where its `count` `ExtControl`s are."""

    __slots__ = ()
    _fields_ = (
        ("which", c_uint32),
        ("count", c_uint32),
        ("error_idx", c_uint32),
        ("request_fd", c_int32),
        ("reserved", c_uint32),
        ("address", c_uint64),
    )


_WRITE, _READ = 1, 2  # include/uapi/asm-generic/ioctl.h: the direction as user space sees it


def _number(direction: int, command: int, argument: type[ctypes.Structure | c_int32]) -> int:
    return direction << 30 | ctypes.sizeof(argument) << 16 | ord("V") << 8 | command


QUERYCAP = _number(_READ, 0, CapabilityInfo)
ENUM_FMT = _number(_WRITE | _READ, 2, FormatDescription)
G_FMT = _number(_WRITE | _READ, 4, Format)
S_FMT = _number(_WRITE | _READ, 5, Format)
REQBUFS = _number(_WRITE | _READ, 8, RequestBuffers)
QUERYBUF = _number(_WRITE | _READ, 9, Buffer)
QBUF = _number(_WRITE | _READ, 15, Buffer)
EXPBUF = _number(_WRITE | _READ, 16, ExportBuffer)
DQBUF = _number(_WRITE | _READ, 17, Buffer)
STREAMON = _number(_WRITE, 18, c_int32)
STREAMOFF = _number(_WRITE, 19, c_int32)
G_CTRL = _number(_WRITE | _READ, 27, Control)
TRY_FMT = _number(_WRITE | _READ, 64, Format)
S_EXT_CTRLS = _number(_WRITE | _READ, 72, ExtControls)
TRY_EXT_CTRLS = _number(_WRITE | _READ, 73, ExtControls)
ENUM_FRAMESIZES = _number(_WRITE | _READ, 74, FrameSize)
DQEVENT = _number(_READ, 89, Event)
SUBSCRIBE_EVENT = _number(_WRITE, 90, EventSubscription)
G_SELECTION = _number(_WRITE | _READ, 94, Selection)
DECODER_CMD = _number(_WRITE | _READ, 96, DecoderCommand)
