"""The devices of a platform file: what each is, its profiles, and its uses."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from heapwire.kernel.description.device import (
    Device,
    DeviceKind,
    KmsPlane,
    PlaneType,
    parse_usage,
    usage_name,
)
from heapwire.kernel.description.driver_profile import USES_OF_KIND, own_sources, profile_sets
from heapwire.kernel.description.file_constraint import MachineNames, read_constraints
from heapwire.kernel.description.file_set import (
    MOST_SETS,
    V4L2_USAGES,
    Mention,
    SetReader,
    check_planes,
    on_planes,
    read_pairs,
)
from heapwire.kernel.description.memory_properties import MOST_NODE
from heapwire.kernel.description.profile_file import profiles_named, shipped_profiles
from heapwire.kernel.description.toml import (
    TomlPath,
    TomlTable,
    did_you_mean,
)
from heapwire.protocol import InputError, shown
from heapwire.protocol.late_dataclasses import replace
from heapwire.protocol.values import (
    Constraint,
    ConstraintSet,
    DeviceId,
    FormatModifier,
    Place,
    SourceId,
    Usage,
    fourcc,
)

# Documentation/admin-guide/devices.txt
_DRM_MAJOR, _FIRST_RENDER_MINOR = 226, 128
_VIDEO_MAJOR = 81

_MOST_CRTCS = (1 << 32) - 1  # their mask has 32 bits (include/uapi/drm/drm_mode.h)


class DeviceReader:
    """Reads the devices of one file: first what there is, then what each is used for.

    `source_named` gives the number of a memory, told where its name stands, and `mention`
    tells whoever wrote the file what is no fault. `names` has the devices read so far, and
    `ids` those of them that have a node.
    """

    def __init__(self, source_named: Callable[[str, TomlPath], SourceId], mention: Mention) -> None:
        self.names: set[str] = set()
        self.ids: dict[str, DeviceId] = {}
        self._listed: list[Device] = []
        self._machine = MachineNames(source_named, self.ids)
        self._sets = SetReader(self._machine, mention)
        self._numbers = {_DRM_MAJOR: 0, _FIRST_RENDER_MINOR: 0, _VIDEO_MAJOR: 0}

    def read(self, table: TomlTable) -> Device:
        """A device without its uses, which may speak of memory."""
        name = table.required("name", "what the platform calls the device")
        kind = table.choice("kind", DeviceKind, DeviceKind.CPU)
        if not table.has("kind"):
            table.fault(None, f"'kind' is missing: one of {', '.join(DeviceKind)}")
        check_name(table, name)
        if name in self.names:
            table.fault("name", f"there is a device {shown(name)} already")
        self.names.add(name)
        id_ = self._device_id(kind)
        if id_ is not None:
            self.ids.setdefault(name, id_)
        path = table.text("place")
        device = Device(
            id=id_,
            name=name,
            kind=kind,
            driver=table.text("driver"),
            api_driver=table.text("api-driver"),
            compatibles=table.texts("compatibles"),
            title=table.text("title"),
            place=Place(
                tuple(path.split("/")) if path else (), table.integer("numa-node", MOST_NODE)
            ),
            iommu=table.flag("iommu"),
            bitstreams=table.each("bitstreams", _bitstream),
        )
        self._listed.append(device)
        return device

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

    def with_uses(self, table: TomlTable, device: Device) -> Device:
        """The device with its planes and what it is used for; ends its table."""
        planes: dict[str, KmsPlane] = {}
        if table.raw("kms-planes") == []:
            table.fault("kms-planes", "the list is empty: it stands for nothing")
        for row in table.tables("kms-planes"):
            plane = _kms_plane(row)
            if plane.name in planes:
                row.fault("name", f"there is a plane {shown(plane.name)} already")
            planes[plane.name] = plane
        if planes and device.kind is not DeviceKind.DISPLAY:
            table.fault("kms-planes", "only a display has planes")
        device = self._profiled(table, replace(device, planes=tuple(planes.values())))
        of_profile = device.sets
        for use in table.tables("use"):
            device = self._with_use(use, device, of_profile)
        table.text("source")
        table.close()
        return device

    def _profiled(self, table: TomlTable, device: Device) -> Device:
        """The device with the planes and sets of the profiles that its table names."""
        named = table.texts("profile")
        for name in named:
            if name not in shipped_profiles():
                hint = did_you_mean(name, shipped_profiles())
                table.fault("profile", f"there is no profile {shown(name)}: {hint}")
        profiles = profiles_named(name for name in named if name in shipped_profiles())
        # A profile may be of a driver of more than a display: only that has its planes.
        shows = profiles if device.kind is DeviceKind.DISPLAY else ()
        planes = {plane.name: plane for one in shows for plane in one.kms_planes}
        if planes and device.planes:
            table.fault("kms-planes", "the profile has the planes: leave them out")
        planes = planes or {plane.name: plane for plane in device.planes}
        names = replace(self._machine, itself=own_sources(device, self._listed))
        sets: dict[Usage, tuple[ConstraintSet, ...]] = {}
        for usage in USES_OF_KIND[device.kind] if profiles else ():
            known = profile_sets(device, usage, profiles, names)
            if not known:
                table.fault("profile", f"it has no rows for {usage_name(usage)}")
            sets[usage] = tuple(dict.fromkeys(one for one, _ in known))
            for one, where in known:
                if planes:
                    _show_on(planes, where or tuple(planes), one)
        return replace(
            device,
            driver=device.driver or _only(profile.drivers for profile in profiles),
            api_driver=device.api_driver or _only(profile.api_drivers for profile in profiles),
            sets=sets,
            planes=tuple(planes.values()),
        )

    def _with_use(
        self, table: TomlTable, device: Device, of_profile: Mapping[Usage, object]
    ) -> Device:
        if not table.has("usage"):
            table.fault(None, f"'usage' is missing: one of {', '.join(map(usage_name, Usage))}")
        usages = [Usage(number) for number in table.some("usage", parse_usage)]
        common = read_constraints(table, "constraints", self._machine, iommu=device.iommu)
        planes = {plane.name: plane for plane in device.planes}
        sets: list[ConstraintSet] = []
        for row in table.tables("set", MOST_SETS):
            constraint_set = self._sets.constraint_set(
                row,
                common,
                iommu=device.iommu,
                makes_or_takes=any(usage in V4L2_USAGES for usage in usages),
            )
            on = on_planes(row, planes)
            # What only a cursor shows is no way to show a picture.
            if not on or any(planes[name].type is not PlaneType.CURSOR for name in on):
                sets.append(constraint_set)
            _show_on(planes, on, constraint_set)
        added = [usage for usage in usages if usage in of_profile]
        if added and sets:
            table.fault("set", f"the profile has the sets for {usage_name(added[0])}")
        if common and not sets and not added:
            table.fault(None, "these constraints hold for no format: add a set with formats")
        check_planes(table, (pair for each in sets for pair in each.formats))
        table.close()
        device = replace(device, planes=tuple(planes.values()))
        for usage in usages:
            if usage in added:
                device = _adding(device, usage, common)
                continue
            if usage in device.sets:
                table.fault("usage", f"{usage_name(usage)} is described already")
            own = {usage: tuple(dict.fromkeys(sets))}
            device = replace(device, sets={**device.sets, **own})
        return device


def _bitstream(text: str) -> int:
    """V4L2's fourcc of a bitstream, whose last characters may be spaces that are left out."""
    if len(text) > 4 or not all(" " <= letter <= "~" for letter in text):
        raise InputError(f"{shown(text)} is not a fourcc of V4L2's, such as H264")
    return fourcc(text.ljust(4))


def check_name(table: TomlTable, name: str) -> None:
    """Note a name that is no name of a file: that of a heap or of a device's node is one."""
    if "/" in name:
        table.fault("name", f"{shown(name)} has a '/' in it, which no name of a node has")


def _show_on(planes: dict[str, KmsPlane], names: Iterable[str], one: ConstraintSet) -> None:
    """Put a set on some of the planes."""
    for name in names:
        planes[name] = replace(planes[name], sets=(*planes[name].sets, one))


def _only(names: Iterable[tuple[str, ...]]) -> str:
    """The name in the first of these that has just one: a profile of a class has many."""
    return next((each[0] for each in names if len(each) == 1), "")


def _kms_plane(table: TomlTable) -> KmsPlane:
    name = table.required("name", "what the platform calls the plane")
    plane = KmsPlane(
        name=name,
        type=table.choice("type", PlaneType, PlaneType.OVERLAY),
        crtcs=table.integer("crtcs", _MOST_CRTCS),
        tearing=_tearing(table) if table.has("tearing") else None,
    )
    table.text("source")
    table.close()
    return plane


def _tearing(table: TomlTable) -> tuple[FormatModifier, ...]:
    """What may be flipped to at once: formats and modifiers as in a set, none in an empty list."""
    pairs: list[FormatModifier] = []
    for row in table.tables("tearing"):
        pairs += read_pairs(row)
        row.close()
    return tuple(dict.fromkeys(pairs))


def _adding(device: Device, usage: Usage, more: tuple[Constraint, ...]) -> Device:
    """The device with more constraints on each of its sets for a use."""

    def with_more(one: ConstraintSet) -> ConstraintSet:
        return replace(one, constraints=(*one.constraints, *more))

    planes = device.planes
    if usage is Usage.SCANOUT:
        planes = tuple(replace(p, sets=tuple(map(with_more, p.sets))) for p in planes)
    sets = tuple(map(with_more, device.sets[usage]))
    return replace(device, sets={**device.sets, usage: sets}, planes=planes)
