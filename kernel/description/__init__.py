"""Machines as files describe them: platforms, facts that somebody states, and their tables."""

from typing import TYPE_CHECKING

from heapwire.protocol.lazy_exports import lazy_exports

if TYPE_CHECKING:
    from heapwire.kernel.description.device import (
        Device as Device,
        DeviceKind as DeviceKind,
        KmsPlane as KmsPlane,
        PlaneType as PlaneType,
        parse_usage as parse_usage,
        scanout_sets as scanout_sets,
        usage_name as usage_name,
        with_facts_of as with_facts_of,
        with_facts_of_plane as with_facts_of_plane,
    )
    from heapwire.kernel.description.driver_profile import (
        Profile as Profile,
        own_sources as own_sources,
        with_profiles as with_profiles,
    )
    from heapwire.kernel.description.drm_fourccs import parse_known_fourcc as parse_known_fourcc
    from heapwire.kernel.description.file_constraint import (
        FileConstraint as FileConstraint,
        MachineNames as MachineNames,
        NamedPairs as NamedPairs,
        NamedSources as NamedSources,
    )
    from heapwire.kernel.description.ladder import (
        Fact as Fact,
        Overruled as Overruled,
        Resolution as Resolution,
        resolve as resolve,
    )
    from heapwire.kernel.description.link import Link as Link, LinkKind as LinkKind
    from heapwire.kernel.description.memory_properties import MemoryProperties as MemoryProperties
    from heapwire.kernel.description.platform import Platform as Platform, shipped as shipped
    from heapwire.kernel.description.platform_file import PlatformFileError as PlatformFileError
    from heapwire.kernel.description.profile_file import (
        ProfileFileError as ProfileFileError,
        parse_profile as parse_profile,
        profiles_of as profiles_of,
        shipped_profile as shipped_profile,
        shipped_profiles as shipped_profiles,
    )
    from heapwire.kernel.description.quantity import quantity_name as quantity_name
    from heapwire.kernel.description.rgb_pairs import rgb_and_yuv as rgb_and_yuv
    from heapwire.kernel.description.stated_facts import (
        DeviceFact as DeviceFact,
        MemoryFact as MemoryFact,
        read_device_facts as read_device_facts,
        read_memory_facts as read_memory_facts,
        with_facts as with_facts,
    )
    from heapwire.kernel.description.toml import (
        EnoughFaultsError as EnoughFaultsError,
        LineFault as LineFault,
        TomlFault as TomlFault,
        TomlFileError as TomlFileError,
        TomlPath as TomlPath,
        TomlTable as TomlTable,
        did_you_mean as did_you_mean,
        fault_line as fault_line,
        json_excess as json_excess,
        key_lines as key_lines,
        on_lines as on_lines,
        parse_toml as parse_toml,
        read_text_file as read_text_file,
    )
else:
    __getattr__, __dir__, __all__ = lazy_exports(
        __name__,
        {
            "device": (
                "Device DeviceKind KmsPlane PlaneType parse_usage scanout_sets usage_name "
                "with_facts_of with_facts_of_plane"
            ),
            "driver_profile": "Profile own_sources with_profiles",
            "drm_fourccs": "parse_known_fourcc",
            "file_constraint": "FileConstraint MachineNames NamedPairs NamedSources",
            "ladder": "Fact Overruled Resolution resolve",
            "link": "Link LinkKind",
            "memory_properties": "MemoryProperties",
            "platform": "Platform shipped",
            "platform_file": "PlatformFileError",
            "profile_file": (
                "ProfileFileError parse_profile profiles_of shipped_profile shipped_profiles"
            ),
            "quantity": "quantity_name",
            "rgb_pairs": "rgb_and_yuv",
            "stated_facts": "DeviceFact MemoryFact read_device_facts read_memory_facts with_facts",
            "toml": (
                "EnoughFaultsError LineFault TomlFault TomlFileError TomlPath TomlTable "
                "did_you_mean fault_line json_excess key_lines on_lines parse_toml read_text_file"
            ),
        },
    )
