"""What the pictures say of memory and of the rooms is what the tables say."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET

from source_tree import ROOMS, ROOT

from heapwire.kernel.description import Platform
from heapwire.protocol.explain import solve
from heapwire.protocol.values import (
    ADDRESS_RANGE,
    CONTIGUOUS,
    PITCH_ALIGNMENT,
    Constraint,
    ConstraintType,
    Extent,
    Extents,
    Goal,
    Usage,
    parse_fourcc,
)

IMAGES = ROOT / "docs/images"
TEXT = "{http://www.w3.org/2000/svg}text"
NV12 = parse_fourcc("NV12")


def texts(name: str) -> dict[str, str]:
    """The texts of a picture that have an id."""
    found = ET.parse(IMAGES / name).iter(TEXT)
    return {text.attrib["id"]: text.text or "" for text in found if "id" in text.attrib}


def required(board: Platform, device: str, usage: Usage) -> dict[int, Constraint]:
    """What a device requires of NV12, by type; where it is said of two planes, of the first."""
    sets = board.participant(device, usage).sets
    [chosen] = [one for one in sets if any(pair.fourcc == NV12 for pair in one.formats)]
    return {one.type: one for one in reversed(chosen.constraints)}


def test_what_the_devices_and_the_plan_have_is_the_raspberry_pi_s() -> None:
    board = Platform.load("raspberry-pi-4")
    told = texts("heapwire.svg")

    def value(device: str, usage: Usage, type_: ConstraintType) -> object:
        return required(board, device, usage)[type_.type].value

    aligned = value("codec", Usage.DECODE, PITCH_ALIGNMENT)
    assert told["decoder"] == f"NV12, multiples of {aligned} bytes"
    assert value("hvs", Usage.SCANOUT, CONTIGUOUS) == 1
    assert value("hvs", Usage.SCANOUT, ADDRESS_RANGE) == (0, (1 << 30) - 1)
    assert told["display"] == "contiguous, low 1 GiB"
    displayed = board.participant("hvs", Usage.SCANOUT)
    problem = board.problem(
        participants=[board.participant("codec", Usage.DECODE)],
        goals=(Goal(name="scanout", participants=(displayed,), scanout=True),),
        extents=Extents(coded=Extent(1920, 1080)),
    )
    plan = next(one for one in solve(problem).plans if one.fourcc == NV12)
    [source] = {one.source for one in plan.layout.objects}
    [name] = [one.name for one in board.sources if one.id == source]
    assert told["plan"] == f"a plan: {name}, NV12, pitch {plan.layout.planes[0].pitch}, offsets ..."


def test_the_rooms_are_those_of_the_project() -> None:
    titled = [text.text or "" for text in ET.parse(IMAGES / "architecture.svg").iter(TEXT)]
    assert set(ROOMS) <= set(titled)
    packages = {
        "client_lib": ("player", "negotiation", "buffers", "wayland"),
        "kernel": ("memory", "description", "video", "discovery"),
        "protocol": ("values", "solver", "explain", "wire"),
        "compositor_plugin": ("server", "hosts"),
    }
    for room, names in packages.items():
        for name in names:
            assert (ROOT / room / name / "__init__.py").is_file(), (room, name)
            assert any(re.match(rf"{name}\b", text) for text in titled), (room, name)
    [hosts] = [text for text in titled if text.startswith("hosts: ")]
    for name in hosts.removeprefix("hosts: ").split(", "):
        assert (ROOT / "compositor_plugin/hosts" / name / "__init__.py").is_file()
