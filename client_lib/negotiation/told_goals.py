"""The ways to show a buffer by what the compositor says of its own devices.

Where its linux-dmabuf feedback is extended by `xx_dmabuf_sources_v1`, nothing of its devices has
to be known here: their constraints are told, and which memory they can use, the best first.
"""

from __future__ import annotations

from collections.abc import Iterator

from heapwire.protocol.values import (
    INVALID,
    LINEAR,
    PERMITTED_SOURCES,
    Constraint,
    ConstraintSet,
    FormatModifier,
    Participant,
    Provenance,
    Usage,
)
from heapwire.protocol.wire import DmabufTranche, TrancheMemory


def told_participants(tranche: DmabufTranche) -> tuple[Participant, ...]:
    """The compositor's devices of a tranche; none if it does not say what they can use."""
    memory = tranche.memory
    if memory is None or not memory.sources:
        return ()
    usage = Usage.SCANOUT if tranche.scanout else Usage.SAMPLING
    what = "scanout" if tranche.scanout else "sampling"
    devices = dict.fromkeys(entry.device for entry in memory.sets)
    return (
        *(
            Participant(
                name=f"the compositor's {what}, device {device}",
                usage=usage,
                sets=tuple(_sets_of(device, memory, tranche.formats)),
            )
            for device in devices
        ),
        Participant(name=f"the compositor's {what}", usage=usage, sets=(_permitted(tranche),)),
    )


def with_linear(pairs: tuple[FormatModifier, ...]) -> tuple[FormatModifier, ...]:
    """Pairs, and LINEAR for each that has no modifier: so it is imported (see `LinuxDmabuf`)."""
    rows = (FormatModifier(pair.fourcc, LINEAR) for pair in pairs if pair.modifier == INVALID)
    return tuple(dict.fromkeys((*pairs, *rows)))


def _sets_of(
    device: int, memory: TrancheMemory, pairs: tuple[FormatModifier, ...]
) -> Iterator[ConstraintSet]:
    told: set[FormatModifier] = set()
    for entry in memory.sets:
        if entry.device == device:
            formats = with_linear(entry.set.formats)
            yield ConstraintSet(formats=formats, constraints=entry.set.constraints)
            told.update(entry.set.formats)
    # Of the others nothing is known but that the compositor takes them. LINEAR, that some of them
    # are imported as, may be told of by itself, and then that holds.
    others = with_linear(tuple([pair for pair in pairs if pair not in told]))
    free = tuple([pair for pair in others if pair not in told])
    if free:
        yield ConstraintSet(formats=free)


def _permitted(tranche: DmabufTranche) -> ConstraintSet:
    assert tranche.memory is not None
    permitted = Constraint(
        type=PERMITTED_SOURCES.type,
        value=tranche.memory.sources,
        provenance=Provenance.UNCHECKED,
    )
    return ConstraintSet(formats=with_linear(tranche.formats), constraints=(permitted,))
