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
        KmsPlane as KmsPlane,
        LineFault as LineFault,
        Link as Link,
        LinkKind as LinkKind,
        MemoryFact as MemoryFact,
        PlaneType as PlaneType,
        Platform as Platform,
        PlatformFileError as PlatformFileError,
        TomlFileError as TomlFileError,
        did_you_mean as did_you_mean,
        parse_usage as parse_usage,
        quantity_name as quantity_name,
        shipped as shipped,
        usage_name as usage_name,
        with_facts as with_facts,
    )
    from heapwire.kernel.discovery import (
        HotPlug as HotPlug,
        MemoryTrial as MemoryTrial,
        card_of_connector as card_of_connector,
        layout_sets as layout_sets,
        local_platform as local_platform,
        probe_memory as probe_memory,
        same_device as same_device,
        with_trials as with_trials,
    )
    from heapwire.kernel.memory import (
        CpuAccess as CpuAccess,
        DmaBuf as DmaBuf,
        LocalMemory as LocalMemory,
        MemfdMemory as MemfdMemory,
        Memory as Memory,
        OutOfMemoryError as OutOfMemoryError,
    )
    from heapwire.kernel.system import Owner as Owner
    from heapwire.kernel.video import (
        DecodedPicture as DecodedPicture,
        M2mDecoder as M2mDecoder,
        QueueFormat as QueueFormat,
        V4l2Device as V4l2Device,
        is_laid_out_as as is_laid_out_as,
        layout_constraints as layout_constraints,
        open_v4l2 as open_v4l2,
        v4l2_format_name as v4l2_format_name,
    )
else:
    __getattr__, __dir__, __all__ = lazy_exports(
        __name__,
        {
            "description": (
                "Device DeviceFact DeviceKind KmsPlane LineFault Link LinkKind MemoryFact "
                "PlaneType Platform PlatformFileError TomlFileError did_you_mean parse_usage "
                "quantity_name shipped usage_name with_facts"
            ),
            "discovery": (
                "HotPlug MemoryTrial card_of_connector layout_sets local_platform probe_memory "
                "same_device with_trials"
            ),
            "memory": "CpuAccess DmaBuf LocalMemory MemfdMemory Memory OutOfMemoryError",
            "system": "Owner",
            "video": (
                "DecodedPicture M2mDecoder QueueFormat V4l2Device is_laid_out_as "
                "layout_constraints open_v4l2 v4l2_format_name"
            ),
        },
    )
