"""Asking a display's own linux-dmabuf, from inside its process."""

from __future__ import annotations

import os
import socket

import pytest
from broken_pipes import told_of_broken_pipes
from open_files import open_fds
from patience import until

from heapwire.compositor_plugin.hosts.embed.dmabuf_formats import DmabufFormats, with_linear
from heapwire.compositor_plugin.hosts.reference import Compositor
from heapwire.compositor_plugin.hosts.reference.dmabuf import DmabufImporter
from heapwire.compositor_plugin.server import OwnDisplay
from heapwire.kernel.description import Platform, shipped
from heapwire.protocol.values import INVALID, LINEAR, FormatModifier


def answers_of(display, dispatch):
    """What the question's callback was called with, once all is done."""
    answers = []
    question = DmabufFormats(display, answers.append)
    until(lambda: answers, "an answer", lambda: dispatch(10))
    for _ in range(5):
        dispatch(0)
    question.close()
    return answers


@pytest.mark.parametrize("platform", shipped())
def test_the_formats_are_those_that_linux_dmabuf_takes(platform):
    machine = Platform.load(platform)
    with Compositor(machine) as compositor:
        [formats] = answers_of(compositor._display, compositor.dispatch)
    assert formats
    assert formats == DmabufImporter(machine).formats


def test_a_display_without_linux_dmabuf_has_none():
    display = OwnDisplay()
    try:
        assert answers_of(display, display.dispatch) == [None]
    finally:
        display.destroy()


def test_nothing_stays_open():
    display = OwnDisplay()
    display.dispatch(0)
    before = open_fds()
    for _ in range(3):
        answers_of(display, display.dispatch)
    display.dispatch(0)
    assert open_fds() == before
    display.destroy()


def test_a_question_may_be_dropped_before_its_answer():
    display = OwnDisplay()
    before = open_fds()
    answers = []
    question = DmabufFormats(display, answers.append)
    question.close()
    question.close()
    for _ in range(5):
        display.dispatch(0)
    assert answers == []
    assert open_fds() == before
    display.destroy()


@pytest.mark.parametrize("sent", [b"\0" * 8, b"\x9c\x01\xf3", b""])
def test_a_display_that_talks_nonsense_or_hangs_up_counts_as_none(monkeypatch, sent):
    """The other end of the question is not Wayland at all."""
    display = OwnDisplay()
    ours, theirs = socket.socketpair()
    monkeypatch.setattr(
        "heapwire.compositor_plugin.hosts.embed.dmabuf_formats.socketpair",
        lambda *_: (ours, socket.socket()),
    )
    monkeypatch.setattr(
        "heapwire.compositor_plugin.hosts.embed.dmabuf_formats.library", lambda: Library()
    )
    answers = []
    DmabufFormats(display, answers.append)
    theirs.sendall(sent)
    theirs.close()
    for _ in range(5):
        display.dispatch(0)
    assert answers == [None]
    display.destroy()


def test_a_display_that_has_hung_up_ends_no_host(monkeypatch):
    ours, theirs = socket.socketpair()
    monkeypatch.setattr(
        "heapwire.compositor_plugin.hosts.embed.dmabuf_formats.socketpair",
        lambda *_: (ours, theirs),
    )
    monkeypatch.setattr(
        "heapwire.compositor_plugin.hosts.embed.dmabuf_formats.library", lambda: Library()
    )
    with (
        told_of_broken_pipes() as signals,
        OwnDisplay() as display,
        pytest.raises(BrokenPipeError),
    ):
        DmabufFormats(display, lambda _: None)
    ours.close()
    assert signals == []


class Library:
    """Takes a client's fd, and does nothing with it."""

    def wl_client_create(self, _display, fd):
        os.close(fd)
        return 1


def test_without_modifiers_linear_is_as_good():
    """Formats 1 and 3 are taken without a modifier, 3 with one of its own as well."""
    pairs = {FormatModifier(1, INVALID), FormatModifier(3, INVALID), FormatModifier(3, 42)}
    assert with_linear(pairs) == pairs | {FormatModifier(1, LINEAR)}
