"""A device of the machine: a display engine, a GPU, a codec, a camera, or the CPU."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from enum import StrEnum

from heapwire.kernel.description.ladder import Fact, Overruled, resolve
from heapwire.protocol import InputError, shown
from heapwire.protocol.late_dataclasses import dataclass, field, replace
from heapwire.protocol.values import (
    ANY_FOURCC,
    ANY_MODIFIER,
    ConstraintSet,
    DeviceId,
    FormatModifier,
    Place,
    Provenance,
    Usage,
)

ANYTHING = ConstraintSet(
    formats=(FormatModifier(ANY_FOURCC, ANY_MODIFIER),),
    provenance=Provenance.PRESUMPTION,
    source="nobody lists its formats",
)
"""The set of a device that can use anything, once something is demanded of it."""


class DeviceKind(StrEnum):
    """What sort of device it is; the values are those of platform files."""

    DISPLAY = "display"
    GPU = "gpu"
    DECODER = "decoder"
    ENCODER = "encoder"
    CONVERTER = "converter"
    CAMERA = "camera"
    CPU = "cpu"
    UNKNOWN = "unknown"
    """One that nobody could look at, or whose use is none of these."""


class PlaneType(StrEnum):
    """What a KMS plane is for (drm_plane.h, enum drm_plane_type)."""

    PRIMARY = "primary"
    OVERLAY = "overlay"
    CURSOR = "cursor"


@dataclass(frozen=True, slots=True, kw_only=True)
class KmsPlane:
    """One plane of a display: what it scans out is what its sets say.

    `id` is its number in KMS, 0 where nothing has one. `crtcs` is the mask of the CRTCs that
    can use it, as in `possible_crtcs`; None where that is not known. `tearing` has the pairs
    that may be flipped to without waiting for the screen, where the kernel says
    (IN_FORMATS_ASYNC).
    """

    name: str
    type: PlaneType
    sets: tuple[ConstraintSet, ...] = ()
    id: int = 0
    crtcs: int | None = None
    tearing: tuple[FormatModifier, ...] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Device:
    """A device and what it needs of the memory that it works on.

    `id` is the pair of its node; None for the CPU, which has none. `name` is
    unique on its platform. `sets` has an entry for each use that the device can
    be put to, each under a single `Usage` bit; an entry without sets means that
    any memory and any format will do. The scanout sets of a display are those
    of its `planes`, each once.

    `driver` is the name of its driver in sysfs, `api_driver` what DRM or V4L2 call
    it, which is often another, and `compatibles` what its bus says that it is: the
    strings of a device tree, or the modalias of PCI.

    `place` is where it sits on the bus tree. `iommu` says whether its DMA goes
    through an IOMMU that maps scattered pages to one run of addresses; None
    where that is not known. `node` is the path of its device node, None on a
    simulated platform. `bitstreams` are V4L2's fourccs of what a codec decodes
    or encodes, where its driver says. `overruled` are the facts about it that do not
    hold, because something on a higher rung speaks against them.
    """

    id: DeviceId | None
    name: str
    kind: DeviceKind
    driver: str = ""
    api_driver: str = ""
    compatibles: tuple[str, ...] = ()
    title: str = ""
    sets: Mapping[Usage, tuple[ConstraintSet, ...]] = field(default_factory=dict, hash=False)
    planes: tuple[KmsPlane, ...] = ()
    place: Place = Place()
    iommu: bool | None = None
    node: str | None = None
    bitstreams: tuple[int, ...] = ()
    overruled: tuple[Overruled, ...] = ()

    @property
    def usages(self) -> tuple[Usage, ...]:
        """What the device can be used for, in the order of the usage bits."""
        return tuple(sorted(self.sets))


def scanout_sets(planes: Iterable[KmsPlane]) -> tuple[ConstraintSet, ...]:
    """What can be scanned out on any of the planes that show pictures, each set once."""
    return tuple(
        dict.fromkeys(
            constraint_set
            for plane in planes
            if plane.type is not PlaneType.CURSOR
            for constraint_set in plane.sets
        )
    )


def with_facts_of(device: Device, usage: Usage, facts: Iterable[Fact]) -> Device:
    """The device with facts about one of its uses beside what is known of it, by their rungs.

    One that can use anything has no sets, and gets none: there facts hold for no format.
    """
    known = tuple(facts)
    if not known:
        return device
    resolution = resolve(usage, device.sets[usage], known)
    sets, planes = resolution.sets, device.planes
    if usage is Usage.SCANOUT and planes:
        planes = tuple(replace(p, sets=resolve(usage, p.sets, known).sets) for p in planes)
        sets = scanout_sets(planes)
    return replace(
        device,
        sets={**device.sets, usage: sets},
        planes=planes,
        overruled=(*device.overruled, *resolution.overruled),
    )


def with_facts_of_plane(device: Device, name: str, facts: Iterable[Fact]) -> Device:
    """The display with facts about one of its planes, beside what is known of that."""
    known = tuple(facts)
    [resolution] = [
        resolve(Usage.SCANOUT, plane.sets, known) for plane in device.planes if plane.name == name
    ]
    planes = tuple(
        replace(plane, sets=resolution.sets) if plane.name == name else plane
        for plane in device.planes
    )
    return replace(
        device,
        sets={**device.sets, Usage.SCANOUT: scanout_sets(planes)},
        planes=planes,
        overruled=tuple(dict.fromkeys((*device.overruled, *resolution.overruled))),
    )


def usage_name(usage: Usage) -> str:
    """A use for people and files: `scanout`, `cpu-write`; several are joined by `+`."""
    return "+".join(bit.name.lower().replace("_", "-") for bit in Usage if bit & usage and bit.name)


def parse_usage(text: str) -> Usage:
    """The use that `usage_name` printed; `InputError` for anything else."""
    usage = Usage(0)
    for word in text.split("+"):
        try:
            usage |= Usage[word.strip().upper().replace("-", "_")]
        except KeyError:
            names = ", ".join(usage_name(bit) for bit in Usage)
            raise InputError(f"{shown(word)} is not a use: there are {names}") from None
    return usage
