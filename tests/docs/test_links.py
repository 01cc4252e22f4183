"""The links within the documentation lead somewhere, to the heading that they name."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from source_tree import ROOT, project_files

LINK = re.compile(r"\]\(([^)\s#]*)(#[^)\s]*)?\)")


def anchors(text: str) -> set[str]:
    """Those of a page's headings, as forges and myst_heading_anchors make them."""
    plain = re.sub(r"^```.*?^```", "", text, flags=re.DOTALL | re.MULTILINE)
    made = set()
    for heading in re.findall(r"^#{1,6} (.*)$", plain, re.MULTILINE):
        words = re.sub(r"\[([^]]*)\]\([^)]*\)", r"\1", heading).lower()
        anchor = re.sub(r"[^\w\- ]", "", words).strip().replace(" ", "-")
        made.add(anchor)
    return made


def broken(page: Path, text: str) -> list[str]:
    """What a page leads to that is not there."""
    found = []
    for target, anchor in LINK.findall(text):
        if "://" in target:
            continue
        file = page.parent / target if target else page
        is_there = file.exists()
        if is_there and anchor and file.suffix == ".md":
            is_there = anchor[1:] in anchors(file.read_text("utf-8"))
        if not is_there:
            found.append(target + anchor)
    return found


@pytest.mark.parametrize("page", [str(page.relative_to(ROOT)) for page in project_files("*.md")])
def test_the_links_of_a_page_lead_somewhere(page: str) -> None:
    assert broken(ROOT / page, (ROOT / page).read_text("utf-8")) == []


@pytest.mark.parametrize("target", ["nothing.md", "policy.md#nothing", "#nothing"])
def test_a_link_that_leads_nowhere_is_found(target: str) -> None:
    page = ROOT / "docs/security.md"
    assert broken(page, f"# A\n[words]({target})") == [target]
