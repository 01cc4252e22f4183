"""A device that takes part in a negotiation, and what it wants to do."""

from __future__ import annotations

from enum import IntFlag

from heapwire.protocol.late_dataclasses import dataclass
from heapwire.protocol.values.constraint_set import ConstraintSet
from heapwire.protocol.values.device_number import DeviceId


class Usage(IntFlag):
    """What a participant does with the buffer; the values are those of the wire."""

    DECODE = 1
    ENCODE = 2
    CAMERA = 4
    SCANOUT = 8
    SAMPLING = 16
    RENDER = 32
    CPU_READ = 64
    CPU_WRITE = 128


@dataclass(frozen=True, slots=True, kw_only=True)
class Participant:
    """One device and one use, with its constraint sets.

    `name` is unique within a problem and is what explanations call it. `sets`
    are in order of preference: where two of them hold the same pair, they are
    alternatives and the earlier is tried first. Without any set it can use
    whatever the others agree on. `device` is None for the CPU.
    """

    name: str
    usage: Usage
    sets: tuple[ConstraintSet, ...]
    device: DeviceId | None = None
