"""Reading a platform file: TOML in, a `Platform`'s parts out, or all of its faults.

The format is described in docs/platforms.md. Files name things and never
number them: a (major, minor) pair is good for one boot of one machine. The
pairs of a simulated platform are made up here, with the majors that Linux gives
them: a heap's from its name, a device's from its place in the file.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import suppress

from heapwire.kernel.description.device import (
    Device,
)
from heapwire.kernel.description.file_constraint import read_rung
from heapwire.kernel.description.file_device import DeviceReader, check_name
from heapwire.kernel.description.file_set import (
    MOST_COST,
    read_pairs,
)
from heapwire.kernel.description.heap_number import heap_named
from heapwire.kernel.description.link import Link, LinkKind
from heapwire.kernel.description.memory_properties import UNKNOWN, read_properties, read_rungs
from heapwire.kernel.description.toml import (
    MOST_FAULTS,
    EnoughFaultsError,
    TomlFault,
    TomlFileError,
    TomlPath,
    TomlTable,
    did_you_mean,
    fault_line,
    key_lines,
    on_lines,
    parse_toml,
)
from heapwire.kernel.memory import simulated_name_fault
from heapwire.protocol import InputError, shown
from heapwire.protocol.late_dataclasses import dataclass, field
from heapwire.protocol.values import (
    PAGE_SIZE,
    DeviceId,
    FormatModifier,
    Place,
    Provenance,
    Source,
    SourceId,
    SourceKind,
    Topology,
)

# Documentation/admin-guide/devices.txt; udmabuf's minor is dynamic (MISC_DYNAMIC_MINOR).
_DRM_MAJOR, _FIRST_RENDER_MINOR = 226, 128
_VIDEO_MAJOR = 81
_MISC_MAJOR, _UDMABUF_MINOR = 10, 126

_KINDS = {kind.name.lower(): kind for kind in SourceKind}


class PlatformFileError(TomlFileError):
    """A platform file that is wrong; the message has one line for each fault."""


@dataclass(slots=True, kw_only=True)
class PlatformParts:
    """What a platform file says. `absent` names memory that it speaks of and does not have."""

    name: str
    title: str = ""
    sources: tuple[Source, ...] = ()
    devices: tuple[Device, ...] = ()
    links: tuple[Link, ...] = ()
    topology: Topology = field(default_factory=Topology)
    format_costs: dict[FormatModifier, int] = field(default_factory=dict)
    absent: dict[SourceId, str] = field(default_factory=dict)
    notes: tuple[str, ...] = ()


def read_platform(text: str, *, file: str, name: str) -> PlatformParts:
    """The parts of a platform from the text of its file.

    `file` is what faults call it and `name` the platform's name if it gives
    none itself. Raises `PlatformFileError` with all the faults that it has.
    """
    data = parse_toml(text, file=file, error=PlatformFileError)
    return platform_of(data, file=file, lines=lambda: key_lines(text), name=name)


def platform_of(
    data: Mapping[str, object],
    *,
    file: str,
    lines: Callable[[], Mapping[TomlPath, int]],
    name: str,
) -> PlatformParts:
    """As `read_platform`, of what a file says; `lines` is asked where that stands, if need be."""
    faults: list[TomlFault] = []
    reader = _Reader(TomlTable(data, (), faults), name)
    parts = PlatformParts(name=name)
    with suppress(EnoughFaultsError):
        parts = reader.read()
    if not faults and not reader.mentions:
        return parts
    placed = lines()
    if faults:
        raise PlatformFileError(file, on_lines(faults, placed))
    parts.notes = tuple(fault_line(mention, file=file, lines=placed) for mention in reader.mentions)
    return parts


class _Reader:
    """Reads one file: names first, then everything that refers to them."""

    def __init__(self, top: TomlTable, name: str) -> None:
        self._top = top
        self._name = name
        self._sources: dict[str, SourceId] = {}
        self._absent: dict[str, SourceId] = {}
        self._taken: set[SourceId] = set()
        self._devices = DeviceReader(self._source_named, self._mention)
        self.mentions: list[TomlFault] = []

    def read(self) -> PlatformParts:
        top = self._top
        if top.is_empty:
            top.fault(None, "the file is empty: a machine has [[memory]] and [[device]]")
        parts = PlatformParts(name=top.text("name", self._name), title=top.text("title"))
        check_name(top, parts.name)
        top.text("source")
        devices = [(table, self._devices.read(table)) for table in top.tables("device")]
        parts.sources = tuple(self._memory(table) for table in top.tables("memory"))
        parts.devices = tuple(self._devices.with_uses(table, device) for table, device in devices)
        parts.links = tuple(self._link(table) for table in top.tables("link"))
        parts.topology = Topology(
            places={d.id: d.place for d in parts.devices if d.id and d.place != Place()},
            peer_links=frozenset(map(self._peer_link, top.tables("peer-link"))),
        )
        for table in top.tables("format-cost"):
            parts.format_costs.update(self._format_cost(table))
        top.close()
        parts.absent = {source: name for name, source in self._absent.items()}
        return parts

    def _memory(self, table: TomlTable) -> Source:
        name = table.required("name", "the name of the heap, as in /dev/dma_heap")
        kind_name = table.text("kind", "heap")
        kind = _KINDS.get(kind_name)
        if kind is None:
            table.fault("kind", f"{shown(kind_name)} is unknown: {did_you_mean(kind_name, _KINDS)}")
            kind = SourceKind.HEAP
        owner = self._owner(table, required=kind is SourceKind.DEVICE)
        check_name(table, name)
        bad_name = simulated_name_fault(name)
        if bad_name is not None:
            table.fault("name", bad_name)
        if name in self._sources:
            table.fault("name", f"there is a memory {shown(name)} already")
        id_ = self._source_id(kind, name, owner)
        if kind is not SourceKind.HEAP and id_ in self._sources.values():
            whose = "udmabuf" if kind is SourceKind.UDMABUF else "this device"
            table.fault("kind", f"there is a memory of {whose} already")
        self._sources.setdefault(name, id_)
        is_unknown = table.raw("protected") == UNKNOWN
        given = read_properties(table)
        source = Source(
            id=id_,
            name=name,
            contiguous=given.contiguous,
            address_range=given.address_range,
            alignment=given.alignment or PAGE_SIZE,
            capacity=given.capacity,
            cached=given.cached,
            protected=None if is_unknown else given.protected is True,
            mappable=given.mappable is not False,
            numa_node=given.numa_node,
            device_local=owner,
            substitutes_for=table.texts("substitutes-for"),
            area=given.area or "",
            rows_only=given.rows_only is True,
            provenance=read_rungs(table.table("rungs")),
        )
        table.text("source")
        table.close()
        return source

    def _owner(self, table: TomlTable, *, required: bool) -> DeviceId | None:
        name = table.text("device")
        if not name:
            if required:
                table.fault(None, "'device' is missing: the device whose own memory this is")
            return None
        owner = self._devices.ids.get(name)
        if owner is None:
            table.fault(
                "device", f"there is no such device: {did_you_mean(name, self._devices.ids)}"
            )
        return owner

    def _source_id(self, kind: SourceKind, name: str, owner: DeviceId | None) -> SourceId:
        match kind:
            case SourceKind.DEVICE if owner is not None:
                return SourceId.device(owner)
            case SourceKind.UDMABUF:
                return SourceId(kind, _MISC_MAJOR, _UDMABUF_MINOR)
            case _:
                return self._heap_id(name)

    def _heap_id(self, name: str) -> SourceId:
        """The number of a heap, there or not; no two tables and names can be more than 4096."""
        number = heap_named(name, self._taken)
        self._taken.add(number)
        return number

    def _mention(self, path: TomlPath, text: str) -> None:
        if len(self.mentions) < MOST_FAULTS:
            self.mentions.append(TomlFault(path, text))

    def _source_named(self, name: str, path: TomlPath) -> SourceId:
        """The number of a memory; one that the platform lacks has a number that nothing has."""
        number = self._sources.get(name) or self._absent.get(name)
        if name not in self._sources:
            self._mention(path, f"this platform has no memory {shown(name)}")
        if number is None:
            number = self._heap_id(name)
            self._absent[name] = number
        return number

    def _link(self, table: TomlTable) -> Link:
        device = table.required("device", "the device that names the memory")
        if device and device not in self._devices.names:
            names = sorted(self._devices.names)
            table.fault("device", f"there is no such device: {did_you_mean(device, names)}")
        source = table.required("memory", "the memory that the device names")
        if source:
            try:
                self._source_named(source, (*table.path, "memory"))
            except InputError as error:
                table.fault("memory", str(error))
        link = Link(
            device=device,
            source=source,
            rank=table.integer("rank") or 0,
            kind=table.choice("kind", LinkKind, LinkKind.PREFERRED),
            provenance=read_rung(table, "rung") or Provenance.PROFILE,
        )
        table.text("source")
        table.close()
        return link

    def _peer_link(self, table: TomlTable) -> frozenset[DeviceId]:
        names = table.texts("devices")
        ends = [self._devices.ids.get(name) for name in names]
        for name, end in zip(names, ends, strict=True):
            if end is None:
                hint = did_you_mean(name, self._devices.ids)
                table.fault("devices", f"there is no device {shown(name)}: {hint}")
        if len(set(names)) != 2:
            table.fault("devices", "a peer link has two ends: name two devices")
        table.text("source")
        table.close()
        return frozenset(end for end in ends if end is not None)

    def _format_cost(self, table: TomlTable) -> dict[FormatModifier, int]:
        cost = table.integer("cost", MOST_COST)
        if cost is None:
            table.fault(None, "'cost' is missing: a number, 0 the best")
        pairs = read_pairs(table)
        table.text("source")
        table.close()
        return dict.fromkeys(pairs, cost or 0)
