"""Pictures of a camera, live: into negotiated buffers, from its own, or copied."""

from typing import TYPE_CHECKING

from heapwire.protocol.lazy_exports import lazy_exports

if TYPE_CHECKING:
    from heapwire.client_lib.player.capture.camera_material import CameraMaterial as CameraMaterial
else:
    __getattr__, __dir__, __all__ = lazy_exports(__name__, {"camera_material": "CameraMaterial"})
