"""A platform as its file would have it: tables of what docs/platforms.md describes.

Everything that the answers depend on is in it, each fact with its rung: what a
machine said of itself can be read back elsewhere. Numbers of nodes are not, they
are good for one boot.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TypeAlias

from heapwire.kernel.description import (
    Device,
    KmsPlane,
    Link,
    Platform,
    parse_known_fourcc,
    usage_name,
)
from heapwire.kernel.video import v4l2_format_name
from heapwire.protocol import InputError
from heapwire.protocol.values import (
    ANY_FOURCC,
    ANY_MODIFIER,
    PAGE_SIZE,
    REGISTRY,
    Constraint,
    ConstraintSet,
    ConstraintType,
    DeviceId,
    Provenance,
    Source,
    SourceId,
    SourceKind,
    Usage,
    ValueKind,
    fourcc_name,
    modifier_name,
)

Data: TypeAlias = "Mapping[str, Data] | Sequence[Data] | str | int | bool"
"""What a TOML or JSON text can hold, without fractions, dates and null."""
Table: TypeAlias = dict[str, Data]
"""One table of it: keys and what stands under them."""


def platform_data(platform: Platform) -> Table:
    """The tables of a platform's file."""
    return _Writer(platform).data()


class _Writer:
    """Writes one platform; memory and devices go by their names."""

    def __init__(self, platform: Platform) -> None:
        self._platform = platform
        self._devices = {device.id: device.name for device in platform.devices if device.id}

    def data(self) -> Table:
        platform = self._platform
        table: Table = {"name": platform.name}
        _add(table, "title", platform.title)
        _add(table, "memory", [self._memory(source) for source in platform.sources])
        _add(table, "device", [self._device(device) for device in platform.devices])
        _add(table, "link", [_link(link) for link in platform.links])
        ends = (sorted(self._devices[end] for end in ends) for ends in platform.topology.peer_links)
        _add(table, "peer-link", [{"devices": [*pair]} for pair in sorted(ends)])
        _add(
            table,
            "format-cost",
            [
                {**_pairs(pairs), "cost": cost}
                for pair, cost in sorted(platform.format_costs.items())
                for pairs in [((pair.fourcc,), (pair.modifier,))]
            ],
        )
        return table

    def _memory(self, source: Source) -> Table:
        table: Table = {"name": source.name}
        if source.id.kind is not SourceKind.HEAP:
            table["kind"] = source.id.kind.name.lower()
        owner = source.device_local
        if owner is None and source.id.kind is SourceKind.DEVICE:
            owner = DeviceId(source.id.major, source.id.minor)
        _add(table, "device", self._devices.get(owner, "") if owner is not None else "")
        _add_known(table, "contiguous", source.contiguous)
        if source.address_range is not None:
            first, last = source.address_range
            table["addresses"] = [f"{first:#x}", f"{last:#x}"]
        if source.alignment != PAGE_SIZE:
            table["alignment"] = source.alignment
        _add_known(table, "capacity", source.capacity)
        _add_known(table, "cached", source.cached)
        if source.protected is not False:
            table["protected"] = "unknown" if source.protected is None else True
        _add_known(table, "mappable", None if source.mappable else False)
        _add_known(table, "numa-node", source.numa_node)
        _add(table, "substitutes-for", [*source.substitutes_for])
        _add(table, "area", source.area)
        _add(table, "rows-only", source.rows_only)
        rungs: Table = {
            _key_of(fact): provenance.name.lower()
            for fact, provenance in source.provenance.items()
            if provenance is not Provenance.PROFILE
        }
        _add(table, "rungs", rungs)
        return table

    def _device(self, device: Device) -> Table:
        table: Table = {"name": device.name, "kind": device.kind.value}
        _add(table, "driver", device.driver)
        _add(table, "api-driver", device.api_driver)
        _add(table, "compatibles", [*device.compatibles])
        _add(table, "title", device.title)
        place = device.place
        if device.id is not None:
            place = self._platform.topology.places.get(device.id, place)
        _add(table, "place", "/".join(place.path))
        _add_known(table, "numa-node", place.numa_node)
        _add_known(table, "iommu", device.iommu)
        _add(table, "bitstreams", [v4l2_format_name(code) for code in device.bitstreams])
        _add(table, "kms-planes", [_plane(plane) for plane in device.planes])
        _add(table, "use", [self._use(device, usage) for usage in device.usages])
        return table

    def _use(self, device: Device, usage: Usage) -> Table:
        sets = device.sets[usage]
        planes: dict[ConstraintSet, list[KmsPlane]] = {}
        if usage is Usage.SCANOUT and device.planes:
            for plane in device.planes:
                for constraint_set in plane.sets:
                    planes.setdefault(constraint_set, []).append(plane)
            sets = tuple(dict.fromkeys((*sets, *planes)))
        table: Table = {"usage": usage_name(usage)}
        first = sets[0].constraints if sets else ()
        common = [each for each in first if all(each in one.constraints for one in sets)]
        _add(table, "constraints", [self._constraint(constraint) for constraint in common])
        rows: list[Data] = []
        for constraint_set in sets:
            own = [c for c in constraint_set.constraints if c not in common]
            for pairs, cost in _grouped(constraint_set):
                row = _pairs(pairs)
                _add(row, "constraints", [self._constraint(constraint) for constraint in own])
                _add(row, "cost", cost)
                on = planes.get(constraint_set, [])
                if len(on) < len(device.planes):
                    _add(row, "kms-planes", [plane.name for plane in on])
                if constraint_set.provenance not in (None, Provenance.PROFILE):
                    row["rung"] = constraint_set.provenance.name.lower()
                _add(row, "source", constraint_set.source)
                rows.append(row)
        _add(table, "set", rows)
        return table

    def _constraint(self, constraint: Constraint) -> Data:
        row = REGISTRY[constraint.type]
        table: Table = {"type": row.name}
        if row.kind is not ValueKind.FLAG:
            table["value"] = self._value(row, constraint)
        planes: list[Data] = [plane for plane in range(4) if constraint.planes >> plane & 1]
        _add(table, "planes", planes)
        if not constraint.must_understand:
            table["must-understand"] = False
        if constraint.provenance is not Provenance.PROFILE:
            table["rung"] = constraint.provenance.name.lower()
        _add(table, "source", constraint.source)
        return table

    def _value(self, row: ConstraintType, constraint: Constraint) -> Data:
        match row.kind, constraint.value:
            case (_, int(number)):
                if row.kind is ValueKind.MASK:
                    return [name for bit, name in row.bits.items() if number >> bit & 1]
                return bool(number) if row.is_yes_or_no else number
            case (ValueKind.RANGE, (int(first), int(last))):
                return [f"{first:#x}", f"{last:#x}"]
            case (_, bytes(raw)):
                return raw.hex()
            case (_, tuple(entries)):
                sources = [e for e in entries if isinstance(e, SourceId)]
                if sources:
                    # Of a device that allocates nothing here no file can speak, nor need it.
                    here = {source.id for source in self._platform.sources}
                    named = [source for source in sources if source in here] or sources
                    return [self._platform.source_name(source) for source in named]
                pairs = {self._devices[e[0]]: int(e[1]) for e in entries if isinstance(e, tuple)}
                return {**pairs} if row.unit is not None else [*pairs]
        return []


def _key_of(fact: str) -> str:
    """What a file calls a property of `Source`."""
    return "addresses" if fact == "address_range" else fact.replace("_", "-")


def _plane(plane: KmsPlane) -> Table:
    table: Table = {"name": plane.name, "type": plane.type.value}
    _add_known(table, "crtcs", plane.crtcs)
    if plane.tearing is not None:
        alone = ConstraintSet(formats=plane.tearing)
        table["tearing"] = [_pairs(pairs) for pairs, _ in _grouped(alone)]
    return table


def _link(link: Link) -> Table:
    table: Table = {"device": link.device, "memory": link.source, "rank": link.rank}
    table["kind"] = link.kind.value
    if link.provenance is not Provenance.PROFILE:
        table["rung"] = link.provenance.name.lower()
    return table


def _grouped(
    constraint_set: ConstraintSet,
) -> Iterable[tuple[tuple[tuple[int, ...], tuple[int, ...]], int]]:
    """The formats of a set that have the same modifiers and cost, together."""
    costs = constraint_set.costs or (0,) * len(constraint_set.formats)
    modifiers: dict[tuple[int, int], list[int]] = {}
    for pair, cost in zip(constraint_set.formats, costs, strict=True):
        modifiers.setdefault((cost, pair.fourcc), []).append(pair.modifier)
    groups: dict[tuple[int, tuple[int, ...]], list[int]] = {}
    for (cost, code), those in modifiers.items():
        groups.setdefault((cost, tuple(those)), []).append(code)
    for (cost, same), codes in groups.items():
        yield (tuple(codes), same), cost


def _pairs(pairs: tuple[tuple[int, ...], tuple[int, ...]]) -> Table:
    codes, modifiers = pairs
    table: Table = {"formats": [_format(code) for code in codes]}
    if modifiers != (0,):
        table["modifiers"] = [
            "ANY" if modifier == ANY_MODIFIER else modifier_name(modifier) for modifier in modifiers
        ]
    return table


def _format(code: int) -> str:
    if code == ANY_FOURCC:
        return "ANY"
    name = fourcc_name(code)
    try:
        known = parse_known_fourcc(name) == code
    except InputError:
        known = False
    return name if known else f"{code:#010x}"


def _add(table: Table, key: str, value: Data) -> None:
    """Have a key where there is something to say."""
    if value:
        table[key] = value


def _add_known(table: Table, key: str, value: Data | None) -> None:
    if value is not None:
        table[key] = value
