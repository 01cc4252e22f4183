"""Who makes the plans for a surface, and what each of the two can do and cannot."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace

import pytest
from fake_compositor import CMA, SYSTEM, FakeCompositor, plans
from pywayland.protocol.wayland import WlCompositor

from heapwire.client_lib import (
    AllocationError,
    Connection,
    LinuxDmabuf,
    Platform,
    UsageError,
    local_negotiation,
    surface_negotiation,
)
from heapwire.protocol.values import Source

OBJECT = "xx_dmabuf_negotiation_v1"


@pytest.mark.parametrize(
    ("names", "openable"),
    [(("linux,cma", "system"), {CMA, SYSTEM}), (("linux,cma", "reserved"), {CMA})],
)
def test_only_sources_of_the_same_number_and_name_are_the_same(fake, names, openable):
    """A container may have its own numbers for the heaps, or a compositor of another boot."""
    sources = tuple(
        Source(id=id_, name=name) for id_, name in zip((CMA, SYSTEM), names, strict=True)
    )
    memory = SimpleNamespace(openable=frozenset({CMA, SYSTEM, replace(CMA, minor=9)}))
    platform = SimpleNamespace(sources=sources, memory=memory)
    with Connection(fake.socket.detach()) as connection:
        surface = connection.bind(WlCompositor)[0].create_surface()
        negotiation = surface_negotiation(LinuxDmabuf(connection), surface, platform)
        negotiation.negotiate()
        (request,) = [one for one in fake.of(OBJECT) if one.name == "set_openable"]
    assert len(request.args[0]) == 12 * len(openable)
    assert negotiation._inquiry.openable == openable


def test_without_a_platform_everything_is_left_to_the_compositor(fake):
    with Connection(fake.socket.detach()) as connection:
        surface = connection.bind(WlCompositor)[0].create_surface()
        negotiation = surface_negotiation(LinuxDmabuf(connection), surface)
        negotiation.negotiate()
        assert [one.args for one in fake.of(OBJECT) if one.name == "set_openable"] == [(b"",)]


class Old(FakeCompositor):
    globals = (("zwp_linux_dmabuf_v1", 3),)


@pytest.mark.parametrize("fake", [Old], indirect=True)
def test_where_nobody_tells_a_status_watching_is_a_bug(fake):
    platform = Platform.load("raspberry-pi-4")
    with Connection(fake.socket.detach()) as connection:
        negotiation = local_negotiation(LinuxDmabuf(connection), platform)
        assert not negotiation.tells_status
        with pytest.raises(UsageError, match="tells_status"):
            negotiation.watch(None, print)
        with pytest.raises(AllocationError, match="does not allocate"):
            negotiation.allocate(plans().offers[0])
