"""The client in C: `heapwire-client.h`, one `heapwire-client.c`, and what builds a library of them.

The two files need libwayland-client and what wayland-scanner makes of the protocols, and
nothing of this package: they can be copied into a program. `build_client_library` puts them,
the protocols and a library into a folder.
"""

from typing import TYPE_CHECKING

from heapwire.protocol.lazy_exports import lazy_exports

if TYPE_CHECKING:
    from heapwire.client_lib.c.build import (
        build_client_library as build_client_library,
        scan_client_protocol as scan_client_protocol,
    )
else:
    __getattr__, __dir__, __all__ = lazy_exports(
        __name__, {"build": "build_client_library scan_client_protocol"}
    )
