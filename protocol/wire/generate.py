"""Make the Python tables of the protocol from its XML.

`python -m heapwire.protocol.wire.generate` prints the module that is checked in
as `bindings/xx_dmabuf_heaps_v1.py`; `make protocol` writes it there, and a test
fails when the two differ.
"""

from __future__ import annotations

import sys
import xml.etree.ElementTree as ET
from importlib import resources

from heapwire.protocol.wire.interface import Argument, ArgumentKind, Interface, Message

XML_NAME = "xx-dmabuf-heaps-v1.xml"
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


def protocol_xml() -> str:
    """The text of the protocol's XML."""
    return resources.files("heapwire.protocol").joinpath("wire/xml", XML_NAME).read_text("utf-8")


def parse(xml: str) -> tuple[Interface, ...]:
    """The interfaces of a protocol XML, in their order."""
    return tuple(_interface(element) for element in ET.fromstring(xml).findall("interface"))


def render(interfaces: tuple[Interface, ...]) -> str:
    """The source of a Python module that holds the interfaces and their enums."""
    lines = [
        f'"""Made from {XML_NAME} by heapwire.protocol.wire.generate; do not edit."""',
        "",
        "from enum import IntEnum",
        "",
        "from heapwire.protocol.wire.interface import Argument, ArgumentKind, Interface, Message",
        "",
    ]
    for interface in interfaces:
        for name, entries in interface.enums.items():
            lines += ["", f"class {_class_name(interface.name, name)}(IntEnum):"]
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
    """`xx_dmabuf_heap_feedback_v1`, `tranche_flag` -> `HeapFeedbackTrancheFlag`."""
    words = interface.removeprefix("xx_dmabuf_").removesuffix("_v1").split("_") + enum.split("_")
    return "".join(word.capitalize() for word in words)


if __name__ == "__main__":
    sys.stdout.write(render(parse(protocol_xml())))
