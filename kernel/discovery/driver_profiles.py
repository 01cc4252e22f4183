"""The profiles of drivers, applied to the devices of this machine."""

from __future__ import annotations

from collections.abc import Iterable

from heapwire.kernel.description import (
    Device,
    Fact,
    MachineNames,
    TomlPath,
    own_sources,
    profiles_of,
    with_facts_of,
    with_profiles,
)
from heapwire.kernel.discovery.own_memory import own_source
from heapwire.kernel.discovery.presumption import presumed_own_memory
from heapwire.protocol import UsageError
from heapwire.protocol.values import PERMITTED_SOURCES, Source, SourceId, Usage


def profiled(
    devices: Iterable[Device], sources: Iterable[Source]
) -> tuple[list[Device], list[Source]]:
    """The devices with what their profiles say, and the sources that this asks for.

    Those are displays that scan out of nothing but what they allocate themselves, as a profile
    says or as is presumed.
    """
    listed = list(devices)
    known = {source.id for source in sources}
    found: list[Device] = []
    more: list[Source] = []
    for device in listed:
        itself = own_sources(device, listed)
        said = with_profiles(device, profiles_of(device), MachineNames(_no_memory, {}, itself))
        presumed = [Fact(constraint=one) for one in presumed_own_memory(device, itself)]
        if presumed:
            said = with_facts_of(said, Usage.SCANOUT, presumed)
        found.append(said)
        if device.id is None:
            continue
        own = own_source(device, device.id)
        if own.id not in known and _asks_for(said, own.id):
            more.append(own)
            known.add(own.id)
    return found, more


def speaks_of_memory(device: Device, usage: Usage) -> bool:
    """Whether a profile of a device says which memory it takes for a use: some, or any."""
    return any(profile.speaks_of_memory(usage) for profile in profiles_of(device))


def _asks_for(device: Device, source: SourceId) -> bool:
    return any(
        constraint.type == PERMITTED_SOURCES.type
        and isinstance(constraint.value, tuple)
        and source in constraint.value
        for sets in device.sets.values()
        for one in sets
        for constraint in one.constraints
    )


def _no_memory(name: str, path: TomlPath) -> SourceId:
    raise UsageError(f"a profile names the memory {name!r} at {path}")
