"""libwayland-server through cffi in ABI mode: which copy, and what of it is used.

The plugin must use the copy of libwayland-server that the host's display
belongs to: two copies in one process corrupt each other's memory. So the copy
that is mapped already is taken first, then the system's, then the one inside
the pywayland wheel.
"""

from __future__ import annotations

import functools
import logging
import os
import re
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Any, TypeAlias

from _cffi_backend import cast

from heapwire.compositor_plugin.server.libwayland_server_ffi import ffi as declared
from heapwire.protocol import MachineError

log = logging.getLogger(__name__)

# A C pointer or struct of cffi's, whose types exist at run time only.
CData: TypeAlias = Any

SONAME = "libwayland-server.so.0"
_MAPPED = re.compile(r"\s(/\S*/libwayland-server[-.][^/\s]*so[^/\s]*)$")

CORE_INTERFACES = frozenset(
    """
    wl_display wl_registry wl_callback wl_compositor wl_shm_pool wl_shm wl_buffer
    wl_data_offer wl_data_source wl_data_device wl_data_device_manager wl_shell
    wl_shell_surface wl_surface wl_seat wl_pointer wl_keyboard wl_touch wl_output
    wl_region wl_subcompositor wl_subsurface wl_fixes
    """.split()  # noqa: SIM905  # a list of strings would fill the screen
)
"""The interfaces of the core protocol, whose structs libwayland-server exports."""

ffi = declared
"""What speaks to libwayland-server, by the declarations of libwayland_server.h."""


@functools.cache
def library() -> CData:
    """libwayland-server as a cffi library, opened once.

    Raises `MachineError` if there is none, or if two copies are mapped already.
    """
    path = _find()
    try:
        return ffi.dlopen(path)
    except OSError as error:
        raise MachineError(f"{path} cannot be loaded: {error}") from None


def mapped_copies(maps: str) -> list[str]:
    """The copies of libwayland-server in the text of a `/proc/PID/maps`."""
    matches = (_MAPPED.search(line) for line in maps.splitlines())
    return sorted({match.group(1) for match in matches if match})


def callback(signature: str) -> Callable[[Callable[..., int | None]], CData]:
    """Make a function callable from C.

    What it raises does not reach C, which gets a 0. An exception is logged; a
    `KeyboardInterrupt` or `SystemExit` is kept for `raise_kept`.
    """

    def make(function: Callable[..., int | None]) -> CData:
        returns_int = signature.startswith("int")
        return ffi.callback(signature, function, error=0 if returns_int else None, onerror=_keep)

    return make


_ADDRESS = ffi.typeof("uintptr_t")
_kept: list[BaseException] = []


def _keep(kind: type[BaseException], error: BaseException, trace: TracebackType) -> None:
    if issubclass(kind, Exception):
        log.error("a callback failed", exc_info=(kind, error, trace))
    else:
        _kept.append(error)


def raise_kept() -> None:
    """Raise what ended the program inside a callback from C, now that C has returned."""
    if _kept:
        error = _kept[0]
        _kept.clear()
        raise error


def address(pointer: CData) -> int:
    """A C pointer as a number: how resources, clients and displays are named."""
    return int(cast(_ADDRESS, pointer))


def _find() -> str:
    mapped = mapped_copies(Path("/proc/self/maps").read_text("utf-8", "replace"))
    if len(mapped) > 1:
        raise MachineError(
            "two copies of libwayland-server are mapped into this process "
            f"({', '.join(mapped)}); one of them would corrupt the other's memory"
        )
    if mapped:
        return mapped[0]
    try:
        ffi.dlopen(SONAME)
    except OSError:
        return _bundled()
    return SONAME


def _bundled() -> str:
    """The copy inside the pywayland wheel."""
    import importlib.util  # no compositor gets here: libwayland is mapped there

    spec = importlib.util.find_spec("pywayland")
    if spec is not None and spec.origin is not None:
        folder = Path(spec.origin).parent.parent / "pywayland.libs"
        for path in sorted(folder.glob("libwayland-server-*.so*")):
            return os.fspath(path)
    raise MachineError(f"there is no {SONAME}: install libwayland-server0 or the pywayland wheel")
