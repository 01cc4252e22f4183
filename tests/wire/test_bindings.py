"""The checked-in tables are those that the XML gives; the model's numbers are theirs."""

from __future__ import annotations

import inspect
from enum import IntEnum
from types import ModuleType

import pytest
from source_tree import ROOMS, dotted, imports, sources as sources_of

from heapwire.protocol.values import (
    CoherencyDomain,
    ColourEncoding,
    ColourRange,
    FailureReason,
    Fence,
    LayoutKind,
    Provenance,
    SourceKind,
    Usage,
)
from heapwire.protocol.wire import (
    Access,
    Agreement,
    ConflictCause,
    ConflictFlag,
    Explanation,
    PlanSubject,
    RefusalCause,
    TrancheFlags,
)
from heapwire.protocol.wire.bindings import (
    xx_dmabuf_allocation_v1 as allocation,
    xx_dmabuf_buffer_status_v1 as buffer_status,
    xx_dmabuf_negotiation_v1 as bindings,
    xx_dmabuf_sources_v1 as sources,
)
from heapwire.protocol.wire.generate import (
    ALLOCATION,
    BUFFER_STATUS,
    CLASSES,
    NEGOTIATION,
    SOURCES,
    parse,
    protocol_xml,
    render,
)

OBJECT = bindings.XX_DMABUF_NEGOTIATION_V1
ALLOCATING = allocation.XX_DMABUF_ALLOCATION_MANAGER_V1
MANAGER = bindings.XX_DMABUF_NEGOTIATION_MANAGER_V1
CREATOR = bindings.XX_DMABUF_CONSTRAINT_SET_CREATOR_V1


MODULES = {
    SOURCES: sources,
    NEGOTIATION: bindings,
    ALLOCATION: allocation,
    BUFFER_STATUS: buffer_status,
}


@pytest.mark.parametrize(("name", "module"), MODULES.items())
def test_the_bindings_are_what_the_xml_gives(name: str, module: ModuleType) -> None:
    made = render(name, parse(protocol_xml(name)))
    assert inspect.getsource(module) == made, "the XML has changed: run `make protocol`"
    assert parse(protocol_xml(name)) == module.INTERFACES


def test_a_class_is_made_of_each_enum_that_code_names_and_of_no_other() -> None:
    made = {
        name
        for module in MODULES.values()
        for name, value in vars(module).items()
        if isinstance(value, type) and issubclass(value, IntEnum) and value is not IntEnum
    }
    assert made == CLASSES
    named = {
        name.rpartition(".")[2]
        for path in sources_of(*ROOMS)
        if path.parent.name != "bindings"
        for _, name in imports(path.read_text("utf-8"), dotted(path))
        if name.startswith("heapwire.protocol.wire.bindings.")
    }
    assert named & {*CLASSES} == CLASSES


def test_a_change_of_the_xml_changes_the_bindings() -> None:
    changed = protocol_xml().replace(
        '<arg name="cookie" type="uint"', '<arg name="cookie" type="int"'
    )
    assert changed != protocol_xml()
    assert render(NEGOTIATION, parse(changed)) != render(NEGOTIATION, parse(protocol_xml()))


@pytest.mark.parametrize(
    ("model", "wire"),
    [
        (FailureReason, OBJECT.enums["reason"]),
        (Usage, OBJECT.enums["usage"]),
        (LayoutKind, OBJECT.enums["layout_kind"]),
        (Access, OBJECT.enums["access"]),
        (TrancheFlags, OBJECT.enums["goal"]),
        (Explanation, OBJECT.enums["explanation"]),
        (PlanSubject, OBJECT.enums["subject"]),
        (RefusalCause, OBJECT.enums["refusal_cause"]),
        (ConflictCause, OBJECT.enums["conflict_cause"]),
        (ConflictFlag, OBJECT.enums["conflict_flag"]),
        (Agreement, OBJECT.enums["agreement"]),
        (ColourEncoding, OBJECT.enums["encoding"]),
        (ColourRange, OBJECT.enums["range"]),
        (SourceKind, MANAGER.enums["source_kind"]),
        (SourceKind, ALLOCATING.enums["source_kind"]),
        (SourceKind, sources.XX_DMABUF_SOURCES_V1.enums["kind"]),
        (Provenance, CREATOR.enums["provenance"]),
        (CoherencyDomain, OBJECT.enums["coherency"]),
        (Fence, OBJECT.enums["fence"]),
    ],
    ids=lambda value: value.__name__ if isinstance(value, type) else "",
)
def test_enums_of_the_model_have_the_values_of_the_wire(
    model: type[IntEnum], wire: dict[str, int]
) -> None:
    assert {entry.name.lower(): int(entry) for entry in model} == dict(wire)


def test_signatures_are_those_of_libwayland() -> None:
    signatures = {message.name: message.signature for message in OBJECT.requests}
    assert signatures["set_participant"] == "uuuus"
    assert signatures["add_alternative"] == "uo"
    assert signatures["set_fixed_layout"] == "uuuuuaa"
    assert signatures["use_plan"] == "uu"
    [allocate] = [one for one in ALLOCATING.requests if one.name == "allocate"]
    assert allocate.signature == "nuuuuuaa"
    events = {message.name: message.signature for message in OBJECT.events}
    assert events["plan_source"] == "uuuu"
    assert events["plan_reason"] == "uus"
