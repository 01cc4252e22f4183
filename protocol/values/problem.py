"""What the solver is asked: who takes part, for what, with which memory.

The client's participants are always there. What the compositor adds depends on
how the buffer is to be shown, so it gives *goals* in order of rank: scanned out
on every output that the surface is on, then on its main one, then sampled. A
goal's participants join the client's; the answer has plans of every goal that
can be met, best first.
"""

from __future__ import annotations

from collections.abc import Mapping

from heapwire.protocol.late_dataclasses import dataclass, field
from heapwire.protocol.values.buffer_count import BufferCount
from heapwire.protocol.values.constraint_set import FormatModifier
from heapwire.protocol.values.content import Content
from heapwire.protocol.values.extents import Extents
from heapwire.protocol.values.layout import Layout
from heapwire.protocol.values.participant import Participant
from heapwire.protocol.values.source import Source, SourceId
from heapwire.protocol.values.topology import Topology


@dataclass(frozen=True, slots=True, kw_only=True)
class Goal:
    """One way to show the buffer and who is needed for it.

    `black`: nobody samples it, so that where it is not scanned out it is black.
    """

    name: str
    participants: tuple[Participant, ...] = ()
    scanout: bool = False
    black: bool = False

    @classmethod
    def scanned_out_or_black(cls, name: str, participants: tuple[Participant, ...]) -> Goal:
        """The goal to scan out what nobody samples, named after the goal that asks for both."""
        return cls(
            name=f"{name}, black where it is composited",
            participants=participants,
            scanout=True,
            black=True,
        )


@dataclass(frozen=True, slots=True)
class FixedBuffer:
    """A buffer that already exists: its format and where its planes are.

    The layout's kind is FIXED and its objects carry their real sizes.
    """

    format: FormatModifier
    layout: Layout


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """Everything the answer depends on; equal problems have equal answers.

    The order of `participants`, of `sources` and of the formats in a set never
    changes the answer; the order of `goals`, of a participant's alternative
    sets and of the sources inside one permitted-sources constraint is meaning.
    `absent` names sources that participants ask for and that are not there, so
    that an explanation can name them. `format_costs` is the table that breaks
    ties between pairs: the lower wins, one that is not in it is neutral.
    """

    participants: tuple[Participant, ...]
    goals: tuple[Goal, ...]
    sources: tuple[Source, ...]
    extents: Extents
    content: Content = Content()
    counts: BufferCount = BufferCount()
    topology: Topology = Topology()
    fixed: FixedBuffer | None = None
    absent: Mapping[SourceId, str] = field(default_factory=dict, hash=False)
    format_costs: Mapping[FormatModifier, int] = field(default_factory=dict, hash=False)
