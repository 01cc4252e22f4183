"""Compositors that had no time for a question are asked again, by and by."""

from __future__ import annotations

import pytest
from fake_compositor import FakeCompositor

from heapwire.client_lib.negotiation import (
    NegotiationError,
    NegotiationManager,
    negotiation as module,
)
from heapwire.client_lib.wayland import Connection
from heapwire.protocol.values import FailureReason
from heapwire.protocol.wire import Batch


@pytest.fixture
def asking(fake):
    with Connection(fake.socket.detach()) as connection:
        yield NegotiationManager(connection).default_negotiation()


class Busy(FakeCompositor):
    """Has time for the question at the third time of asking."""

    patient = 3
    commits = 0

    def answer(self, object_, cookie):
        self.commits += 1
        if self.commits < self.patient:
            self.send_batch(object_, Batch(cookie=cookie, reason=FailureReason.BUSY))
        else:
            super().answer(object_, cookie)


class AlwaysBusy(Busy):
    patient = 1 << 30


@pytest.mark.parametrize("fake", [Busy], indirect=True)
def test_who_had_no_time_for_a_question_is_asked_again(asking, fake, monkeypatch):
    monkeypatch.setattr(module, "_AGAIN", (0.001,) * 3)
    batch = asking.negotiate()
    assert batch.offers
    assert fake.commits == batch.cookie == Busy.patient


@pytest.mark.parametrize("fake", [AlwaysBusy], indirect=True)
def test_who_never_has_time_is_asked_a_few_times(asking, fake, monkeypatch):
    monkeypatch.setattr(module, "_AGAIN", (0.001,) * 3)
    with pytest.raises(NegotiationError, match="had no time") as caught:
        asking.negotiate()
    assert caught.value.reason is FailureReason.BUSY
    assert fake.commits == 4


@pytest.mark.parametrize("fake", [AlwaysBusy], indirect=True)
def test_nobody_is_asked_again_after_the_time_that_was_given(asking, fake, monkeypatch):
    monkeypatch.setattr(module, "_AGAIN", (1e9,))
    with pytest.raises(NegotiationError, match="had no time"):
        asking.negotiate()
    assert fake.commits == 1
