"""Make the Python tables of the protocols from their XML, and one enum of the XML from ours.

`python -m heapwire.protocol.wire.generate NAME` prints the module that is checked in as
`bindings/NAME.py` (with `_` for each `-`), and with `--xml` the XML itself, with the types of
constraints as the registry has them. `make protocol` writes both where they belong, and a test
fails when they differ.
"""

from __future__ import annotations

import re
import sys
import xml.etree.ElementTree as ET
from collections.abc import Iterable
from importlib import resources
from xml.sax.saxutils import escape

from heapwire.protocol.values import REGISTRY, ConstraintType, MergeRule
from heapwire.protocol.wire.interface import Argument, ArgumentKind, Interface, Message

PROTOCOLS = (
    "xx-dmabuf-sources-v1",
    "xx-dmabuf-negotiation-v1",
    "xx-dmabuf-allocation-v1",
    "xx-dmabuf-buffer-status-v1",
)
SOURCES, NEGOTIATION, ALLOCATION, BUFFER_STATUS = PROTOCOLS
CLASSES = frozenset(
    {
        "AllocationManagerError",
        "AllocationReason",
        "BufferStatusManagerError",
        "BufferStatusReason",
        "BufferStatusResult",
        "ConstraintSetCreatorConstraintFlag",
        "ConstraintSetCreatorError",
        "FeedbackSourcesBatch",
        "FeedbackSourcesFlag",
        "NegotiationError",
        "NegotiationManagerSourceProperty",
        "SourcesProperty",
    }
)
"""The enums whose members code names by the XML's words: they are classes, which take 0.1 ms each
to import. The numbers of the others are in the tables, and those of classes of the model's."""
_KINDS = {
    "int": ArgumentKind.INT,
    "uint": ArgumentKind.UINT,
    "fixed": ArgumentKind.FIXED,
    "string": ArgumentKind.STRING,
    "object": ArgumentKind.OBJECT,
    "new_id": ArgumentKind.NEW_ID,
    "array": ArgumentKind.ARRAY,
    "fd": ArgumentKind.FD,
}


_TYPES = re.compile(
    r'(?<=<enum name="type">\n)(?P<head>.*?</description>\n).*?(?=    </enum>)', re.S
)
# The words of the XML for the merge rules; it says itself what each means.
_MERGED = {
    MergeRule.LCM: "lcm",
    MergeRule.MAX: "max",
    MergeRule.MIN: "min",
    MergeRule.ANY: "any",
    MergeRule.INTERSECTION: "both",
    MergeRule.UNION: "union",
    MergeRule.EQUAL: "equal",
    MergeRule.NEAREST: "nearest",
}


def protocol_xml(name: str = NEGOTIATION) -> str:
    """The text of a protocol's XML."""
    folder = resources.files("heapwire.protocol").joinpath("wire/xml")
    return folder.joinpath(f"{name}.xml").read_text("utf-8")


def with_types(xml: str, types: Iterable[ConstraintType] = REGISTRY.values()) -> str:
    """An XML with the general ones of some types in its enum `type`, if it has one."""
    general = sorted((row for row in types if row.vendor == 0), key=lambda row: row.code)
    entries = "".join(_type_entry(row) for row in general)
    return _TYPES.sub(lambda found: found["head"] + entries, xml)


def _type_entry(row: ConstraintType) -> str:
    parts = [row.kind.name.lower()]
    if row.unit is not None:
        parts.append(row.unit.plural)
    parts.append("condition" if row.condition else _MERGED[row.merge])
    if row.per_plane or row.is_relation:
        parts.append("each plane" if row.per_plane else "planes")
    name = row.name.replace("-", "_")
    bits = "".join(f"; bit {bit}: {says}" for bit, says in sorted(row.bits.items()))
    summary = escape(f"{', '.join(parts)}: {row.meaning}{bits}", {'"': "&quot;"})
    return f'      <entry name="{name}" value="{row.code}" summary="{summary}"/>\n'


def parse(xml: str) -> tuple[Interface, ...]:
    """The interfaces of a protocol XML, in their order."""
    return tuple(_interface(element) for element in ET.fromstring(xml).findall("interface"))


def render(name: str, interfaces: tuple[Interface, ...]) -> str:
    """The source of a Python module that holds a protocol's interfaces and enums."""
    lines = [
        f'"""Made from {name}.xml by heapwire.protocol.wire.generate; do not edit."""',
        "",
        "from enum import IntEnum",
        "",
        "from heapwire.protocol.wire.interface import Argument, ArgumentKind, Interface, Message",
        "",
    ]
    for interface in interfaces:
        for name, entries in interface.enums.items():
            class_name = _class_name(interface.name, name)
            if class_name not in CLASSES:
                continue
            lines += ["", f"class {class_name}(IntEnum):"]
            lines += [f'    """{interface.name}.{name}."""', ""]
            lines += [f"    {entry.upper()} = {value}" for entry, value in entries.items()]
            lines.append("")
    for interface in interfaces:
        lines += ["", f"{interface.name.upper()}: Interface = Interface("]
        lines += [f"    name={interface.name!r},", f"    version={interface.version},"]
        for which in ("requests", "events"):
            lines.append(f"    {which}=(")
            lines += [f"        {_message(message)}," for message in getattr(interface, which)]
            lines.append("    ),")
        lines.append("    enums={")
        for name, entries in interface.enums.items():
            lines.append(f"        {name!r}: {dict(entries)!r},")
        lines += ["    },", ")", f'"""The messages and the enums of {interface.name}."""']
    lines += ["", "INTERFACES = ("]
    lines += [f"    {interface.name.upper()}," for interface in interfaces]
    lines += [")", '"""All of the protocol, in the order of its XML."""', ""]
    return "\n".join(lines)


def _interface(element: ET.Element) -> Interface:
    return Interface(
        name=element.attrib["name"],
        version=int(element.attrib["version"]),
        requests=tuple(_parse_message(message) for message in element.findall("request")),
        events=tuple(_parse_message(message) for message in element.findall("event")),
        enums={
            enum.attrib["name"]: {
                entry.attrib["name"]: int(entry.attrib["value"], 0)
                for entry in enum.findall("entry")
            }
            for enum in element.findall("enum")
        },
    )


def _parse_message(element: ET.Element) -> Message:
    return Message(
        name=element.attrib["name"],
        arguments=tuple(
            Argument(
                arg.attrib["name"],
                _KINDS[arg.attrib["type"]],
                arg.get("interface"),
                arg.get("allow-null") == "true",
            )
            for arg in element.findall("arg")
        ),
        since=int(element.get("since", "1")),
        destructor=element.get("type") == "destructor",
    )


def _message(message: Message) -> str:
    arguments = ", ".join(_argument(argument) for argument in message.arguments)
    parts = [repr(message.name)]
    if arguments:
        parts.append(f"({arguments},)")
    if message.since > 1:
        parts.append(f"since={message.since}")
    if message.destructor:
        parts.append("destructor=True")
    return f"Message({', '.join(parts)})"


def _argument(argument: Argument) -> str:
    parts = [repr(argument.name), f"ArgumentKind.{argument.kind.name}"]
    if argument.interface:
        parts.append(repr(argument.interface))
    if argument.nullable:
        parts.append("nullable=True")
    return f"Argument({', '.join(parts)})"


def _class_name(interface: str, enum: str) -> str:
    """`xx_dmabuf_negotiation_v1`, `tranche_flag` -> `NegotiationTrancheFlag`."""
    words = interface.removeprefix("xx_dmabuf_").removesuffix("_v1").split("_") + enum.split("_")
    return "".join(word.capitalize() for word in words)


def main(arguments: list[str]) -> None:
    """Print the module of a protocol or, with `--xml`, its XML."""
    xml = with_types(protocol_xml(arguments[-1]))
    sys.stdout.write(xml if "--xml" in arguments else render(arguments[-1], parse(xml)))


if __name__ == "__main__":
    main(sys.argv[1:])
