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
        Fault as Fault,
        KmsPlane as KmsPlane,
        Link as Link,
        LinkKind as LinkKind,
        MemoryFact as MemoryFact,
        Path as Path,
        PlaneType as PlaneType,
        Platform as Platform,
        PlatformFileError as PlatformFileError,
        Table as Table,
        TomlFileError as TomlFileError,
        did_you_mean as did_you_mean,
        fault_line as fault_line,
        on_lines as on_lines,
        parse_toml as parse_toml,
        parse_usage as parse_usage,
        positions as positions,
        profile_constraints as profile_constraints,
        quantity_name as quantity_name,
        read_device_facts as read_device_facts,
        read_memory_facts as read_memory_facts,
        read_text as read_text,
        shipped as shipped,
        usage_name as usage_name,
        with_facts as with_facts,
    )
    from heapwire.kernel.discovery import (
        HotPlug as HotPlug,
        Trial as Trial,
        card_of_connector as card_of_connector,
        layout_sets as layout_sets,
        local_platform as local_platform,
        probe as probe,
        same_device as same_device,
        with_trials as with_trials,
    )
    from heapwire.kernel.memory import (
        GRANT as GRANT,
        CpuAccess as CpuAccess,
        DmaBuf as DmaBuf,
        LocalMemory as LocalMemory,
        MemfdMemory as MemfdMemory,
        Memory as Memory,
        OutOfMemoryError as OutOfMemoryError,
    )
    from heapwire.kernel.system import (
        Closable as Closable,
        ioctl as ioctl,
        sealed_copy as sealed_copy,
        sealed_memfd as sealed_memfd,
    )
    from heapwire.kernel.video import (
        DecodedPicture as DecodedPicture,
        FrameSizes as FrameSizes,
        M2mDecoder as M2mDecoder,
        PixelFormat as PixelFormat,
        QueueFormat as QueueFormat,
        V4l2Device as V4l2Device,
        characters as characters,
        in_one_buffer as in_one_buffer,
        is_laid_out_as as is_laid_out_as,
        layout_constraints as layout_constraints,
        open_v4l2 as open_v4l2,
        trial_import as trial_import,
        with_a_buffer_a_plane as with_a_buffer_a_plane,
    )
else:
    __getattr__, __dir__, __all__ = lazy_exports(
        __name__,
        {
            "description": (
                "Device DeviceFact DeviceKind Fault KmsPlane Link LinkKind MemoryFact Path "
                "PlaneType Platform PlatformFileError Table TomlFileError did_you_mean "
                "fault_line on_lines parse_toml parse_usage "
                "positions profile_constraints quantity_name read_device_facts "
                "read_memory_facts read_text shipped usage_name with_facts"
            ),
            "discovery": (
                "HotPlug Trial card_of_connector layout_sets local_platform probe same_device "
                "with_trials"
            ),
            "memory": ("CpuAccess DmaBuf GRANT LocalMemory MemfdMemory Memory OutOfMemoryError"),
            "system": "Closable ioctl sealed_copy sealed_memfd",
            "video": (
                "DecodedPicture FrameSizes M2mDecoder PixelFormat QueueFormat V4l2Device "
                "characters in_one_buffer is_laid_out_as layout_constraints open_v4l2 "
                "trial_import with_a_buffer_a_plane"
            ),
        },
    )
