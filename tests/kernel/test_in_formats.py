"""The IN_FORMATS blob: windows of 64 formats for each modifier."""

import struct
from contextlib import suppress

import pytest
from hypothesis import given, strategies as st

from heapwire.kernel.discovery.in_formats import parse_in_formats
from heapwire.protocol import MachineError
from heapwire.protocol.values import FormatModifier


def blob(codes, records, *, version=1, gap=0):
    """A blob with formats behind the header, then a gap, then (mask, offset, modifier) records."""
    formats_at = 24
    modifiers_at = formats_at + 4 * len(codes) + gap
    header = struct.pack("=6I", version, 0, len(codes), formats_at, len(records), modifiers_at)
    body = struct.pack(f"={len(codes)}I", *codes) + bytes(gap)
    return header + body + b"".join(
        struct.pack("=QIIQ", mask, offset, 0, modifier) for mask, offset, modifier in records
    )  # fmt: skip


def test_each_bit_is_a_format_at_its_offset():
    found = parse_in_formats(blob([10, 11, 12], [(0b101, 0, 0), (0b11, 1, 7)], gap=4))
    assert found == (
        FormatModifier(10, 0),
        FormatModifier(11, 7),
        FormatModifier(12, 0),
        FormatModifier(12, 7),
    )


def test_more_than_64_formats_take_more_than_one_window():
    codes = list(range(100, 200))
    found = parse_in_formats(blob(codes, [((1 << 64) - 1, 0, 5), ((1 << 36) - 1, 64, 5)]))
    assert found == tuple(FormatModifier(code, 5) for code in codes)


def test_nothing_is_nothing():
    assert parse_in_formats(blob([], [])) == ()


@pytest.mark.parametrize(
    ("data", "what"),
    [
        (b"", "cut short"),
        (blob([1, 2], [(1, 0, 0)])[:-1], "cut short"),
        (blob([1, 2], [])[:28], "cut short"),
        (blob([1], [(1, 0, 0)], version=2), "version 2"),
        (blob([1, 2], [(0b100, 0, 0)]), "format 2 of 2"),
        (blob([1, 2], [(1, 2, 0)]), "format 2 of 2"),
    ],
)
def test_a_blob_that_contradicts_itself_is_refused(data, what):
    with pytest.raises(MachineError, match=what):
        parse_in_formats(data)


@given(st.binary(max_size=256))
def test_no_bytes_do_worse_than_be_refused(data):
    with suppress(MachineError):
        parse_in_formats(data)


@given(
    st.lists(st.integers(0, 2**32 - 1), min_size=1, max_size=130, unique=True),
    st.data(),
)
def test_what_is_packed_is_found(codes, data):
    pairs = data.draw(
        st.sets(st.tuples(st.sampled_from(codes), st.integers(0, 2**64 - 1)), max_size=20)
    )
    records = []
    for modifier in {modifier for _, modifier in pairs}:
        for offset in range(0, len(codes), 64):
            mask = sum(
                1 << bit
                for bit, code in enumerate(codes[offset : offset + 64])
                if (code, modifier) in pairs
            )
            if mask:
                records.append((mask, offset, modifier))
    assert set(parse_in_formats(blob(codes, records))) == {FormatModifier(*p) for p in pairs}
