"""docs/commands.md names options and commands that there are, in each program of its tables."""

from __future__ import annotations

import re
import subprocess

import pytest
from source_tree import ROOT

from heapwire.cli.command_line import COMMANDS, whole_command_line

PAGE = (ROOT / "docs/commands.md").read_text("utf-8")


def cells(program: str) -> list[str]:
    """All that the tables say of a program."""
    found = []
    column = None
    for line in PAGE.splitlines():
        row = [cell.strip() for cell in line.strip("|").split(" |")]
        if line.startswith("| | "):
            column = row.index(program) if program in row else None
        elif line.startswith("| ") and column is not None:
            found.append(row[column])
    return [cell for cell in found if cell]


def code(cell: str) -> list[str]:
    return re.findall(r"`([^`]+)`", cell)


def options(program: str) -> set[str]:
    return {
        word
        for cell in cells(program)
        for text in code(cell)
        for word in re.findall(r"(?<!\S)--[a-z][a-z0-9-]*", text)
    }


def test_what_is_ours_is_a_command_or_an_option_of_one_in_its_cell() -> None:
    parsers = whole_command_line()[1]
    for cell in cells("heapwire"):
        named = [word for text in code(cell) for word in text.split()[:1] if word in COMMANDS]
        known = "".join(parsers[name].format_help() for name in named or COMMANDS)
        for text in code(cell):
            for word in text.split():
                assert word in COMMANDS or word in known, (cell, word)


@pytest.mark.parametrize("program", ["drm_info", "wayland-info", "v4l2-ctl", "mpv"])
def test_each_program_has_its_say(program: str) -> None:
    assert cells(program)


@pytest.mark.system("v4l2-ctl")
def test_the_options_of_v4l2_ctl_are_in_its_help() -> None:
    asked = ["v4l2-ctl", "--help-all"]
    told = subprocess.run(asked, capture_output=True, text=True, check=True).stdout
    assert {"--list-devices", "--stream-mmap"} <= options("v4l2-ctl")
    assert [one for one in options("v4l2-ctl") if not re.search(rf"{one}(?![\w-])", told)] == []


@pytest.mark.system("drm_info")
def test_the_one_option_of_drm_info_is_in_its_usage() -> None:
    told = subprocess.run(["drm_info", "-?"], capture_output=True, text=True, check=False)
    assert "[-j]" in told.stdout + told.stderr
    assert any("-j" in code(cell) for cell in cells("drm_info"))
