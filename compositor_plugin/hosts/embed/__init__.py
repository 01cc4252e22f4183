"""The plugin inside a compositor written in C.

`c/heapwire.h` is what such a compositor sees: a table of functions that it fills
in, and four calls. `c/heapwire.c` starts Python in its process and calls `attach`
here with the addresses of the host's table and of the one that Python fills in.
`build` compiles the two into a library.

pywayland is not imported here or from here: its wheel maps a libwayland-server
of its own, and a process must have one only.
"""

from heapwire.compositor_plugin.hosts.embed.attachment import attach

__all__ = ["attach"]

from typing import TYPE_CHECKING

from heapwire.protocol.lazy_exports import lazy_exports

if TYPE_CHECKING:
    from heapwire.compositor_plugin.hosts.embed.build import (
        build_library as build_library,
        compile_shared as compile_shared,
    )
else:
    __getattr__, __dir__, __all__ = lazy_exports(
        __name__,
        {
            "build": "build_library compile_shared",
        },
    )
