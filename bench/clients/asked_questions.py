"""What clients ask of a host that is measured."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import replace

from heapwire.client_lib.negotiation import Negotiation, NegotiationManager
from heapwire.protocol.values import (
    BY_NAME,
    LINEAR,
    Constraint,
    ConstraintSet,
    Extent,
    Extents,
    FormatModifier,
    Participant,
    Usage,
    Value,
    parse_fourcc,
)

PATIENCE = 120.0  # seconds
XRGB, NV12 = (FormatModifier(parse_fourcc(name), LINEAR) for name in ("XRGB8888", "NV12"))
MANY = 1000
"""The negotiations of `many_answered`."""
LONG_SETS = 2
"""How many of `long_values` a client may have."""
_UNKNOWN = 0x7F000100  # a vendor's types that nobody knows


def _constraint(name: str, value: Value) -> Constraint:
    return Constraint(type=BY_NAME[name].type, value=value)


def _part(number: int, pair: FormatModifier, *constraints: Constraint) -> Participant:
    sets = (ConstraintSet(formats=(pair,), constraints=constraints),)
    return Participant(name=f"p{number:02}", usage=Usage.DECODE, sets=sets)


def _unknown(number: int, value: bytes) -> Constraint:
    return Constraint(type=_UNKNOWN + number, value=value, must_understand=False)


def fences() -> tuple[Participant, ...]:
    """16 participants that each leave one fence out; weight 960."""
    vendor = [_unknown(n, b"vendor") for n in range(58)]
    return tuple(
        _part(n, XRGB, _constraint("fences", 0xFFFF & ~(1 << n)), *vendor) for n in range(16)
    )


def odd_pitches() -> tuple[Participant, ...]:
    """Three honest devices whose pitches cannot be met together."""
    return tuple(
        _part(
            *(n, NV12, _constraint("pitch-alignment", alignment)),
            *(_constraint("max-pitch", 16384), _constraint("scanline-alignment", 2 << n)),
            *(_constraint("size-alignment", 4096), _constraint("max-width", 8192)),
        )
        for n, alignment in enumerate((528, 1456, 1360))
    )


def decoder() -> tuple[Participant, ...]:
    """One device, of which there is a plan in many heaps."""
    return (_part(0, NV12, _constraint("pitch-alignment", 64)),)


def long_values() -> tuple[Participant, ...]:
    """A device with 250 KiB of a vendor's values."""
    return (_part(0, NV12, *(_unknown(n, os.urandom(1000)) for n in range(250))),)


def combinations(participants: int, sets: int, *, equal: bool) -> tuple[Participant, ...]:
    """Devices with so many alternatives each, which say the same or have a pitch of their own."""
    return tuple(
        Participant(
            name=f"p{number:02}",
            usage=Usage.DECODE,
            sets=tuple(
                ConstraintSet(
                    formats=(NV12,),
                    constraints=(_constraint("pitch-alignment", 64 if equal else 16 << own),),
                )
                for own in range(sets)
            ),
        )
        for number in range(participants)
    )


def never_asked(participants: tuple[Participant, ...]) -> tuple[Participant, ...]:
    """The same, so that no answer to it is remembered, nor anything of it."""
    new = _unknown(99, os.urandom(8))
    return tuple(
        replace(
            one,
            sets=tuple(replace(own, constraints=(*own.constraints, new)) for own in one.sets),
        )
        for one in participants
    )


def made(
    manager: NegotiationManager, participants: tuple[Participant, ...], width: int = 1280
) -> Negotiation:
    """A negotiation that has not been committed."""
    negotiation = manager.default_negotiation()
    for participant in participants:
        negotiation.set_participant(participant)
    negotiation.set_extents(Extents(coded=Extent(width, 720)))
    return negotiation


def many_answered(managers: Sequence[NegotiationManager]) -> list[Negotiation]:
    """A thousand negotiations of some clients, in turn, each of which has its answer."""
    negotiations = []
    for number in range(MANY):
        one = made(managers[number % len(managers)], decoder(), 640 + 16 * (number % 100))
        one.commit()
        for manager in managers:
            manager.connection.dispatch(0)  # who does not read is disconnected by libwayland
        negotiations.append(one)
    while not all(one.batch and one.batch.cookie for one in negotiations):
        for manager in managers:
            manager.connection.dispatch(0.001)
    return negotiations
