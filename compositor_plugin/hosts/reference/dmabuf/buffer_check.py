"""Whether a device of the platform can use a buffer that exists, and if not, why not.

The model judges: the buffer is the fixed buffer of a problem whose only
participant is the device.
"""

from __future__ import annotations

from collections.abc import Iterable
from fractions import Fraction

from heapwire.compositor_plugin import StatusReason
from heapwire.compositor_plugin.hosts.reference.dmabuf.buffer_attributes import BufferAttributes
from heapwire.kernel.description import Platform
from heapwire.protocol.explain import AnswerMemory
from heapwire.protocol.solver import RULES
from heapwire.protocol.values import (
    ANY_FOURCC,
    ANY_MODIFIER,
    COLOURS,
    PROTECTED,
    SCALING,
    WHEN_ROTATION,
    Answer,
    BufferObject,
    Colour,
    ColourEncoding,
    ColourRange,
    Constraint,
    ConstraintSet,
    Content,
    Extents,
    FixedBuffer,
    FormatModifier,
    Goal,
    Layout,
    LayoutKind,
    Participant,
    Problem,
    Usage,
    family_of,
)


class BufferCheck:
    """Judges buffers for one device and one use; without a device everything fits."""

    def __init__(self, platform: Platform, usage: Usage) -> None:
        self.device = next((device for device in platform.devices if usage in device.sets), None)
        self._platform = platform
        self._answers = AnswerMemory()
        self._usage = usage
        self._protected = {source.id for source in platform.sources if source.protected}
        self._participant: Participant | None = None
        if self.device is not None:
            self._participant = platform.participant(self.device.name, usage)

    def reason(
        self,
        buffer: BufferAttributes,
        sizes: tuple[int, ...],
        *,
        rotation: int = 0,
        colour: Colour | None = None,
    ) -> StatusReason:
        """NONE if the device can use it, else the first thing that is in the way.

        `sizes` are those of the objects, in bytes. `rotation` is what the device
        is to do, in degrees counter-clockwise, and `colour` what it is to convert.
        """
        participant = self._participant
        if participant is None or not participant.sets:
            return StatusReason.NONE
        sets = tuple(entry for entry in participant.sets if _holds(entry, buffer.format))
        if not sets:
            return StatusReason.FORMAT
        if rotation:
            sets = tuple(entry for entry in sets if _rotates(entry, rotation))
            if not sets:
                return StatusReason.TRANSFORM
        sources = tuple(source for source in buffer.sources if source is not None)
        if len(sources) < len(buffer.sources):
            return StatusReason.MEMORY
        objects = tuple(map(BufferObject, sources, sizes))
        answer = self._answers.solve_plans(
            self._problem(buffer, objects, participant, rotation, colour)
        )
        return StatusReason.NONE if answer.plans else _reason(answer)

    def scales(self, pair: FormatModifier | None, ratios: Iterable[Fraction]) -> bool:
        """Whether some set for a format is for pictures so many times as large as on the screen.

        `ratios` are those across and down; without a `pair` any format's set will do. A set
        that says nothing of it is for any.
        """
        sets = self._participant.sets if self._participant is not None else ()
        holding = [entry.constraints for entry in sets if pair is None or _holds(entry, pair)]
        each = tuple(ratios)
        return not sets or any(
            all(_is_within(constraint, ratio) for constraint in constraints for ratio in each)
            for constraints in holding
        )

    def protected(self, buffer: BufferAttributes) -> bool:
        """Whether all of a buffer is in memory that is said to be protected."""
        return all(source in self._protected for source in buffer.sources)

    def _problem(
        self,
        buffer: BufferAttributes,
        objects: tuple[BufferObject, ...],
        participant: Participant,
        rotation: int,
        colour: Colour | None,
    ) -> Problem:
        layout = Layout(
            kind=LayoutKind.FIXED, extent=buffer.extent, objects=objects, planes=buffer.planes
        )
        goal = Goal(
            name=participant.name,
            participants=(participant,),
            scanout=self._usage is Usage.SCANOUT,
        )
        return self._platform.problem(
            goals=(goal,),
            extents=Extents(coded=buffer.extent),
            content=Content(
                protected=self.protected(buffer),
                rotation=rotation,
                encoding=colour[0] if colour else ColourEncoding.UNSPECIFIED,
                range=colour[1] if colour else ColourRange.UNSPECIFIED,
            ),
            fixed=FixedBuffer(buffer.format, layout),
        )


def pairs_within(
    sets: Iterable[ConstraintSet], pairs: Iterable[FormatModifier]
) -> set[FormatModifier]:
    """Those of the pairs that some set holds; all of them where there is no set."""
    sets = tuple(sets)
    return {pair for pair in pairs if not sets or any(_holds(entry, pair) for entry in sets)}


def _holds(entry: ConstraintSet, pair: FormatModifier) -> bool:
    return any(
        fourcc in (pair.fourcc, ANY_FOURCC)
        and modifier in (pair.modifier, family_of(pair.modifier), ANY_MODIFIER)
        for fourcc, modifier in entry.formats
    )


def _is_within(constraint: Constraint, ratio: Fraction) -> bool:
    scaling = SCALING.of(constraint)
    return scaling is None or scaling[0] <= ratio * 65536 <= scaling[1]


def _rotates(entry: ConstraintSet, rotation: int) -> bool:
    """Whether a set says that the device rotates by so much; one that says nothing does not."""
    return any(
        (WHEN_ROTATION.of(constraint) or 0) >> rotation // 90 & 1
        for constraint in entry.constraints
    )


def _reason(answer: Answer) -> StatusReason:
    types = {member.constraint.type for member in answer.conflict if member.constraint is not None}
    if PROTECTED.type in types:
        return StatusReason.PROTECTION
    if COLOURS.type in types:
        return StatusReason.TRANSFORM
    if types & RULES.keys():
        return StatusReason.MEMORY
    return StatusReason.LAYOUT if types else StatusReason.FORMAT
