"""What a machine is set up with is one text, in the command, the documents and the hints."""

from __future__ import annotations

import configparser
import re
from pathlib import Path

import pytest

from heapwire.cli.install.setup import APPLY_RULE, BUILD_MODULE, RULES, setup_text

DOCS = Path(__file__).parents[2] / "docs"


def shown(text: str) -> str:
    """A text as a page shows it."""
    return "".join(f"    {line}" if line.strip() else line for line in text.splitlines(True))


def test_it_is_printed_or_written(heapwire, tmp_path):
    for part in ("udev", "weston"):
        assert heapwire("setup", part).out == setup_text(part)
        assert heapwire("setup", part, "--output", tmp_path / part).status == 0
        assert (tmp_path / part).read_text() == setup_text(part)
    assert heapwire("setup", "nothing").status == 2
    assert "required: {udev,weston}" in heapwire("setup").err


@pytest.mark.parametrize(("page", "part"), [("kernel.md", "udev"), ("integrating.md", "weston")])
def test_a_page_has_the_text_that_is_installed(page, part):
    assert f"\n\n{shown(setup_text(part))}\n" in (DOCS / page).read_text("utf-8")


def test_the_page_has_the_commands_that_doctor_has():
    assert shown("\n".join(APPLY_RULE) + "\n") in (DOCS / "kernel.md").read_text("utf-8")
    assert f"/{RULES}" in APPLY_RULE[0]


@pytest.mark.parametrize("line", setup_text("udev").splitlines())
def test_a_line_of_the_rule_is_a_comment_or_a_rule(line):
    key = r'[A-Z]+(==|=)"[\w]+"'
    assert line.startswith("#") or re.fullmatch(rf"{key}(, {key})+", line)


def test_weston_loads_the_module_from_where_it_is_put():
    read = configparser.ConfigParser()
    read.read_string(setup_text("weston"))
    folder = BUILD_MODULE[1].split()[-1]
    assert read["core"]["modules"] == f"{folder}heapwire-weston.so"
    assert dict(read["heapwire"]) == {}


def test_weston_s_options_are_those_that_the_module_reads():
    """Each as it stands once its # is taken away, and nothing behind its value."""
    options = dict(re.findall(r"^#([a-z-]+)=(\S+)$", setup_text("weston"), re.MULTILINE))
    source = DOCS.parent / "compositor_plugin/hosts/weston/module.c"
    asked = re.findall(r'get_string\(section, "([\w-]+)"', source.read_text("utf-8"))
    assert sorted(options) == sorted(asked)
    variables = re.findall(r": (HEAPWIRE_\w+)$", setup_text("weston"), re.MULTILINE)
    assert sorted(variables) == sorted(f"HEAPWIRE_{one.upper().replace('-', '_')}" for one in asked)
