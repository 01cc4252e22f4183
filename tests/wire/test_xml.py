"""The XML keeps to the rules of wayland-protocols that no scanner checks."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET

import pytest

from heapwire.protocol.wire.generate import (
    NEGOTIATION,
    PROTOCOLS,
    SOURCES,
    protocol_xml,
    with_types,
)

ROOTS = {name: ET.fromstring(protocol_xml(name)) for name in PROTOCOLS}
INTERFACES = [interface for root in ROOTS.values() for interface in root.findall("interface")]
MESSAGES = [
    pytest.param(interface, message, id=f"{interface.get('name')}.{message.get('name')}")
    for interface in INTERFACES
    for message in (*interface.findall("request"), *interface.findall("event"))
]
EACH_INTERFACE = pytest.mark.parametrize(
    "interface", INTERFACES, ids=lambda element: element.get("name")
)


def text_of(element: ET.Element) -> str:
    return re.sub(r"\s+", " ", element.findtext("description") or "").strip()


def errors_of(interface: ET.Element) -> set[str]:
    entries = interface.findall("enum[@name='error']/entry")
    return {entry.attrib["name"] for entry in entries}


def raised_by(request: ET.Element) -> set[str]:
    in_sentences = re.findall(r"\bthe (\w+) error is raised", text_of(request))
    in_lists = re.findall(r"^\s*- (\w+), if\b", request.findtext("description") or "", re.MULTILINE)
    return {*in_sentences, *in_lists}


@EACH_INTERFACE
def test_destroy_comes_first_and_is_a_destructor(interface: ET.Element) -> None:
    first = interface.find("request")
    assert first is not None
    assert (first.get("name"), first.get("type")) == ("destroy", "destructor")
    assert first.find("arg") is None


@EACH_INTERFACE
def test_names_carry_prefix_and_version(interface: ET.Element) -> None:
    assert re.fullmatch(r"xx_dmabuf_[a-z_]+_v1", interface.attrib["name"])
    assert interface.attrib["version"] == "1"


@EACH_INTERFACE
def test_each_error_is_named_by_a_request_that_raises_it(interface: ET.Element) -> None:
    raised = set[str]()
    for request in interface.findall("request"):
        raised |= raised_by(request)
    assert raised == errors_of(interface)


@EACH_INTERFACE
def test_errors_are_numbered_without_gaps(interface: ET.Element) -> None:
    values = [
        int(entry.attrib["value"]) for entry in interface.findall("enum[@name='error']/entry")
    ]
    assert values == list(range(len(values)))


@EACH_INTERFACE
def test_interface_and_enums_are_described(interface: ET.Element) -> None:
    assert text_of(interface)
    for enum in interface.findall("enum"):
        description = enum.find("description")
        assert description is not None, enum.get("name")
        assert description.get("summary")


@pytest.mark.parametrize(("interface", "message"), MESSAGES)
def test_messages_are_described(interface: ET.Element, message: ET.Element) -> None:
    description = message.find("description")
    assert description is not None
    assert description.get("summary")
    if message.tag == "request":
        assert text_of(message)


@pytest.mark.parametrize(("interface", "message"), MESSAGES)
def test_an_enum_that_an_argument_names_exists(interface: ET.Element, message: ET.Element) -> None:
    for argument in message.findall("arg[@enum]"):
        owner, _, enum = argument.attrib["enum"].rpartition(".")
        scopes = [other for other in INTERFACES if owner in ("", other.get("name"))]
        scope = scopes[0] if owner else interface
        assert scope.find(f"enum[@name='{enum}']") is not None, argument.attrib["enum"]


@pytest.mark.parametrize(("interface", "message"), MESSAGES)
def test_only_requests_create_objects(interface: ET.Element, message: ET.Element) -> None:
    created = message.findall("arg[@type='new_id']")
    assert message.tag == "request" or not created
    assert len(created) <= 1


@pytest.mark.parametrize("name", PROTOCOLS)
def test_every_interface_can_be_reached_from_the_global(name: str) -> None:
    created = {arg.get("interface") for arg in ROOTS[name].iterfind(".//arg[@type='new_id']")}
    names = {interface.get("name") for interface in ROOTS[name].findall("interface")}
    stem = name.replace("-", "_").removesuffix("_v1")
    entry = f"{stem}_v1" if name == SOURCES else f"{stem}_manager_v1"
    assert names - created == {entry}
    assert created <= names, "each protocol stands alone"


EXPERIMENTAL = (
    "Warning! The protocol described in this file is currently in the experimental phase. Backward"
    " incompatible major versions of the protocol are to be expected. Exposing this protocol"
    " without an opt-in mechanism is discouraged."
)
KEY_WORDS = (
    'The key words "must", "must not", "required", "shall", "shall not", "should", "should not",'
    ' "recommended", "may", and "optional" in this document are to be interpreted as described in'
    " IETF RFC 2119."
)
"""Word for word what the README of wayland-protocols asks of each new protocol."""


@pytest.mark.parametrize("name", PROTOCOLS)
def test_it_is_tagged_as_experimental(name: str) -> None:
    """By its prefix, and by a paragraph of its own in the description of the protocol."""
    paragraphs = [
        re.sub(r"\s+", " ", paragraph).strip()
        for paragraph in (ROOTS[name].findtext("description") or "").split("\n\n")
    ]
    assert paragraphs.count(EXPERIMENTAL) == 1
    assert paragraphs[-1] == KEY_WORDS
    assert ROOTS[name].attrib["name"] == name.replace("-", "_")
    assert re.fullmatch(r"xx-(?!wp|xdg|ext)[a-z-]+-v1", name)


@pytest.mark.parametrize("name", PROTOCOLS)
def test_the_boilerplate_is_there(name: str) -> None:
    root = ROOTS[name]
    described = " ".join(element.text or "" for element in root.iter("description"))
    assert re.search(r"Privacy: |tells hosts apart", text_of(root))
    assert not re.search(r"\b(MUST|SHALL|SHOULD|MAY|REQUIRED|OPTIONAL)\b", described)
    assert "Copyright" in (root.findtext("copyright") or "")


def test_the_core_stays_small() -> None:
    """The table of types grows with the registry, and the whole has room for no more."""
    lines = [line.strip() for line in protocol_xml(SOURCES).splitlines()]
    assert len(lines) <= 250
    assert len([line for line in lines if not line.startswith("<entry")]) <= 200
    assert len(ROOTS[SOURCES].findall("interface")) == 2


def test_the_types_of_constraints_are_those_of_the_registry() -> None:
    xml = protocol_xml(SOURCES)
    assert with_types(xml) == xml, "the registry has changed: run `make protocol`"
    assert with_types(xml, ()) != xml
    assert with_types(protocol_xml(NEGOTIATION)) == protocol_xml(NEGOTIATION)  # it has no such enum
