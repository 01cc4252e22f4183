"""What is where on which output, how it is drawn, and what is scanned out."""

from typing import TYPE_CHECKING

from heapwire.protocol.lazy_exports import lazy_exports

if TYPE_CHECKING:
    from heapwire.compositor_plugin.hosts.reference.scene.buffer_hold import (
        BufferContent as BufferContent,
        BufferHold as BufferHold,
    )
    from heapwire.compositor_plugin.hosts.reference.scene.desktop import (
        Desktop as Desktop,
        FrameHook as FrameHook,
    )
    from heapwire.compositor_plugin.hosts.reference.scene.frame_record import (
        FrameRecord as FrameRecord,
    )
    from heapwire.compositor_plugin.hosts.reference.scene.held_commit import (
        HeldCommit as HeldCommit,
    )
    from heapwire.compositor_plugin.hosts.reference.scene.light import (
        DISPLAYED as DISPLAYED,
        PRIMARIES as PRIMARIES,
        TRANSFERS as TRANSFERS,
        Light as Light,
    )
    from heapwire.compositor_plugin.hosts.reference.scene.output import (
        Output as Output,
        OutputMode as OutputMode,
    )
    from heapwire.compositor_plugin.hosts.reference.scene.pixel_content import (
        PixelContent as PixelContent,
    )
    from heapwire.compositor_plugin.hosts.reference.scene.pixels import (
        READERS as READERS,
        TILED as TILED,
        Colours as Colours,
        Image as Image,
        PlaneBytes as PlaneBytes,
        png as png,
        read_image as read_image,
    )
    from heapwire.compositor_plugin.hosts.reference.scene.region import EMPTY as EMPTY, Rect as Rect
    from heapwire.compositor_plugin.hosts.reference.scene.surface_commit import (
        Crop as Crop,
        SurfaceCommit as SurfaceCommit,
    )
    from heapwire.compositor_plugin.hosts.reference.scene.surface_extent import (
        SizeError as SizeError,
        ViewportError as ViewportError,
        surface_size as surface_size,
    )
    from heapwire.compositor_plugin.hosts.reference.scene.sync_point import SyncPoint as SyncPoint
else:
    __getattr__, __dir__, __all__ = lazy_exports(
        __name__,
        {
            "buffer_hold": "BufferContent BufferHold",
            "frame_record": "FrameRecord",
            "held_commit": "HeldCommit",
            "light": "DISPLAYED Light PRIMARIES TRANSFERS",
            "output": "Output OutputMode",
            "pixel_content": "PixelContent",
            "pixels": "Colours Image PlaneBytes READERS TILED png read_image",
            "region": "EMPTY Rect",
            "surface_extent": "SizeError ViewportError surface_size",
            "surface_commit": "Crop SurfaceCommit",
            "sync_point": "SyncPoint",
            "desktop": "Desktop FrameHook",
        },
    )
