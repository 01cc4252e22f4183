"""`wl_shm`: buffers in files of clients', which are read where something is drawn."""

from typing import TYPE_CHECKING

from heapwire.protocol.lazy_exports import lazy_exports

if TYPE_CHECKING:
    from heapwire.compositor_plugin.hosts.reference.shm.shm_content import ShmContent as ShmContent
    from heapwire.compositor_plugin.hosts.reference.shm.wl_shm import WlShm as WlShm
else:
    __getattr__, __dir__, __all__ = lazy_exports(
        __name__, {"shm_content": "ShmContent", "wl_shm": "WlShm"}
    )
