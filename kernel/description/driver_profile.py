"""Profiles: what a driver's source tells of it, and the kernel that runs does not.

A profile is about one driver, or about the class of those that share helpers. Its
rows say what the driver demands of a buffer, each for some pairs of format and
modifier. A device has the profiles that match any of its names, and all that they
say of one of its pairs holds for that pair. Two rows of a profile that have the
same pair are alternatives.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from fnmatch import fnmatchcase
from functools import cache
from typing import TypeAlias

from heapwire.kernel.description.device import (
    ANYTHING,
    Device,
    DeviceKind,
    KmsPlane,
    PlaneType,
)
from heapwire.kernel.description.file_constraint import (
    FileConstraint,
    MachineNames,
    written_rung,
)
from heapwire.kernel.description.ladder import Fact, Overruled, Resolution, resolve
from heapwire.protocol.late_dataclasses import dataclass, replace
from heapwire.protocol.values import (
    ANY_FOURCC,
    ANY_MODIFIER,
    CONTIGUOUS,
    INVALID,
    LINEAR,
    PERMITTED_SOURCES,
    Constraint,
    ConstraintSet,
    FormatModifier,
    Provenance,
    SourceId,
    Usage,
)

Bind = Callable[[Iterable[FileConstraint]], tuple[Constraint, ...]]

# What rows have to be one set for: their demands, KMS planes and rung.
_Alike: TypeAlias = tuple[tuple[Constraint, ...], tuple[str, ...], Provenance | None]

MEMORY_TYPES = (CONTIGUOUS, PERMITTED_SOURCES)
"""The types of constraints that say which memory will do."""

USES_OF_KIND: Mapping[DeviceKind, tuple[Usage, ...]] = {
    DeviceKind.DISPLAY: (Usage.SCANOUT,),
    DeviceKind.GPU: (Usage.SAMPLING, Usage.RENDER),
    DeviceKind.DECODER: (Usage.DECODE,),
    DeviceKind.ENCODER: (Usage.ENCODE,),
    DeviceKind.CAMERA: (Usage.CAMERA,),
    DeviceKind.CONVERTER: (),
    DeviceKind.CPU: (),
}
"""What a device of a kind has a profile for: the display of a card does not sample."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ProfileRow:
    """What a driver demands for some pairs; `kms_planes` names those of its profile.

    `source` is where the pairs were read.
    """

    pairs: tuple[FormatModifier, ...]
    constraints: tuple[FileConstraint, ...] = ()
    cost: int = 0
    kms_planes: tuple[str, ...] = ()
    source: str = ""

    def covers(self, pair: FormatModifier) -> bool:
        """Whether it speaks of a pair. A driver without modifiers lays out rows as linear does."""
        modifier = LINEAR if pair.modifier == INVALID else pair.modifier
        return any(
            own.fourcc in (pair.fourcc, ANY_FOURCC) and own.modifier in (modifier, ANY_MODIFIER)
            for own in self.pairs
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class ProfileUse:
    """What a driver demands for a use: `constraints` of every pair, `rows` of some.

    `import_is_no_proof` says that the driver takes memory, and makes framebuffers of it, that it
    cannot show: it refuses it when a picture is to be shown, or shows something else.
    `takes_any_memory` says that no kind of memory is refused: having no requirement of memory is
    otherwise not to know of any.
    """

    constraints: tuple[FileConstraint, ...] = ()
    rows: tuple[ProfileRow, ...] = ()
    import_is_no_proof: bool = False
    takes_any_memory: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """What is known of a driver.

    It is for devices with one of the `drivers` of sysfs, one of the `api_drivers`
    that DRM or V4L2 tell, or one of the `compatibles`: a string of a device tree or
    a modalias of PCI, `*` and `?` as in file names. `extends` names profiles that
    hold wherever this one does.
    """

    name: str
    title: str = ""
    drivers: tuple[str, ...] = ()
    api_drivers: tuple[str, ...] = ()
    compatibles: tuple[str, ...] = ()
    extends: tuple[str, ...] = ()
    kms_planes: tuple[KmsPlane, ...] = ()
    uses: Mapping[Usage, ProfileUse]

    def speaks_of_all(self, usage: Usage) -> bool:
        """Whether it says something of every pair of a use."""
        use = self.uses.get(usage)
        return use is not None and bool(use.constraints)

    def speaks_of_memory(self, usage: Usage) -> bool:
        """Whether it says which memory will do for a use: some, or any."""
        use = self.uses.get(usage)
        return use is not None and (
            use.takes_any_memory or any(one.type in MEMORY_TYPES for one in use.constraints)
        )

    def planes_of_others(self, type_: PlaneType | None) -> frozenset[str]:
        """The names of its planes that are not of a type; none where it is not known."""
        if type_ is None:
            return frozenset()
        return frozenset(plane.name for plane in self.kms_planes if plane.type is not type_)

    def speaks_of(self, device: Device) -> bool:
        """Whether a device has one of its names."""
        return (
            device.driver in self.drivers
            or device.api_driver in self.api_drivers
            or any(
                _matches(own, pattern) for own in device.compatibles for pattern in self.compatibles
            )
        )


def _matches(name: str, pattern: str) -> bool:
    """Whether a name has a pattern; of hundreds nearly all begin otherwise, which costs little."""
    return name.startswith(_plain_beginning(pattern)) and fnmatchcase(name, pattern)


@cache
def _plain_beginning(pattern: str) -> str:
    return re.split(r"[*?[]", pattern, maxsplit=1)[0]


def own_sources(device: Device, devices: Iterable[Device]) -> tuple[SourceId, ...]:
    """Whatever allocates on a device itself: its node, and its GPU's of the same card."""
    ids = [device.id] if device.id is not None else []
    ids += [
        other.id
        for other in devices
        if other.id is not None and other.place.path and other.place.path == device.place.path
    ]
    return tuple(SourceId.device(one) for one in dict.fromkeys(ids))


def with_profiles(device: Device, profiles: Sequence[Profile], names: MachineNames) -> Device:
    """The device with what profiles say of each of its pairs, as far as nothing better is known.

    `names.itself` has the device's own sources.
    """
    sets: dict[Usage, tuple[ConstraintSet, ...]] = {}
    overruled = list(device.overruled)
    for usage, own in device.sets.items():
        anything = any(profile.speaks_of_all(usage) for profile in profiles)
        told = _overlaid(device, usage, own or (ANYTHING,) * anything, profiles, names)
        sets[usage] = told.sets
        overruled += told.overruled
    planes = tuple(
        replace(
            plane,
            sets=_overlaid(device, Usage.SCANOUT, plane.sets, profiles, names, plane.type).sets,
        )
        for plane in device.planes
    )
    return replace(device, sets=sets, planes=planes, overruled=tuple(dict.fromkeys(overruled)))


def profile_sets(
    device: Device, usage: Usage, profiles: Sequence[Profile], names: MachineNames
) -> tuple[tuple[ConstraintSet, tuple[str, ...]], ...]:
    """The sets that a device has by its profiles alone, each with the names of its KMS planes.

    The first profile that has rows for the use says which pairs there are, and the
    others what more they demand. The device's own sets do not count.
    """
    for profile in profiles:
        use = profile.uses.get(usage)
        if use is not None and use.rows:
            break
    else:
        return ()
    others = [other for other in profiles if other is not profile]
    bind = _binder(device, names)
    # Rows that demand the same are one set: the more sets, the more combinations to solve.
    alike: dict[_Alike, dict[FormatModifier, int]] = {}
    read_at: dict[_Alike, dict[str, None]] = {}
    for row in use.rows:
        said = ConstraintSet(
            formats=row.pairs,
            constraints=tuple(dict.fromkeys(bind((*use.constraints, *row.constraints)))),
            provenance=written_rung(row.source),
        )
        own = frozenset(bind(row.constraints))
        for one in _overlaid(device, usage, (said,), others, names).sets:
            # What holds for all of them comes first, whichever profile says it.
            told = tuple(sorted(one.constraints, key=own.__contains__))
            key = told, row.kms_planes, one.provenance
            pairs = alike.setdefault(key, {})
            for pair in one.formats:
                pairs.setdefault(pair, row.cost)
            if row.source:
                read_at.setdefault(key, {})[row.source] = None
    return tuple(
        (
            ConstraintSet(
                formats=tuple(pairs),
                constraints=constraints,
                costs=tuple(pairs.values()) if any(pairs.values()) else (),
                provenance=rung,
                source="; ".join(read_at.get((constraints, where, rung), ())),
            ),
            where,
        )
        for (constraints, where, rung), pairs in alike.items()
    )


def _overlaid(
    device: Device,
    usage: Usage,
    sets: tuple[ConstraintSet, ...],
    profiles: Iterable[Profile],
    names: MachineNames,
    plane: PlaneType | None = None,
) -> Resolution:
    """Sets, of a plane of some type or of any, with what profiles add, and what does not hold."""
    bind = _binder(device, names)
    overruled: list[Overruled] = []
    for profile in profiles:
        use = profile.uses.get(usage)
        if use is None:
            continue
        parts: list[ConstraintSet] = []
        for one in sets:
            for part, facts in _spoken_of(one, use, bind, profile.planes_of_others(plane)):
                told = resolve(usage, (part,), facts)
                parts += told.sets
                overruled += told.overruled
        sets = tuple(dict.fromkeys(parts))
    return Resolution(sets, tuple(overruled))


def _spoken_of(
    one: ConstraintSet, use: ProfileUse, bind: Bind, others: frozenset[str]
) -> Iterable[tuple[ConstraintSet, tuple[Fact, ...]]]:
    """The parts of a set that a use says the same of, each with what it says.

    Rows of planes that are all among `others` count where no other row has the pair.
    """
    common = tuple(Fact(constraint=constraint) for constraint in bind(use.constraints))
    rows = [
        (row, bind(row.constraints), bool(row.kms_planes) and others.issuperset(row.kms_planes))
        for row in use.rows
    ]
    parts: dict[tuple[Constraint, ...], dict[int, None]] = {}
    for position, pair in enumerate(one.formats):
        covering = [(demands, elsewhere) for row, demands, elsewhere in rows if row.covers(pair)]
        own = [demands for demands, elsewhere in covering if not elsewhere]
        for demands in own or [demands for demands, _ in covering] or [()]:
            parts.setdefault(demands, {})[position] = None
    for demands, positions in parts.items():
        pairs = tuple(one.formats[position] for position in positions)
        facts = (Fact(constraint=constraint, pairs=frozenset(pairs)) for constraint in demands)
        costs = tuple(one.costs[position] for position in positions) if one.costs else ()
        yield replace(one, formats=pairs, costs=costs), (*common, *facts)


def _binder(device: Device, names: MachineNames) -> Bind:
    def bind(written: Iterable[FileConstraint]) -> tuple[Constraint, ...]:
        return tuple(
            one.bound(names, Provenance.PROFILE)
            for one in written
            if not (one.without_iommu and device.iommu is True)
        )

    return bind
