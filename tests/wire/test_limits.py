"""The limits that the code keeps are those that the XML states."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET

import pytest

from heapwire.protocol.values import (
    buffer_count,
    constraint,
    constraint_set,
    device_number as identity,
    extents,
)
from heapwire.protocol.wire import limits
from heapwire.protocol.wire.generate import protocol_xml

ROOT = ET.fromstring(protocol_xml())
CREATOR = "xx_dmabuf_constraint_set_creator_v1"
FEEDBACK = "xx_dmabuf_heap_feedback_v1"

STATED = [
    (limits.SET_FORMATS, CREATOR, "add_formats", "more than {} pairs"),
    (limits.SET_CONSTRAINTS, CREATOR, "add", "more than {} constraints"),
    (limits.VALUE_BYTES, CREATOR, "add", "longer than {} bytes"),
    (limits.PARTICIPANTS, FEEDBACK, "set_participant", "more than {} participants"),
    (limits.PARTICIPANT_NAME, FEEDBACK, "set_participant", "longer than {} bytes"),
    (identity.MAX_MAJOR, FEEDBACK, "set_participant", "major is above {}"),
    (identity.MAX_MINOR, FEEDBACK, "set_participant", "minor above {}"),
    (limits.ALTERNATIVES, FEEDBACK, "add_alternative", "more than {} alternatives"),
    (limits.OPENABLE, FEEDBACK, "set_openable", "more than {} entries"),
    (limits.BUFFERS, FEEDBACK, "set_buffer_count", "0 or above {}"),
    (buffer_count.MAX_BUFFER_COUNT, FEEDBACK, "set_buffer_count", "0 or above {}"),
    (limits.EXTENT, FEEDBACK, "set_extents", "is above {}"),
    (limits.EXTENT, FEEDBACK, "set_fixed_layout", "0 or above {}"),
    (extents.MAX_EXTENT, FEEDBACK, "set_extents", "is above {}"),
    (constraint.MAX_PLANES, FEEDBACK, "set_fixed_layout", "more than {} planes"),
    (limits.TABLE_ENTRIES, FEEDBACK, "format_table", "at most {} entries"),
    (limits.KNOWN_BATCHES, FEEDBACK, "tag_buffer", "the last {} batches"),
]


def text(interface: str, message: str) -> str:
    element = ROOT.find(f"interface[@name='{interface}']/*[@name='{message}']/description")
    assert element is not None
    return re.sub(r"\s+", " ", element.text or "")


@pytest.mark.parametrize(("limit", "interface", "message", "phrase"), STATED)
def test_a_limit_is_stated(limit: int, interface: str, message: str, phrase: str) -> None:
    assert re.search(rf"\b{phrase.format(limit)}\b", text(interface, message))


def test_the_highest_id_of_a_client_is_stated() -> None:
    assert f"from 1 to {limits.MAX_CLIENT_ID:#x}" in text(FEEDBACK, "set_participant")
    assert f"above {limits.MAX_CLIENT_ID:#x}" in text(FEEDBACK, "participant")


def test_the_pairs_that_stand_for_others_are_stated() -> None:
    stated = text(CREATOR, "add_formats")
    assert f"A format of {constraint_set.ANY_FOURCC} stands for all" in stated
    assert f"a modifier of {constraint_set.ANY_MODIFIER:#x} for all" in stated
