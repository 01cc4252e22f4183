"""What `make docs` makes pages of is all in them; Sphinx itself is not asked here."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from importlib import import_module
from pathlib import PurePosixPath

import pytest
from command_pages import command_page, worded
from face_pages import FACES, face_pages
from machine_pages import machine_drawings, machine_pages
from plan_drawings import drawn_plan, with_plans
from protocol_pages import plain, protocol_page
from site_pages import ROOT, made_pages, place_of, with_links, written_pages

from heapwire.cli.command_line import whole_command_line
from heapwire.cli.install.manual import all_pages
from heapwire.kernel.description import shipped
from heapwire.protocol.wire.generate import PROTOCOLS, protocol_xml

XML = """<protocol name="p"><copyright>C</copyright>
<interface name="i_j" version="3"><description summary="s*s">  text
</description>
<request name="r" type="destructor" since="2">
  <arg name="a" type="object" interface="k" allow-null="true" summary="u|v"/>
  <arg name="b" type="uint" enum="e"/></request>
<event name="v"/>
<enum name="e" bitfield="true"><entry name="x" value="4" summary="w" since="3"/></enum>
</interface></protocol>"""


def test_a_page_says_what_its_xml_says() -> None:
    page = protocol_page(XML)
    assert "## i\\_j\n\nVersion 3." in page
    assert "*s\\*s*\n\ntext\n" in page
    assert "#### r(a, b)\n\nSince version 2. This destroys the object." in page
    assert "| `a` | object of k or null | u\\|v |\n| `b` | uint (e) |  |" in page
    assert "#### v()" in page
    assert "#### enum e, of bits" in page
    assert "| `x` | 4 | w (since version 3) |" in page


@pytest.mark.parametrize("name", PROTOCOLS)
def test_all_of_a_protocol_is_on_its_page(name: str) -> None:
    xml = protocol_xml(name)
    page = protocol_page(xml)
    for element in ET.fromstring(xml).iter():
        if element.tag in ("interface", "request", "event", "enum"):
            assert plain(element.attrib["name"]) in page
        elif element.tag in ("arg", "entry"):
            assert f"| `{element.attrib['name']}` |" in page
            assert plain(element.get("summary", "")) in page
        elif element.tag == "description":
            assert plain(element.attrib["summary"]) in page
            for line in (element.text or "").splitlines():
                assert plain(line.strip()) in page


def test_every_option_of_a_command_is_on_its_page(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "1000")
    made = {page.name: command_page(page) for page in all_pages()}
    for name, parser in whole_command_line()[1].items():
        options = set(re.findall(r"--[a-z][a-z-]+", parser.format_help()))
        assert options <= set(re.findall(r"--[a-z][a-z-]+", made[f"heapwire-{name}"]))


def test_words_of_the_help_are_code_where_they_stand_in_quotes() -> None:
    assert worded("what `list --json` says_of *it*") == "what `list --json` says\\_of \\*it\\*"
    assert worded("a ` alone") == "a \\` alone"


def test_every_export_of_a_face_has_one_place() -> None:
    text = "".join(text for _, text in face_pages())
    entries = re.findall(r"^\.\. (?:py:data|auto\w+):: heapwire\.\w+\.(\w+)$", text, re.MULTILINE)
    exports = {name for face in FACES for name in import_module(face).__all__}
    assert sorted(entries) == sorted(exports)
    for constant, line in re.findall(r"^\.\. py:data:: \S+\.(\w+)\n\n(.*)$", text, re.MULTILINE):
        assert line.strip(), f"{constant} is not told"


def test_every_machine_is_drawn_and_its_row_says_what_is_planned() -> None:
    [(_, index)] = machine_pages()
    drawn = dict(machine_drawings())
    assert [f"machines/{name}.html" for name in shipped()] == list(drawn)
    found = re.findall(r'^(\| <a href="([^"]+)">.*)$', index, re.MULTILINE)
    rows = {file: line for line, file in found}
    assert list(rows) == [f"{name}.html" for name in shipped()]
    for file, row in rows.items():
        assert row.count("|") == 5, row
        assert ("no plan" in row) == ("No plan: " in drawn[f"machines/{file}"]), row
    assert "scanout | NV12 LINEAR from linux,cma |" in rows["raspberry-pi-4.html"]


def test_links_lead_to_the_pages_that_are_made() -> None:
    page = PurePosixPath("docs/security.md")
    text = (
        "[a](../protocol/wire/xml/x-v1.xml) [b](policy.md#client) [c](../tests/no.py) [d](http://e)"
    )
    known = text.replace("x-v1", PROTOCOLS[0])
    shown = f"[a](protocols/{PROTOCOLS[0]}.md) [b](policy.md#client) c [d](http://e)"
    assert with_links(known, page) == shown
    outside = "![p](docs/images/heapwire.svg) [q](LICENSE)"
    assert with_links(outside, PurePosixPath("README.md")) == "![p](../images/heapwire.svg) q"


def test_an_index_leads_to_every_page() -> None:
    texts = {str(place_of(page)): (ROOT / page).read_text("utf-8") for page in written_pages()}
    texts |= dict(made_pages())
    reached = {"index.md"}
    waiting = ["index.md"]
    while waiting:
        page = PurePosixPath(waiting.pop())
        for block in re.findall(r"```\{toctree\}\n(.*?)```", texts[str(page)], re.DOTALL):
            for entry in block.split("\n"):
                if entry and not entry.startswith(":"):
                    found = [
                        one
                        for one in texts
                        if PurePosixPath(one).match(str(page.parent / entry) + ".md")
                    ]
                    waiting += [one for one in found if one not in reached]
                    reached.update(found)
    assert set(texts) - reached == set()


def test_a_plan_is_drawn_where_a_page_asks_for_one() -> None:
    asked = "one\n\n<!-- plan: raspberry-pi-4 NV12 1366x768 -->\n\nother\n"
    drawn = drawn_plan("raspberry-pi-4", "NV12", "1366x768")
    assert with_plans(asked) == f"one\n\n{drawn}\n\nother\n"
    assert "\n" not in drawn  # else it would end where Markdown has a paragraph end
    assert drawn.count('class="card') == 1
    assert "plane 0: offset 0, pitch 1376, of which 10 are padding" in drawn


def test_every_plan_that_a_page_asks_for_is_one() -> None:
    """With what the page says of it."""
    glossary = (ROOT / "docs/glossary.md").read_text("utf-8")
    made = with_plans(glossary)
    assert "<!-- plan" not in made
    pitch = re.search(r"is (\d+) bytes apart", glossary)
    assert pitch is not None
    assert f"pitch {pitch[1]}, of which" in made
    one, two = re.findall(r'<div class="plan">.*', made)
    assert "<h3>linux,cma</h3>" in one
    assert re.findall("<h3>(.*?)</h3>", two) == ["mfc-right", "mfc-left"]
