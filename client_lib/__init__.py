"""The client's side: negotiate, allocate, import, show, and hear what became of it.

A client says what its devices need, the compositor answers with plans, and
buffers are made by the best of them:

    from heapwire.client_lib import (
        BufferSupply, Connection, Extent, Extents, LinuxDmabuf, Platform, Usage, Window,
        surface_negotiation,
    )

    platform = Platform.load("raspberry-pi-4")
    size = Extent(1920, 1080)
    with Connection() as connection, Window(connection, title="video") as window:
        dmabuf = LinuxDmabuf(connection)
        negotiation = surface_negotiation(dmabuf, window.surface, platform)
        negotiation.set_participant(platform.participant("codec", Usage.DECODE))
        negotiation.set_extents(Extents(coded=Extent(1920, 1088), visible=size))
        with BufferSupply(negotiation, dmabuf, platform.memory) as supply:
            supply.negotiate(size)
            buffer = supply.free()
            assert buffer is not None, "all of them are new"
            with buffer.planes() as planes:
                planes[0].memory[: planes[0].row_bytes] = bytes(planes[0].row_bytes)
            window.show(buffer, size, shown=lambda presented: None)
            connection.wait(lambda: window.ready, what="frame on the screen")

`surface_negotiation` gives a `Negotiation` with the compositor or, where that does
not have the protocol, one whose plans are made here, of linux-dmabuf's feedback, of what
the compositor adds to it (`xx_dmabuf_sources_v1`), and of the `Platform`. A
`NegotiationManager` makes them as well, of the compositor's plans only, and for no surface
in particular; `local_negotiation` makes the other kind. An `ExtendedFeedback` has the
feedback with what is added to it, for who needs no plans.

`negotiate` raises `ConflictError` when the requirements contradict each other;
its `entries` say whose they are. The batch that it returns has `offers`, the plans,
the best first. `BufferPool` makes the buffers of a plan, `BufferPool.best` those of
the best that can be followed, `allocate` a single one. `Buffer.proxy` is the
`wl_buffer` to attach; set `Buffer.busy` when you do, and the compositor's release
clears it. `Buffer.status` says whether it was scanned out, and why not.

In an application with its own pywayland `Display` and event loop, make a
`Connection(display)` of it: nothing here has a thread, and nothing blocks but
the methods that have a `timeout`, in seconds. Poll `connection.fileno()`, call
`connection.dispatch(0)`, use `negotiation.commit()` instead of `negotiate`, and
let `negotiation.on_batch` tell you. A batch may come unasked, when the surface
is about to be scanned out or the hardware has changed: allocate anew and go on
with the new buffers; `BufferSupply.update` does just that.

`Player` puts all of it together and plays a video file, or any other `Material`, such as a
`PatternMaterial` or a `CameraMaterial`. Where there is no linux-dmabuf, or no memory to
negotiate about, it shows copies through `wl_shm` (`SharedMemory`). Decoding needs the extra
`play`.

Errors say whose fault they are: `UsageError` (the program's, a bug: do not catch
it), `InputError` and `FileError` (a person's word or file), `MachineError` (the
machine lacks something, or a device failed), `PeerError` (the compositor's) and
`NotPossibleError` (nobody's: it cannot be had).
"""

from typing import TYPE_CHECKING

from heapwire.protocol.lazy_exports import lazy_exports

if TYPE_CHECKING:
    from heapwire.client_lib.buffers.allocation import (
        Allocation as Allocation,
    )
    from heapwire.client_lib.buffers.allocation_manager import (
        AllocationManager as AllocationManager,
    )
    from heapwire.client_lib.buffers.buffer import (
        Buffer as Buffer,
        StatusTeller as StatusTeller,
        allocate as allocate,
    )
    from heapwire.client_lib.buffers.buffer_status import (
        BufferStatus as BufferStatus,
    )
    from heapwire.client_lib.buffers.buffer_status_manager import (
        BufferStatusManager as BufferStatusManager,
    )
    from heapwire.client_lib.buffers.extended_feedback import (
        ExtendedFeedback as ExtendedFeedback,
    )
    from heapwire.client_lib.buffers.linux_dmabuf import (
        Import as Import,
        LinuxDmabuf as LinuxDmabuf,
    )
    from heapwire.client_lib.buffers.plane_view import (
        PlaneView as PlaneView,
    )
    from heapwire.client_lib.buffers.shared_memory import (
        SharedImport as SharedImport,
        SharedMemory as SharedMemory,
    )
    from heapwire.client_lib.buffers.surface_light import Light as Light
    from heapwire.client_lib.buffers.window import (
        Presented as Presented,
        Window as Window,
    )
    from heapwire.client_lib.errors import (
        AllocationError as AllocationError,
        DisconnectedError as DisconnectedError,
        ImportRefusedError as ImportRefusedError,
        MissingGlobalError as MissingGlobalError,
        NoAnswerError as NoAnswerError,
        NoCompositorError as NoCompositorError,
        ProtocolError as ProtocolError,
    )
    from heapwire.client_lib.exporters.cuda_frame import (
        CudaFrame as CudaFrame,
        CudaMemory as CudaMemory,
        CudaPlane as CudaPlane,
        export_cuda_frame as export_cuda_frame,
    )
    from heapwire.client_lib.exporters.cuda_library import (
        CudaLibrary as CudaLibrary,
    )
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
    from heapwire.client_lib.exporters.frame_question import (
        frame_problem as frame_problem,
    )
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
    from heapwire.client_lib.negotiation.buffer_pool import (
        BufferPool as BufferPool,
    )
    from heapwire.client_lib.negotiation.buffer_supply import (
        BufferSupply as BufferSupply,
    )
    from heapwire.client_lib.negotiation.conflict import (
        ConflictError as ConflictError,
        Contradiction as Contradiction,
        NegotiationError as NegotiationError,
        contradictions as contradictions,
    )
    from heapwire.client_lib.negotiation.importer import (
        Importer as Importer,
        StartedImport as StartedImport,
    )
    from heapwire.client_lib.negotiation.negotiation import (
        Negotiation as Negotiation,
    )
    from heapwire.client_lib.negotiation.negotiation_manager import (
        AnnouncedSource as AnnouncedSource,
        NegotiationManager as NegotiationManager,
    )
    from heapwire.client_lib.negotiation.planner_choice import (
        local_negotiation as local_negotiation,
        surface_negotiation as surface_negotiation,
    )
    from heapwire.client_lib.player.capture.camera_material import (
        CameraMaterial as CameraMaterial,
    )
    from heapwire.client_lib.player.decoding.decoder import (
        DecodedFrame as DecodedFrame,
        Decoder as Decoder,
    )
    from heapwire.client_lib.player.material import (
        Material as Material,
    )
    from heapwire.client_lib.player.pattern.drawing import (
        PATTERNS as PATTERNS,
    )
    from heapwire.client_lib.player.pattern.pattern_stream import (
        PatternMaterial as PatternMaterial,
    )
    from heapwire.client_lib.player.picture_stream import (
        BufferNeeds as BufferNeeds,
        DuePicture as DuePicture,
        PictureStream as PictureStream,
    )
    from heapwire.client_lib.player.pictures.frame_writer import (
        writable_formats as writable_formats,
        write_picture as write_picture,
        writer_participant as writer_participant,
    )
    from heapwire.client_lib.player.play_result import (
        FrameCounts as FrameCounts,
        FrameFate as FrameFate,
        PlayResult as PlayResult,
    )
    from heapwire.client_lib.player.playback import (
        PlayOptions as PlayOptions,
        Progress as Progress,
    )
    from heapwire.client_lib.player.player import (
        Player as Player,
    )
    from heapwire.client_lib.wayland.connection import (
        Connection as Connection,
        Global as Global,
    )
    from heapwire.client_lib.wayland.default_timeout import DEFAULT_TIMEOUT as DEFAULT_TIMEOUT
    from heapwire.client_lib.wayland.dmabuf_sources import (
        DmabufSources as DmabufSources,
        ToldSource as ToldSource,
    )
    from heapwire.client_lib.wayland.interfaces import (
        ALLOCATION_MANAGER as ALLOCATION_MANAGER,
        BUFFER_STATUS_MANAGER as BUFFER_STATUS_MANAGER,
        NEGOTIATION_MANAGER as NEGOTIATION_MANAGER,
    )
    from heapwire.kernel import (
        DmaBuf as DmaBuf,
        Memory as Memory,
        Platform as Platform,
    )
    from heapwire.protocol import (
        INVALID as INVALID,
        LINEAR as LINEAR,
        Access as Access,
        Batch as Batch,
        ColourEncoding as ColourEncoding,
        ColourRange as ColourRange,
        Constraint as Constraint,
        ConstraintSet as ConstraintSet,
        Content as Content,
        DeviceId as DeviceId,
        Explanation as Explanation,
        Extent as Extent,
        Extents as Extents,
        FailureReason as FailureReason,
        FileError as FileError,
        FixedBuffer as FixedBuffer,
        FormatModifier as FormatModifier,
        HeapwireError as HeapwireError,
        InputError as InputError,
        MachineError as MachineError,
        NotPossibleError as NotPossibleError,
        Offer as Offer,
        Participant as Participant,
        PeerError as PeerError,
        Plan as Plan,
        Refusal as Refusal,
        RefusalCause as RefusalCause,
        SourceId as SourceId,
        SourceKind as SourceKind,
        Usage as Usage,
        UsageError as UsageError,
        fourcc_name as fourcc_name,
        parse_fourcc as parse_fourcc,
    )
    from heapwire.protocol.wire.bindings import (
        BufferStatusReason as BufferStatusReason,
        BufferStatusResult as BufferStatusResult,
    )
else:
    __getattr__, __dir__, __all__ = lazy_exports(
        __name__,
        {
            "buffers.allocation": "Allocation",
            "buffers.allocation_manager": "AllocationManager",
            "buffers.buffer": "Buffer StatusTeller allocate",
            "buffers.buffer_status": "BufferStatus",
            "buffers.buffer_status_manager": "BufferStatusManager",
            "buffers.extended_feedback": "ExtendedFeedback",
            "buffers.linux_dmabuf": "Import LinuxDmabuf",
            "buffers.plane_view": "PlaneView",
            "buffers.shared_memory": "SharedImport SharedMemory",
            "buffers.surface_light": "Light",
            "buffers.window": "Presented Window",
            "errors": (
                "AllocationError DisconnectedError ImportRefusedError MissingGlobalError "
                "NoAnswerError NoCompositorError ProtocolError"
            ),
            "exporters.cuda_frame": "CudaFrame CudaMemory CudaPlane export_cuda_frame",
            "exporters.cuda_library": "CudaLibrary",
            "exporters.descriptor": "ObjectOf",
            "exporters.drm_frame": "DRM_FRAME_BYTES read_drm_frame",
            "exporters.exported_frame": "ExportedFrame ExportedObject",
            "exporters.exporter_memory": "Exporter",
            "exporters.frame_question": "frame_problem",
            "exporters.gst_frame": "GstMemory parse_drm_format read_gst_frame",
            "exporters.v4l2_frame": "CaptureQueue V4l2Frames export_v4l2_frames",
            "exporters.va_frame": "VA_FRAME_BYTES read_va_frame",
            "negotiation.buffer_pool": "BufferPool",
            "negotiation.buffer_supply": "BufferSupply",
            "negotiation.conflict": ("ConflictError Contradiction NegotiationError contradictions"),
            "negotiation.importer": "Importer StartedImport",
            "negotiation.negotiation_manager": "AnnouncedSource NegotiationManager",
            "negotiation.negotiation": "Negotiation",
            "negotiation.planner_choice": "local_negotiation surface_negotiation",
            "player.decoding.decoder": "DecodedFrame Decoder",
            "player.capture.camera_material": "CameraMaterial",
            "player.material": "Material",
            "player.pattern.drawing": "PATTERNS",
            "player.pattern.pattern_stream": "PatternMaterial",
            "player.picture_stream": "BufferNeeds DuePicture PictureStream",
            "player.pictures.frame_writer": "writable_formats write_picture writer_participant",
            "player.play_result": "FrameCounts FrameFate PlayResult",
            "player.playback": "PlayOptions Progress",
            "player.player": "Player",
            "wayland.connection": "Connection Global",
            "wayland.default_timeout": "DEFAULT_TIMEOUT",
            "wayland.dmabuf_sources": "DmabufSources ToldSource",
            "wayland.interfaces": "ALLOCATION_MANAGER BUFFER_STATUS_MANAGER NEGOTIATION_MANAGER",
            "heapwire.kernel": "DmaBuf Memory Platform",
            "heapwire.protocol": (
                "Access Batch ColourEncoding ColourRange Constraint ConstraintSet Content "
                "DeviceId Explanation Extent Extents FailureReason FileError FixedBuffer "
                "FormatModifier HeapwireError INVALID InputError LINEAR MachineError "
                "NotPossibleError Offer Participant PeerError Plan Refusal RefusalCause SourceId "
                "SourceKind Usage UsageError fourcc_name parse_fourcc"
            ),
            "heapwire.protocol.wire.bindings": "BufferStatusResult BufferStatusReason",
        },
    )
