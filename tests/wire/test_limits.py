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
from heapwire.protocol.wire.generate import PROTOCOLS, protocol_xml

ROOTS = [ET.fromstring(protocol_xml(name)) for name in PROTOCOLS]
SOURCES = "xx_dmabuf_sources_v1"
MANAGER = "xx_dmabuf_negotiation_manager_v1"
ALLOCATION = "xx_dmabuf_allocation_manager_v1"
STATUSES = "xx_dmabuf_buffer_status_manager_v1"
CREATOR = "xx_dmabuf_constraint_set_creator_v1"
OBJECT = "xx_dmabuf_negotiation_v1"

STATED = [
    (limits.FEEDBACKS, SOURCES, "extend_feedback", "more than {}"),
    (limits.MANAGERS, SOURCES, "extend_feedback", "more than {} of this object"),
    (limits.SET_FORMATS, CREATOR, "add_formats", "more than {} pairs"),
    (limits.SET_CONSTRAINTS, CREATOR, "add", "more than {} constraints"),
    (limits.VALUE_BYTES, CREATOR, "add", "longer than {} bytes"),
    (limits.PARTICIPANTS, OBJECT, "set_participant", "more than {} participants"),
    (limits.PARTICIPANT_NAME, OBJECT, "set_participant", "longer than {} bytes"),
    (identity.MAX_MAJOR, OBJECT, "set_participant", "major is above {}"),
    (identity.MAX_MINOR, OBJECT, "set_participant", "minor above {}"),
    (limits.ALTERNATIVES, OBJECT, "add_alternative", "more than {} alternatives"),
    (limits.OPENABLE, OBJECT, "set_openable", "more than {} entries"),
    (limits.BUFFERS, OBJECT, "set_buffer_count", "0 or above {}"),
    (buffer_count.MAX_BUFFER_COUNT, OBJECT, "set_buffer_count", "0 or above {}"),
    (limits.EXTENT, OBJECT, "set_extents", "is above {}"),
    (limits.EXTENT, OBJECT, "set_fixed_layout", "0 or above {}"),
    (extents.MAX_EXTENT, OBJECT, "set_extents", "is above {}"),
    (constraint.MAX_PLANES, OBJECT, "set_fixed_layout", "more than {} planes"),
    (limits.KNOWN_BATCHES, OBJECT, "use_plan", "the last {} batches"),
    (limits.NEGOTIATIONS, MANAGER, "get_default_negotiation", "more than {} negotiations"),
    (limits.STATUSES, STATUSES, "get_buffer_status", "more than {} of these objects"),
    (limits.ALLOCATIONS, ALLOCATION, "allocate", "more than {} allocations"),
    (limits.EXTENT, ALLOCATION, "allocate", "0 or above {}"),
    (identity.MAX_MAJOR, ALLOCATION, "allocate", "major above {}"),
    (identity.MAX_MINOR, ALLOCATION, "allocate", "minor above {}"),
]


def text(interface: str, message: str) -> str:
    path = f"interface[@name='{interface}']/*[@name='{message}']/description"
    [element] = [found for root in ROOTS if (found := root.find(path)) is not None]
    return re.sub(r"\s+", " ", element.text or "")


@pytest.mark.parametrize(("limit", "interface", "message", "phrase"), STATED)
def test_a_limit_is_stated(limit: int, interface: str, message: str, phrase: str) -> None:
    assert re.search(rf"\b{phrase.format(limit)}\b", text(interface, message))


def test_the_highest_id_of_a_client_is_stated() -> None:
    assert f"from 1 to {limits.MAX_CLIENT_ID:#x}" in text(OBJECT, "set_participant")
    assert f"above {limits.MAX_CLIENT_ID:#x}" in text(OBJECT, "participant")


def test_the_pairs_that_stand_for_others_are_stated() -> None:
    stated = text(CREATOR, "add_formats")
    assert f"A format of {constraint_set.ANY_FOURCC} stands for all" in stated
    assert f"a modifier of {constraint_set.ANY_MODIFIER:#x} for all" in stated
