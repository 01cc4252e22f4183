"""Which buffer a surface shows, as `surface_log.c` follows it for a host that hides its buffers."""

from __future__ import annotations

import ctypes

import pytest
from embedded import DmabufHost, EmbeddedHost
from leftovers import nothing_left_over

from heapwire.compositor_plugin import HeapPlugin

pytestmark = [pytest.mark.system("cc")]


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
        host = DmabufHost()
        users = [EmbeddedHost(library_file, host.display) for _ in range(2)]
        for user in users:
            user.table.hides_buffers = 1
            user.join()
        client = host.client()
        surface, drawn = client.make("surface")
        buffer, wrapped = client.make("buffer")
        client.request(surface, "attach", buffer, 0, 0)
        client.request(surface, "commit")
        users[first].leave()
        show(users[1 - first], drawn)
        assert shown == [wrapped.address]
        client.close()
        users[1 - first].leave()
        host.close()
