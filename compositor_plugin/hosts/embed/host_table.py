"""The host's table of functions, as `heapwire.h` declares it, read from Python.

The header is the only declaration: `make bindings` gives cffi what stands between its two marks,
as it is.
"""

from __future__ import annotations

from typing import Any

from heapwire.compositor_plugin.hosts.embed.heapwire_ffi import ffi as declared
from heapwire.protocol import UsageError

CData = Any
"""A pointer or struct of cffi's, which has no types of its own."""

ffi = declared
"""What reads the host's structs, by the declarations of heapwire.h."""


def read_host(address: int) -> CData:
    """A copy of the host's table, with NULL for what an older host does not have.

    Raises `UsageError` if it is too small to be one, or lacks the display or
    `surface_state`.
    """
    given = ffi.cast("struct heapwire_host *", address)
    host = ffi.new("struct heapwire_host *")
    size = ffi.sizeof("struct heapwire_host")
    needed = ffi.offsetof("struct heapwire_host", "surface_state") + ffi.sizeof("void *")
    if given.size < needed:
        raise UsageError(
            f"the compositor's struct heapwire_host is {given.size} bytes, and {needed} are the "
            "least: set its field `size`"
        )
    ffi.memmove(host, given, min(given.size, size))
    for field in ("display", "surface_state"):
        if getattr(host, field) == ffi.NULL:
            raise UsageError(f"the compositor's struct heapwire_host has no {field}")
    return host


def pointer_value(pointer: CData) -> int:
    """A pointer as a number."""
    return int(ffi.cast("uintptr_t", pointer))
