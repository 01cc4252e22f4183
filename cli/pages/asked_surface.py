"""A surface to ask a compositor about: a window, or no more than a surface where it has none."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from heapwire.client_lib.buffers import Window, bare_surface
from heapwire.client_lib.wayland import AnyProxy, Connection

_SHELL = "xdg_wm_base"


@contextmanager
def surface_to_ask(
    connection: Connection, *, fullscreen: bool, timeout: float
) -> Iterator[tuple[AnyProxy, Callable[[], tuple[str, ...]]]]:
    """The surface, which shows nothing, and what gives the outputs that it covers."""
    if _SHELL not in connection.globals(timeout=timeout):
        yield bare_surface(connection), tuple
        return
    with Window(connection, title="heapwire", fullscreen=fullscreen, timeout=timeout) as window:
        yield window.surface, lambda: window.covered
