"""Sizes and addresses as a person writes them: `96 MiB`, `0x4a000000`, `4096`."""

from __future__ import annotations

import re

from heapwire.protocol import InputError, shown

_UNITS = {"": 1, "B": 1, "KiB": 1 << 10, "MiB": 1 << 20, "GiB": 1 << 30, "TiB": 1 << 40}
_QUANTITY = re.compile(r"(0[xX][0-9a-fA-F_]{1,40}|[0-9][0-9_]{0,40})\s*([A-Za-z]{0,3})")
_MOST = (1 << 64) - 1  # what a constraint's number may be


def parse_quantity(text: str | int) -> int:
    """The number of bytes that a text or a number says, at most 64 bits of it.

    Raises `InputError` if it says none.
    """
    number = text if isinstance(text, int) and not isinstance(text, bool) else _parsed(text)
    if number < 0:
        raise InputError(f"{shown(number)} is negative")
    if number > _MOST:
        raise InputError(f"{shown(text)} does not fit 64 bits")
    return number


def _parsed(text: str | int) -> int:
    match = _QUANTITY.fullmatch(text.strip()) if isinstance(text, str) else None
    if match is None or match[2] not in _UNITS:
        raise InputError(f'{shown(text)} is not a number of bytes such as 4096, 0x1000 or "96 MiB"')
    digits = match[1].replace("_", "")
    try:
        return int(digits, 16 if digits[:2] in ("0x", "0X") else 10) * _UNITS[match[2]]
    except ValueError:  # of 0x and underscores
        raise InputError(f"{shown(text)} has no digits") from None


def quantity_name(number: int) -> str:
    """A number of bytes for people, exact: `96 MiB`, `384 KiB`, `1000`."""
    for unit in ("TiB", "GiB", "MiB", "KiB"):
        if number >= _UNITS[unit] and number % _UNITS[unit] == 0:
            return f"{number // _UNITS[unit]} {unit}"
    return str(number)
