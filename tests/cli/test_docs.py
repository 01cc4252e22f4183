"""`heapwire docs`: the pages and examples that are installed."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

DOCS = Path(__file__).parents[2] / "docs"


@pytest.mark.parametrize("name", ["policy", "start/board", "decisions/0001-layout"])
def test_a_page_is_printed_as_it_is(heapwire, name):
    run = heapwire("docs", name)
    assert run.status == 0
    assert run.out == (DOCS / f"{name}.md").read_text("utf-8")


def test_an_example_is_printed_to_the_byte(heapwire):
    run = heapwire("docs", "examples/compositor.c")
    assert run.out == (DOCS / "examples/compositor.c").read_text("utf-8")


def test_tables_that_are_for_the_site_are_left_out(heapwire):
    out = heapwire("docs", "start/index").out
    assert out.startswith("# Where to start\n")
    assert "toctree" not in out
    assert "| use Weston |" in out


def test_without_a_page_all_of_them_are_named_with_their_titles(heapwire):
    pages = json.loads(heapwire("docs", "--json").out)["pages"]
    titles = {page["name"]: page["title"] for page in pages}
    assert titles["policy"] == "Policy files"
    assert titles["examples/player.c"] is None
    assert {path.stem for path in DOCS.glob("*.md")} <= titles.keys()
    lines = heapwire("docs").out.splitlines()
    assert [line.split()[0] for line in lines] == list(titles)


@pytest.mark.parametrize("name", ["polcy", "../cli/main", "/etc/passwd", "images/heapwire.svg"])
def test_what_is_no_page_is_refused(heapwire, name):
    run = heapwire("docs", name)
    assert run.status == 2
    assert f"there is no page {name!r}" in run.err


def test_what_the_help_leads_to_is_there(heapwire):
    assert "`heapwire docs policy`" in " ".join(heapwire("list", "--help").out.split())
    assert heapwire("docs", "policy").status == 0
