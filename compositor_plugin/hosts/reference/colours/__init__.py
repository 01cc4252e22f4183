"""What clients say of the colours of their surfaces."""

from typing import TYPE_CHECKING

from heapwire.protocol.lazy_exports import lazy_exports

if TYPE_CHECKING:
    from heapwire.compositor_plugin.hosts.reference.colours.wp_color_management_surface_v1 import (
        WpColorManagementSurfaceV1 as WpColorManagementSurfaceV1,
    )
    from heapwire.compositor_plugin.hosts.reference.colours.wp_color_manager_v1 import (
        WpColorManagerV1 as WpColorManagerV1,
    )
    from heapwire.compositor_plugin.hosts.reference.colours.wp_color_representation_manager_v1 import (  # noqa: E501
        WpColorRepresentationManagerV1 as WpColorRepresentationManagerV1,
    )
    from heapwire.compositor_plugin.hosts.reference.colours.wp_color_representation_surface_v1 import (  # noqa: E501
        WpColorRepresentationSurfaceV1 as WpColorRepresentationSurfaceV1,
    )
else:
    __getattr__, __dir__, __all__ = lazy_exports(
        __name__,
        {
            "wp_color_management_surface_v1": "WpColorManagementSurfaceV1",
            "wp_color_manager_v1": "WpColorManagerV1",
            "wp_color_representation_manager_v1": "WpColorRepresentationManagerV1",
            "wp_color_representation_surface_v1": "WpColorRepresentationSurfaceV1",
        },
    )
