"""A page for each protocol, made of its XML."""

from __future__ import annotations

import textwrap
import xml.etree.ElementTree as ET
from collections.abc import Iterator

from heapwire.protocol.wire.generate import PROTOCOLS, protocol_xml

_HEADINGS = {"request": "Requests", "event": "Events", "enum": "Enums"}
_NO_MARKUP = str.maketrans({mark: f"\\{mark}" for mark in "\\`*_[]<>|#$"})


def protocol_pages() -> Iterator[tuple[str, str]]:
    """The page of each protocol, and one that leads to them."""
    for name in PROTOCOLS:
        yield f"protocols/{name}.md", protocol_page(protocol_xml(name))
    entries = "\n".join(PROTOCOLS)
    yield (
        "protocols/index.md",
        "# The protocols, from their XML\n\nEach is made of the XML that is installed "
        "(`heapwire protocol path` says where). [Why they are as they are]"
        f"(../project/protocol/wire/xml/README.md).\n\n```{{toctree}}\n{entries}\n```\n",
    )


def protocol_page(xml: str) -> str:
    """All that the XML of a protocol says, but its licence, as Markdown."""
    protocol = ET.fromstring(xml)
    return "\n".join(_page(protocol))


def _page(protocol: ET.Element) -> Iterator[str]:
    yield f"# {plain(protocol.attrib['name'])}\n"
    yield from _description(protocol)
    for interface in protocol.findall("interface"):
        name = interface.attrib["name"]
        yield f"## {plain(name)}\n"
        yield f"Version {interface.attrib['version']}.\n"
        yield from _description(interface)
        for kind, heading in _HEADINGS.items():
            found = interface.findall(kind)
            if found:
                yield f"### {heading} of {plain(name)}\n"
            for element in found:
                yield from _enum(element) if kind == "enum" else _message(element)


def _message(message: ET.Element) -> Iterator[str]:
    arguments = ", ".join(arg.attrib["name"] for arg in message.findall("arg"))
    yield f"#### {plain(message.attrib['name'])}({plain(arguments)})\n"
    said = [f"Since version {message.attrib['since']}."] if "since" in message.attrib else []
    if message.get("type") == "destructor":
        said.append("This destroys the object.")
    if said:
        yield f"{' '.join(said)}\n"
    yield from _description(message)
    rows = [
        (arg.attrib["name"], _type(arg), arg.get("summary", "")) for arg in message.findall("arg")
    ]
    yield from _table(("argument", "type", ""), rows)


def _type(arg: ET.Element) -> str:
    """What an argument is: its type, of which interface or enum, and whether it may be null."""
    words = [arg.attrib["type"]]
    if "interface" in arg.attrib:
        words.append(f"of {arg.attrib['interface']}")
    if "enum" in arg.attrib:
        words.append(f"({arg.attrib['enum']})")
    if arg.get("allow-null") == "true":
        words.append("or null")
    return " ".join(words)


def _enum(enum: ET.Element) -> Iterator[str]:
    bits = ", of bits" if enum.get("bitfield") == "true" else ""
    yield f"#### enum {plain(enum.attrib['name'])}{bits}\n"
    yield from _description(enum)
    rows = [
        (entry.attrib["name"], entry.attrib["value"], _entry(entry))
        for entry in enum.findall("entry")
    ]
    yield from _table(("entry", "value", ""), rows)


def _entry(entry: ET.Element) -> str:
    since = f" (since version {entry.attrib['since']})" if "since" in entry.attrib else ""
    return f"{entry.get('summary', '')}{since}"


def _description(element: ET.Element) -> Iterator[str]:
    described = element.find("description")
    if described is None:
        return
    summary = described.get("summary", "")
    yield f"*{plain(summary)}*\n"
    text = textwrap.dedent((described.text or "").strip("\n").rstrip())
    if text:
        yield f"{plain(text)}\n"


def _table(heading: tuple[str, ...], rows: list[tuple[str, str, str]]) -> Iterator[str]:
    if not rows:
        return
    yield f"| {' | '.join(heading)} |"
    yield "|---" * len(heading) + "|"
    for name, value, text in rows:
        yield f"| `{name}` | {plain(value)} | {plain(text)} |"
    yield ""


def plain(text: str) -> str:
    """Text that Markdown shows as it stands."""
    return text.translate(_NO_MARKUP)
