"""The compositor's objects for constraint sets: shared, and let go of when they are many."""

from __future__ import annotations

import pytest
from fake_compositor import NV12

from heapwire.client_lib import (
    Connection,
    Constraint,
    ConstraintSet,
    NegotiationManager,
    UsageError,
)
from heapwire.client_lib.negotiation.constraint_set_cache import CACHED_SETS
from heapwire.protocol.values import BY_NAME

SET = "xx_dmabuf_constraint_set_v1"


def constraint_set(number):
    constraint = Constraint(type=BY_NAME["pitch-alignment"].type, value=1 + number)
    return ConstraintSet(formats=(NV12,), constraints=(constraint,))


@pytest.fixture
def cache(fake):
    connection = Connection(fake.socket.detach())
    manager = NegotiationManager(connection)
    cache = manager._constraint_sets
    cache.destroyed = lambda: connection.roundtrip() or fake.names(SET).count("destroy")
    yield cache
    manager.close()
    connection.close()


def test_as_many_as_are_kept_are_kept(cache):
    made = [cache.get(constraint_set(number)) for number in range(CACHED_SETS)]
    assert cache.destroyed() == 0
    assert [cache.get(constraint_set(number)) for number in range(CACHED_SETS)] == made


def test_of_more_the_one_longest_unused_is_destroyed(cache):
    first, second = (cache.get(constraint_set(number)) for number in range(2))
    for number in range(2, CACHED_SETS):
        cache.get(constraint_set(number))
    cache.get(constraint_set(0))
    cache.get(constraint_set(CACHED_SETS))
    assert cache.destroyed() == 1
    assert second.destroyed
    assert not first.destroyed


def test_what_is_forbidden_is_the_callers_bug_and_nothing_is_sent(cache, fake):
    with pytest.raises(UsageError):
        cache.get(ConstraintSet(formats=()))
    assert cache.destroyed() == 0
    assert fake.names("xx_dmabuf_constraint_set_creator_v1") == []
