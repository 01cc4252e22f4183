"""Colour: for terminals alone, of the same text, and not where somebody wants none."""

from __future__ import annotations

import io
import re

import pytest

from heapwire.cli.terminal.colour import painted

TEXT = "verdict\n    ok   heaps\n    missing  group\nnote: ok is a word within\n├── why: because"
BOLD, RED = "\033[1m", "\033[31m"


class Terminal(io.StringIO):
    def isatty(self):
        return True


@pytest.fixture(autouse=True)
def plain_environment(monkeypatch):
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setenv("TERM", "xterm")


def test_on_a_terminal_words_and_headings_have_colours():
    text = painted(TEXT, Terminal())
    assert f"{BOLD}verdict\033[0m\n" in text
    assert f"{RED}missing\033[0m  group" in text
    assert "\033[2mwhy:\033[0m because" in text
    assert "note:\033[0m ok is a word within" in text  # the first word only
    assert re.sub(r"\033\[\d*m", "", text) == TEXT


def test_a_branch_of_a_tree_is_no_heading():
    text = painted("plan\n├─── layout\n├─── why: because\n└─── object", Terminal())
    assert text.count(BOLD) == 1
    assert text.startswith(f"{BOLD}plan\033[0m\n├─── layout\n")


def test_a_file_has_none():
    assert painted(TEXT, io.StringIO()) == TEXT


@pytest.mark.parametrize(("name", "value"), [("NO_COLOR", "1"), ("TERM", "dumb")])
def test_who_wants_none_has_none(monkeypatch, name, value):
    monkeypatch.setenv(name, value)
    assert painted(TEXT, Terminal()) == TEXT


def test_an_empty_no_color_is_none(monkeypatch):
    monkeypatch.setenv("NO_COLOR", "")
    assert painted(TEXT, Terminal()) != TEXT
