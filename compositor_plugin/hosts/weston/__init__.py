"""The plugin as a module of Weston: its C, and what compiles it."""

from typing import TYPE_CHECKING

from heapwire.protocol.lazy_exports import lazy_exports

if TYPE_CHECKING:
    from heapwire.compositor_plugin.hosts.weston.build import (
        MODULE as MODULE,
        build_module as build_module,
        find_libweston as find_libweston,
    )
else:
    __getattr__, __dir__, __all__ = lazy_exports(
        __name__,
        {
            "build": "MODULE build_module find_libweston",
        },
    )
