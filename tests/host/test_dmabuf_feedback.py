"""When linux-dmabuf's surface feedback is sent anew: only when it says something else."""

from __future__ import annotations

import pytest
from host_stage import OUTPUT

from heapwire.compositor_plugin.hosts.reference.dmabuf.feedback_batches import FeedbackBatches
from heapwire.compositor_plugin.hosts.reference.dmabuf.zwp_linux_dmabuf_feedback_v1 import (
    ZwpLinuxDmabufFeedbackV1,
)

SCANOUT = 1


def batches(client, feedback: int) -> list[list[int]]:
    """The flags of the tranches of each batch that came since the last call."""
    found: list[list[int]] = []
    flags: list[int] = []
    for name, *args in client.take(feedback):
        if name == "tranche_flags":
            flags.append(args[0])
        elif name == "done":
            found.append(flags)
            flags = []
    assert flags == []
    return found


@pytest.fixture
def window(client):
    return client.window()


@pytest.fixture
def feedback(client, window):
    dmabuf = client.the("zwp_linux_dmabuf_v1", 5)
    return client.make(
        dmabuf, "get_surface_feedback", "zwp_linux_dmabuf_feedback_v1", window.surface
    )


def be_fullscreen(client, window) -> None:
    client.request(window.toplevel, "set_fullscreen", None)
    window.configured()
    client.shm(window.surface, OUTPUT.width, OUTPUT.height)
    client.settle(window.surface)


def test_a_candidate_is_told_and_so_is_one_that_is_none_any_more(stage, client, window, feedback):
    assert batches(client, feedback) == [[0]]
    be_fullscreen(client, window)
    found: list[list[int]] = []
    stage.until(lambda: found.extend(batches(client, feedback)) or found)
    assert found == [[SCANOUT, 0]]
    other = stage.client()
    above = other.window()
    other.shm(above.surface, 4, 4)
    other.settle(above.surface)
    client.read()
    assert batches(client, feedback) == [[0]]  # at once


def test_what_does_not_last_is_not_told(stage, client, window, feedback):
    stage.compositor._desktop.debounce = 1 << 30
    assert batches(client, feedback) == [[0]]
    be_fullscreen(client, window)
    client.request(window.toplevel, "unset_fullscreen")
    window.configured()
    client.shm(window.surface, 4, 4)
    client.settle(window.surface)
    assert batches(client, feedback) == []


def test_nothing_is_said_twice(stage, client, window, feedback):
    be_fullscreen(client, window)
    found: list[list[int]] = []
    stage.until(lambda: found.extend(batches(client, feedback)) or len(found) == 2)
    for _ in range(3):
        client.shm(window.surface, OUTPUT.width, OUTPUT.height)
        client.settle(window.surface)
    assert batches(client, feedback) == []


def test_every_feedback_of_a_surface_is_told(stage, client, window, feedback):
    dmabuf = client.the("zwp_linux_dmabuf_v1", 5)
    second = client.make(
        dmabuf, "get_surface_feedback", "zwp_linux_dmabuf_feedback_v1", window.surface
    )
    default = client.make(dmabuf, "get_default_feedback", "zwp_linux_dmabuf_feedback_v1")
    be_fullscreen(client, window)
    for one in (feedback, second):
        found: list[list[int]] = []
        stage.until(lambda one=one, found=found: found.extend(batches(client, one)) or found[1:])
        assert found == [[0], [SCANOUT, 0]]
    assert batches(client, default) == [[0]]


def test_what_all_are_told_is_put_together_once(client, window, monkeypatch):
    made = []
    said = FeedbackBatches._said

    def count(self, *arguments):
        made.append(arguments)
        return said(self, *arguments)

    monkeypatch.setattr(FeedbackBatches, "_said", count)
    name = "zwp_linux_dmabuf_feedback_v1"
    told = []
    for _ in range(5):
        for version in (4, 5):
            dmabuf = client.the("zwp_linux_dmabuf_v1", version)
            told.append(client.make(dmabuf, "get_default_feedback", name))
            told.append(client.make(dmabuf, "get_surface_feedback", name, window.surface))
    assert sorted(made) == [(4, False), (5, False)]
    assert [batches(client, feedback) for feedback in told] == [[[0]]] * 20


def test_what_happens_to_a_surface_is_no_matter_of_others_feedback(stage, client, monkeypatch):
    """Clients make objects by the ten thousand, and surfaces too."""
    asked = []
    for name in ("surface_gone", "state_changed"):
        original = getattr(ZwpLinuxDmabufFeedbackV1, name)

        def noted(feedback, *args, name=name, original=original):
            asked.append(name)
            return original(feedback, *args)

        monkeypatch.setattr(ZwpLinuxDmabufFeedbackV1, name, noted)
    dmabuf = client.the("zwp_linux_dmabuf_v1", 5)
    for _ in range(20):
        client.make(dmabuf, "get_default_feedback", "zwp_linux_dmabuf_feedback_v1")
    other = stage.client()
    window = other.window()
    other.shm(window.surface, 4, 4)
    other.settle(window.surface)
    other.request(window.toplevel, "destroy")
    assert asked == []
    other.close()
    stage.clients.remove(other)
    client.read()
    assert asked == []
