"""The reference compositor: headless, small, and strict with its clients."""

from typing import TYPE_CHECKING

from heapwire.protocol.lazy_exports import lazy_exports

if TYPE_CHECKING:
    from heapwire.compositor_plugin.hosts.reference.compositor import Compositor as Compositor
    from heapwire.compositor_plugin.hosts.reference.interface_tables import (
        interface_table as interface_table,
    )
    from heapwire.compositor_plugin.hosts.reference.status_socket import (
        STATUS_SUFFIX as STATUS_SUFFIX,
    )
    from heapwire.compositor_plugin.hosts.reference.wl_callback import WlCallback as WlCallback
    from heapwire.compositor_plugin.hosts.reference.wl_output import WlOutput as WlOutput
    from heapwire.compositor_plugin.hosts.reference.wl_surface import WlSurface as WlSurface
    from heapwire.compositor_plugin.hosts.reference.wp_presentation_feedback import (
        WpPresentationFeedback as WpPresentationFeedback,
    )
else:
    __getattr__, __dir__, __all__ = lazy_exports(
        __name__,
        {
            "compositor": "Compositor",
            "interface_tables": "interface_table",
            "status_socket": "STATUS_SUFFIX",
            "wl_callback": "WlCallback",
            "wl_output": "WlOutput",
            "wl_surface": "WlSurface",
            "wp_presentation_feedback": "WpPresentationFeedback",
        },
    )
