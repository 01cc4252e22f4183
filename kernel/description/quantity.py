"""Sizes and addresses as a person writes them: `96 MiB`, `0x4a000000`, `4096`."""

from __future__ import annotations

import re

from heapwire.protocol import InputError

_UNITS = {"": 1, "B": 1, "KiB": 1 << 10, "MiB": 1 << 20, "GiB": 1 << 30, "TiB": 1 << 40}
_QUANTITY = re.compile(r"(0[xX][0-9a-fA-F_]+|[0-9][0-9_]*)\s*([A-Za-z]*)")


def parse_quantity(text: str | int) -> int:
    """The number of bytes that a text or a number says; `InputError` if it says none."""
    if isinstance(text, int) and not isinstance(text, bool):
        if text < 0:
            raise InputError(f"{text} is negative")
        return text
    match = _QUANTITY.fullmatch(text.strip()) if isinstance(text, str) else None
    if match is None or match[2] not in _UNITS:
        raise InputError(f'{text!r} is not a number of bytes such as 4096, 0x1000 or "96 MiB"')
    digits = match[1].replace("_", "")
    return int(digits, 16 if digits[:2] in ("0x", "0X") else 10) * _UNITS[match[2]]


def quantity_name(number: int) -> str:
    """A number of bytes for people, exact: `96 MiB`, `384 KiB`, `1000`."""
    for unit in ("TiB", "GiB", "MiB", "KiB"):
        if number >= _UNITS[unit] and number % _UNITS[unit] == 0:
            return f"{number // _UNITS[unit]} {unit}"
    return str(number)
