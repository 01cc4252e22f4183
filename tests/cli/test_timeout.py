"""`--timeout`: how long the commands wait for a compositor that does not answer."""

from __future__ import annotations

import socket

import pytest

from heapwire.cli.demo import write_clip


@pytest.fixture
def silent(tmp_path, monkeypatch):
    """A compositor that takes connections, and never says a word."""
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    monkeypatch.setenv("WAYLAND_DISPLAY", "silent")
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(tmp_path / "silent"))
        listener.listen()
        yield


def test_the_option_says_how_long(heapwire, silent):
    done = heapwire("feedback", "--timeout", "0.25")
    assert done.status == 1
    assert "no answer to a sync from the compositor within 0.25 s" in done.err


def test_the_environment_says_it_where_the_option_does_not(heapwire, silent, monkeypatch, tmp_path):
    monkeypatch.setenv("HEAPWIRE_TIMEOUT", "0.5")
    clip, platform = write_clip(tmp_path / "clip.mkv", frames=1), ("--platform", "raspberry-pi-4")
    assert "within 0.5 s" in heapwire("play", clip, *platform).err
    assert "within 0.25 s" in heapwire("play", clip, *platform, "--timeout", "0.25").err


@pytest.mark.parametrize("text", ["0", "-1", "nan", "inf", "soon", "86401"])
def test_what_is_no_time_is_a_usage_error(heapwire, text):
    done = heapwire("feedback", "--timeout", text)
    assert done.status == 2
    assert f"{text!r} is not a number of seconds above 0 and up to 86400" in done.err
