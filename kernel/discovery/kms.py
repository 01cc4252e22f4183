"""What a display can scan out, as its kernel driver tells: planes, formats, limits."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from typing import Protocol

from heapwire.kernel.description import KmsPlane, PlaneType
from heapwire.kernel.discovery.in_formats import parse_in_formats
from heapwire.kernel.discovery.libdrm import ModeLimits, PlaneRecord
from heapwire.kernel.discovery.size_limits import size_limits
from heapwire.protocol import MachineError
from heapwire.protocol.values import (
    INVALID,
    LINEAR,
    Constraint,
    ConstraintSet,
    FormatModifier,
)

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
    sizes = () if limits is None else size_limits(**asdict(limits))
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
    scanned_out = ConstraintSet(formats=pairs, constraints=constraints)
    return KmsPlane(
        name=f"plane-{record.id}",
        type=kind,
        sets=(scanned_out,) if pairs else (),
        crtcs=record.possible_crtcs,
    )


def _pairs(record: PlaneRecord, blob: Callable[[int], bytes | None]) -> tuple[FormatModifier, ...]:
    """What IN_FORMATS says; without it the driver takes buffers without a modifier.

    Such a driver lays its own buffers out in rows, as everything that is mapped
    by the CPU is: linear is as good as no modifier.
    """
    number = record.properties.get("IN_FORMATS", 0)
    in_formats = blob(number) if number else None
    if in_formats is not None:
        try:
            return parse_in_formats(in_formats)
        except MachineError:
            pass  # a driver that contradicts itself is read as one without the property
    return tuple(
        FormatModifier(code, modifier) for code in record.formats for modifier in (LINEAR, INVALID)
    )
