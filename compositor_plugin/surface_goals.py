"""The ways in which a surface can be shown, as goals for the solver."""

from __future__ import annotations

from collections.abc import Sequence

from heapwire.kernel.description import Platform
from heapwire.protocol.late_tuples import NamedTuple
from heapwire.protocol.solver import common_formats
from heapwire.protocol.values import (
    ConstraintSet,
    DeviceId,
    FormatModifier,
    Goal,
    Participant,
    Usage,
)

COMPOSITOR = "the compositor"  # the participant that stands for what linux-dmabuf imports


class Showing(NamedTuple):
    """Where a surface may be shown, and what the compositor takes for it.

    `devices` are those of the outputs that it could be scanned out on; `black` those of all
    its outputs where what the GPU cannot read is taken too, and is black. `importable` are
    the pairs that linux-dmabuf takes, and `unread` those of them that may be black.
    """

    devices: tuple[DeviceId | None, ...]
    black: tuple[DeviceId | None, ...]
    importable: frozenset[FormatModifier]
    unread: frozenset[FormatModifier]


def surface_goals(
    platform: Platform, renderer: DeviceId | None, showing: Showing
) -> tuple[Goal, ...]:
    """The ways to show a surface, best first; `renderer` is the device that composites."""
    importing = _importing(showing.importable)
    sampling: tuple[Participant, ...] = (importing,)
    if renderer is not None:
        name = platform.device(renderer).name
        sampling = (platform.participant(name, Usage.SAMPLING), importing)
    displays = [_display(platform, device) for device in showing.devices]
    goals: list[Goal] = []
    scanning = _all_of(displays)
    if scanning:
        goals.append(Goal(name="scanout", participants=(*scanning, *sampling), scanout=True))
    if len(displays) > 1 and displays[0] is not None:
        goals.append(
            Goal(
                name="scanout on the main output",
                participants=(displays[0], *sampling),
                scanout=True,
            )
        )
    goals.append(Goal(name="sampling", participants=sampling))
    alone = _all_of([_display(platform, device) for device in showing.black])
    if alone:
        shown = _importing(showing.unread)
        goals.append(Goal.scanned_out_or_black("scanout", (*alone, shown)))
    return tuple(goals)


def unsampled(
    platform: Platform, renderer: DeviceId | None, importable: frozenset[FormatModifier]
) -> frozenset[FormatModifier]:
    """Those of the pairs that linux-dmabuf takes which the device that composites cannot sample.

    None where nobody knows what it samples.
    """
    if renderer is None:
        return frozenset()
    sampling = platform.participant(platform.device(renderer).name, Usage.SAMPLING)
    both = Goal(name="sampling", participants=(sampling, _importing(importable)))
    return importable - set(common_formats(both))


def _importing(importable: frozenset[FormatModifier]) -> Participant:
    """The compositor as linux-dmabuf has it: it takes some pairs, whoever reads them."""
    return Participant(
        name=COMPOSITOR,
        usage=Usage.SAMPLING,
        sets=(ConstraintSet(formats=tuple(sorted(importable))),),
    )


def _display(platform: Platform, device: DeviceId | None) -> Participant | None:
    """The participant that scans out on a device; None if the platform has none."""
    for candidate in platform.devices:
        if candidate.id == device and Usage.SCANOUT in candidate.sets:
            return platform.participant(candidate.name, Usage.SCANOUT)
    return None


def _all_of(displays: Sequence[Participant | None]) -> tuple[Participant, ...]:
    """The displays; none of them if one is missing."""
    found = tuple(display for display in displays if display is not None)
    return found if len(found) == len(displays) else ()
