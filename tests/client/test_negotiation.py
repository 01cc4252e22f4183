"""Negotiations: what is sent, what is made of answers, and what breaks one."""

from __future__ import annotations

import os
from dataclasses import replace

import pytest
from fake_compositor import (
    CMA,
    NV12,
    SYSTEM,
    XRGB,
    Allocating,
    FakeCompositor,
    plan,
    plans,
)
from patience import PATIENCE, until
from pywayland.client import Display
from pywayland.protocol.wayland import WlCompositor

from heapwire.client_lib import (
    AllocationError,
    DisconnectedError,
    NoAnswerError,
)
from heapwire.client_lib.negotiation import ConflictError, NegotiationError, NegotiationManager
from heapwire.client_lib.wayland import NEGOTIATION_MANAGER, Connection
from heapwire.protocol import NotPossibleError, PeerError, UsageError
from heapwire.protocol.values import (
    BY_NAME,
    BufferObject,
    ColourEncoding,
    Constraint,
    ConstraintSet,
    Content,
    DeviceId,
    Extent,
    Extents,
    FailureReason,
    FixedBuffer,
    Layout,
    LayoutKind,
    Participant,
    PlaneLayout,
    Usage,
)
from heapwire.protocol.wire import (
    KNOWN_BATCHES,
    Batch,
    ConflictEntry,
    Explanation,
    TrancheFlags,
)
from heapwire.protocol.wire.batch import BatchParticipant
from heapwire.protocol.wire.bindings import BufferStatusReason, BufferStatusResult

OBJECT = "xx_dmabuf_negotiation_v1"
STATUS = "xx_dmabuf_buffer_status_v1"
CREATOR = "xx_dmabuf_constraint_set_creator_v1"
PITCH = BY_NAME["pitch-alignment"].type
SOURCES = BY_NAME["permitted-sources"].type
EXTENTS = Extents(coded=Extent(64, 48))


def constraint_set(alignment: int = 32) -> ConstraintSet:
    return ConstraintSet(
        formats=(NV12, XRGB), constraints=(Constraint(type=PITCH, value=alignment),), costs=(0, 3)
    )


def decoder(*sets: ConstraintSet) -> Participant:
    return Participant(
        name="decoder",
        usage=Usage.DECODE,
        device=DeviceId(81, 2),
        sets=sets or (constraint_set(),),
    )


class Session:
    """A connection to a fake, and one negotiation."""

    def __init__(self, fake: FakeCompositor) -> None:
        self.fake = fake
        self.connection = Connection(fake.socket.detach())
        self.manager = NegotiationManager(self.connection)
        self.negotiation = self.manager.default_negotiation()
        self.connection.roundtrip()

    def sent(self) -> list[str]:
        """The requests on the negotiation since the last call."""
        self.connection.roundtrip()
        names = self.fake.names(OBJECT)
        self.fake.requests.clear()
        return names

    def object_id(self) -> int:
        return next(id_ for id_, name in self.fake.objects.items() if name == OBJECT)


@pytest.fixture
def session(fake):
    session = Session(fake)
    yield session
    session.connection.close()


def test_the_sources_come_with_their_names_and_properties(session):
    sources = session.manager.sources
    assert sources[CMA].name == "linux,cma"
    assert sources[CMA].contiguous
    assert not sources[SYSTEM].contiguous
    assert session.manager.supported_types == {1}
    assert session.manager.source_name(SYSTEM) == "system"


def test_sources_come_and_go_as_a_group(session):
    changes = []
    session.manager.on_change = lambda: changes.append(set(session.manager.sources))
    manager = next(
        id_
        for id_, name in session.fake.objects.items()
        if name == "xx_dmabuf_negotiation_manager_v1"
    )
    session.fake.event(manager, "source_gone", 0, CMA.major, CMA.minor)
    session.connection.roundtrip()
    assert CMA in session.manager.sources
    session.fake.event(manager, "source", 0, 251, 7, 0, "new")
    session.fake.event(manager, "done")
    session.connection.roundtrip()
    assert [len(one) for one in changes] == [2]
    assert CMA not in session.manager.sources
    assert session.manager.source_name(CMA) == "heap 250:1"


def test_the_same_numbers_again_are_a_new_source(session):
    """In one group with what had them before."""
    [manager] = (
        id_
        for id_, name in session.fake.objects.items()
        if name == "xx_dmabuf_negotiation_manager_v1"
    )
    numbers = (0, CMA.major, CMA.minor)
    session.fake.event(manager, "source_gone", *numbers)
    session.fake.event(manager, "source", *numbers, 2, "reserved")
    session.fake.event(manager, "done")
    session.connection.roundtrip()
    again = session.manager.sources[CMA]
    assert (again.name, again.contiguous, again.protected) == ("reserved", False, True)


def test_an_answer_arrives_as_it_was_sent(session):
    session.negotiation.set_participant(decoder())
    session.negotiation.set_extents(EXTENTS)
    batch = session.negotiation.negotiate()
    assert batch.says_the_same_as(plans())
    assert session.negotiation.plans is batch
    assert session.negotiation.names == {1: "decoder", 0x80000000: "display"}


def test_the_requests_of_a_commit_in_their_order(session):
    negotiation = session.negotiation
    negotiation.set_participant(decoder(constraint_set(32), constraint_set(64)))
    negotiation.set_extents(Extents(coded=Extent(64, 48), visible=Extent(60, 40)))
    negotiation.set_content(Content(encoding=ColourEncoding.BT709))
    negotiation.set_buffer_count(minimum=4, queue=2)
    negotiation.set_openable(frozenset({CMA}))
    negotiation.negotiate()
    requests = [(request.name, request.args) for request in session.fake.of(OBJECT)]
    alternatives = [args[1] for name, args in requests if name == "add_alternative"]
    assert len(set(alternatives)) == 2
    assert [one for one in requests if one[0] != "add_alternative"] == [
        ("set_participant", (1, Usage.DECODE, 81, 2, "decoder")),
        ("set_extents", (64, 48, 60, 40, 0, 0)),
        ("set_content", (0, 0, 1, 0)),
        ("set_buffer_count", (4, 2)),
        ("set_explanation", (Explanation.REASONS,)),
        ("set_openable", (bytes.fromhex("00000000fa00000001000000"),)),
        ("commit", (1,)),
    ]
    assert session.fake.names(CREATOR) == ["add_formats", "add_formats", "add", "create"] * 2


def test_only_what_changed_is_sent_again(session):
    negotiation = session.negotiation
    negotiation.set_participant(decoder())
    negotiation.set_extents(EXTENTS)
    negotiation.negotiate()
    session.sent()
    negotiation.set_extents(EXTENTS)
    negotiation.set_participant(decoder())
    negotiation.negotiate()
    assert session.sent() == ["commit"]
    negotiation.set_extents(Extents(coded=Extent(128, 64)))
    negotiation.negotiate()
    assert session.sent() == ["set_extents", "commit"]
    negotiation.set_participant(decoder(constraint_set(), constraint_set(64)))
    negotiation.negotiate()
    assert session.sent() == ["set_participant", "add_alternative", "add_alternative", "commit"]


def test_equal_sets_are_one_object(session):
    negotiation = session.negotiation
    negotiation.set_extents(EXTENTS)
    negotiation.set_participant(decoder())
    negotiation.set_participant(replace(decoder(), name="other"))
    negotiation.negotiate()
    other = session.manager.default_negotiation()
    other.set_participant(decoder())
    other.set_extents(EXTENTS)
    other.negotiate()
    assert session.fake.names(CREATOR).count("create") == 1
    assert session.fake.names(OBJECT).count("add_alternative") == 3


def test_participants_leave(session):
    negotiation = session.negotiation
    negotiation.set_extents(EXTENTS)
    negotiation.set_participant(decoder())
    negotiation.negotiate()
    session.sent()
    negotiation.remove_participant("decoder")
    negotiation.negotiate()
    assert session.sent() == ["remove_participant", "commit"]
    with pytest.raises(UsageError, match="'decoder'"):
        negotiation.remove_participant("decoder")


def test_fixed_layouts_are_set_and_unset(session):
    negotiation = session.negotiation
    layout = Layout(
        kind=LayoutKind.FIXED,
        extent=Extent(64, 48),
        objects=(BufferObject(CMA, 1 << 20),),
        planes=(PlaneLayout(0, 0, 64), PlaneLayout(0, 4096, 64)),
    )
    negotiation.set_fixed(FixedBuffer(NV12, layout))
    negotiation.negotiate()
    assert session.sent() == ["set_explanation", "set_fixed_layout", "commit"]
    negotiation.set_fixed(None)
    negotiation.negotiate()
    assert session.sent() == ["unset_fixed_layout", "commit"]


@pytest.mark.parametrize(
    ("state", "text"),
    [
        (lambda n: n.set_participant(replace(decoder(), name="x" * 129)), "128 bytes"),
        (lambda n: n.set_participant(replace(decoder(), usage=Usage(0))), "no usage"),
        (lambda n: n.set_participant(decoder(ConstraintSet(formats=()))), "without formats"),
        (lambda n: n.set_participant(decoder(constraint_set(0))), "multiple of it"),
        (lambda n: n.set_participant(decoder(*[constraint_set()] * 17)), "16 alternatives"),
        (lambda n: n.set_buffer_count(minimum=60, queue=5), "65|60"),
        (lambda n: n.set_content(Content(rotation=45)), "45 degrees"),
        (
            lambda n: n.set_extents(Extents(coded=Extent(8, 8), visible=Extent(9, 8))),
            "not within",
        ),
    ],
)
def test_what_the_protocol_forbids_is_refused_here_and_nothing_is_sent(session, state, text):
    session.negotiation.set_extents(EXTENTS)
    session.fake.requests.clear()
    with pytest.raises((UsageError, NotPossibleError), match=text):
        state(session.negotiation)
    assert session.sent() == []
    session.negotiation.negotiate()


def test_a_commit_needs_extents(session):
    session.negotiation.set_participant(decoder())
    with pytest.raises(UsageError, match="extents"):
        session.negotiation.commit()
    assert session.sent() == []


CONFLICT = Batch(
    participants=(BatchParticipant(0x80000001, Usage.SCANOUT, DeviceId(226, 0), "hvs"),),
    conflicts=(
        ConflictEntry(
            goal=TrancheFlags.SAMPLING,
            participant=1,
            type=SOURCES,
            planes=2,
            value=(SYSTEM,),
            text="chroma only from system",
        ),
        ConflictEntry(
            goal=TrancheFlags.SAMPLING,
            participant=0x80000001,
            type=0,
            planes=0,
            value=b"",
            text="takes XRGB8888 only",
        ),
    ),
    reason=FailureReason.CONFLICT,
    message="two requirements",
)


class Conflicting(FakeCompositor):
    def answer(self, object_, cookie):
        self.send_batch(object_, replace(CONFLICT, cookie=cookie))


@pytest.mark.parametrize("fake", [Conflicting], indirect=True)
def test_a_conflict_names_participants_constraints_and_planes(session):
    session.negotiation.set_participant(decoder())
    session.negotiation.set_extents(EXTENTS)
    with pytest.raises(ConflictError) as caught:
        session.negotiation.negotiate()
    first, second = caught.value.entries
    assert (first.participant, first.constraint, first.planes) == (
        "decoder",
        "permitted-sources",
        (1,),
    )
    assert first.value == (SYSTEM,)
    assert (second.participant, second.constraint, second.value) == ("hvs", None, None)
    assert str(caught.value).splitlines() == [
        "no memory suits everyone: two requirements",
        "  decoder: permitted-sources of plane 1: chroma only from system",
        "  hvs: formats: takes XRGB8888 only",
    ]
    session.connection.roundtrip()


class Failing(FakeCompositor):
    def answer(self, object_, cookie):
        batch = Batch(cookie=cookie, reason=FailureReason.TOO_COMPLEX, message="9000 of them")
        self.send_batch(object_, batch)


@pytest.mark.parametrize("fake", [Failing], indirect=True)
def test_another_failure_is_told_with_its_reason(session):
    with pytest.raises(NegotiationError, match="spent on one question: 9000 of them") as caught:
        session.negotiation.negotiate()
    assert caught.value.reason is FailureReason.TOO_COMPLEX


class Superseding(FakeCompositor):
    """Answers commits in pairs: the first is superseded."""

    held = 0

    def answer(self, object_, cookie):
        if cookie % 2:
            self.held = cookie
        else:
            reason = FailureReason.SUPERSEDED
            self.send_batch(object_, Batch(cookie=self.held, reason=reason))
            super().answer(object_, cookie)


@pytest.mark.parametrize("fake", [Superseding], indirect=True)
def test_superseded_answers_are_not_shown(session):
    seen = []
    session.negotiation.on_batch = seen.append
    first = session.negotiation.commit()
    batch = session.negotiation.negotiate()
    assert batch.cookie == first + 1
    assert session.negotiation.answer(first).reason is FailureReason.SUPERSEDED
    assert seen == [batch]


def test_an_unasked_batch_reaches_the_callback(session):
    session.negotiation.negotiate()
    seen = []
    session.negotiation.on_batch = seen.append
    sent = session.fake.send_batch(session.object_id(), plans(plan(pair=XRGB)))
    session.connection.roundtrip()
    assert seen == [sent]
    assert session.negotiation.plans == sent


def test_a_callback_may_negotiate_itself(session):
    """As a player does that must have other buffers at once."""
    inner = []

    def again(batch: Batch) -> None:
        if batch.cookie == 0:
            session.negotiation.set_extents(Extents(coded=Extent(128, 64)))
            inner.append(session.negotiation.negotiate())

    session.negotiation.negotiate()
    session.negotiation.on_batch = again
    session.fake.send_batch(session.object_id(), plans(plan(pair=XRGB)))
    session.connection.roundtrip()
    assert [batch.cookie for batch in inner] == [2]
    assert session.negotiation.plans is inner[0]


def test_a_plan_that_is_gone_leaves_the_last_plans(session):
    planned = session.negotiation.negotiate()
    gone = Batch(reason=FailureReason.NO_SOURCE, message="unplugged")
    session.fake.send_batch(session.object_id(), gone)
    session.connection.roundtrip()
    assert session.negotiation.batch.reason is FailureReason.NO_SOURCE
    assert session.negotiation.plans is planned


class Inert(FakeCompositor):
    def answer(self, object_, cookie):
        self.send_batch(object_, Batch(cookie=cookie, reason=FailureReason.NO_SURFACE))


@pytest.mark.parametrize("fake", [Inert], indirect=True)
def test_a_negotiation_whose_surface_is_gone_is_inert(session):
    with pytest.raises(NegotiationError, match="surface has been destroyed"):
        session.negotiation.negotiate()
    assert session.negotiation.inert


class Breaking(FakeCompositor):
    """Breaks the protocol in the way that a test names, after each commit."""

    way = ""

    def answer(self, object_, cookie):
        if self.way == "a_good_answer":
            super().answer(object_, cookie)
        else:
            getattr(self, self.way)(object_, cookie)

    def object_outside_a_plan(self, object_, cookie):
        self.event(object_, "plan_object", 0, 254, 0, 1, 0, 4096)

    def unknown_layout(self, object_, cookie):
        self.event(object_, "plan", 0, 1, NV12.fourcc, 0, 0, 77, 64, 48, 1)

    def plane_without_object(self, object_, cookie):
        self.event(object_, "plan", 0, 1, NV12.fourcc, 0, 0, 0, 64, 48, 1)
        self.event(object_, "plan_plane", 3, 0, 64)

    def impossible_source(self, object_, cookie):
        self.event(object_, "plan", 0, 1, NV12.fourcc, 0, 0, 0, 64, 48, 1)
        self.event(object_, "plan_object", 0, 5000, 0, 1, 0, 4096)

    def answer_never_asked_for(self, object_, cookie):
        self.event(object_, "done", cookie + 5, 9)

    def two_answers(self, object_, cookie):
        self.event(object_, "done", cookie, 9)
        self.event(object_, "done", cookie, 10)


def negotiate_and_go_on(session):
    session.negotiation.negotiate()
    session.connection.roundtrip()  # where the first of two answers is good


@pytest.mark.parametrize("fake", [Breaking], indirect=True)
@pytest.mark.parametrize(
    "way", [name for name in vars(Breaking) if name[0] != "_" and name not in ("way", "answer")]
)
def test_a_compositor_that_breaks_the_protocol_ends_the_negotiation_only(session, way):
    session.fake.way = way
    with pytest.raises(PeerError):
        negotiate_and_go_on(session)
    with pytest.raises(PeerError):
        session.negotiation.commit()
    # What still comes for the dead negotiation is not read.
    session.fake.event(session.object_id(), "plan_plane", 0, 0, 64)
    session.connection.roundtrip()
    session.fake.way = "a_good_answer"
    other = session.manager.default_negotiation()
    assert other.negotiate().says_the_same_as(plans())


class Dying(FakeCompositor):
    def answer(self, object_, cookie):
        self.event(object_, "plan", 0, 1, NV12.fourcc, 0, 0, 0, 64, 48, 1)
        self.hang_up()


@pytest.mark.parametrize("fake", [Dying], indirect=True)
def test_a_compositor_that_dies_in_a_batch_is_told(session):
    with pytest.raises(DisconnectedError):
        session.negotiation.negotiate(timeout=PATIENCE)


class Mute(FakeCompositor):
    def answer(self, object_, cookie):
        pass


@pytest.mark.parametrize("fake", [Mute], indirect=True)
def test_a_compositor_that_never_answers_is_given_up(session):
    with pytest.raises(NoAnswerError, match="answer to a negotiation"):
        session.negotiation.negotiate(timeout=0.05)


def test_statuses_reach_who_watches_the_buffer(session):
    compositor, _ = session.connection.bind(WlCompositor)
    seen, others = [], []
    buffer = compositor.create_surface()  # any object will do for a fake
    stop = session.negotiation.watch(buffer, seen.append)
    session.negotiation.watch(buffer, others.append)
    session.connection.roundtrip()
    told = sorted(i for i, name in session.fake.objects.items() if name == STATUS)
    session.fake.event(told[0], "shown", 0, 0)
    session.fake.event(told[0], "shown", 1, 99)
    session.connection.roundtrip()
    assert [(one.result, one.reason) for one in seen] == [
        (BufferStatusResult.SCANOUT, BufferStatusReason.NONE),
        (BufferStatusResult.COMPOSITED, BufferStatusReason.UNKNOWN),
    ]
    assert others == []
    stop()
    session.fake.event(told[0], "shown", 0, 0)  # crosses the client's destroy
    session.connection.roundtrip()
    assert len(seen) == 2
    assert session.fake.names(STATUS) == ["destroy"]
    session.connection.close()  # the other one, too


def test_the_compositor_is_told_which_plan_is_in_use(session):
    batch = session.negotiation.negotiate()
    session.negotiation.use_plan(batch, batch.offers[0])
    session.connection.roundtrip()
    assert [one.args for one in session.fake.of(OBJECT) if one.name == "use_plan"] == [
        (batch.serial, 0)
    ]


class WithoutCompanions(FakeCompositor):
    globals = FakeCompositor.globals[:3]


@pytest.mark.parametrize("fake", [WithoutCompanions], indirect=True)
def test_a_compositor_may_only_negotiate(session):
    batch = session.negotiation.negotiate()
    assert not session.negotiation.tells_status
    with pytest.raises(UsageError, match="tells_status"):
        session.negotiation.watch(None, print)
    with pytest.raises(AllocationError, match="does not allocate"):
        session.negotiation.allocate(batch.offers[0])


def test_all_managers_of_a_connection_share_what_is_beside_them(session):
    for _ in range(20):
        NegotiationManager(session.connection).close()
    bound = [one.args[1] for one in session.fake.of("wl_registry") if one.name == "bind"]
    for name in ("xx_dmabuf_allocation_manager_v1", "xx_dmabuf_buffer_status_manager_v1"):
        assert bound.count(name) == 1


@pytest.mark.parametrize("fake", [Allocating], indirect=True)
class TestAllocation:
    def allocate(self, session):
        batch = session.negotiation.negotiate()
        allocation = session.negotiation.allocate(batch.offers[0])
        return allocation, allocation.wait()

    def test_it_gives_the_fds_away_once(self, session):
        allocation, _ = self.allocate(session)
        (dma_buf,) = allocation.take()
        allocation.close()
        assert (os.fstat(dma_buf.fd).st_size, dma_buf.size) == (1 << 16, 1 << 16)
        with dma_buf.map() as memory:
            memory[:4] = b"abcd"
        dma_buf.close()

    def test_what_nobody_takes_is_closed(self, session):
        allocation, _ = self.allocate(session)
        del allocation

    def test_it_can_be_cancelled(self, session):
        batch = session.negotiation.negotiate()
        session.negotiation.allocate(batch.offers[0]).close()
        session.connection.roundtrip()

    def test_a_refusal_says_why(self, session):
        session.fake.failure = (2, "4 MiB of 4 MiB are out")
        with pytest.raises(AllocationError, match="over_budget: 4 MiB of 4 MiB are out"):
            self.allocate(session)

    @pytest.mark.parametrize("sizes", [(), (1 << 16, 1 << 16), (100,)])
    def test_anything_else_than_the_plan_is_refused(self, session, sizes):
        session.fake.sizes = sizes
        allocation, _ = self.allocate(session)
        with pytest.raises(AllocationError):
            allocation.take()


def test_it_works_in_an_application_with_a_display_of_its_own(fake):
    """No blocking call of this package's: the application polls and dispatches."""
    display = Display(fake.socket.detach())
    display.connect()
    connection = Connection(display)
    registry = display.get_registry()
    offered = {}

    def announced(_registry, number, name, version):
        offered[name] = (number, version)

    registry.dispatcher["global"] = announced
    display.roundtrip()
    # Bound here, and not in the handler: what it says at once is for whoever listens by then.
    number, version = offered["xx_dmabuf_negotiation_manager_v1"]
    bound = registry.bind(number, NEGOTIATION_MANAGER, version)
    manager = NegotiationManager(connection, proxy=bound)
    assert not manager.ready
    negotiation = manager.default_negotiation()
    seen = []
    negotiation.on_batch = seen.append
    negotiation.set_extents(EXTENTS)
    cookie = negotiation.commit()
    until(lambda: negotiation.answer(cookie) is not None, "the answer", display.roundtrip)
    connection.check()
    assert manager.ready
    assert seen[-1] is negotiation.answer(cookie)
    connection.close()
    display.disconnect()


def test_as_many_answers_are_remembered_as_the_compositor_remembers_batches(session):
    negotiation = session.negotiation
    first = negotiation.commit()
    for _ in range(KNOWN_BATCHES - 1):
        negotiation.negotiate()
    assert negotiation.answer(first) is not None
    negotiation.negotiate()
    assert negotiation.answer(first) is None
    assert negotiation.answer(first + 1) is not None


def test_cookies_begin_again_when_there_are_no_more(session):
    """0 is no cookie: it stands for a batch that nobody asked for."""
    session.negotiation._cookie = (1 << 32) - 2
    assert session.negotiation.commit() == (1 << 32) - 1
    assert session.negotiation.negotiate().cookie == 1
