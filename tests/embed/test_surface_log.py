"""Which buffer a surface shows, as `surface_log.c` follows it for a host that hides its buffers."""

from __future__ import annotations

import ctypes

import pytest
from embedded import EmbeddedHost
from leftovers import nothing_left_over
from patience import until
from wire_client import WireClient

from heapwire.compositor_plugin import HeapPlugin
from heapwire.compositor_plugin.server import Global, OwnDisplay, Resource, core_interface
from heapwire.protocol.wire import Argument, ArgumentKind, Interface, Message

KIT = Interface(
    "heapwire_kit",
    1,
    requests=(
        Message("surface", (Argument("id", ArgumentKind.NEW_ID, "wl_surface"),)),
        Message("buffer", (Argument("id", ArgumentKind.NEW_ID, "wl_buffer"),)),
    ),
)

pytestmark = [pytest.mark.system("cc")]


def ignoring(name):
    """A resource of a core interface whose requests do nothing."""
    table = core_interface(name)
    ignored = {one.name: lambda self, *_: None for one in table.requests if not one.destructor}
    return type(name, (Resource,), {**ignored, "INTERFACE": table})


Surface, Buffer = ignoring("wl_surface"), ignoring("wl_buffer")


class Host:
    """A display with surfaces and buffers, and the hosts that have attached to it."""

    def __init__(self, library_file, count):
        self.display = OwnDisplay()
        self.made = []
        made = self.made

        class Kit(Resource):
            INTERFACE = KIT

            def surface(self, new_id):
                made.append(Surface(new_id))

            def buffer(self, new_id):
                made.append(Buffer(new_id))

        self._global = Global(self.display, KIT, Kit)
        self.users = [EmbeddedHost(library_file, self.display) for _ in range(count)]
        for user in self.users:
            user.table.hides_buffers = 1
            user.join()

    def client(self):
        return WireClient(self.display, KIT, Surface.INTERFACE, Buffer.INTERFACE)

    def close(self):
        for user in self.users:
            user.leave()
        self.display.destroy()


@pytest.fixture
def shown(monkeypatch):
    """The buffers of which the plugin is told that they are shown."""
    heard = []

    def wants(_plugin, buffer):
        heard.append(buffer)
        return False

    monkeypatch.setattr(HeapPlugin, "wants", wants)
    return heard


def show(user, surface):
    """Say that a surface is on the screen."""
    pointers = (ctypes.c_void_p(user._attached), ctypes.c_void_p(surface.address))
    user._library.heapwire_surface_shown(*pointers, 0, 0)


@pytest.mark.parametrize("first", [0, 1])
def test_who_stays_knows_what_was_shown_before_the_other_left(library_file, shown, first):
    """Two that have attached to one display share what they follow, and neither owns it."""
    with nothing_left_over():
        host = Host(library_file, 2)
        client = host.client()
        kit = client.bind("heapwire_kit")
        surface, buffer = client.new("wl_surface"), client.new("wl_buffer")
        client.request(kit, "surface", surface)
        client.request(kit, "buffer", buffer)
        client.request(surface, "attach", buffer, 0, 0)
        client.request(surface, "commit")
        drawn, wrapped = host.made
        leaves, stays = host.users[first], host.users[1 - first]
        leaves.leave()
        show(stays, drawn)
        assert shown == [wrapped.address]
        client.close()
        until(
            lambda: not host.made[0].alive,
            "the end of the client",
            lambda: host.display.dispatch(1),
        )
        host.close()
