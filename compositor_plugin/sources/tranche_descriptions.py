"""What a machine knows of the tranches of somebody's linux-dmabuf feedback."""

from __future__ import annotations

from collections.abc import Iterator

from heapwire.kernel.description import Platform
from heapwire.kernel.discovery import participant_behind
from heapwire.protocol.late_dataclasses import replace
from heapwire.protocol.make_room import make_room
from heapwire.protocol.solver import class_of, spelled_out, usable_sources
from heapwire.protocol.values import (
    INVALID,
    LINEAR,
    PERMITTED_SOURCES,
    Constraint,
    ConstraintSet,
    DeviceId,
    FormatModifier,
    Goal,
    Participant,
    SourceId,
    Usage,
)
from heapwire.protocol.wire import (
    DeviceSet,
    DmabufFeedback,
    DmabufTranche,
    TrancheMemory,
    covered,
)

MAX_DESCRIPTIONS = 64  # kept; a host can make up tranches without end


class TrancheDescriptions:
    """What is known of tranches on one platform; each is worked out once.

    `renderer` is the device that composites, for a host that does not name one.
    """

    def __init__(self, platform: Platform, renderer: DeviceId | None) -> None:
        self._platform = platform
        self._renderer = renderer
        self._known: dict[tuple[DmabufTranche, tuple[DeviceId | None, ...]], TrancheMemory] = {}

    def described(self, feedback: DmabufFeedback) -> DmabufFeedback:
        """The feedback, with what is known of the memory of each tranche.

        The compositor falls back to sampling at any time, so a tranche that is scanned
        out has what the sampling device requires beside what the display does.
        """
        samplers = (feedback.main_device, *(tranche.device for tranche in feedback.sampled))
        return replace(
            feedback,
            tranches=tuple(
                replace(tranche, memory=self._memory(tranche, samplers))
                for tranche in feedback.tranches
            ),
        )

    def _memory(
        self, tranche: DmabufTranche, samplers: tuple[DeviceId | None, ...]
    ) -> TrancheMemory:
        key = (tranche, samplers)
        known = self._known.get(key)
        if known is None:
            make_room(self._known, MAX_DESCRIPTIONS)
            known = self._known[key] = self._describe(tranche, samplers)
        return known

    def _describe(
        self, tranche: DmabufTranche, samplers: tuple[DeviceId | None, ...]
    ) -> TrancheMemory:
        candidates = samplers if tranche.scanout else (tranche.device, *samplers)
        sampler = self._sampler(candidates)
        display = (
            participant_behind(self._platform, tranche.device, Usage.SCANOUT)
            if tranche.scanout
            else None
        )
        users = tuple(user for user in (display, sampler) if user is not None)
        sets = tuple(
            DeviceSet(number, one)
            for number, user in enumerate(users)
            for one in (_within(one, tranche.formats) for one in user.sets)
            if one.formats
        )
        if not users or (tranche.scanout and display is None):
            return TrancheMemory(sets=sets)  # whatever were said of its memory would be a guess
        usable = self._usable(tranche, users, (*tranche.formats, *_linear(tranche.formats)))
        return TrancheMemory(usable, (*sets, *self._where_less(tranche, users, sets, usable)))

    def _usable(
        self,
        tranche: DmabufTranche,
        users: tuple[Participant, ...],
        pairs: tuple[FormatModifier, ...],
    ) -> tuple[SourceId, ...]:
        """The sources that serve at least one of some pairs, the least scarce first."""
        host = ConstraintSet(formats=tuple(sorted(set(pairs))))  # it says itself which there are
        goal = Goal(
            name="tranche",
            participants=(*users, Participant(name="host", usage=users[0].usage, sets=(host,))),
            scanout=tranche.scanout,
        )
        usable = usable_sources(goal, self._platform.sources, self._platform.topology)
        return tuple(source.id for source in usable)

    def _where_less(
        self,
        tranche: DmabufTranche,
        users: tuple[Participant, ...],
        sets: tuple[DeviceSet, ...],
        usable: tuple[SourceId, ...],
    ) -> Iterator[DeviceSet]:
        """For pairs that not all of these sources serve, a set with those that do.

        The sources are told of the tranche as a whole, so what serves some pairs alone would else
        be taken for all. Where none does, the device of the tranche is named: its own memory.
        What only a driver can lay out is left to whoever has that driver.
        """
        alike: dict[tuple[int, ...], list[FormatModifier]] = {}
        for pair in tranche.formats:
            if any(class_of(one) is not None for one in (pair, *_linear((pair,)))):
                having = tuple(n for n, one in enumerate(sets) if pair in one.set.formats)
                alike.setdefault(having, []).append(pair)
        for having, pairs in alike.items():
            numbers = {sets[n].device for n in having}
            known = tuple(user for number, user in enumerate(users) if number in numbers)
            if not known:
                continue  # the host takes them, and that is all that is known
            serving = self._usable(tranche, known, (*pairs, *_linear(tuple(pairs))))
            if not serving and tranche.device is not None:
                serving = (SourceId.device(tranche.device),)
            if serving and not set(usable) <= set(serving):
                permitted = Constraint(type=PERMITTED_SOURCES.type, value=serving)
                formats = tuple(sorted(pairs))
                one = ConstraintSet(formats=formats, constraints=(permitted,))
                yield DeviceSet(len(users), one)

    def _sampler(self, candidates: tuple[DeviceId | None, ...]) -> Participant | None:
        found = (
            participant_behind(self._platform, device, Usage.SAMPLING)
            for device in (*candidates, self._renderer)
        )
        return next((one for one in found if one is not None), None)


def _within(constraint_set: ConstraintSet, pairs: tuple[FormatModifier, ...]) -> ConstraintSet:
    """A set with the pairs of a tranche that it is for."""
    spelled = spelled_out(constraint_set, (*pairs, *_linear(pairs)))
    return replace(constraint_set, formats=covered(spelled.formats, pairs), costs=())


def _linear(pairs: tuple[FormatModifier, ...]) -> tuple[FormatModifier, ...]:
    """LINEAR for each pair without a modifier: what comes from a heap is laid out in rows."""
    return tuple(FormatModifier(pair.fourcc, LINEAR) for pair in pairs if pair.modifier == INVALID)
