"""Deviations of what extends linux-dmabuf: negotiation, allocation and buffer status."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from typing import Any

import pytest
from deviations import Deviation, deviation, die, wrap
from sources_deviations import DEVIATIONS

from heapwire.client_lib.compliance import cases_named
from heapwire.client_lib.compliance.layout_rows import ROWS
from heapwire.compositor_plugin import allocation, buffer_status, constraint_set, manager
from heapwire.compositor_plugin.allocation import Allocation, AllocationManager
from heapwire.compositor_plugin.buffer_status import BufferStatus
from heapwire.compositor_plugin.clients import ClientUses
from heapwire.compositor_plugin.constraint_set import ConstraintSetCreator, ConstraintSetResource
from heapwire.compositor_plugin.hosts.reference.wp_presentation_feedback import (
    WpPresentationFeedback,
)
from heapwire.compositor_plugin.manager import Manager
from heapwire.compositor_plugin.negotiation import Negotiation
from heapwire.compositor_plugin.negotiation_manager import NegotiationManager
from heapwire.compositor_plugin.negotiation_object import NegotiationObject
from heapwire.compositor_plugin.plugin import HeapPlugin
from heapwire.compositor_plugin.server import ViolationError
from heapwire.compositor_plugin.server.resource import live_resources
from heapwire.protocol.values import REGISTRY
from heapwire.protocol.wire import MisuseError, batch_events
from heapwire.protocol.wire.negotiation_state import NegotiationState

client_use = importlib.import_module("heapwire.compositor_plugin.clients.client_use")
negotiation = importlib.import_module("heapwire.compositor_plugin.negotiation")
negotiation_manager = importlib.import_module("heapwire.compositor_plugin.negotiation_manager")
state = importlib.import_module("heapwire.protocol.wire.negotiation_state")
builder = importlib.import_module("heapwire.protocol.wire.constraint_set_builder")
fixed_buffer = importlib.import_module("heapwire.protocol.wire.fixed_buffer")

Events = list[tuple[str, tuple[Any, ...]]]


def named(noun: str, but: str = "") -> tuple[str, ...]:
    """The cases of a noun, without some that are divided by spaces."""
    left_out = {f"{noun}/{name}" for name in but.split()}
    return tuple(case.name for case in cases_named([noun]) if case.name not in left_out)


def of(noun: str, names: str) -> tuple[str, ...]:
    """Cases of a noun, divided by spaces."""
    return tuple(f"{noun}/{name}" for name in names.split())


# Misuse that is let pass, and what is none that is not.


def harmless(patch: pytest.MonkeyPatch, kind: type, *requests: str) -> None:
    """Let what a request is misused for go unnoticed."""

    def request(method, self, *arguments):
        with suppress(ViolationError):
            method(self, *arguments)

    for name in requests:
        wrap(patch, kind, name, request)


_GOOD_SETS = (
    "pairs-4096 constraints-256 value-1024 other-planes any-pair provenances unheard-of-type "
    "given-up destroyed-manager destroyed-set bytes-given-back"
)


@deviation("anything may be in a set", *named("set", but=_GOOD_SETS))
def _(patch: pytest.MonkeyPatch) -> None:
    harmless(patch, ConstraintSetCreator, "add_formats", "add", "create")


_MISUSED_LAYOUTS = " ".join(f"layout-{row.name}" for row in ROWS if row.error)


@deviation(
    "any request is a question",
    *of("negotiation", _MISUSED_LAYOUTS),
    *of("negotiation", "id-0 id-high usage-0 usage-256 major-4096 minor-1048576 name-129"),
    *of("negotiation", "name-of-letters participants-17 remove-nobody remove-twice coded-0"),
    *of("negotiation", "coded-width-0 coded-65537 visible-height-0 visible-wider visible-higher"),
    *of("negotiation", "maximum-width-0 maximum-65537 content-flags-4 rotation-45 encoding-3"),
    *of("negotiation", "range-3 buffers-0 buffers-65 buffers-far half-a-source sources-257"),
    *of("negotiation", "source-of-no-kind source-major-4096 source-minor-1048576 explanation-3"),
    *of("negotiation", "cookie-0 no-extents unset-nothing set-for-nobody alternatives-17"),
    "negotiation/surface-gone",
)
def _(patch: pytest.MonkeyPatch) -> None:
    def checked(method, self, *arguments):
        with suppress(MisuseError):
            method(self, *arguments)

    for request in NegotiationObject.INTERFACE.requests:
        wrap(patch, NegotiationObject, request.name, checked)


@deviation(
    "anything can be allocated",
    *of("allocation", _MISUSED_LAYOUTS),
    "allocation/allocations-1025",
)
def _(patch: pytest.MonkeyPatch) -> None:
    harmless(patch, AllocationManager, "allocate")


def _limit(name: str, where: tuple[Any, ...], limit: int, *found_by: str) -> None:
    def plant(patch: pytest.MonkeyPatch) -> None:
        for module in where:
            patch.setattr(module, name, limit)

    DEVIATIONS.append(Deviation(f"the limit {name} is {limit}", plant, found_by))


_MANAGERS = ("negotiation/managers-17", "allocation/managers-17", "status/managers-17")
_limit("SET_FORMATS", (builder,), 4095, *of("set", "pairs-4096 bytes-kept bytes-given-back"))
_limit("SET_CONSTRAINTS", (builder,), 255, "set/constraints-256")
_limit("VALUE_BYTES", (builder,), 1000, "set/value-1024")
_limit("CLIENT_SET_BYTES", (constraint_set, client_use), 3 << 20, "set/bytes-kept")
_limit("CLIENT_SET_BYTES", (constraint_set, client_use), 5 << 20, "set/bytes-kept")
_limit("PARTICIPANTS", (state,), 15, "negotiation/participants-16")
_limit("ALTERNATIVES", (state,), 15, "negotiation/alternatives-16")
_limit("EXTENT", (state,), 65535, "negotiation/extents-65536")
_limit(
    *("EXTENT", (fixed_buffer,), 65535),
    *("negotiation/layout-at-the-limits", "allocation/layout-at-the-limits"),
)
_limit("BUFFERS", (state,), 63, "negotiation/buffers-64")
_limit("OPENABLE", (state,), 255, "negotiation/sources-256")
_limit("COMMITS", (negotiation,), 9, "negotiation/commits-256")
_limit("NEGOTIATIONS", (negotiation_manager,), 255, "negotiation/negotiations-257")
_limit("NEGOTIATIONS", (negotiation_manager,), 999, "negotiation/negotiations-257")
_limit("MANAGERS", (manager,), 17, *_MANAGERS)
_limit("MANAGERS", (manager,), 15, *_MANAGERS)
_limit("STATUSES", (buffer_status,), 1023, "status/statuses-1025")
_limit("STATUSES", (buffer_status,), 1025, "status/statuses-1025")
_limit("ALLOCATIONS", (allocation,), 1023, "allocation/allocations-1025")


def _dies(
    name: str, kind: type, request: str, found_by: tuple[str, ...], when: Callable[..., object]
) -> None:
    """A deviation that takes for misuse what is none."""

    def plant(patch: pytest.MonkeyPatch) -> None:
        def asked(method, self, *arguments):
            if when(self, *arguments):
                die(self)
            else:
                method(self, *arguments)

        wrap(patch, kind, request, asked)

    DEVIATIONS.append(Deviation(name, plant, found_by))


def _always(*_: object) -> bool:
    return True


_dies("planes are not told apart", ConstraintSetCreator, "add", of("set", "other-planes"),
      lambda self, type_, planes, *_: type_ == 1 and planes == 7)  # fmt: skip
_dies("pairs are named one by one", ConstraintSetCreator, "add_formats", of("set", "any-pair"),
      lambda self, cost, formats: formats[:4] == bytes(4))  # fmt: skip
_dies("nobody is believed", ConstraintSetCreator, "add", of("set", "provenances"),
      lambda self, type_, planes, flags, provenance, value: provenance == 0)  # fmt: skip
_dies("types that nobody knows are misuse", ConstraintSetCreator, "add",
      of("set", "unheard-of-type constraints-256 value-1024 provenances"),
      lambda self, type_, *_: type_ not in REGISTRY)  # fmt: skip
_dies("a set has to be made", ConstraintSetCreator, "destroy", of("set", "given-up"), _always)
_dies("a set has to stay", ConstraintSetResource, "destroy",
      of("set", "destroyed-set bytes-given-back"), _always)  # fmt: skip
_dies("no picture is turned", NegotiationObject, "set_content", of("negotiation", "contents"),
      lambda self, flags, rotation, *_: rotation == 270)  # fmt: skip
_dies("a plan that is not known is misuse", NegotiationObject, "use_plan",
      of("negotiation", "use-no-plan use-plan"), lambda self, serial, plan: plan > 99)  # fmt: skip
_dies("there is always a layout to unset", NegotiationObject, "unset_fixed_layout",
      of("negotiation", "unset-unsent"), lambda self: self._state._fixed is None)  # fmt: skip
_dies("a negotiation has to stay", NegotiationObject, "destroy",
      of("negotiation", "destroyed surface negotiations-257"), _always)  # fmt: skip
_dies("surfaces have to stay", NegotiationObject, "_surface_gone",
      of("negotiation", "surface-gone"), _always)  # fmt: skip
_dies("an allocation has to stay", Allocation, "destroy",
      of("allocation", "cancelled kept allocations-1025"), _always)  # fmt: skip


@deviation(
    "what a layout says has to be right",
    *of("negotiation", "layout-padding layout-unheard-of-source layout-unheard-of-format"),
    *of("allocation", "layout-padding layout-unheard-of-source layout-unheard-of-format"),
)
def _(patch: pytest.MonkeyPatch) -> None:
    def wrong(self, fourcc, high, low, width, height, objects, planes):
        return fourcc == 0x3130_7878 or objects[4] == 99 or objects[12] == 255

    for kind, request, extra in (
        (NegotiationObject, "set_fixed_layout", 0),
        (AllocationManager, "allocate", 1),
    ):

        def asked(method, self, *arguments, extra=extra):
            if wrong(self, *arguments[extra:]):
                die(self)
            else:
                method(self, *arguments)

        wrap(patch, kind, request, asked)


@deviation("what was once asked for counts for ever", "set/bytes-given-back")
def _(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(ClientUses, "count_while_used", lambda self, *arguments: None)


@deviation(
    "a manager takes with it what it made",
    *("set/destroyed-manager", "allocation/destroyed-manager"),
)
def _(patch: pytest.MonkeyPatch) -> None:
    def destroy(method, self):
        for one in live_resources():
            if isinstance(one, ConstraintSetCreator | Allocation):
                one.destroy_resource()
        method(self)

    wrap(patch, Manager, "destroy", destroy)


# What is announced.


def _announces(kind: type, noun: str, name: str, *events: tuple[Any, ...]) -> None:
    def plant(patch: pytest.MonkeyPatch) -> None:
        def init(method: Any, self: Any, *arguments: Any) -> None:
            method(self, *arguments)
            for event in events:
                self.send(*event)

        wrap(patch, kind, "__init__", init)

    DEVIATIONS.append(Deviation(f"{noun}: {name}", plant, (f"{noun}/announced",)))


_HEAP = (0, 250, 7)
for _kind, _noun, _rest in (
    (NegotiationManager, "negotiation", (0, "made-up")),
    (AllocationManager, "allocation", ()),
):
    _source = ("source", *_HEAP, *_rest)
    _announces(_kind, _noun, "a source twice", _source, _source, ("done",))
    _announces(_kind, _noun, "a source of no kind", ("source", 9, 250, 7, *_rest), ("done",))
    _announces(_kind, _noun, "a number of no device", ("source", 0, 4096, 7, *_rest), ("done",))
    _announces(_kind, _noun, "the end of what never was", ("source_gone", *_HEAP), ("done",))
    _announces(_kind, _noun, "no end of the announcements", _source)
_announces(NegotiationManager, "negotiation", "a property of no kind",
           ("source", *_HEAP, 64, "made-up"), ("done",))  # fmt: skip
_announces(NegotiationManager, "negotiation", "a type twice",
           *[("supported_type", 1)] * 2, ("done",))  # fmt: skip


# What is answered.


def _answers(name: str, change: Callable[[Any, Events], Events], found_by: str = "plans") -> None:
    """A deviation of the events of each batch: `change(object, events)` are sent instead."""

    def plant(patch: pytest.MonkeyPatch) -> None:
        def send(method, self, numbered):
            content = numbered.batch.content
            events = batch_events(content, numbered.explanation)
            end, arguments = events[-1]
            events[-1] = end, (numbered.cookie, numbered.serial, *arguments[2:])
            for event, values in change(self, events):
                self.send(event, *values)

        wrap(patch, NegotiationObject, "_send", send)

    DEVIATIONS.append(Deviation(name, plant, of("negotiation", found_by)))


def _set(event: str, position: int, value: Any) -> Callable[[Any, Events], Events]:
    """Another value of an argument."""

    def change(self: Any, events: Events) -> Events:
        return [
            (
                name,
                (*values[:position], value, *values[position + 1 :]) if name == event else values,
            )
            for name, values in events
        ]

    return change


def _after(event: str, *more: tuple[str, tuple[Any, ...]]) -> Callable[[Any, Events], Events]:
    """More events behind each of a name."""
    return lambda self, events: [
        one for sent in events for one in ((sent, *more) if sent[0] == event else (sent,))
    ]


def _before_end(*more: tuple[str, tuple[Any, ...]]) -> Callable[[Any, Events], Events]:
    return lambda self, events: [*events[:-1], *more, events[-1]]


def _without(event: str) -> Callable[[Any, Events], Events]:
    return lambda self, events: [one for one in events if one[0] != event]


def _moved(event: str) -> Callable[[Any, Events], Events]:
    """The events of a name at the end of the batch."""

    def change(self: Any, events: Events) -> Events:
        rest = [one for one in events if one[0] != event]
        return [*rest[:-1], *(one for one in events if one[0] == event), rest[-1]]

    return change


_PLAN = ("plan", (0, 1, 0x34325258, 0, 0, 0, 64, 64, 2))
_AGREEMENT = ("plan_agreement", (1, 0, 0, 2, 0))
_REFUSAL = ("refusal", (*_HEAP, 1, 0, 0, 0, "made-up"))
_CONFLICT = ("conflict", (1, 0, 0, 1, 1, 0, bytes(8), "made-up"))
_answers("plans are not numbered", _set("plan", 0, 3))
_answers("a plan for nothing", _set("plan", 1, 0))
_answers("the display is meant, whatever surface it is", _set("plan", 1, 1), "default-goal")
_answers("a plan for what there is not", _set("plan", 1, 4))
_answers("black, and not scanned out", _set("plan", 1, 1 << 16))
_answers("a pair that nobody offers", _set("plan", 2, 0x3130_7878))
_answers("a layout of no kind", _set("plan", 5, 9))
_answers("a fixed layout that nobody asked about", _set("plan", 5, 2), "plans layout-unset")
_answers("a plan of no width", _set("plan", 6, 0))
_answers("a plan that is too small", _set("plan", 7, 63))
_answers("no buffers", _set("plan", 8, 0))
_answers("one buffer", _set("plan", 8, 1), "plans buffer-count")
_answers("as many buffers as are asked for meanwhile",
         lambda self, events: _set("plan", 8, self._state._minimum + self._state._queue)(
             self, events), "pending")  # fmt: skip
_answers("plans without end", _before_end(_PLAN), "plans nothing-asked impossible")
_answers("sources where sizes are asked for", _after("plan", ("plan_source", (*_HEAP, 1))))
_answers("a source that nobody announced", _set("plan_object", 1, 99))
_answers("nobody can allocate it", _set("plan_object", 3, 0))
_answers("whoever allocates is nobody known", _set("plan_object", 3, 4))
_answers("who cannot allocate is to do it", _set("plan_object", 3, 3), "nothing-openable")
_answers("objects of no size", _set("plan_object", 5, 0))
_answers("no objects", _without("plan_object"))
_answers("no planes", _without("plan_plane"))
_answers("a plane of no object", _set("plan_plane", 0, 3))
_answers("a plane without a pitch", _set("plan_plane", 2, 0))
_answers("pitches as they come", _set("plan_plane", 2, 961), "merged")
_answers("objects after planes", _moved("plan_object"))
_answers("an agreement twice", _after("plan_plane", _AGREEMENT, _AGREEMENT))
_answers("planes after the agreement", _after("plan_object", _AGREEMENT))
_answers("constraints for nobody",
         _after("plan_plane", ("plan_constraint", (1, 0, 0, 6, bytes(8)))))  # fmt: skip
_answers("reasons for who wants none", _after("plan_plane", ("plan_reason", (0, 0, "made-up"))),
         "plans reasons")  # fmt: skip
_answers("refusals for who wants none", _before_end(_REFUSAL), "plans reasons")
_answers("refusals of no cause", _before_end(("refusal", (*_HEAP, 9, 0, 0, 0, ""))))
_answers("refusals that name what they need not",
         _before_end(("refusal", (*_HEAP, 1, 1, 1, 0, ""))))  # fmt: skip
_answers("conflicts with a stranger",
         _before_end(("conflict", (1, 0, 0, 1 << 31, 1, 0, bytes(8), ""))))  # fmt: skip
_answers("conflicts for no goal", _before_end(("conflict", (0, *_CONFLICT[1][1:]))))
_answers("conflicts of no cause", _before_end(("conflict", (1, 7, *_CONFLICT[1][2:]))))
_answers(
    "conflicts with flags that are none", _before_end(("conflict", (1, 0, 2, 1, 1, 0, b"", "")))
)
_answers("formats that are a constraint", _before_end(("conflict", (1, 1, *_CONFLICT[1][2:]))))
_answers("plans after conflicts", lambda self, events: [_CONFLICT, *events])
_answers("participants at the end", _before_end(("participant", (1 << 31, 1, 0, 0, ""))),
         "all-explained")  # fmt: skip
_answers("a participant of the client's", lambda self, events: [("participant", (5, 1, 0, 0, "")),
         *events])  # fmt: skip
_answers("a participant without a use", lambda self, events: [
         ("participant", (1 << 31, 0, 0, 0, "")), *events])  # fmt: skip
_answers("the same participant twice", lambda self, events: [
         *(("participant", (1 << 31, usage, 0, 0, "")) for usage in (1, 2)), *events])  # fmt: skip
_answers("serials as they come", _set("done", 1, 9))
_answers("a batch that nobody asked for", _after("done", ("done", (0, 2)), ("done", (0, 3))))
_answers("a failure for no reason", lambda self, events: [("failed", (1, 1, 9, ""))])
_answers("plans, and then failure", lambda self, events: [
         *events[:-1], ("failed", (1, 1, 0, ""))])  # fmt: skip
_answers("no answer", lambda self, events: [], "alternatives-16")
_answers("what cannot be is done", lambda self, events: [
         *events[:-1], ("done", events[-1][1][:2])], "impossible surface-gone")  # fmt: skip
_answers("buffers that exist are planned anew", _set("plan", 5, 0), "fixed-layout")
_answers("another allocator's matter", lambda self, events: [
         (("plan_source", values[:4]) if name == "plan_object" else (name, values))
         for name, values in _set("plan", 5, 1)(self, events) if name != "plan_plane"],
         "carried-on")  # fmt: skip
_answers("what belongs to others is used", _set("plan_object", 2, 77))


@deviation("nothing must be understood", "negotiation/must-understand")
def _(patch: pytest.MonkeyPatch) -> None:
    def add(method, self, type_, planes, flags, *rest):
        method(self, type_, planes, 0, *rest)

    wrap(patch, ConstraintSetCreator, "add", add)


@deviation("a content is as good as another", "negotiation/protected")
def _(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(NegotiationObject, "set_content", lambda self, *values: None)


@deviation("a participant keeps what was said of it", "negotiation/replaced")
def _(patch: pytest.MonkeyPatch) -> None:
    def replaced(method, self, id_, *arguments):
        before = self._participants.get(id_)
        method(self, id_, *arguments)
        if before is not None:
            self._participants[id_] = before

    wrap(patch, NegotiationState, "set_participant", replaced)


@deviation("a participant without alternatives can use nothing", "negotiation/replaced")
def _(patch: pytest.MonkeyPatch) -> None:
    def commit(method, self, cookie):
        inquiry = method(self, cookie)
        able = not inquiry.participants or all(one.sets for _, one in inquiry.participants)
        return inquiry if able else replace(inquiry, participants=())

    wrap(patch, NegotiationState, "commit", commit)


@deviation("nobody is let go", "negotiation/removed")
def _(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(NegotiationState, "remove_participant", lambda self, id_: None)


@deviation("there is room for one picture", "negotiation/maximum")
def _(patch: pytest.MonkeyPatch) -> None:
    set_extents = NegotiationState.set_extents
    patch.setattr(
        *(NegotiationState, "set_extents"),
        lambda self, *sizes: set_extents(self, *sizes[:4], 0, 0),
    )


@deviation("a layout that is unset was never sent", "negotiation/layout-unset")
def _(patch: pytest.MonkeyPatch) -> None:
    def unset(method, self):
        method(self)
        self._laid_out = None

    wrap(patch, NegotiationState, "unset_fixed_layout", unset)


@deviation("who is overtaken is told nothing", "negotiation/overtaken", "negotiation/commits-256")
def _(patch: pytest.MonkeyPatch) -> None:
    wrap(patch, Negotiation, "take", lambda method, self: ([], method(self)[1]))


@deviation("a cookie is eaten once", "negotiation/same-cookie")
def _(patch: pytest.MonkeyPatch) -> None:
    def commit(method, self, cookie):
        if getattr(self, "eaten", 0) != cookie:
            method(self, cookie)
        self.eaten = cookie

    wrap(patch, NegotiationObject, "commit", commit)


# What is allocated, and what becomes of buffers.


def _sends(kind: type, name: str, change: Callable[..., Events], *found_by: str) -> None:
    """A deviation that sends other events: `change(object, event, values)`."""

    def plant(patch: pytest.MonkeyPatch) -> None:
        def send(method, self, event, *values):
            for other, others in change(self, event, values):
                method(self, other, *others)

        wrap(patch, kind, "send", send)

    DEVIATIONS.append(Deviation(name, plant, found_by))


_OBJECTS = of("allocation", "each-source two-objects kept")
_sends(Allocation, "more memory is told of than there is",
       lambda self, event, values: [(event, (values[0], 9, 0) if event == "object" else values)],
       *_OBJECTS)  # fmt: skip
_sends(Allocation, "no objects come", lambda self, event, values: [(event, values)]
       if event != "object" else [], *_OBJECTS)  # fmt: skip
_sends(Allocation, "what fails is done", lambda self, event, values: [("done", ())]
       if event == "failed" else [(event, values)], "allocation/all-or-none")  # fmt: skip
_sends(Allocation, "it fails at the end",
       lambda self, event, values: [("failed", (1, ""))] if event == "done" else [(event, values)],
       "allocation/each-source", "allocation/kept")  # fmt: skip
_sends(Allocation, "it fails for no reason",
       lambda self, event, values: [("failed", (7, ""))] if event != "object" else [],
       *of("allocation", "all-or-none layout-unheard-of-source"))  # fmt: skip
_sends(Allocation, "the end comes twice", lambda self, event, values: [(event, values)]
       * (1 if event == "object" else 2),
       *of("allocation", "each-source all-or-none destroyed-manager cancelled"))  # fmt: skip


@deviation("each object is the largest one", "allocation/two-objects")
def _(patch: pytest.MonkeyPatch) -> None:
    allocate = allocation._allocate
    patch.setattr(allocation, "_allocate", lambda *arguments: allocate(*arguments)[:1] * 2)


@deviation("objects in any order", "allocation/two-objects")
def _(patch: pytest.MonkeyPatch) -> None:
    allocate = allocation._allocate
    patch.setattr(allocation, "_allocate", lambda *arguments: allocate(*arguments)[::-1])


_SHOWN = of("status", "shown second destroyed-status")
_sends(BufferStatus, "it is told twice", lambda self, event, values: [(event, values)] * 2, *_SHOWN)
_sends(BufferStatus, "a result of no kind", lambda self, event, values: [(event, (2, 9))], *_SHOWN)
_sends(BufferStatus, "a reason of no kind", lambda self, event, values: [(event, (1, 99))], *_SHOWN)
_sends(BufferStatus, "a reason although it is scanned out",
       lambda self, event, values: [(event, (0, 9))], *_SHOWN)  # fmt: skip
_sends(BufferStatus, "no reason although it is not",
       lambda self, event, values: [(event, (1, 0))], *_SHOWN)  # fmt: skip


@deviation("it is told before anything is shown", "status/shown")
def _(patch: pytest.MonkeyPatch) -> None:
    def init(method, self, *arguments):
        method(self, *arguments)
        self.send("shown", 0, 0)

    wrap(patch, BufferStatus, "__init__", init)


@deviation("who asks later is told later", "status/second")
def _(patch: pytest.MonkeyPatch) -> None:
    def init(method, self, *arguments):
        self.beginning = True
        method(self, *arguments)
        self.beginning = False

    def tell(method, self, told):
        if not self.beginning:
            method(self, told)

    wrap(patch, BufferStatus, "__init__", init)
    wrap(patch, BufferStatus, "_tell", tell)


@deviation("a buffer that is gone is told of", "status/destroyed-buffer")
def _(patch: pytest.MonkeyPatch) -> None:
    gone: list[BufferStatus] = []

    def wants(method, self, buffer):
        for status in gone:
            status.send("shown", 0, 0)
        return method(self, buffer)

    wrap(patch, BufferStatus, "_buffer_gone", lambda method, self: gone.append(self))
    wrap(patch, HeapPlugin, "wants", wants)


@deviation("version 1 is told another rate", "presentation/versions")
def _(patch: pytest.MonkeyPatch) -> None:
    def send(method, self, event, *values):
        if event == "presented" and self.version == 1:
            values = (*values[:3], values[3] + 1, *values[4:])
        method(self, event, *values)

    wrap(patch, WpPresentationFeedback, "send", send)


@deviation("only version 2 is told of frames", "presentation/versions")
def _(patch: pytest.MonkeyPatch) -> None:
    def present(method, self, *arguments, **options):
        if self.version == 2:
            return method(self, *arguments, **options)
        return self.discard()

    wrap(patch, WpPresentationFeedback, "present", present)
