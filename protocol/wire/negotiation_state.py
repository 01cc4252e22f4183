"""The client's side of a negotiation: pending state, checked as it comes.

`NegotiationState` is what the requests of `xx_dmabuf_negotiation_v1` act on;
`commit` freezes it into an `Inquiry`. `inquiry_requests` is the other
direction: the requests that bring a compositor to the same inquiry.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache

from heapwire.protocol.errors import NotPossibleError, PeerError
from heapwire.protocol.late_dataclasses import dataclass
from heapwire.protocol.values import (
    ColourEncoding,
    ColourRange,
    ConstraintSet,
    Content,
    DeviceId,
    Extent,
    Extents,
    FixedBuffer,
    Participant,
    SourceId,
    Usage,
)
from heapwire.protocol.wire.array import decode_sources, encode_sources
from heapwire.protocol.wire.batch import Explanation
from heapwire.protocol.wire.bindings import NegotiationError as Error
from heapwire.protocol.wire.constraint_set_builder import Request, rehearse
from heapwire.protocol.wire.fixed_buffer import decode_buffer, encode_buffer
from heapwire.protocol.wire.limits import (
    ALTERNATIVES,
    BUFFERS,
    EXTENT,
    MAX_CLIENT_ID,
    OPENABLE,
    PARTICIPANT_NAME,
    PARTICIPANTS,
)
from heapwire.protocol.wire.misuse import LimitError, MisuseError

_PROTECTED, _INTERLACED = 1, 2
_ALL_USAGE = sum(Usage)
_usage_of = cache(Usage)  # which looks for the number each time, several times as long
_ANY_CONTENT = Content()


@dataclass(frozen=True, slots=True, kw_only=True)
class Inquiry:
    """What a commit asks: the client's part of a problem.

    `participants` maps the client's ids; their names need not differ. A
    participant without sets can use anything. `openable` is None when the
    client has not said which sources it can open.
    """

    participants: tuple[tuple[int, Participant], ...] = ()
    extents: Extents | None = None
    content: Content = Content()
    minimum: int = 1
    queue: int = 1
    openable: frozenset[SourceId] | None = None
    fixed: FixedBuffer | None = None
    explanation: Explanation = Explanation.NONE

    @property
    def wants_plans(self) -> bool:
        """Whether there is anybody or anything to plan for; the answer is a description if not."""
        return bool(self.participants) or self.fixed is not None


class NegotiationState:
    """Pending state of one negotiation; every method is a request.

    They raise `MisuseError` with the error that the protocol names.
    """

    __slots__ = (
        *("_content", "_explanation", "_extents", "_fixed", "_inquiry", "_laid_out", "_minimum"),
        *("_openable", "_participants", "_queue", "_sizes"),
    )

    def __init__(self) -> None:
        self._participants: dict[int, Participant] = {}
        self._laid_out: Extent | None = None  # the last fixed layout's size, also when it is unset
        self._extents: Extents | None = None
        self._content = _ANY_CONTENT
        self._minimum = self._queue = 1
        self._openable: frozenset[SourceId] | None = None
        self._fixed: FixedBuffer | None = None
        self._explanation = Explanation.NONE
        self._sizes: tuple[int, ...] = ()  # the extents, as they came
        self._inquiry: Inquiry | None = None  # what was committed, while nothing else was said

    def set_participant(self, id_: int, usage: int, major: int, minor: int, name: str) -> None:
        """Add a participant, or replace one, whose alternatives are gone with it."""
        if not 1 <= id_ <= MAX_CLIENT_ID:
            raise MisuseError(Error.INVALID_PARTICIPANT, f"{id_:#x} is no id of a client's")
        if not usage or usage & ~_ALL_USAGE:
            raise MisuseError(Error.INVALID_USAGE, f"{usage:#x} is no usage")
        if len(name.encode("utf-8", "replace")) > PARTICIPANT_NAME:
            raise LimitError(Error.INVALID_NAME, f"a name of more than {PARTICIPANT_NAME} bytes")
        if id_ not in self._participants and len(self._participants) >= PARTICIPANTS:
            raise LimitError(Error.TOO_MANY, f"more than {PARTICIPANTS} participants")
        fault = DeviceId.fault(major, minor)
        if fault is not None:
            raise MisuseError(Error.INVALID_DEVICE, fault)
        device = DeviceId(major, minor) if major or minor else None
        # In a dict a replaced participant keeps its turn: what is set again makes an equal inquiry.
        use = _usage_of(usage)
        self._participants[id_] = Participant(name=name, usage=use, device=device, sets=())
        self._inquiry = None

    def add_alternative(self, id_: int, constraint_set: ConstraintSet) -> None:
        """Add a constraint set to a participant."""
        participant = self._participant(id_)
        if len(participant.sets) >= ALTERNATIVES:
            raise LimitError(Error.TOO_MANY, f"more than {ALTERNATIVES} alternatives")
        self._participants[id_] = Participant(  # what `replace` does, in a third of the time
            name=participant.name,
            usage=participant.usage,
            sets=(*participant.sets, constraint_set),
            device=participant.device,
        )
        self._inquiry = None

    def remove_participant(self, id_: int) -> None:
        """Remove a participant."""
        self._participant(id_)
        del self._participants[id_]
        self._inquiry = None

    def set_extents(
        self,
        coded_width: int,
        coded_height: int,
        visible_width: int,
        visible_height: int,
        maximum_width: int,
        maximum_height: int,
    ) -> None:
        """Set the sizes of the pictures."""
        sizes = (
            coded_width, coded_height, visible_width, visible_height, maximum_width, maximum_height,
        )  # fmt: skip
        if sizes == self._sizes:
            return
        coded = _extent(coded_width, coded_height)
        visible = _optional_extent(visible_width, visible_height)
        maximum = _optional_extent(maximum_width, maximum_height)
        if visible and (visible.width > coded.width or visible.height > coded.height):
            raise MisuseError(Error.INVALID_EXTENT, f"{visible} is not within {coded}")
        self._extents = Extents(coded=coded, visible=visible, maximum=maximum)
        self._sizes, self._inquiry = sizes, None

    def set_content(self, flags: int, rotation: int, encoding: int, range_: int) -> None:
        """Describe the pictures."""
        if flags & ~(_PROTECTED | _INTERLACED):
            raise MisuseError(Error.INVALID_CONTENT, f"flags {flags:#x} has unknown bits")
        if rotation not in (0, 90, 180, 270):
            raise MisuseError(Error.INVALID_CONTENT, f"a rotation of {rotation} degrees")
        try:
            self._content = Content(
                protected=bool(flags & _PROTECTED),
                interlaced=bool(flags & _INTERLACED),
                rotation=rotation,
                encoding=ColourEncoding(encoding),
                range=ColourRange(range_),
            )
        except ValueError as error:
            raise MisuseError(Error.INVALID_CONTENT, str(error)) from None
        self._inquiry = None

    def set_buffer_count(self, minimum: int, queue: int) -> None:
        """Set how many buffers are needed."""
        if not 1 <= minimum + queue <= BUFFERS:
            raise MisuseError(Error.INVALID_COUNT, f"{minimum} + {queue} buffers")
        self._minimum, self._queue, self._inquiry = minimum, queue, None

    def set_openable(self, sources: bytes) -> None:
        """Say which sources the client can open."""
        if len(sources) % 12:
            raise MisuseError(Error.INVALID_ARRAY, f"sources has {len(sources)} bytes")
        if len(sources) // 12 > OPENABLE:
            raise LimitError(Error.TOO_MANY, f"more than {OPENABLE} sources")
        try:
            self._openable = frozenset(decode_sources(sources))
        except PeerError as error:
            raise MisuseError(Error.INVALID_DEVICE, str(error)) from None
        self._inquiry = None

    def set_fixed_layout(
        self,
        fourcc: int,
        modifier_hi: int,
        modifier_lo: int,
        width: int,
        height: int,
        objects: bytes,
        planes: bytes,
    ) -> None:
        """Ask about buffers that already exist."""
        fixed = decode_buffer(
            Error, fourcc, modifier_hi, modifier_lo, width, height, objects, planes
        )
        self._fixed = fixed
        self._laid_out = fixed.layout.extent
        self._inquiry = None

    def unset_fixed_layout(self) -> None:
        """Ask about new buffers again."""
        self._fixed = self._inquiry = None

    def set_explanation(self, level: int) -> None:
        """Say how much is to be explained."""
        if level not in Explanation.__members__.values():
            raise MisuseError(Error.INVALID_EXPLANATION, f"{level} is no level of explanation")
        self._explanation = Explanation(level)
        self._inquiry = None

    def commit(self, cookie: int) -> Inquiry:
        """The inquiry that the pending state makes; the very same while nothing else is said."""
        if cookie == 0:
            raise MisuseError(Error.INVALID_COOKIE, "a cookie of 0")
        if self._inquiry is not None:
            return self._inquiry
        extents = self._extents
        if extents is None and self._fixed is None:
            if self._laid_out is not None:
                extents = Extents(coded=self._laid_out)
            elif self._participants:
                raise MisuseError(Error.INCOMPLETE, "neither extents nor a layout was ever sent")
        self._inquiry = Inquiry(
            participants=tuple(self._participants.items()),
            extents=extents,
            content=self._content,
            minimum=self._minimum,
            queue=self._queue,
            openable=self._openable,
            fixed=self._fixed,
            explanation=self._explanation,
        )
        return self._inquiry

    def _participant(self, id_: int) -> Participant:
        try:
            return self._participants[id_]
        except KeyError:
            raise MisuseError(Error.NO_PARTICIPANT, f"there is no participant {id_}") from None


def inquiry_requests(inquiry: Inquiry) -> tuple[Request, ...]:
    """The requests of an inquiry on a fresh object, all but `add_alternative` and `commit`.

    Raises `NotPossibleError` if it is more than the protocol can carry, and `UsageError` if
    the protocol has no such inquiry.
    """
    requests = tuple(_requests(inquiry))
    for _, participant in inquiry.participants:
        if len(participant.sets) > ALTERNATIVES:
            raise NotPossibleError(f"{participant.name}: more than {ALTERNATIVES} alternatives")
    rehearse(NegotiationState(), [*requests, ("commit", (1,))])
    return requests


def _requests(inquiry: Inquiry) -> Iterator[Request]:
    for id_, participant in inquiry.participants:
        device = participant.device
        numbers = (device.major, device.minor) if device else (0, 0)
        yield "set_participant", (id_, participant.usage, *numbers, participant.name)
    if inquiry.extents is not None:
        sizes: list[int] = []
        for extent in (inquiry.extents.coded, inquiry.extents.visible, inquiry.extents.maximum):
            sizes += (extent.width, extent.height) if extent else (0, 0)
        yield "set_extents", tuple(sizes)
    content = inquiry.content
    flags = _PROTECTED * content.protected | _INTERLACED * content.interlaced
    yield "set_content", (flags, content.rotation, content.encoding, content.range)
    yield "set_buffer_count", (inquiry.minimum, inquiry.queue)
    yield "set_explanation", (inquiry.explanation,)
    if inquiry.openable is not None:
        yield "set_openable", (encode_sources(sorted(inquiry.openable)),)
    if inquiry.fixed is None:
        yield "unset_fixed_layout", ()
    else:
        yield "set_fixed_layout", encode_buffer(inquiry.fixed)


def _extent(width: int, height: int) -> Extent:
    if not (1 <= width <= EXTENT and 1 <= height <= EXTENT):
        raise MisuseError(Error.INVALID_EXTENT, f"a size of {width}x{height}")
    return Extent(width, height)


def _optional_extent(width: int, height: int) -> Extent | None:
    return _extent(width, height) if width or height else None
