"""What the host's feedback says differs from surface to surface, and so does what is planned."""

from __future__ import annotations

import pytest
from embedded import NV12, XRGB, DmabufHost, EmbeddedHost, Feedback, attachment, formats_known
from leftovers import nothing_left_over
from patience import until

from heapwire.compositor_plugin.server import Client
from heapwire.protocol.values import FormatModifier

ONLY_XRGB, ONLY_NV12 = [FormatModifier(XRGB, 0)], [FormatModifier(NV12, 0)]
BOTH = ONLY_XRGB + ONLY_NV12
SURFACES = 1024  # told_surfaces.h

pytestmark = [pytest.mark.system("cc")]


@pytest.fixture
def host(library_file):
    with nothing_left_over():
        made = DmabufHost()
        user = EmbeddedHost(library_file, made.display)
        user.join()
        formats_known(made)
        yield made
        user.leave()
        made.close()


def planned(host, surface=None):
    """The pairs that a negotiation of the last client's plans with, for a surface or for none."""
    client = host.made[-1].client
    address = None if surface is None else surface.address
    return attachment().plugin._state.host_state(address, Client(client.pointer)).importable


def says(feedback: Feedback, *indices: int) -> None:
    feedback.table()
    feedback.batch(*indices)


def test_each_surface_is_planned_for_by_what_was_said_of_it(host):
    """Whichever was told last: the tranche of one that is scanned out is no other's."""
    client = host.client()
    (first, screen), (second, window) = client.make("surface"), client.make("surface")
    other = client.make("surface")[1]
    host.script = lambda feedback: says(feedback, 0, 1)
    _, screens = client.ask_for(first)
    host.script = lambda feedback: says(feedback, 0)
    _, windows = client.ask_for(second)
    assert planned(host, screen) == set(BOTH)
    assert planned(host, window) == set(ONLY_XRGB)
    assert planned(host, other) == planned(host) == set(BOTH), "as anybody was told by default"
    screens.batch(1)
    assert planned(host, screen) == set(ONLY_NV12)
    assert planned(host, window) == set(ONLY_XRGB)
    client.ask()  # by default, for this client
    assert planned(host, other) == planned(host) == set(ONLY_XRGB)
    assert planned(host, screen) == set(ONLY_NV12)
    assert planned(host, screen) is planned(host, screen), "put together once"
    windows.batch(1)
    assert planned(host) == set(ONLY_XRGB)
    client.close()


def test_what_was_said_of_a_surface_goes_with_it_and_not_with_its_objects(host):
    client = host.client()
    surface, screen = client.make("surface")
    host.script = lambda feedback: says(feedback, 1)
    feedback, _ = client.ask_for(surface)
    host.script = lambda feedback: says(feedback, 0)
    client.ask()
    client.request(feedback, "destroy")
    assert planned(host, screen) == set(ONLY_NV12)
    client.request(surface, "destroy")
    for _ in range(8):  # one of them may be where the one before was
        _, again = client.make("surface")
        assert planned(host, again) == set(ONLY_XRGB)
    client.close()


def test_an_object_that_is_told_late_is_for_its_surface_still(host):
    client = host.client()
    surface, screen = client.make("surface")
    host.script = lambda _: None
    unheard, _ = client.ask_for(surface)
    client.request(unheard, "destroy")
    late = [client.ask_for(surface)[1], client.ask() and host.made[-1]]
    says(late[1], 0)
    says(late[0], 1)
    client.pump()
    assert planned(host, screen) == set(ONLY_NV12)
    assert planned(host) == set(ONLY_XRGB)
    client.request(surface, "destroy")
    says(late[0], 0)  # which has no surface any more
    client.pump()
    assert planned(host) == set(ONLY_XRGB)
    client.close()


def test_surfaces_beyond_the_bound_are_as_if_nothing_was_said_of_them(host):
    client = host.client()
    kept, screens = [], []
    host.script = lambda feedback: says(feedback, 1)
    for _ in range(SURFACES + 1):
        surface, screen = client.make("surface")
        feedback, _ = client.ask_for(surface)
        client.request(feedback, "destroy")
        kept.append(surface)
        screens.append(screen)
    assert planned(host, screens[0]) == planned(host, screens[-2]) == set(ONLY_NV12)
    assert planned(host, screens[-1]) == set(BOTH)
    client.request(kept[0], "destroy")
    client.request(client.ask_for(kept[-1])[0], "destroy")
    assert planned(host, screens[-1]) == set(ONLY_NV12)
    client.close()
    until(lambda: not screens[1].alive, "the end of the client", host.turn)
