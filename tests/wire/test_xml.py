"""The XML keeps to the rules of wayland-protocols that no scanner checks."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest

from heapwire.protocol.wire.generate import (
    NEGOTIATION,
    PROTOCOLS,
    SOURCES,
    protocol_xml,
    with_types,
)

UPSTREAM = Path(__file__).parents[2] / "docs/upstream/wayland-protocols/experimental"
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


# Where 0 says that something is left open, and why it cannot be the number of something.
LEFT_OPEN = {
    "xx_dmabuf_sources_v1.source": "no source has a size of 0",
    "xx_dmabuf_feedback_sources_v1.tranche_set": "none are 0 rows high",
    "xx_dmabuf_constraint_set_creator_v1.add_formats": "drm_fourcc.h has 0 as DRM_FORMAT_INVALID",
    "xx_dmabuf_negotiation_v1.set_participant": "no device node has major 0",
    "xx_dmabuf_negotiation_v1.participant": "no device node has major 0",
    "xx_dmabuf_negotiation_v1.set_extents": "no picture is so small",
    "xx_dmabuf_negotiation_v1.refusal": "there is no participant 0 and no type 0",
    "xx_dmabuf_negotiation_v1.conflict": "there is no type 0",
    "xx_dmabuf_negotiation_v1.done": "0, which is no commit's",
    "xx_dmabuf_negotiation_v1.failed": "0, which is no commit's",
}
ZERO = re.compile(r"(?<![\w.-])0(?:x0)?(?!\w)")
# Sentences in which 0 is a number like others: the first of a count, a bit, a name, or an error.
A_NUMBER = re.compile(
    r"from 0\b|invalid_\w+|0 is the best|of a type are a vendor's|1 for yes and 0 for no"
    r"|are the vendor as numbered|not 0$"
)


def says_of_zero(message: ET.Element) -> list[str]:
    """The sentences of a description, and the summaries, in which 0 says something by itself."""
    sentences = re.split(r"(?<=[.;])\s+", text_of(message))
    sentences += [one.get("summary") or "" for one in message.findall("arg")]
    found = [one for one in sentences if ZERO.search(one) and not A_NUMBER.search(one)]
    # Lists of errors have a line for each; the check of a value names what it cannot be.
    return [one for one in found if not one.startswith(("- ", "Errors:", "0 if it is no device"))]


def test_where_0_leaves_something_open_it_is_said_why_it_can() -> None:
    """A size that is 0 for want of a size, and the like: each place is known, with its reason."""
    saying = {
        f"{interface.get('name')}.{message.get('name')}": text_of(message)
        for interface in INTERFACES
        for message in (*interface.findall("request"), *interface.findall("event"))
        if says_of_zero(message)
    }
    assert {place for place in saying if LEFT_OPEN.get(place, "?") not in saying[place]} == set()
    assert saying.keys() == LEFT_OPEN.keys()


def test_the_objections_count_the_messages_right() -> None:
    counts = sorted((len(one.findall("request")), len(one.findall("event"))) for one in INTERFACES)
    *others, (requests, events) = sorted(counts, key=sum)
    answer = re.search(
        r"has (\d+) messages.*?(\d+) requests and (\d+) events.*?have (\d+) and fewer",
        (UPSTREAM / "xx-dmabuf-negotiation/README").read_text("utf-8"),
        re.DOTALL,
    )
    assert answer is not None
    assert [int(one) for one in answer.groups()] == [
        *(requests + events, requests, events),
        max(map(sum, others)),
    ]


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
