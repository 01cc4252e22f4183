"""Whether a device of the platform can use a buffer that exists, and if not, why not.

The model judges: the buffer is the fixed buffer of a problem whose only
participant is the device.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from fractions import Fraction

from heapwire.compositor_plugin import StatusReason
from heapwire.compositor_plugin.hosts.reference.dmabuf.buffer_attributes import BufferAttributes
from heapwire.kernel.description import Platform
from heapwire.protocol.explain import AnswerMemory
from heapwire.protocol.late_dataclasses import replace
from heapwire.protocol.solver import RULES
from heapwire.protocol.values import (
    ANY_FOURCC,
    ANY_MODIFIER,
    COLOURS,
    CONTIGUOUS,
    PROTECTED,
    SCALING,
    WHEN_ROTATION,
    Answer,
    BufferCount,
    BufferObject,
    Colour,
    ColourEncoding,
    ColourRange,
    Constraint,
    ConstraintSet,
    Content,
    DeviceId,
    Extents,
    FixedBuffer,
    FormatModifier,
    Goal,
    Layout,
    LayoutKind,
    Participant,
    Problem,
    Source,
    SourceId,
    Usage,
    family_of,
)

_ALONE = BufferCount(minimum=1, queue=0, hold=0)
_TRIED = RULES.keys() - {CONTIGUOUS.type, PROTECTED.type}


class BufferCheck:
    """Judges buffers for one device and one use; without a device everything fits."""

    def __init__(self, platform: Platform, usage: Usage) -> None:
        self.device = next((device for device in platform.devices if usage in device.sets), None)
        # What is there has its room already, however many more the heap has none for.
        roomy = tuple(replace(source, capacity=None) for source in platform.sources)
        self._platform = replace(platform, sources=roomy)
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
        taken: Sequence[bool] | None = None,
    ) -> StatusReason:
        """NONE if the device can use it, else the first thing that is in the way.

        `sizes` are those of the objects, in bytes. `rotation` is what the device
        is to do, in degrees counter-clockwise, and `colour` what it is to convert.
        `taken` is there where the device's driver has taken just this buffer: then memory that
        nobody knows is good, and it says of each object whether that is known to be scattered.
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
        strangers: tuple[Source, ...] = ()
        if None in buffer.sources:
            if taken is None:
                return StatusReason.MEMORY
            strangers = tuple(map(_stranger, range(len(taken)), taken))
            participant = replace(participant, sets=tuple(map(_without_tried, participant.sets)))
        sources = (source or strangers[index].id for index, source in enumerate(buffer.sources))
        objects = tuple(map(BufferObject, sources, sizes))
        problem = self._problem(buffer, objects, participant, rotation, colour)
        problem = replace(problem, sources=(*problem.sources, *strangers))
        answer = self._answers.solve_plans(problem)
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
            counts=_ALONE,
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
    """Whether all that a set says of rotation allows this; one that says nothing does not."""
    said = [
        mask
        for constraint in entry.constraints
        if (mask := WHEN_ROTATION.of(constraint)) is not None
    ]
    return bool(said) and all(mask >> rotation // 90 & 1 for mask in said)


def _stranger(index: int, scattered: bool) -> Source:
    """An object's memory that is no source of the platform, as one; no device has its number."""
    return Source(
        id=SourceId.device(DeviceId(0, index)), name=f"object {index}", contiguous=not scattered
    )


def _without_tried(entry: ConstraintSet) -> ConstraintSet:
    """A set without what its driver has answered by taking a buffer: where memory has to be.

    That it has to be one run stays: a test driver takes all, and a person may know better.
    """
    kept = (one for one in entry.constraints if one.type not in _TRIED)
    return replace(entry, constraints=tuple(kept))


def _reason(answer: Answer) -> StatusReason:
    types = {member.constraint.type for member in answer.conflict if member.constraint is not None}
    if PROTECTED.type in types:
        return StatusReason.PROTECTION
    if COLOURS.type in types:
        return StatusReason.TRANSFORM
    if types & RULES.keys():
        return StatusReason.MEMORY
    return StatusReason.LAYOUT if types else StatusReason.FORMAT
