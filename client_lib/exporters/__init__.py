"""Frames of who allocates himself: whether a compositor can use them as they are.

A camera, a VA-API surface, a GStreamer buffer, a picture of NVDEC: each exists already, so
it is not laid out but judged.
"""

from typing import TYPE_CHECKING

from heapwire.protocol.lazy_exports import lazy_exports

if TYPE_CHECKING:
    from heapwire.client_lib.exporters.cuda_frame import (
        CudaFrame as CudaFrame,
        CudaMemory as CudaMemory,
        CudaPlane as CudaPlane,
        export_cuda_frame as export_cuda_frame,
    )
    from heapwire.client_lib.exporters.cuda_library import CudaLibrary as CudaLibrary
    from heapwire.client_lib.exporters.descriptor import ObjectOf as ObjectOf
    from heapwire.client_lib.exporters.drm_frame import (
        DRM_FRAME_BYTES as DRM_FRAME_BYTES,
        read_drm_frame as read_drm_frame,
    )
    from heapwire.client_lib.exporters.exported_frame import (
        ExportedFrame as ExportedFrame,
        ExportedObject as ExportedObject,
    )
    from heapwire.client_lib.exporters.exporter_memory import (
        Exporter as Exporter,
    )
    from heapwire.client_lib.exporters.frame_question import frame_problem as frame_problem
    from heapwire.client_lib.exporters.gst_frame import (
        GstMemory as GstMemory,
        parse_drm_format as parse_drm_format,
        read_gst_frame as read_gst_frame,
    )
    from heapwire.client_lib.exporters.v4l2_frame import (
        CaptureQueue as CaptureQueue,
        V4l2Frames as V4l2Frames,
        export_v4l2_frames as export_v4l2_frames,
    )
    from heapwire.client_lib.exporters.va_frame import (
        VA_FRAME_BYTES as VA_FRAME_BYTES,
        read_va_frame as read_va_frame,
    )
else:
    __getattr__, __dir__, __all__ = lazy_exports(
        __name__,
        {
            "cuda_frame": "CudaFrame CudaMemory CudaPlane export_cuda_frame",
            "cuda_library": "CudaLibrary",
            "descriptor": "ObjectOf",
            "drm_frame": "DRM_FRAME_BYTES read_drm_frame",
            "exported_frame": "ExportedFrame ExportedObject",
            "exporter_memory": "Exporter",
            "frame_question": "frame_problem",
            "gst_frame": "GstMemory parse_drm_format read_gst_frame",
            "v4l2_frame": "CaptureQueue V4l2Frames export_v4l2_frames",
            "va_frame": "VA_FRAME_BYTES read_va_frame",
        },
    )
