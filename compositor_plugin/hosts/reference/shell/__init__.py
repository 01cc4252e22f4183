"""Windows, popups and seats, which the story of memory does not need."""

from typing import TYPE_CHECKING

from heapwire.protocol.lazy_exports import lazy_exports

if TYPE_CHECKING:
    from heapwire.compositor_plugin.hosts.reference.shell.wl_data_device_manager import (
        WlDataDeviceManager as WlDataDeviceManager,
    )
    from heapwire.compositor_plugin.hosts.reference.shell.wl_keyboard import (
        Keyboards as Keyboards,
    )
    from heapwire.compositor_plugin.hosts.reference.shell.wl_seat import WlSeat as WlSeat
    from heapwire.compositor_plugin.hosts.reference.shell.xdg_surface import (
        XdgSurface as XdgSurface,
    )
    from heapwire.compositor_plugin.hosts.reference.shell.xdg_toplevel import (
        XdgToplevel as XdgToplevel,
    )
    from heapwire.compositor_plugin.hosts.reference.shell.xdg_wm_base import XdgWmBase as XdgWmBase
else:
    __getattr__, __dir__, __all__ = lazy_exports(
        __name__,
        {
            "wl_data_device_manager": "WlDataDeviceManager",
            "wl_keyboard": "Keyboards",
            "wl_seat": "WlSeat",
            "xdg_surface": "XdgSurface",
            "xdg_toplevel": "XdgToplevel",
            "xdg_wm_base": "XdgWmBase",
        },
    )
