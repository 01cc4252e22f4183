"""The connection to a compositor, and what comes over it."""

from typing import TYPE_CHECKING

from heapwire.protocol.lazy_exports import lazy_exports

if TYPE_CHECKING:
    from heapwire.client_lib.wayland.connection import (
        Connection as Connection,
        Global as Global,
    )
    from heapwire.client_lib.wayland.default_timeout import DEFAULT_TIMEOUT as DEFAULT_TIMEOUT
    from heapwire.client_lib.wayland.dmabuf_sources import (
        DmabufSources as DmabufSources,
        ToldSource as ToldSource,
    )
    from heapwire.client_lib.wayland.format_table import read_format_table as read_format_table
    from heapwire.client_lib.wayland.interfaces import (
        ALLOCATION_MANAGER as ALLOCATION_MANAGER,
        BUFFER_STATUS_MANAGER as BUFFER_STATUS_MANAGER,
        NEGOTIATION_MANAGER as NEGOTIATION_MANAGER,
        AnyProxy as AnyProxy,
        CData as CData,
        Handler as Handler,
        create as create,
        end as end,
        listen as listen,
        send as send,
    )
else:
    __getattr__, __dir__, __all__ = lazy_exports(
        __name__,
        {
            "connection": "Connection Global",
            "default_timeout": "DEFAULT_TIMEOUT",
            "dmabuf_sources": "DmabufSources ToldSource",
            "format_table": "read_format_table",
            "interfaces": (
                "ALLOCATION_MANAGER AnyProxy BUFFER_STATUS_MANAGER CData Handler "
                "NEGOTIATION_MANAGER create end listen send"
            ),
        },
    )
