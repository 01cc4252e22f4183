"""The command as a whole: which error ends it in which status, and what it says then."""

from __future__ import annotations

import argparse

import pytest

import heapwire.cli.list as heapwire_list
from heapwire.cli.arguments import extent, whole_number
from heapwire.client_lib import (
    DisconnectedError,
    FileError,
    InputError,
    MachineError,
    MissingGlobalError,
    NoAnswerError,
    NoCompositorError,
    NotPossibleError,
    UsageError,
)
from heapwire.protocol.values import MAX_EXTENT, Extent


def failing(error):
    def run(_options):
        raise error

    return run


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (NoCompositorError("nobody"), 3),
        (MissingGlobalError("wl_shm"), 3),
        (DisconnectedError("gone"), 3),
        (NoAnswerError("silent"), 1),
        (InputError("a word"), 1),
        (FileError("a.toml", "a line", line=3), 1),
        (MachineError("no device"), 1),
        (NotPossibleError("too much"), 1),
    ],
)
def test_an_error_that_is_no_bug_is_a_line_and_a_status(heapwire, monkeypatch, error, status):
    monkeypatch.setattr(heapwire_list, "run", failing(error))
    run = heapwire("list")
    assert run.status == status
    assert run.err == f"heapwire: {error}\n"


def test_a_bug_ends_in_a_traceback(heapwire, monkeypatch):
    monkeypatch.setattr(heapwire_list, "run", failing(UsageError("a bug")))
    with pytest.raises(UsageError, match="a bug"):
        heapwire("list")


def test_the_file_and_the_line_are_named(heapwire, monkeypatch):
    monkeypatch.setattr(heapwire_list, "run", failing(FileError("a.toml", "no", line=3)))
    assert "a.toml:3: no" in heapwire("list").err


@pytest.mark.parametrize(
    ("text", "size"),
    [
        ("1x1", Extent(1, 1)),
        ("1920X1080", Extent(1920, 1080)),
        (f"{MAX_EXTENT}x1", Extent(MAX_EXTENT, 1)),
    ],
)
def test_a_size_is_width_and_height(text, size):
    assert extent(text) == size


@pytest.mark.parametrize("text", ["0x1", f"{MAX_EXTENT + 1}x1", "1x", "x", "1x2x3", "-1x1", "1"])
def test_what_is_no_size_is_refused(text):
    with pytest.raises(argparse.ArgumentTypeError, match="is not"):
        extent(text)


def test_a_number_is_in_its_limits_however_it_is_written():
    read = whole_number(64)
    assert [read(text) for text in ("1", "64", "007", "0" * 5000 + "64")] == [1, 64, 7, 64]
    for text in ("0", "65", "-1", "one", "", "1.5", "1_0", "\u0661", " 1", "9" * 5000, "640"):
        with pytest.raises(argparse.ArgumentTypeError, match="a whole number from 1 to 64"):
            read(text)
    assert whole_number(9, least=0)("0") == 0
