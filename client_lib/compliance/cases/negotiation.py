"""Answers of a negotiation: to each commit one, in its order, of what was asked for and no more."""

from __future__ import annotations

import struct

from heapwire.client_lib.compliance.case import CaseGroup
from heapwire.client_lib.compliance.layout_rows import SIZE, packed_object, packed_plane
from heapwire.client_lib.compliance.negotiation_batch import (
    ALLOCATOR,
    EXACT,
    FIXED,
    NO_SURFACE,
    SUPERSEDED,
    SentAnswer,
    SentPlan,
)
from heapwire.client_lib.compliance.probe import DMABUF, HEIGHT, WIDTH, XRGB, Probe
from heapwire.client_lib.compliance.question import (
    NEGOTIATION,
    PLAIN,
    USER,
    Question,
    Said,
)
from heapwire.client_lib.compliance.sources_batch import announced_properties
from heapwire.client_lib.compliance.verdict import DeviationError, SkippedCaseError
from heapwire.client_lib.compliance.window import ProbeWindow
from heapwire.protocol.values import LINEAR, FormatModifier
from heapwire.protocol.wire import DmabufVersion, halves

GROUP = CaseGroup("negotiation")

_UNHEARD_OF = 0x7F00_0001  # a type of a vendor that drm_fourcc.h does not know
_PITCH_ALIGNMENT = 1
_PROTECTED = 2  # a source_property
_UNSPECIFIED = 2  # an encoding
_REASONS, _ALL = 1, 2
_EXPLANATIONS = {"participant", "plan_reason", "refusal", "conflict"}


def _expect(holds: object, expected: str, seen: str) -> None:
    if not holds:
        raise DeviationError(expected=expected, seen=seen)


@GROUP.case("announced")
def announced(probe: Probe) -> None:
    """After the bind come a source event for each source, supported types, and then done."""
    question = Question(probe)
    probe.expect_alive("bind")
    told = probe.connection.of(question.manager)
    _expect(told and told[-1].name == "done", "done after sources and types", "none")
    announced_properties(told)
    types = [event.number(0) for event in told if event.name == "supported_type"]
    _expect(len(set(types)) == len(types), "each type once", "one twice")


@GROUP.case("nothing-asked")
def nothing_asked(probe: Probe) -> None:
    """With no participants and no fixed layout, the answer has no plans."""
    question = Question(probe)
    question.send("commit", 7)
    _expect(not question.answer(7).plans, "no plans", "plans")


@GROUP.case("plans")
def plans(probe: Probe) -> None:
    """A plan says where and how to allocate what linux-dmabuf then takes."""
    question = Question(probe)
    question.ask_plainly()
    answer = question.planned()
    takes = None
    if probe.globals().get(DMABUF, (0, 0))[1] >= DmabufVersion.MODIFIERS:
        version = min(probe.globals()[DMABUF][1], DmabufVersion.SAMPLING)
        takes = probe.pairs(version)
    for plan in answer.plans:
        _check_plan(probe, question, plan)
        _expect(takes is None or plan.pair in takes, "pairs of linux-dmabuf's", f"{plan.pair}")
    _expect(
        not answer.told & _EXPLANATIONS,
        "nothing explained to who has not asked",
        ", ".join(sorted(answer.told & _EXPLANATIONS)),
    )


def _check_plan(probe: Probe, question: Question, plan: SentPlan) -> None:
    sources = announced_properties(probe.connection.of(question.manager))
    for kind, major, minor, _, _ in plan.objects:
        _expect(
            (kind, major, minor) in sources,
            "sources that were announced",
            f"{kind} {major}:{minor}",
        )
        properties = sources[kind, major, minor]
        _expect(not properties & _PROTECTED, "protected memory for such content only", "some")
    _expect(plan.pair in PLAIN, "a pair that everybody can use", f"{plan.pair}")
    _expect(plan.layout in (EXACT, ALLOCATOR), "a layout for new buffers", f"{plan.layout}")
    room = plan.width >= WIDTH and plan.height >= HEIGHT
    _expect(room, "room for the pictures", f"{plan.width}x{plan.height}")
    _expect(plan.count >= 2, "as many buffers as are needed, and 2 at the least", f"{plan.count}")


@GROUP.case("merged")
def merged(probe: Probe) -> None:
    """The compositor merges what the client's devices require with what its own require."""
    question = Question(probe)
    question.participant(1, question.set([_pitch(192)]))
    question.participant(2, question.set([_pitch(80)]))
    question.extents()
    question.send("commit", 1)
    for plan in question.planned().plans:
        for _, _, pitch in plan.planes:
            _expect(pitch % 960 == 0, "pitches that are multiples of 192 and of 80", f"{pitch}")


def _pitch(alignment: int) -> Said:
    return (_PITCH_ALIGNMENT, 0, 0, USER, struct.pack("=Q", alignment))


@GROUP.case("must-understand")
def must_understand(probe: Probe) -> None:
    """Of a set with a type that it does not know, and must, a compositor plans with no pair."""
    question = Question(probe)
    question.ask_plainly()
    question.planned()
    question.ask_plainly((_UNHEARD_OF, 0, 1, USER, b"whatever"), cookie=2)
    _expect(not question.answer(2).plans, "no plan with a pair of the set", "a plan")


@GROUP.case("carried-on")
def carried_on(probe: Probe) -> None:
    """What it does not know, and need not, it carries on in plans that an allocator lays out."""
    question = Question(probe)
    said = (_UNHEARD_OF, 0, 0, USER, b"whatever")
    question.ask_plainly(said)
    for plan in question.planned().plans:
        if plan.layout == ALLOCATOR:
            _expect(said in plan.constraints, "the constraint, unchanged", "no such constraint")


@GROUP.case("buffer-count")
def buffer_count(probe: Probe) -> None:
    """The buffers that the client needs, and those that the compositor holds, are in each plan."""
    question = Question(probe)
    question.send("set_buffer_count", 7, 5)
    question.ask_plainly()
    for plan in question.planned().plans:
        _expect(plan.count >= 12, "12 buffers at the least", f"{plan.count}")


@GROUP.case("nothing-openable")
def nothing_openable(probe: Probe) -> None:
    """A source that the client cannot open is in the plans only for the compositor to allocate."""
    question = Question(probe)
    question.send("set_openable", b"")
    question.ask_plainly()
    for plan in question.answer().plans:
        for one in plan.objects:
            _expect(one[3] == 2, "what the compositor allocates", f"the access {one[3]}")


@GROUP.case("protected")
def protected(probe: Probe) -> None:
    """Protected content is given plans with protected memory only."""
    question = Question(probe)
    question.send("set_content", 1, 0, _UNSPECIFIED, 0)
    question.ask_plainly()
    answer = question.answer()
    sources = announced_properties(probe.connection.of(question.manager))
    for plan in answer.plans:
        for one in plan.objects:
            _expect(sources.get(one[:3], 0) & _PROTECTED, "protected memory", f"{one[:3]}")


@GROUP.case("fixed-layout")
def fixed_layout(probe: Probe) -> None:
    """Asked about buffers that exist, plans have the layout kind fixed, and are of these."""
    question = Question(probe)
    question.ask_plainly(cookie=1)
    asked = question.planned(1)
    plan = next((one for one in asked.plans if one.layout == EXACT and one.pair in PLAIN), None)
    if plan is None:
        raise SkippedCaseError("the compositor lays nothing out itself")
    objects = [(one[:3], one[4] or 0) for one in plan.objects]
    planes = [packed_plane(*one) for one in plan.planes]
    question.send(
        *("set_fixed_layout", plan.pair.fourcc, *halves(plan.pair.modifier)),
        *(plan.width, plan.height),
        b"".join(packed_object(source, size) for source, size in objects),
        b"".join(planes),
    )
    question.send("commit", 2)
    answer = question.answer(2)
    _expect(answer.plans, "that a buffer by a plan is good as it is", "no plan")
    for fixed in answer.plans:
        _expect(fixed.layout == FIXED, "the layout kind fixed", f"{fixed.layout}")
        same = [(one[:3], one[4]) for one in fixed.objects] == objects
        _expect(same and fixed.planes == plan.planes, "the buffer that was asked about", "another")


@GROUP.case("layout-unset")
def layout_unset(probe: Probe) -> None:
    """When a fixed layout is unset, new buffers are for pictures of its size."""
    question = Question(probe)
    numbers = (XRGB, *halves(LINEAR), WIDTH, HEIGHT)
    question.send("set_fixed_layout", *numbers, packed_object(size=SIZE), packed_plane())
    question.participant(1, question.set())
    question.send("unset_fixed_layout")
    question.send("commit", 1)
    for plan in question.answer().plans:
        _check_plan(probe, question, plan)


@GROUP.case("unset-unsent")
def unset_unsent(probe: Probe) -> None:
    """unset_fixed_layout undoes set_fixed_layout if it was sent, and nothing else."""
    question = Question(probe)
    question.send("unset_fixed_layout")
    question.ask_plainly()
    question.answer()


@GROUP.case("reasons")
def reasons(probe: Probe) -> None:
    """Who wants reasons is told no plan_reason and no refusal."""
    _explained(probe, _REASONS, {"plan_reason", "refusal"})


@GROUP.case("all-explained")
def all_explained(probe: Probe) -> None:
    """Who wants all may be told all, in its order."""
    _explained(probe, _ALL, set())


def _explained(probe: Probe, level: int, unwanted: set[str]) -> None:
    question = Question(probe)
    question.send("set_explanation", level)
    for cookie, alignment in ((1, 64), (2, 1 << 40)):
        question.ask_plainly(_pitch(alignment), cookie=cookie)
        told = question.answer(cookie).told & unwanted
        _expect(not told, "only what was asked for", ", ".join(sorted(told)))


@GROUP.case("pending")
def pending(probe: Probe) -> None:
    """State is double-buffered: what comes after a commit is no part of it."""
    question = Question(probe)
    with probe.connection.at_once():
        question.ask_plainly()
        question.send("set_buffer_count", 40, 24)
        question.send("set_explanation", _ALL)
    answer = question.planned()
    counts = [plan.count for plan in answer.plans]
    _expect(max(counts) < 64, "as many buffers as were asked for", f"{max(counts)}")
    _expect(not answer.told & _EXPLANATIONS, "nothing explained", "what was asked for later")


def _said(answer: SentAnswer) -> tuple[object, ...]:
    return (answer.reason, answer.plans)


@GROUP.case("overtaken")
def overtaken(probe: Probe) -> None:
    """Each commit gets exactly one batch, in the order of the commits; the last is answered."""
    question = Question(probe)
    with probe.connection.at_once():
        for cookie in (5, 3, 9):
            question.ask_plainly(cookie=cookie)
    last = question.answer(9)
    _expect(last.reason != SUPERSEDED, "an answer to the last commit", "superseded")
    probe.expect_alive("commit")
    cookies = [one.cookie for one in question.answers() if one.cookie]
    _expect(cookies == [5, 3, 9], "an answer to each commit, in order", f"{cookies}")


@GROUP.case("same-cookie")
def same_cookie(probe: Probe) -> None:
    """The cookie is the client's: it may be the same each time."""
    question = Question(probe)
    for _ in range(3):
        question.send("commit", 2**32 - 1)
        question.answer(2**32 - 1)
    connection, object_ = probe.connection, question.object
    connection.wait(lambda: len(connection.of(object_, "done", "failed")) >= 3, "third answer")
    _expect(len(question.answers()) == 3, "an answer to each", f"{len(question.answers())}")


@GROUP.case("surface")
def surface(probe: Probe) -> None:
    """A surface may have any number of negotiations, which are independent of each other."""
    window = ProbeWindow(probe)
    questions = [Question(probe, window.surface) for _ in range(2)]
    for question in questions:
        question.ask_plainly()
    first, second = (question.answer() for question in questions)
    _expect(_said(first) == _said(second), "the same answer to the same question", "another")
    questions[0].send("destroy")
    questions[1].send("commit", 2)
    questions[1].answer(2)


@GROUP.case("surface-gone")
def surface_gone(probe: Probe) -> None:
    """When its surface is destroyed a negotiation answers failed(no_surface), and nothing else."""
    compositor = probe.bind("wl_compositor", 1)
    made = probe.connection.new("wl_surface")
    probe.connection.request(compositor, "create_surface", made)
    question = Question(probe, made)
    with probe.connection.at_once():
        question.ask_plainly(cookie=1)
        probe.connection.request(made, "destroy")
        question.send("commit", 2)
    question.answer(1)
    reason = question.answer(2).reason
    _expect(reason == NO_SURFACE, "failed(no_surface)", f"{reason}")
    question.send("set_participant", 0, 0, 0, 0, "nobody")
    probe.expect_error(NEGOTIATION, "invalid_participant")


@GROUP.case("destroyed")
def destroyed(probe: Probe) -> None:
    """When a negotiation is destroyed nothing more is sent to it, and the rest goes on."""
    question, other = Question(probe), Question(probe)
    with probe.connection.at_once():
        question.ask_plainly()
        question.send("destroy")
    probe.expect_alive("destroy")
    told = len(probe.connection.of(question.object))
    other.ask_plainly()
    other.answer()
    _expect(len(probe.connection.of(question.object)) == told, "nothing more", "events")


@GROUP.case("use-plan")
def use_plan(probe: Probe) -> None:
    """use_plan tells of a plan of a batch, and of one that there is not: the answer stays."""
    question = Question(probe)
    question.ask_plainly()
    answer = question.planned()
    for plan in (0, len(answer.plans), 2**32 - 1):
        question.send("use_plan", answer.serial, plan)
    probe.expect_alive("use_plan")
    question.send("commit", 2)
    question.planned(2)


@GROUP.case("impossible")
def impossible(probe: Probe) -> None:
    """What cannot be is answered with failed, and with no plan."""
    question = Question(probe)
    question.participant(1, question.set(pairs=[FormatModifier(_UNHEARD_OF, LINEAR)]))
    question.extents()
    question.send("commit", 1)
    answer = question.answer()
    _expect(answer.reason is not None, "failed", "done")
