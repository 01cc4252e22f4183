"""linux-dmabuf, as far as both of its sides have to know the same of it.

Versions, flags, errors and the packing of numbers are those of linux-dmabuf-v1.xml of
wayland-protocols, up to version 6. Its format table is that of `encode_formats`,
the flags of its tranches are `TrancheFlags`. Who speaks it: the reference compositor
(as a server), the client library, and the plugin inside a C compositor (as clients).
"""

from __future__ import annotations

import os
import sys
from enum import IntEnum, IntFlag

from heapwire.protocol.values import DeviceId, DeviceNumber
from heapwire.protocol.wire.interface import Argument, ArgumentKind, Interface, Message
from heapwire.protocol.wire.limits import TABLE_ENTRIES

TABLE_ENTRY_BYTES = 16
TABLE_BYTES = TABLE_ENTRIES * TABLE_ENTRY_BYTES
"""Bytes of the longest format table: indices of 16 bits reach no further."""
DMABUF_PLANES = 4
"""Planes of a buffer at the most (zwp_linux_buffer_params_v1.add)."""

DMABUF_FEEDBACK = Interface(
    name="zwp_linux_dmabuf_feedback_v1",
    version=6,
    requests=(Message("destroy", destructor=True),),
    events=(
        Message("done"),
        Message(
            "format_table",
            (Argument("fd", ArgumentKind.FD), Argument("size", ArgumentKind.UINT)),
        ),
        Message("main_device", (Argument("device", ArgumentKind.ARRAY),)),
        Message("tranche_done"),
        Message("tranche_target_device", (Argument("device", ArgumentKind.ARRAY),)),
        Message("tranche_formats", (Argument("indices", ArgumentKind.ARRAY),)),
        Message("tranche_flags", (Argument("flags", ArgumentKind.UINT),)),
    ),
)
"""The object that `xx_dmabuf_sources_v1.extend_feedback` takes: a compositor's own."""

_SENT_BYTES = 8  # of a dev_t on Linux
_RECEIVED_BYTES = (4, 8)  # a C library may have a shorter one


class DmabufVersion(IntEnum):
    """What came with which version of `zwp_linux_dmabuf_v1` and of the objects made with it."""

    MODIFIERS = 3
    """Pairs come as `modifier` events; before it, formats without modifiers."""
    FEEDBACK = 4
    """Feedback objects say it all, and the events must not be sent."""
    ONE_MODIFIER = 5
    """The modifiers of all planes have to be equal."""
    SAMPLING = 6
    """Tranches are flagged for sampling, there is no main device, and `set_sampling_device`."""


class BufferParamsError(IntEnum):
    """The errors of `zwp_linux_buffer_params_v1`."""

    ALREADY_USED = 0
    PLANE_IDX = 1
    PLANE_SET = 2
    INCOMPLETE = 3
    INVALID_FORMAT = 4
    INVALID_DIMENSIONS = 5
    OUT_OF_BOUNDS = 6
    INVALID_WL_BUFFER = 7
    INVALID_DEV_T_SIZE = 8


class BufferFlags(IntFlag):
    """The flags of `zwp_linux_buffer_params_v1.create`."""

    Y_INVERT = 1
    INTERLACED = 2
    BOTTOM_FIRST = 4


def halves(number: int) -> tuple[int, int]:
    """The high and the low 32 bits of a modifier or a size, as messages carry them."""
    return number >> 32, number & 0xFFFFFFFF


def whole(high: int, low: int) -> int:
    """The modifier or size that came as two halves."""
    return high << 32 | low


def encode_device(device: DeviceId | None) -> bytes:
    """A device as linux-dmabuf's arrays carry it: this machine's `dev_t`, 0 for none."""
    return (device.dev_t if device is not None else 0).to_bytes(_SENT_BYTES, sys.byteorder)


def decode_device(raw: bytes) -> DeviceId | None:
    """The device of an array with a `dev_t`; None for 0, which is no device's number.

    Raises `ValueError` with a sentence if it is none.
    """
    if len(raw) not in _RECEIVED_BYTES:
        raise ValueError(f"a device number of {len(raw)} bytes")
    dev_t = int.from_bytes(raw, sys.byteorder)
    if not dev_t:
        return None
    fault = DeviceNumber.fault(os.major(dev_t), os.minor(dev_t))
    if fault is not None:
        raise ValueError(f"a device number that cannot be: {fault}")
    return DeviceId.from_dev_t(dev_t)
