"""The connection to a compositor, and the objects on it."""

from typing import TYPE_CHECKING

from heapwire.protocol.lazy_exports import lazy_exports

if TYPE_CHECKING:
    from heapwire.client_lib.wayland.connection import (
        DEFAULT_TIMEOUT as DEFAULT_TIMEOUT,
        Connection as Connection,
    )
    from heapwire.client_lib.wayland.dmabuf_feedback import (
        DmabufFeedback as DmabufFeedback,
        DmabufTranche as DmabufTranche,
        FeedbackDecoder as FeedbackDecoder,
    )
    from heapwire.client_lib.wayland.format_table import read_format_table as read_format_table
    from heapwire.client_lib.wayland.interfaces import (
        HEAP_MANAGER as HEAP_MANAGER,
        AnyProxy as AnyProxy,
        Handler as Handler,
        create as create,
        listen as listen,
        send as send,
    )
    from heapwire.client_lib.wayland.linux_dmabuf import (
        FEEDBACK_VERSION as FEEDBACK_VERSION,
        Import as Import,
        LinuxDmabuf as LinuxDmabuf,
    )
    from heapwire.client_lib.wayland.window import Presented as Presented, Window as Window
else:
    __getattr__, __dir__, __all__ = lazy_exports(
        __name__,
        {
            "connection": "Connection DEFAULT_TIMEOUT",
            "dmabuf_feedback": "DmabufFeedback DmabufTranche FeedbackDecoder",
            "format_table": "read_format_table",
            "interfaces": "AnyProxy HEAP_MANAGER Handler create listen send",
            "linux_dmabuf": "FEEDBACK_VERSION Import LinuxDmabuf",
            "window": "Presented Window",
        },
    )
