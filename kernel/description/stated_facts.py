"""Facts: what somebody states about a machine because its kernel does not say it.

A fact is written as a platform file writes it, and holds for whatever machine
has a device or a memory of that name. `with_facts` adds facts to what was
discovered, with the provenance USER, which overrules all that was known of the same
(`ladder.py`). What they name and the machine lacks is a
note and no error: hardware comes and goes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from heapwire.kernel.description.device import (
    ANYTHING,
    Device,
    parse_usage,
    usage_name,
    with_facts_of,
)
from heapwire.kernel.description.file_constraint import (
    FileConstraint,
    MachineNames,
    read_file_constraints,
)
from heapwire.kernel.description.heap_number import heap_named
from heapwire.kernel.description.ladder import Fact
from heapwire.kernel.description.memory_properties import MemoryProperties, read_properties
from heapwire.kernel.description.platform import Platform
from heapwire.kernel.description.toml import (
    TomlFault,
    TomlPath,
    TomlTable,
    did_you_mean,
)
from heapwire.protocol import InputError, shown
from heapwire.protocol.late_dataclasses import dataclass, replace
from heapwire.protocol.values import (
    Constraint,
    Provenance,
    Source,
    SourceId,
    Usage,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceFact:
    """What devices need for one use.

    They are those of a `name`, of a `driver`, or of both; an empty text is any. A driver
    goes by its name in sysfs and by what DRM or V4L2 call it.
    `path` is where the use stands in its file.
    """

    name: str = ""
    driver: str = ""
    usage: Usage
    constraints: tuple[FileConstraint, ...]
    path: TomlPath = ()

    def speaks_of(self, device: Device) -> bool:
        """Whether a device is one of those, for this use or not."""
        names = ("", device.driver, device.api_driver)
        return self.name in ("", device.name) and self.driver in names


@dataclass(frozen=True, slots=True, kw_only=True)
class MemoryFact:
    """What a source of memory is like. `path` is where it stands in its file."""

    name: str
    properties: MemoryProperties
    path: TomlPath = ()


def read_device_facts(top: TomlTable) -> tuple[DeviceFact, ...]:
    """The `[[device]]` tables of a file, each use by itself."""
    facts: list[DeviceFact] = []
    for table in top.tables("device"):
        name, driver = table.text("name"), table.text("driver")
        if not table.has("name") and not table.has("driver"):
            table.fault(None, "'name' is missing, or 'driver': which device this is about")
        if not table.has("use"):
            table.fault(None, "this states nothing: add [[device.use]]")
        for use in table.tables("use"):
            if not use.has("usage"):
                use.fault(None, "'usage' is missing: scanout, sampling, or both in a list")
            if not use.has("constraints"):
                use.fault(None, "'constraints' is missing: a list of what the device needs")
            usages = use.some("usage", parse_usage)
            constraints = read_file_constraints(use, "constraints")
            use.text("source")
            use.close()
            facts += [
                DeviceFact(
                    name=name,
                    driver=driver,
                    usage=Usage(number),
                    constraints=constraints,
                    path=use.path,
                )
                for number in usages
            ]
        table.text("source")
        table.close()
    return tuple(facts)


def read_memory_facts(top: TomlTable) -> tuple[MemoryFact, ...]:
    """The `[[memory]]` tables of a file."""
    facts: list[MemoryFact] = []
    for table in top.tables("memory"):
        name = table.required("name", "the name of the heap, as in /dev/dma_heap")
        before = len(table.faults)
        properties = read_properties(table)
        if properties == MemoryProperties() and len(table.faults) == before:
            table.fault(None, "this states nothing: what is it like?")
        facts.append(MemoryFact(name=name, properties=properties, path=table.path))
        table.text("source")
        table.close()
    return tuple(facts)


def with_facts(
    platform: Platform,
    *,
    memory: Iterable[MemoryFact] = (),
    devices: Iterable[DeviceFact] = (),
    tell: Callable[[TomlFault], str],
) -> Platform:
    """The platform with what the facts say beside what it knew of itself.

    Of memory a fact goes before what was known. `tell` puts a fact that does not
    apply here into words, for the platform's notes.
    """
    adding = _Adding(platform)
    for stated in memory:
        adding.add_memory(stated)
    for needed in devices:
        adding.add_device(needed)
    return replace(
        platform,
        sources=tuple(adding.sources),
        devices=tuple(adding.devices),
        absent=adding.absent,
        notes=(*platform.notes, *dict.fromkeys(map(tell, adding.mentions))),
    )


class _Adding:
    """One platform, and the facts that it has taken so far."""

    def __init__(self, platform: Platform) -> None:
        self.sources = list(platform.sources)
        self.devices = list(platform.devices)
        self.absent = dict(platform.absent)
        self.mentions: list[TomlFault] = []
        device_ids = {
            device.name: device.id for device in platform.devices if device.id is not None
        }
        self._names = MachineNames(self._source_named, device_ids)

    def add_memory(self, fact: MemoryFact) -> None:
        for index, source in enumerate(self.sources):
            if source.name == fact.name:
                self.sources[index] = _stated(source, fact.properties)
                return
        what = did_you_mean(fact.name, [source.name for source in self.sources])
        self._mention(fact.path, f"this machine has no memory {shown(fact.name)}: {what}")

    def add_device(self, fact: DeviceFact) -> None:
        spoken_of = [i for i, device in enumerate(self.devices) if fact.speaks_of(device)]
        able = [i for i in spoken_of if fact.usage in self.devices[i].sets]
        for index in able:
            device = self.devices[index]
            self.devices[index] = _needing(device, fact.usage, self._bound(fact, device))
        if not spoken_of:
            names_known = [device.name if fact.name else device.driver for device in self.devices]
            hint = did_you_mean(fact.name or fact.driver, dict.fromkeys(filter(None, names_known)))
            self._mention(fact.path[:2], f"this machine has no device {_called(fact)}: {hint}")
        elif not able:
            names = ", ".join(self.devices[i].name for i in spoken_of)
            self._mention(fact.path, f"{names}: not known to be for {usage_name(fact.usage)}")

    def _bound(self, fact: DeviceFact, device: Device) -> tuple[Constraint, ...]:
        constraints: list[Constraint] = []
        for written in fact.constraints:
            if written.without_iommu and device.iommu is True:
                continue
            try:
                constraints.append(written.bound(self._names, Provenance.USER))
            except InputError as error:
                self._mention((*written.path, "value"), f"{written.type.name}: {error}")
        return tuple(constraints)

    def _source_named(self, name: str, path: TomlPath) -> SourceId:
        for source in self.sources:
            if source.name == name:
                return source.id
        self._mention(path, f"this machine has no memory {shown(name)}")
        for id_, absent_name in self.absent.items():
            if absent_name == name:
                return id_
        id_ = heap_named(name, (*self.absent, *(source.id for source in self.sources)))
        self.absent[id_] = name
        return id_

    def _mention(self, path: TomlPath, text: str) -> None:
        self.mentions.append(TomlFault(path, text))


def _called(fact: DeviceFact) -> str:
    by_driver = f"of the driver {shown(fact.driver)}" if fact.driver else ""
    return f"{shown(fact.name)} {by_driver}".rstrip() if fact.name else by_driver


def _stated(source: Source, properties: MemoryProperties) -> Source:
    given = ((name, getattr(properties, name)) for name in MemoryProperties.__slots__)
    stated: dict[str, Any] = {name: value for name, value in given if value is not None}
    provenance = {**source.provenance, **dict.fromkeys(stated, Provenance.USER)}
    return replace(source, **stated, provenance=provenance)


def _needing(device: Device, usage: Usage, more: tuple[Constraint, ...]) -> Device:
    """The device with what somebody states about a use in place of what was known of that.

    One that can use anything has no set; it gets one for any format.
    """
    if not more:
        return device
    sets = device.sets[usage] or (ANYTHING,)
    stated = replace(device, sets={**device.sets, usage: sets})
    return with_facts_of(stated, usage, (Fact(constraint=constraint) for constraint in more))
