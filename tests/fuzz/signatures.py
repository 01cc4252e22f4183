"""What may be sent, read from XML: the extensions' own, and `served.xml` for all the rest."""

from __future__ import annotations

import struct
import xml.etree.ElementTree as ET
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).parent
OURS = sorted((HERE.parents[1] / "protocol/wire/xml").glob("*.xml"))
ENDINGS = ("destroy", "release")  # destructors where a table does not say which are


@dataclass(frozen=True)
class Argument:
    kind: str  # as the XML names it: uint, new_id, ...
    interface: str | None


@dataclass(frozen=True)
class Message:
    name: str
    opcode: int
    arguments: tuple[Argument, ...]
    since: int
    destructor: bool

    def encode(self, object_: int, values: tuple[object, ...]) -> bytes:
        """The message; descriptors travel beside it and have no value."""
        body = b""
        for argument, value in zip(self.plain, values, strict=True):
            match value:
                case bytes() if argument.kind == "string":
                    body += block(value + b"\0")
                case bytes():
                    body += block(value)
                case int():
                    body += struct.pack("=I", value & 0xFFFFFFFF)
                case _:
                    raise TypeError(f"{self.name}: {value!r}")
        return struct.pack("=II", object_, (8 + len(body)) % 65536 << 16 | self.opcode) + body

    @property
    def plain(self) -> tuple[Argument, ...]:
        return tuple(one for one in self.arguments if one.kind != "fd")

    @property
    def fds(self) -> int:
        return len(self.arguments) - len(self.plain)


@dataclass(frozen=True)
class Interface:
    name: str
    version: int
    requests: tuple[Message, ...]
    events: tuple[Message, ...]

    def request(self, name: str) -> Message:
        return next(one for one in self.requests if one.name == name)


def block(raw: bytes) -> bytes:
    """A string or an array on the wire."""
    return struct.pack("=I", len(raw)) + raw + bytes(-len(raw) % 4)


def read() -> dict[str, Interface]:
    """All interfaces by name."""
    found = {}
    for path in (*OURS, HERE / "served.xml"):
        for one in ET.parse(path).getroot().iter("interface"):
            found[one.attrib["name"]] = Interface(
                one.attrib["name"],
                int(one.attrib["version"]),
                _messages(one, "request"),
                _messages(one, "event"),
            )
    return found


def _messages(interface: ET.Element, kind: str) -> tuple[Message, ...]:
    return tuple(
        Message(
            one.attrib["name"],
            opcode,
            tuple(Argument(a.attrib["type"], a.attrib.get("interface")) for a in one.iter("arg")),
            int(one.attrib.get("since", 1)),
            one.attrib.get("type") == "destructor" or one.attrib["name"] in ENDINGS,
        )
        for opcode, one in enumerate(interface.iter(kind))
    )
