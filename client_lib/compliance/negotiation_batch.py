"""What a negotiation object has sent, put together batch by batch and checked against the text."""

from __future__ import annotations

from collections.abc import Sequence

from heapwire.client_lib.compliance.verdict import DeviationError
from heapwire.client_lib.compliance.wire_connection import WireEvent
from heapwire.protocol.late_dataclasses import dataclass, field
from heapwire.protocol.values import FormatModifier
from heapwire.protocol.wire import MAX_SERIAL, whole

SCANOUT, SAMPLING, BLACK = 1, 2, 1 << 16
EXACT, ALLOCATOR, FIXED = range(3)
SUPERSEDED, NO_SURFACE = 4, 5
_GOALS = SCANOUT | SAMPLING | BLACK
_REASONS = 8
_FIRST_OWN_ID = 0x80000000  # of the compositor's participants
_CLIENT, _COMPOSITOR = 1, 2
_PLANES = 0xF

_PART = {"participant": 0, "plan": 1, "refusal": 2, "conflict": 2}
_PLACE = {
    "plan_object": 1,
    "plan_source": 1,
    "plan_plane": 2,
    "plan_agreement": 3,
    "plan_constraint": 4,
    "plan_reason": 4,
}


@dataclass(slots=True)
class SentPlan:
    """A plan. `objects` are (kind, major, minor, access, size), the size None where it has none."""

    goal: int
    pair: FormatModifier
    layout: int
    width: int
    height: int
    count: int
    objects: list[tuple[int, int, int, int, int | None]] = field(default_factory=list)
    planes: list[tuple[int, int, int]] = field(default_factory=list)
    """Of each: its object, its offset and its pitch, in bytes."""
    constraints: list[tuple[object, ...]] = field(default_factory=list)


@dataclass(slots=True)
class SentAnswer:
    """A batch: `reason` is None where it ended with done, and `told` are the names of its events.

    A `cookie` of 0 is that of a batch that nobody asked for.
    """

    cookie: int
    serial: int
    reason: int | None
    plans: tuple[SentPlan, ...]
    told: frozenset[str]


class _Reader:
    """The events of one object, as they come."""

    def __init__(self) -> None:
        self.answers: list[SentAnswer] = []
        self._events: list[tuple[object, ...]] = []
        self._before: list[tuple[object, ...]] | None = None
        self._named: dict[int, tuple[object, ...]] = {}
        self._begin()

    def _begin(self) -> None:
        self._plans: list[SentPlan] = []
        self._part = self._place = 0
        self._events = []

    def take(self, event: WireEvent) -> None:
        name, number = event.name, event.number
        if name in ("done", "failed"):
            self._end(event)
            return
        self._events.append((name, *event.arguments))
        self._in_order(name)
        match name:
            case "participant":
                self._participant(event)
            case "plan":
                self._plan(event)
            case "plan_object":
                size = whole(number(4), number(5))
                self._object((number(0), number(1), number(2), number(3), size))
            case "plan_source":
                self._object((number(0), number(1), number(2), number(3), None))
            case "plan_plane":
                self._plans[-1].planes.append((number(0), number(1), number(2)))
            case "plan_constraint":
                self._plans[-1].constraints.append(event.arguments)
            case "refusal":
                self._refusal(event)
            case "conflict":
                self._conflict(event)

    def _in_order(self, name: str) -> None:
        part = _PART.get(name, 1)
        _expect(part >= self._part, "participants, plans, refusals and conflicts in this order",
                f"{name} after what comes later")  # fmt: skip
        self._part = part
        if name in _PLACE:
            place = _PLACE[name]
            _expect(bool(self._plans), f"plan before {name}", "none")
            again = name == "plan_agreement" and self._place == place
            _expect(
                place >= self._place and not again,
                "plan_object or plan_source, plan_plane, plan_agreement, plan_constraint in order",
                f"{name} after what comes later",
            )
            self._place = place

    def _participant(self, event: WireEvent) -> None:
        id_ = event.number(0)
        _expect(id_ >= _FIRST_OWN_ID, "an id above 0x7fffffff", f"{id_:#x}")
        _expect(event.number(1) > 0, "a usage", "0")
        stands_for = event.arguments[1:]
        known = self._named.setdefault(id_, stands_for)
        _expect(known == stands_for, f"that {id_:#x} stands for the same", "another")

    def _plan(self, event: WireEvent) -> None:
        index, goal, fourcc, high, low, layout, width, height, count = map(event.number, range(9))
        _expect(index == len(self._plans), f"the plan {len(self._plans)}", f"{index}")
        _expect(goal > 0 and not goal & ~_GOALS, "a goal of the enum", f"{goal:#x}")
        _expect(not goal & BLACK or bool(goal & SCANOUT), "scanout with black", f"{goal:#x}")
        _expect(layout in (EXACT, ALLOCATOR, FIXED), "a layout of the enum", f"{layout}")
        _expect(min(width, height, count) > 0, "a size and a count", f"{width}x{height}, {count}")
        pair = FormatModifier(fourcc, whole(high, low))
        self._plans.append(SentPlan(goal, pair, layout, width, height, count))
        self._place = 0

    def _object(self, one: tuple[int, int, int, int, int | None]) -> None:
        plan = self._plans[-1]
        left = one[4] is None
        _expect(
            left == (plan.layout == ALLOCATOR),
            "plan_source where the layout is left to the allocator, else plan_object",
            "the other",
        )
        access = one[3]
        known = access and not access & ~(_CLIENT | _COMPOSITOR)
        _expect(bool(known), "who can allocate it", f"the access {access:#x}")
        plan.objects.append(one)

    def _refusal(self, event: WireEvent) -> None:
        cause, participant, type_, planes = (event.number(place) for place in range(3, 7))
        _expect(cause < 4, "a cause of the enum", f"{cause}")
        if cause:
            named = (participant, type_, planes)
            _expect(named == (0, 0, 0), "no requirement with such a cause", f"{named}")

    def _conflict(self, event: WireEvent) -> None:
        goal, cause, flags, participant, type_, planes = map(event.number, range(6))
        _expect(goal > 0 and not goal & ~_GOALS, "a goal of the enum", f"{goal:#x}")
        _expect(cause < 2, "a cause of the enum", f"{cause}")
        _expect(not flags & ~1, "flags of the enum", f"{flags:#x}")
        _expect(
            participant < _FIRST_OWN_ID or participant in self._named,
            "a participant that was named",
            f"{participant:#x}",
        )
        if cause:
            _expect(not (type_ or planes or event.raw(6)), "no constraint of formats", f"{type_}")
        _expect(not planes & ~_PLANES, "a mask of planes 0 to 3", f"{planes:#x}")

    def _end(self, event: WireEvent) -> None:
        cookie, serial = event.number(0), event.number(1)
        reason = event.number(2) if event.name == "failed" else None
        last = self.answers[-1].serial if self.answers else 0
        _expect(serial == last % MAX_SERIAL + 1, f"the serial {last + 1}", f"{serial}")
        if reason is not None:
            _expect(not self._plans, "no plans before failed", f"{len(self._plans)} plans")
            _expect(reason < _REASONS, "a reason of the enum", f"{reason}")
        for plan in self._plans:
            _check_plan(plan)
        events = [*self._events, (event.name, reason)]
        _expect(
            bool(cookie) or events != self._before,
            "nothing unasked where nothing has changed",
            "the same batch again",
        )
        told = frozenset(str(name) for name, *_ in self._events)
        if reason not in (SUPERSEDED, NO_SURFACE):
            self._before = events
        self.answers.append(SentAnswer(cookie, serial, reason, tuple(self._plans), told))
        self._begin()


def answers(events: Sequence[WireEvent]) -> list[SentAnswer]:
    """The whole batches of a negotiation object; `DeviationError` for what may not be in one."""
    reader = _Reader()
    for event in events:
        reader.take(event)
    return reader.answers


def _check_plan(plan: SentPlan) -> None:
    _expect(1 <= len(plan.objects) <= 4, "1 to 4 objects", f"{len(plan.objects)}")
    if plan.layout == ALLOCATOR:
        _expect(not plan.planes, "no planes where the allocator lays out", f"{len(plan.planes)}")
        return
    _expect(not plan.constraints, "constraints for an allocator only", "plan_constraint")
    _expect(1 <= len(plan.planes) <= 4, "1 to 4 planes", f"{len(plan.planes)}")
    for index, offset, pitch in plan.planes:
        _expect(index < len(plan.objects), "a plane of an object of the plan", f"object {index}")
        size = plan.objects[index][4] or 0
        inside = pitch > 0 and offset < size
        _expect(inside, "planes within their objects", f"offset {offset}, pitch {pitch} of {size}")


def _expect(holds: bool, expected: str, seen: str) -> None:
    if not holds:
        raise DeviationError(expected=expected, seen=seen)
