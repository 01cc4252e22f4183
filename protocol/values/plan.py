"""A plan: one way to allocate that everybody can use."""

from __future__ import annotations

from heapwire.protocol.late_dataclasses import dataclass
from heapwire.protocol.values.coherency import CoherencyDomain, Fence
from heapwire.protocol.values.colour import Colour
from heapwire.protocol.values.layout import Layout


@dataclass(frozen=True, slots=True)
class Reason:
    """A property of the result and who demanded it, as a sentence.

    `subject` is what it is about: "format", "source", "pitch", "offset",
    "extent", "size", "count", "coherency", "fence", "colour", or what a type of
    constraint names in its `Subject.explains`. `plane` is None for the buffer as
    a whole.
    """

    subject: str
    text: str
    plane: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """Source and layout of the buffers to allocate.

    `goal` names the goal of the problem that this plan meets and `scanout` says
    whether that goal is to be scanned out. `buffer_count` is how many such
    buffers the stream needs. `reasons` explain it; two plans that differ only
    there are the same answer.
    """

    fourcc: int
    modifier: int
    goal: str
    scanout: bool
    layout: Layout
    buffer_count: int
    reasons: tuple[Reason, ...] = ()
    domain: CoherencyDomain | None = None
    fence: Fence | None = None
    colour: Colour | None = None
