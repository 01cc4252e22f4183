"""V4L2: devices, their queues, and decoding into anybody's dma-bufs."""

from typing import TYPE_CHECKING

from heapwire.protocol.lazy_exports import lazy_exports

if TYPE_CHECKING:
    from heapwire.kernel.video.capture_device import (
        CaptureDevice as CaptureDevice,
        CaptureMemory as CaptureMemory,
    )
    from heapwire.kernel.video.device_decoder import (
        DecodedPicture as DecodedPicture,
        DeviceDecoder as DeviceDecoder,
    )
    from heapwire.kernel.video.fwht_header import (
        FWHT_HEADER_SIZE as FWHT_HEADER_SIZE,
        FWHT_MAGIC as FWHT_MAGIC,
        FwhtHeader as FwhtHeader,
    )
    from heapwire.kernel.video.import_trial import trial_import as trial_import
    from heapwire.kernel.video.m2m_decoder import M2mDecoder as M2mDecoder
    from heapwire.kernel.video.picture_format import (
        drm_format as drm_format,
        has_drm_format as has_drm_format,
        is_laid_out_as as is_laid_out_as,
        laid_out_planes as laid_out_planes,
        layout_constraints as layout_constraints,
        layout_format as layout_format,
    )
    from heapwire.kernel.video.stateless_codec import stateless_form as stateless_form
    from heapwire.kernel.video.stateless_decoder import StatelessDecoder as StatelessDecoder
    from heapwire.kernel.video.v4l2_device import (
        BufferCapabilities as BufferCapabilities,
        FrameSizes as FrameSizes,
        PixelFormat as PixelFormat,
        V4l2Device as V4l2Device,
        open_v4l2 as open_v4l2,
        v4l2_format_name as v4l2_format_name,
    )
    from heapwire.kernel.video.v4l2_queue import (
        Dequeued as Dequeued,
        QueueFormat as QueueFormat,
        V4l2Queue as V4l2Queue,
    )
    from heapwire.kernel.video.videodev2 import Queue as Queue
else:
    __getattr__, __dir__, __all__ = lazy_exports(
        __name__,
        {
            "capture_device": "CaptureDevice CaptureMemory",
            "device_decoder": "DecodedPicture DeviceDecoder",
            "fwht_header": "FWHT_HEADER_SIZE FWHT_MAGIC FwhtHeader",
            "import_trial": "trial_import",
            "m2m_decoder": "M2mDecoder",
            "picture_format": (
                "drm_format has_drm_format is_laid_out_as laid_out_planes layout_constraints "
                "layout_format"
            ),
            "stateless_codec": "stateless_form",
            "stateless_decoder": "StatelessDecoder",
            "v4l2_device": (
                "BufferCapabilities FrameSizes PixelFormat V4l2Device open_v4l2 v4l2_format_name"
            ),
            "v4l2_queue": "Dequeued QueueFormat V4l2Queue",
            "videodev2": "Queue",
        },
    )
