"""What the drivers of devices that make pictures offer, and which of it a plan is."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from heapwire.client_lib.errors import AllocationError
from heapwire.kernel.discovery import layout_sets
from heapwire.kernel.video import QueueFormat, is_laid_out_as
from heapwire.protocol import MachineError, NotPossibleError
from heapwire.protocol.late_dataclasses import replace
from heapwire.protocol.values import (
    DIRTY_LINES,
    FORMATS,
    TILINGS,
    ConstraintSet,
    FormatModifier,
    Participant,
    Plan,
)
from heapwire.protocol.wire import ALTERNATIVES


def offered_sets(
    producer: Participant, layouts: Iterable[QueueFormat], formats: Sequence[int], name: str
) -> tuple[ConstraintSet, ...]:
    """A device's sets, narrowed to its driver's layouts, and to some fourccs if any are given.

    `name` is what the device is called. Raises `NotPossibleError` if nothing is left.
    """
    sets = layout_sets(producer.sets, layouts)
    codes = {pair.fourcc for alternative in sets for pair in alternative.formats}
    # A driver lists RGB with alpha and without for the same pictures, which have none.
    codes -= {code for code in codes if FORMATS[code].opaque in codes}
    if formats:
        codes &= set(formats)
    # Where only its driver knows the layout, nobody here can tell whether a plan has it.
    sets = with_only(sets, lambda pair: pair.fourcc in codes and pair.modifier in TILINGS)
    if not sets:
        raise NotPossibleError(f"{name} makes no format that can be used here")
    return sets[:ALTERNATIVES]


def layout_for(
    plan: Plan,
    offered: Iterable[QueueFormat],
    with_pitch: Callable[[QueueFormat, int], QueueFormat],
    name: str,
) -> QueueFormat:
    """The driver's layout that a plan is; `AllocationError` if it is none.

    `with_pitch` asks the driver of another pitch in bytes.
    """
    pitch = plan.layout.planes[0].pitch if plan.layout.planes else 0
    for layout in offered:
        if layout.pitch_step and pitch != layout.pitches[0]:
            try:
                wished = with_pitch(layout, pitch)
            except (OSError, MachineError):
                continue  # it has thought better of it
        else:
            wished = layout
        if is_laid_out_as(wished, FormatModifier(plan.fourcc, plan.modifier), plan.layout):
            return wished
    raise AllocationError(f"{name} does not lay its pictures out like this")


def with_only(
    sets: Iterable[ConstraintSet], wanted: Callable[[FormatModifier], bool]
) -> tuple[ConstraintSet, ...]:
    """The sets with just the pairs that are wanted; sets without costs, as a driver's are."""
    kept = [(alternative, tuple(filter(wanted, alternative.formats))) for alternative in sets]
    return tuple(replace(alternative, formats=pairs) for alternative, pairs in kept if pairs)


def leaves_lines_dirty(producer: Participant) -> bool:
    """Whether its driver writes with the CPU, and it is for us to have the caches cleaned."""
    return any(
        constraint.type == DIRTY_LINES.type
        for alternative in producer.sets
        for constraint in alternative.constraints
    )
