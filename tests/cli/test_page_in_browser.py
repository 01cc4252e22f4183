"""The page of `explain --html` as a browser lays it out, on a screen and on a phone."""

from __future__ import annotations

import json
import re
import subprocess
from dataclasses import dataclass
from html import escape, unescape
from itertools import pairwise
from pathlib import Path

import pytest
from patience import PATIENCE

from heapwire.cli.pages import html_page

MEASURE = Path(__file__).with_name("measure_page.js").read_text("utf-8")
SCREEN, PHONE = 1280, 400  # pixels
LEAST_CONTRAST = 4.5  # WCAG 2.1, success criterion 1.4.3
# Chromium's own names for what a page is told of a person's preference.
SCHEMES = {"light": 1, "dark": 0}
LONG = "reserved-" * 6 + "for-video"
LONG_NAMES = f"""
name = "long"
[[memory]]
name = "{LONG}"
contiguous = true
source = "test"
[[device]]
name = "{"display-" * 7}0"
kind = "display"
[[device.use]]
usage = "scanout"
[[device.use.set]]
formats = ["NV12"]
constraints = [{{ type = "contiguous", source = "{"drivers/gpu/drm/" * 6}file.c: words" }}]
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """What is asked of `explain`, and what of its page is known beforehand."""

    words: tuple[str, ...]
    objects: int
    verdict: str


PAGES = {
    "scanned out": Page(
        words=("--platform", "raspberry-pi-4", "--format", "NV12"), objects=1, verdict="good"
    ),
    "two objects": Page(words=("--platform", "exynos4-mfc-v5"), objects=2, verdict="good"),
    "composited": Page(words=("--platform", "intel-skylake"), objects=1, verdict="fair"),
    "no plan": Page(
        words=("--platform", "raspberry-pi-4", "--size", "60000x60000"), objects=0, verdict="bad"
    ),
    "long names": Page(words=("--platform", "long.toml"), objects=1, verdict="good"),
}


@pytest.fixture
def laid_out(heapwire, tmp_path, monkeypatch):
    """What a browser makes of all pages, each at both widths, by page and width."""
    monkeypatch.chdir(tmp_path)
    Path("long.toml").write_text(LONG_NAMES)

    def frames(name: str, page: Page) -> str:
        heapwire("explain", *page.words, "--html", "page.html")
        text = escape(Path("page.html").read_text("utf-8"))
        # A frame is as narrow as it is told, which a window need not be.
        return "".join(
            f'<iframe title="{name}" width="{width}" height="900" srcdoc="{text}"></iframe>'
            for width in (SCREEN, PHONE)
        )

    def lay_out(scheme: str) -> dict[tuple[str, int], dict]:
        body = "".join(frames(name, page) for name, page in PAGES.items())
        Path("all.html").write_text(
            '<!DOCTYPE html><html lang="en"><meta charset="utf-8">'
            f"<style>iframe {{ border: 0 }}</style><script>{MEASURE}</script><body>{body}",
            "utf-8",
        )
        options = ("--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage")
        scheme_option = f"--blink-settings=preferredColorScheme={SCHEMES[scheme]}"
        done = subprocess.run(
            [
                *("chromium", *options, f"--user-data-dir={tmp_path}/profile", scheme_option),
                *("--dump-dom", (tmp_path / "all.html").as_uri()),
            ],
            capture_output=True,
            text=True,
            timeout=PATIENCE,
            check=True,
        )
        [told] = re.findall(r'<pre id="measured">(.*?)</pre>', done.stdout, re.DOTALL)
        return {(one["page"], one["width"]): one for one in json.loads(unescape(told))}

    return lay_out


@pytest.mark.system("chromium")
@pytest.mark.parametrize("scheme", SCHEMES)
def test_a_page_is_read_on_a_screen_and_on_a_phone(laid_out, scheme):
    seen = laid_out(scheme)
    assert set(seen) == {(name, width) for name in PAGES for width in (SCREEN, PHONE)}
    for (name, width), page in seen.items():
        where = (name, width, scheme)
        # Nothing has to be scrolled to the side, is cut off, or is hard to see.
        assert page["needs"] <= width, where
        assert (page["cut"], page["outside"]) == ([], []), where
        assert page["spoken"] > 5, where
        assert [faint for faint in page["contrasts"] if faint[1] < LEAST_CONTRAST] == [], where
        assert page["dark"] is (scheme == "dark"), where
        assert (page["paper"] < 0.1) is (scheme == "dark"), where  # luminance, of 1
        assert page["verdict"].split() == ["verdict", PAGES[name].verdict], where
        check_boxes(page, PAGES[name].objects, where)


def check_boxes(page, objects, where):
    """One box an object, one below the other, each with its drawing, in the column of the plan."""
    left, right = (page["sections"][1][edge] for edge in (0, 2))
    boxes, bars = page["objects"], page["bars"]
    assert len(boxes) == len(bars) == objects, where
    for box, bar in zip(boxes, bars, strict=True):
        assert left <= box[0] < bar[0] < bar[2] < box[2] <= right, where
        assert box[1] < bar[1] < bar[3] < box[3], where
    for above, below in pairwise(boxes):
        assert above[3] <= below[1], where
    tops = [section[1] for section in page["sections"]]
    if page["width"] == PHONE:  # one column, and what it comes to is first
        assert tops[1] < tops[0] < tops[2], where
    else:
        assert len(set(tops)) == 1, where


@pytest.mark.system("chromium")
def test_a_page_that_is_no_good_is_found(laid_out, monkeypatch):
    """What is measured is measured: a page is made too wide, too pale and cut off."""
    worse = (
        ".card { min-width: 60rem; } .dim { color: #bbb; }"
        " h3 { overflow: hidden; white-space: nowrap; width: 3rem; }"
    )
    monkeypatch.setattr(html_page, "_STYLE", html_page._STYLE + worse)
    page = laid_out("light")["scanned out", PHONE]
    assert page["needs"] > PHONE
    assert page["outside"]
    assert page["cut"]
    assert any(ratio < LEAST_CONTRAST for _, ratio in page["contrasts"])
