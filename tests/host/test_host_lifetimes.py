"""Objects go in every order, and clients die at every step: nothing is left over."""

from __future__ import annotations

import gc
import itertools
import weakref

import pytest
from host_stage import OUTPUT
from open_files import open_fds

from heapwire.compositor_plugin.hosts.reference.dmabuf import WlBuffer
from heapwire.compositor_plugin.server.resource import live_resources

KINDS = ("toplevel", "xdg_surface", "surface", "buffer", "negotiation", "dmabuf_feedback")
PARTS = ("surface", "role", "parent", "buffer", "viewport", "manager")


class Everything:
    """A client with one of each: a fullscreen window that is scanned out, and who watches it."""

    def __init__(self, stage) -> None:
        self.client = client = stage.client()
        window = client.window(fullscreen=True)
        buffer = client.dmabuf(OUTPUT.width, OUTPUT.height)
        heaps = client.the("xx_dmabuf_negotiation_manager_v1")
        dmabuf = client.the("zwp_linux_dmabuf_v1", 5)
        self.objects = {
            "toplevel": window.toplevel,
            "xdg_surface": window.xdg_surface,
            "surface": window.surface,
            "buffer": buffer,
            "negotiation": client.make(
                heaps, "get_surface_negotiation", "xx_dmabuf_negotiation_v1", window.surface
            ),
            "dmabuf_feedback": client.make(
                dmabuf, "get_surface_feedback", "zwp_linux_dmabuf_feedback_v1", window.surface
            ),
        }
        statuses = client.the("xx_dmabuf_buffer_status_manager_v1")
        client.make(statuses, "get_buffer_status", "xx_dmabuf_buffer_status_v1", buffer)
        presentation = client.the("wp_presentation")
        asked = client.new("wp_presentation_feedback")
        client.request(presentation, "feedback", window.surface, asked)
        client.make(window.surface, "frame", "wl_callback")
        client.show(window.surface, buffer)

    def destroy(self, kind: str) -> None:
        if not self.client.closed:
            self.client.request(self.objects[kind], "destroy")


class Nest:
    """A client with a subsurface that waits for its parent, with a buffer in its cache."""

    def __init__(self, stage) -> None:
        self.client = client = stage.client()
        window = client.window()
        client.shm(window.surface, 8, 8)
        surface = client.surface()
        subcompositor = client.the("wl_subcompositor")
        role = client.make(
            subcompositor, "get_subsurface", "wl_subsurface", surface, window.surface
        )
        viewporter = client.the("wp_viewporter")
        view = client.make(viewporter, "get_viewport", "wp_viewport", surface)
        client.request(view, "set_destination", 3, 3)
        buffer = client.dmabuf(16, 16)
        client.show(surface, buffer)
        client.request(window.surface, "commit")
        client.show(surface, client.dmabuf(16, 16))
        for object_ in (window.toplevel, window.xdg_surface):
            client.request(object_, "destroy")
        self.objects = {
            "surface": surface,
            "role": role,
            "parent": window.surface,
            "buffer": buffer,
            "viewport": view,
            "manager": subcompositor,
        }

    destroy = Everything.destroy


def open_files() -> list[str]:
    """What is open, whatever its number."""
    return sorted(entry.split()[1].partition(":[")[0] for entry in open_fds())


def hang_up(stage, client) -> None:
    client.close()
    stage.clients.remove(client)
    stage.until(lambda: not live_resources())


def watched():
    """Weak references to all that clients have, and to what is in their buffers."""
    resources = live_resources()
    contents = [resource.content for resource in resources if isinstance(resource, WlBuffer)]
    return [weakref.ref(watched) for watched in (*resources, *contents)]


def assert_gone(references) -> None:
    gc.collect()
    assert [reference() for reference in references if reference() is not None] == []


@pytest.fixture
def settled(stage):
    """The stage when its first client has come and gone: caches are filled."""
    first = Everything(stage)
    hang_up(stage, first.client)
    stage.refresh()
    gc.collect()
    return stage


@pytest.mark.parametrize("made", [Everything, Nest])
def test_every_order_of_destruction(settled, made):
    kinds = KINDS if made is Everything else PARTS
    fds = open_files()
    references = []
    for order in itertools.permutations(kinds):
        one = made(settled)
        references += watched()
        for kind in order:
            one.destroy(kind)
        # Only an order that the protocol forbids may have ended the client.
        error = one.client.error
        assert error is None or forbidden(order), (order, error)
        hang_up(settled, one.client)
    settled.refresh()
    assert_gone(references)
    assert open_files() == fds
    assert settled.compositor._desktop.surfaces == {}
    assert settled.compositor._desktop.windows == []
    assert settled.compositor._desktop._states == {}
    assert len(settled.compositor._desktop.feedbacks) == 0


def forbidden(order) -> bool:
    """Whether the protocol forbids it: a role goes before what it is the role of.

    For surfaces that is so from version 6 on, and older libwaylands have no such version.
    """
    place = {kind: position for position, kind in enumerate(order)}
    if "toplevel" in place:
        return not place["toplevel"] < place["xdg_surface"] < place["surface"]
    return place["surface"] < place["role"]


@pytest.mark.parametrize("made", [Everything, Nest])
def test_death_at_every_step(settled, made):
    kinds = (KINDS if made is Everything else PARTS)[:5]
    fds = open_files()
    references = []
    prefixes = {
        order[:count] for order in itertools.permutations(kinds) for count in range(len(kinds) + 1)
    }
    for prefix in sorted(prefixes):
        one = made(settled)
        references += watched()
        for kind in prefix:
            one.destroy(kind)
        hang_up(settled, one.client)
    settled.refresh()
    assert_gone(references)
    assert open_files() == fds


@pytest.mark.parametrize("bytes_sent", range(1, 24, 3))
def test_death_in_the_middle_of_a_message(settled, bytes_sent):
    one = Everything(settled)
    message = (
        one.objects["surface"].to_bytes(4, "little") + (20 << 16 | 1).to_bytes(4, "little")
    ) * 3
    one.client.raw(message[:bytes_sent])
    hang_up(settled, one.client)
    other = settled.client()
    window = other.window()
    other.shm(window.surface, 4, 4)
    assert other.error is None


def test_the_compositor_closes_with_clients_in_the_middle_of_everything(settled):
    everything = [Everything(settled), Nest(settled)]
    references = watched()
    settled.compositor.close()
    assert live_resources() == ()
    assert_gone(references)
    for one in everything:
        one.client.read()
        assert one.client.closed


def test_the_plugin_leaves_while_clients_use_it(settled):
    one = Everything(settled)
    settled.compositor.plugin.close()
    for kind in KINDS:
        one.destroy(kind)
    assert one.client.error is None
    hang_up(settled, one.client)
