"""What both sides of linux-dmabuf know."""

from __future__ import annotations

import os
import struct
import sys

import pytest
from hypothesis import given, strategies as st

from heapwire.protocol.values import LINEAR, DeviceId, FormatModifier, parse_fourcc
from heapwire.protocol.wire import (
    TABLE_BYTES,
    TABLE_ENTRIES,
    decode_device,
    encode_device,
    encode_table,
    halves,
    whole,
)

CARD = DeviceId(226, 128)


@given(st.integers(0, (1 << 64) - 1))
def test_numbers_of_64_bits_go_in_halves(number: int) -> None:
    high, low = halves(number)
    assert (high, low) == divmod(number, 1 << 32)
    assert whole(high, low) == number


@pytest.mark.parametrize("size", [4, 8])
def test_devices_come_in_either_size(size: int) -> None:
    raw = CARD.dev_t.to_bytes(size, sys.byteorder)
    assert decode_device(raw) == CARD
    assert decode_device(bytes(size)) is None


def test_devices_are_sent_as_this_machine_packs_them() -> None:
    assert encode_device(CARD) == struct.pack("=Q", os.makedev(226, 128))
    assert encode_device(None) == bytes(8)


@pytest.mark.parametrize(
    ("raw", "fault"),
    [
        (b"", "0 bytes"),
        (bytes(5), "5 bytes"),
        (bytes(16), "16 bytes"),
        (os.makedev(1 << 12, 1).to_bytes(8, sys.byteorder), "4096:1 is not a Linux device number"),
        (os.makedev(1, 1 << 20).to_bytes(8, sys.byteorder), "1:1048576 is not"),
    ],
)
def test_what_is_no_device_number_is_a_fault(raw: bytes, fault: str) -> None:
    with pytest.raises(ValueError, match=fault):
        decode_device(raw)


def test_the_longest_table_is_what_indices_of_16_bits_reach() -> None:
    entry = encode_table([FormatModifier(parse_fourcc("NV12"), LINEAR)])
    assert TABLE_BYTES == TABLE_ENTRIES * len(entry) == (1 << 16) * 16
