"""Reading a platform file: TOML in, a `Platform`'s parts out, or all of its faults.

The format is described in docs/platforms.md. Files name things and never
number them: a (major, minor) pair is good for one boot of one machine. The
pairs of a simulated platform are made up here, with the majors that Linux gives
them: a heap's from its name, a device's from its place in the file.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, field, replace

from heapwire.kernel.description.device import (
    Device,
    DeviceKind,
    KmsPlane,
    PlaneType,
    parse_usage,
    usage_name,
)
from heapwire.kernel.description.file_constraint import MachineNames, read_constraints
from heapwire.kernel.description.file_set import (
    MOST_COST,
    MOST_SETS,
    SetReader,
    check_planes,
    on_planes,
    read_pairs,
)
from heapwire.kernel.description.heap_number import heap_named
from heapwire.kernel.description.link import Link, LinkKind
from heapwire.kernel.description.memory_properties import MOST_NODE, read_properties
from heapwire.kernel.description.toml_file import TomlFileError, fault_line, on_lines, parse_toml
from heapwire.kernel.description.toml_position import TomlPath, key_lines
from heapwire.kernel.description.toml_table import (
    MOST_FAULTS,
    EnoughFaultsError,
    TomlFault,
    TomlTable,
    did_you_mean,
)
from heapwire.kernel.memory import simulated_name_fault
from heapwire.protocol import InputError, shown
from heapwire.protocol.values import (
    PAGE_SIZE,
    ConstraintSet,
    DeviceId,
    FormatModifier,
    Place,
    Source,
    SourceId,
    SourceKind,
    Topology,
    Usage,
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


def read_platform(text: str, *, file: str, name: str, iommu: bool | None = None) -> PlatformParts:
    """The parts of a platform from the text of its file.

    `file` is what faults call it and `name` the platform's name if it gives
    none itself. `iommu` stands in for what the file says of each device's
    IOMMU. Raises `PlatformFileError` with all the faults that it has.
    """
    data = parse_toml(text, file=file, error=PlatformFileError)
    faults: list[TomlFault] = []
    reader = _Reader(TomlTable(data, (), faults), name, iommu)
    parts = PlatformParts(name=name)
    with suppress(EnoughFaultsError):
        parts = reader.read()
    if not faults and not reader.mentions:
        return parts
    lines = key_lines(text)
    if faults:
        raise PlatformFileError(file, on_lines(faults, lines))
    parts.notes = tuple(fault_line(mention, file=file, lines=lines) for mention in reader.mentions)
    return parts


class _Reader:
    """Reads one file: names first, then everything that refers to them."""

    def __init__(self, top: TomlTable, name: str, iommu: bool | None) -> None:
        self._top = top
        self._iommu = iommu
        self._name = name
        self._sources: dict[str, SourceId] = {}
        self._devices: dict[str, DeviceId] = {}
        self._device_names: set[str] = set()
        self._absent: dict[str, SourceId] = {}
        self._taken: set[SourceId] = set()
        self._sets = SetReader(MachineNames(self._source_named, self._devices))
        self._numbers = {_DRM_MAJOR: 0, _FIRST_RENDER_MINOR: 0, _VIDEO_MAJOR: 0}
        self.mentions: list[TomlFault] = []

    def read(self) -> PlatformParts:
        top = self._top
        if top.is_empty:
            top.fault(None, "the file is empty: a machine has [[memory]] and [[device]]")
        parts = PlatformParts(name=top.text("name", self._name), title=top.text("title"))
        _check_name(top, parts.name)
        top.text("source")
        devices = [(table, self._device(table)) for table in top.tables("device")]
        parts.sources = tuple(self._memory(table) for table in top.tables("memory"))
        parts.devices = tuple(self._with_uses(table, device) for table, device in devices)
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

    def _device(self, table: TomlTable) -> Device:
        name = table.required("name", "what the platform calls the device")
        kind = table.choice("kind", DeviceKind, DeviceKind.CPU)
        if not table.has("kind"):
            table.fault(None, f"'kind' is missing: one of {', '.join(DeviceKind)}")
        _check_name(table, name)
        if name in self._device_names:
            table.fault("name", f"there is a device {shown(name)} already")
        self._device_names.add(name)
        id_ = self._device_id(kind)
        if id_ is not None:
            self._devices.setdefault(name, id_)
        path = table.text("place")
        iommu = table.flag("iommu")
        return Device(
            id=id_,
            name=name,
            kind=kind,
            driver=table.text("driver"),
            title=table.text("title"),
            place=Place(
                tuple(path.split("/")) if path else (), table.integer("numa-node", MOST_NODE)
            ),
            iommu=iommu if self._iommu is None else self._iommu,
        )

    def _device_id(self, kind: DeviceKind) -> DeviceId | None:
        match kind:
            case DeviceKind.CPU:
                return None
            case DeviceKind.DISPLAY:
                return DeviceId(_DRM_MAJOR, self._next(_DRM_MAJOR))
            case DeviceKind.GPU:
                return DeviceId(_DRM_MAJOR, _FIRST_RENDER_MINOR + self._next(_FIRST_RENDER_MINOR))
            case _:
                return DeviceId(_VIDEO_MAJOR, self._next(_VIDEO_MAJOR))

    def _next(self, series: int) -> int:
        number = self._numbers[series]
        self._numbers[series] = number + 1
        return number

    def _memory(self, table: TomlTable) -> Source:
        name = table.required("name", "the name of the heap, as in /dev/dma_heap")
        kind_name = table.text("kind", "heap")
        kind = _KINDS.get(kind_name)
        if kind is None:
            table.fault("kind", f"{shown(kind_name)} is unknown: {did_you_mean(kind_name, _KINDS)}")
            kind = SourceKind.HEAP
        owner = self._owner(table, required=kind is SourceKind.DEVICE)
        _check_name(table, name)
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
        given = read_properties(table)
        source = Source(
            id=id_,
            name=name,
            contiguous=given.contiguous,
            address_range=given.address_range,
            alignment=given.alignment or PAGE_SIZE,
            capacity=given.capacity,
            cached=given.cached,
            protected=given.protected is True,
            numa_node=given.numa_node,
            device_local=owner,
            substitutes_for=table.texts("substitutes-for"),
            area=given.area or "",
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
        owner = self._devices.get(name)
        if owner is None:
            table.fault("device", f"there is no such device: {did_you_mean(name, self._devices)}")
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

    def _source_named(self, name: str, path: TomlPath) -> SourceId:
        """The number of a memory; one that the platform lacks has a number that nothing has."""
        number = self._sources.get(name) or self._absent.get(name)
        if name not in self._sources and len(self.mentions) < MOST_FAULTS:
            self.mentions.append(TomlFault(path, f"this platform has no memory {shown(name)}"))
        if number is None:
            number = self._heap_id(name)
            self._absent[name] = number
        return number

    def _with_uses(self, table: TomlTable, device: Device) -> Device:
        planes: dict[str, KmsPlane] = {}
        for row in table.tables("kms-planes"):
            plane = _kms_plane(row)
            if plane.name in planes:
                row.fault("name", f"there is a plane {shown(plane.name)} already")
            planes[plane.name] = plane
        if planes and device.kind is not DeviceKind.DISPLAY:
            table.fault("kms-planes", "only a display has planes")
        sets: dict[Usage, tuple[ConstraintSet, ...]] = {}
        for use in table.tables("use"):
            usages, sets_of_use = self._use(use, device, planes)
            for usage in usages:
                if usage in sets:
                    use.fault("usage", f"{usage_name(usage)} is described already")
                sets[usage] = sets_of_use
        table.text("source")
        table.close()
        return replace(device, sets=sets, planes=tuple(planes.values()))

    def _use(
        self, table: TomlTable, device: Device, planes: dict[str, KmsPlane]
    ) -> tuple[list[Usage], tuple[ConstraintSet, ...]]:
        if not table.has("usage"):
            table.fault(None, f"'usage' is missing: one of {', '.join(map(usage_name, Usage))}")
        usages = [Usage(number) for number in table.some("usage", parse_usage)]
        names = MachineNames(self._source_named, self._devices)
        common = read_constraints(table, "constraints", names, iommu=device.iommu)
        sets: list[ConstraintSet] = []
        for row in table.tables("set", MOST_SETS):
            constraint_set = self._sets.constraint_set(row, common, iommu=device.iommu)
            sets.append(constraint_set)
            for name in on_planes(row, planes):
                planes[name] = replace(planes[name], sets=(*planes[name].sets, constraint_set))
        if common and not sets:
            table.fault(None, "these constraints hold for no format: add a set with formats")
        check_planes(table, (pair for each in sets for pair in each.formats))
        table.close()
        return usages, tuple(dict.fromkeys(sets))

    def _link(self, table: TomlTable) -> Link:
        device = table.required("device", "the device that names the memory")
        if device and device not in self._device_names:
            names = sorted(self._device_names)
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
        )
        table.text("source")
        table.close()
        return link

    def _peer_link(self, table: TomlTable) -> frozenset[DeviceId]:
        names = table.texts("devices")
        ends = [self._devices.get(name) for name in names]
        for name, end in zip(names, ends, strict=True):
            if end is None:
                hint = did_you_mean(name, self._devices)
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


def _check_name(table: TomlTable, name: str) -> None:
    """Note a name that is no name of a file: that of a heap or of a device's node is one."""
    if "/" in name:
        table.fault("name", f"{shown(name)} has a '/' in it, which no name of a node has")


def _kms_plane(table: TomlTable) -> KmsPlane:
    name = table.required("name", "what the platform calls the plane")
    plane = KmsPlane(name=name, type=table.choice("type", PlaneType, PlaneType.OVERLAY))
    table.text("source")
    table.close()
    return plane
