"""What a display can scan out, as its kernel driver tells: planes, formats, limits."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol, TypeVar

from heapwire.kernel.description import KmsPlane, PlaneType
from heapwire.kernel.discovery.in_formats import parse_in_formats, parse_size_hints
from heapwire.kernel.discovery.plane_colours import scanout_sets_of
from heapwire.kernel.discovery.plane_rotation import rotations
from heapwire.kernel.discovery.size_limits import size_limits
from heapwire.kernel.drm import ModeLimits, PlaneRecord
from heapwire.protocol import MachineError
from heapwire.protocol.values import (
    INVALID,
    LINEAR,
    Constraint,
    FormatModifier,
)

Listed = TypeVar("Listed")

# drm_plane.h, enum drm_plane_type
_TYPES = {0: PlaneType.OVERLAY, 1: PlaneType.PRIMARY, 2: PlaneType.CURSOR}


class DisplayQueries(Protocol):
    """The part of `DrmDevice` that is looked at here."""

    def limits(self) -> ModeLimits | None:
        """See `DrmDevice.limits`."""

    def planes(self) -> tuple[PlaneRecord, ...]:
        """See `DrmDevice.planes`."""

    def blob(self, number: int) -> bytes | None:
        """See `DrmDevice.blob`."""


def read_planes(device: DisplayQueries) -> tuple[KmsPlane, ...]:
    """The planes of a display, primary ones first."""
    limits = device.limits()
    sizes: tuple[Constraint, ...] = ()
    if limits is not None:
        sizes = size_limits(
            min_width=limits.min_width,
            max_width=limits.max_width,
            min_height=limits.min_height,
            max_height=limits.max_height,
            of_pictures=True,
        )
    planes = [_plane(record, sizes, device.blob) for record in device.planes()]
    order = list(PlaneType)
    return tuple(sorted(planes, key=lambda plane: order.index(plane.type)))


def _plane(
    record: PlaneRecord,
    constraints: tuple[Constraint, ...],
    blob: Callable[[int], bytes | None],
) -> KmsPlane:
    kind = _TYPES.get(record.properties.get("type", 0), PlaneType.OVERLAY)
    pairs = _pairs(record, blob)
    limits = (*constraints, *_hinted(record, blob), *rotations(record.choices))
    return KmsPlane(
        name=f"plane-{record.id}",
        type=kind,
        sets=scanout_sets_of(pairs, limits, record.choices),
        id=record.id,
        crtcs=record.possible_crtcs,
        tearing=_listed(record, "IN_FORMATS_ASYNC", blob, parse_in_formats),
    )


def _hinted(record: PlaneRecord, blob: Callable[[int], bytes | None]) -> tuple[Constraint, ...]:
    """The largest size that a cursor plane is said to be good at; no other has SIZE_HINTS."""
    hints = _listed(record, "SIZE_HINTS", blob, parse_size_hints)
    if not hints:
        return ()
    return size_limits(
        max_width=max(hint.width for hint in hints), max_height=max(hint.height for hint in hints)
    )


def _listed(
    record: PlaneRecord,
    name: str,
    blob: Callable[[int], bytes | None],
    parse: Callable[[bytes], Listed],
) -> Listed | None:
    """What the blob of a property says, None where there is none that can be read.

    A driver that contradicts itself is read as one without the property.
    """
    number = record.properties.get(name, 0)
    content = blob(number) if number else None
    try:
        return None if content is None else parse(content)
    except MachineError:
        return None


def _pairs(record: PlaneRecord, blob: Callable[[int], bytes | None]) -> tuple[FormatModifier, ...]:
    """What IN_FORMATS says; without it the driver takes buffers without a modifier.

    Such a driver lays its own buffers out in rows, as everything that is mapped
    by the CPU is: linear is as good as no modifier.
    """
    said = _listed(record, "IN_FORMATS", blob, parse_in_formats)
    if said is not None:
        return said
    return tuple(
        FormatModifier(code, modifier) for code in record.formats for modifier in (LINEAR, INVALID)
    )
