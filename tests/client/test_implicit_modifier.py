"""Importing linear buffers where linux-dmabuf announces its formats without a modifier."""

from __future__ import annotations

import pytest
from fake_compositor import FakeCompositor, plans

from heapwire.client_lib import ImportRefusedError
from heapwire.client_lib.buffers import LinuxDmabuf, allocate
from heapwire.client_lib.negotiation import NegotiationManager
from heapwire.client_lib.wayland import Connection
from heapwire.kernel.memory import MemfdMemory
from heapwire.protocol.values import INVALID, LINEAR, Source

PARAMS = "zwp_linux_buffer_params_v1"


class Implicit(FakeCompositor):
    """Version 3; announces what the client negotiates for without a modifier, and takes `taken`."""

    globals = (("zwp_linux_dmabuf_v1", 3), ("xx_dmabuf_negotiation_manager_v1", 1))
    announced: tuple[int, ...] = (INVALID,)
    taken: tuple[int, ...] = (LINEAR, INVALID)

    def on_wl_registry_bind(self, id_, number, interface, version, new):
        super().on_wl_registry_bind(id_, number, interface, version, new)
        if interface == "zwp_linux_dmabuf_v1":
            for fourcc in (0x3231564E, 0x34325258):
                for modifier in self.announced:
                    self.event(new, "modifier", fourcc, modifier >> 32, modifier & 0xFFFFFFFF)

    def on_zwp_linux_buffer_params_v1_create(self, id_, width, height, fourcc, flags):
        added = [one.args for one in self.of(PARAMS) if one.name == "add" and one.object == id_]
        if all(args[-2] << 32 | args[-1] in self.taken for args in added):
            super().on_zwp_linux_buffer_params_v1_create(id_, width, height, fourcc, flags)
        else:
            self.event(id_, "failed")

    @property
    def tried(self) -> list[int]:
        """The modifier of each import's first plane."""
        adds = [one.args for one in self.of(PARAMS) if one.name == "add"]
        return [args[-2] << 32 | args[-1] for args in adds if args[-5] == 0]


class ImplicitOnly(Implicit):
    taken = (INVALID,)


class Explicit(Implicit):
    announced = (LINEAR, INVALID)
    taken = (INVALID,)


class Neither(Implicit):
    taken = ()


@pytest.fixture
def imported(fake):
    """Allocate and import one buffer of a linear plan."""

    def go():
        plan = plans().offers[0].plan
        with Connection(fake.socket.detach()) as connection:
            sources = NegotiationManager(connection).sources.values()
            memory = MemfdMemory(tuple(Source(id=one.id, name=one.name) for one in sources))
            dmabuf = LinuxDmabuf(connection)
            with allocate(plan, memory) as buffer:
                dmabuf.import_buffer(buffer, plan.layout.extent).wait()
                assert buffer.proxy is not None

    return go


@pytest.mark.parametrize(
    ("fake", "tried"),
    [(Implicit, [LINEAR]), (ImplicitOnly, [LINEAR, INVALID])],
    indirect=["fake"],
)
def test_linear_is_tried_first_and_no_modifier_then(fake, imported, tried):
    imported()
    assert fake.tried == tried


@pytest.mark.parametrize(
    ("fake", "tried"),
    [(Explicit, [LINEAR]), (Neither, [LINEAR, INVALID])],
    indirect=["fake"],
)
def test_a_refusal_is_an_error_when_nothing_is_left_to_try(fake, imported, tried):
    with pytest.raises(ImportRefusedError):
        imported()
    assert fake.tried == tried
