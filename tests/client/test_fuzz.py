"""Whatever events a compositor sends, a negotiation has a batch or a `PeerError`, and no leak."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

import pytest
from fake_compositor import FakeCompositor
from hypothesis import HealthCheck, given, settings, strategies as st
from open_files import open_fds
from patience import turns

from heapwire.client_lib.negotiation import NegotiationManager
from heapwire.client_lib.wayland import Connection
from heapwire.protocol import PeerError
from heapwire.protocol.values import REGISTRY
from heapwire.protocol.wire import ArgumentKind
from heapwire.protocol.wire.bindings import XX_DMABUF_NEGOTIATION_V1

numbers = st.one_of(
    st.integers(0, 5),
    st.sampled_from(sorted(REGISTRY)),
    st.sampled_from([64, 250, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF]),
)
VALUES = {
    ArgumentKind.UINT: numbers,
    ArgumentKind.INT: st.sampled_from([-2147483648, -1, 0, 1, 2147483647]),
    ArgumentKind.STRING: st.sampled_from([b"", b"pitch", b"\xff\xfe not UTF-8", b"x" * 1000]),
    ArgumentKind.ARRAY: st.one_of(
        st.binary(max_size=40), st.sampled_from([b"\0\0", bytes(8), bytes(12), bytes(16)])
    ),
}


@st.composite
def events(draw) -> tuple[str, tuple]:
    event = draw(st.sampled_from(XX_DMABUF_NEGOTIATION_V1.events))
    return event.name, tuple(draw(VALUES[argument.kind]) for argument in event.arguments)


# Events in an order that reaches far into a batch; random ones are put between them.
SKELETON = [
    ("participant", (0x80000000, 8, 226, 0, b"display")),
    ("plan", (0, 1, 0x34325258, 0, 0, 0, 64, 48, 2)),
    ("plan_object", (0, 250, 1, 3, 0, 4096)),
    ("plan_plane", (0, 0, 64)),
    ("plan_agreement", (1, 0, 0, 0, 0)),
    ("done", (0, 1)),
]


def latest(fake: FakeCompositor) -> int:
    """The negotiation that was created last."""
    manager = fake.of("xx_dmabuf_negotiation_manager_v1")
    return [one.args[0] for one in manager if one.name == "get_default_negotiation"][-1]


@pytest.fixture(scope="module")
def session() -> Iterator[tuple[FakeCompositor, Connection, NegotiationManager]]:
    fake = FakeCompositor()
    connection = Connection(fake.socket.detach())
    yield fake, connection, NegotiationManager(connection)
    connection.close()
    fake.close()


@settings(
    max_examples=200,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(data=st.data())
def test_any_events(session, data):
    fake, connection, manager = session
    sent = list(SKELETON)
    for _ in range(data.draw(st.integers(0, 3))):
        sent.insert(data.draw(st.integers(0, len(sent))), data.draw(events()))
    negotiation = manager.default_negotiation()
    connection.roundtrip()
    before = open_fds()
    id_ = latest(fake)
    for name, arguments in sent:
        fake.event(id_, name, *arguments)
    faults = []
    for _ in turns(10, "an answer without a fault"):
        try:
            connection.roundtrip()
        except PeerError as error:
            faults.append(error)
        else:
            break
    assert len(faults) <= 1, "it goes on after the first fault"
    if faults:
        with pytest.raises(PeerError):
            negotiation.commit()
    else:
        with contextlib.suppress(PeerError):  # where the events ended within a plan
            negotiation.negotiate()
    negotiation.close()
    connection.roundtrip()
    assert open_fds() <= before


def test_the_skeleton_itself_is_a_batch(session):
    fake, connection, manager = session
    negotiation = manager.default_negotiation()
    connection.roundtrip()
    id_ = latest(fake)
    for name, arguments in SKELETON:
        fake.event(id_, name, *arguments)
    connection.roundtrip()
    assert len(negotiation.batch.offers) == 1
