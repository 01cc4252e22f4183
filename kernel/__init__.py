"""What a machine has: heaps, dma-bufs, displays, codecs, and how they are linked."""

from typing import TYPE_CHECKING

from heapwire.protocol.lazy_exports import lazy_exports

if __name__ != "heapwire.kernel":
    raise ImportError("this package is heapwire.kernel; it has no bare name")

if TYPE_CHECKING:
    from heapwire.kernel.description import (
        Device as Device,
        DeviceFact as DeviceFact,
        DeviceKind as DeviceKind,
        FileConstraint as FileConstraint,
        KmsPlane as KmsPlane,
        LineFault as LineFault,
        Link as Link,
        LinkKind as LinkKind,
        MachineNames as MachineNames,
        MemoryFact as MemoryFact,
        MemoryProperties as MemoryProperties,
        NamedPairs as NamedPairs,
        NamedSources as NamedSources,
        Overruled as Overruled,
        PlaneType as PlaneType,
        Platform as Platform,
        PlatformFileError as PlatformFileError,
        TomlFileError as TomlFileError,
        parse_usage as parse_usage,
        shipped as shipped,
        usage_name as usage_name,
    )
    from heapwire.kernel.discovery import (
        DeviceEvent as DeviceEvent,
        DeviceRecord as DeviceRecord,
        HotPlug as HotPlug,
        Monitor as Monitor,
        TrialStore as TrialStore,
        Verdict as Verdict,
        ask_devices as ask_devices,
        local_platform as local_platform,
        remembered as remembered,
        tried as tried,
        with_records as with_records,
    )
    from heapwire.kernel.memory import (
        FACTS_OF_EXPORTERS as FACTS_OF_EXPORTERS,
        CpuAccess as CpuAccess,
        DmaBuf as DmaBuf,
        ExporterFacts as ExporterFacts,
        MemfdMemory as MemfdMemory,
        Memory as Memory,
        OutOfMemoryError as OutOfMemoryError,
        PictureShape as PictureShape,
    )
    from heapwire.kernel.system import Owner as Owner
    from heapwire.kernel.video import (
        CaptureDevice as CaptureDevice,
        CaptureMemory as CaptureMemory,
        DecodedPicture as DecodedPicture,
        Dequeued as Dequeued,
        M2mDecoder as M2mDecoder,
        QueueFormat as QueueFormat,
    )
else:
    __getattr__, __dir__, __all__ = lazy_exports(
        __name__,
        {
            "description": (
                "Device DeviceFact DeviceKind FileConstraint KmsPlane LineFault Link "
                "LinkKind MachineNames MemoryFact MemoryProperties NamedPairs NamedSources "
                "Overruled PlaneType Platform PlatformFileError TomlFileError parse_usage shipped "
                "usage_name"
            ),
            "discovery": (
                "DeviceEvent DeviceRecord HotPlug Monitor TrialStore Verdict ask_devices "
                "local_platform remembered tried with_records"
            ),
            "memory": (
                "CpuAccess DmaBuf ExporterFacts FACTS_OF_EXPORTERS MemfdMemory Memory "
                "OutOfMemoryError PictureShape"
            ),
            "system": "Owner",
            "video": ("CaptureDevice CaptureMemory DecodedPicture Dequeued M2mDecoder QueueFormat"),
        },
    )
