"""Every error that the XML names, over a real socket: exactly one, on the right object."""

from __future__ import annotations

import struct
from typing import Any

import pytest
from stage import NV12, XRGB, Stage
from wire_client import DISPLAY

from heapwire.protocol.values import BY_NAME, FormatModifier
from heapwire.protocol.wire.array import encode_formats
from heapwire.protocol.wire.bindings import INTERFACES

PITCH = BY_NAME["pitch-alignment"].type
CONTIGUOUS = BY_NAME["contiguous"].type
SOURCES = BY_NAME["permitted-sources"].type
U64 = struct.Struct("=Q").pack
ANY = 2**64 - 1
PAIR = encode_formats([NV12])
PAIRS = (NV12, XRGB, *(FormatModifier(*pair) for pair in ((0, 0), (0, ANY), (1, ANY))))
UNKNOWN_TYPE = 0xFE000001
HEAP = struct.pack("=III", 0, 250, 1)

# One row for each way to break a rule: requests on the object; the last is the misuse.
CREATOR: dict[str, tuple[str, list[tuple[Any, ...]]]] = {
    "formats empty": ("invalid_array", [("add_formats", 0, b"")]),
    "formats cut": ("invalid_array", [("add_formats", 0, PAIR[:-1])]),
    "formats twice": ("already_set", [("add_formats", 0, PAIR), ("add_formats", 1, PAIR)]),
    "formats twice at once": ("already_set", [("add_formats", 0, PAIR + PAIR)]),
    "too many formats": (
        "too_many",
        [
            ("add_formats", 0, encode_formats([FormatModifier(code, n) for n in range(200)]))
            for code in range(1, 22)
        ],
    ),
    "planes": ("invalid_planes", [("add", PITCH, 16, 0, 0, U64(64))]),
    "flags": ("invalid_flags", [("add", PITCH, 0, 2, 0, U64(64))]),
    "provenance": ("invalid_provenance", [("add", PITCH, 0, 0, 7, U64(64))]),
    "value short": ("invalid_value", [("add", PITCH, 0, 0, 0, b"\1\0\0\0")]),
    "value zero": ("invalid_value", [("add", PITCH, 0, 0, 0, U64(0))]),
    "flag with a value": ("invalid_value", [("add", CONTIGUOUS, 0, 0, 0, U64(1))]),
    "range backwards": (
        "invalid_value",
        [("add", BY_NAME["address-range"].type, 0, 0, 0, U64(2) + U64(1))],
    ),
    "source twice": ("invalid_value", [("add", SOURCES, 0, 0, 0, HEAP * 2)]),
    "source kind": (
        "invalid_value",
        [("add", SOURCES, 0, 0, 0, struct.pack("=III", 3, 250, 1))],
    ),
    "unknown type too long": ("invalid_value", [("add", UNKNOWN_TYPE, 0, 0, 0, bytes(1025))]),
    "constraint twice": (
        "already_set",
        [("add", PITCH, 1, 0, 0, U64(64)), ("add", PITCH, 1, 0, 0, U64(128))],
    ),
    "too many constraints": (
        "too_many",
        [("add", UNKNOWN_TYPE + n, 0, 0, 0, b"") for n in range(257)],
    ),
    "create without formats": ("incomplete_set", [("create", "xx_dmabuf_constraint_set_v1")]),
}

PARTICIPANT = ("set_participant", 1, 1, 81, 3, "decoder")
EXTENTS = ("set_extents", 640, 480, 0, 0, 0, 0)
OBJECT = struct.pack("=IIIIQ", 0, 250, 1, 0, 4096)
PLANE = struct.pack("=III", 0, 0, 64)
FIXED = ("set_fixed_layout", NV12.fourcc, 0, 0)
ALLOCATE = ("allocate", "xx_dmabuf_allocation_v1", *FIXED[1:])
NEGOTIATION: dict[str, tuple[str, list[tuple[Any, ...]]]] = {
    "id 0": ("invalid_participant", [("set_participant", 0, 1, 0, 0, "")]),
    "id of the compositor's": (
        "invalid_participant",
        [("set_participant", 0x80000000, 1, 0, 0, "")],
    ),
    "no usage": ("invalid_usage", [("set_participant", 1, 0, 0, 0, "")]),
    "unknown usage": ("invalid_usage", [("set_participant", 1, 0x100, 0, 0, "")]),
    "major": ("invalid_device", [("set_participant", 1, 1, 4096, 0, "")]),
    "minor": ("invalid_device", [("set_participant", 1, 1, 0, 1 << 20, "")]),
    "name": ("invalid_name", [("set_participant", 1, 1, 0, 0, "x" * 129)]),
    "name in bytes": ("invalid_name", [("set_participant", 1, 1, 0, 0, "ü" * 65)]),
    "too many participants": (
        "too_many",
        [("set_participant", n, 1, 0, 0, "") for n in range(1, 18)],
    ),
    "alternative of nobody": ("no_participant", [("add_alternative", 1, "a set")]),
    "too many alternatives": (
        "too_many",
        [PARTICIPANT, *[("add_alternative", 1, "a set")] * 17],
    ),
    "remove nobody": ("no_participant", [("remove_participant", 1)]),
    "remove twice": (
        "no_participant",
        [PARTICIPANT, ("remove_participant", 1), ("remove_participant", 1)],
    ),
    "coded 0": ("invalid_extent", [("set_extents", 0, 480, 0, 0, 0, 0)]),
    "half a visible": ("invalid_extent", [("set_extents", 640, 480, 1, 0, 0, 0)]),
    "half a maximum": ("invalid_extent", [("set_extents", 640, 480, 0, 0, 0, 1)]),
    "too large": ("invalid_extent", [("set_extents", 65537, 480, 0, 0, 0, 0)]),
    "visible beyond": ("invalid_extent", [("set_extents", 640, 480, 641, 480, 0, 0)]),
    "content flags": ("invalid_content", [("set_content", 4, 0, 2, 0)]),
    "rotation": ("invalid_content", [("set_content", 0, 45, 2, 0)]),
    "encoding": ("invalid_content", [("set_content", 0, 0, 3, 0)]),
    "range": ("invalid_content", [("set_content", 0, 0, 2, 3)]),
    "no buffers": ("invalid_count", [("set_buffer_count", 0, 0)]),
    "too many buffers": ("invalid_count", [("set_buffer_count", 60, 5)]),
    "buffers overflow": ("invalid_count", [("set_buffer_count", 0xFFFFFFFF, 2)]),
    "openable cut": ("invalid_array", [("set_openable", HEAP[:-4])]),
    "too many openable": ("too_many", [("set_openable", HEAP * 257)]),
    "openable kind": ("invalid_device", [("set_openable", struct.pack("=III", 3, 1, 1))]),
    "openable number": ("invalid_device", [("set_openable", struct.pack("=III", 0, 4096, 1))]),
    "no objects": ("invalid_array", [(*FIXED, 64, 4, b"", PLANE)]),
    "no planes": ("invalid_array", [(*FIXED, 64, 4, OBJECT, b"")]),
    "objects cut": ("invalid_array", [(*FIXED, 64, 4, OBJECT[:-8], PLANE)]),
    "planes cut": ("invalid_array", [(*FIXED, 64, 4, OBJECT, PLANE[:-4])]),
    "five objects": ("too_many", [(*FIXED, 64, 4, OBJECT * 5, PLANE)]),
    "five planes": ("too_many", [(*FIXED, 64, 4, OBJECT, PLANE * 5)]),
    "object of no source": (
        "invalid_device",
        [(*FIXED, 64, 4, struct.pack("=IIIIQ", 9, 250, 1, 0, 4096), PLANE)],
    ),
    "fixed extent": ("invalid_extent", [(*FIXED, 0, 4, OBJECT, PLANE)]),
    "plane without object": (
        "invalid_layout",
        [(*FIXED, 64, 4, OBJECT, struct.pack("=III", 1, 0, 64))],
    ),
    "pitch 0": ("invalid_layout", [(*FIXED, 64, 4, OBJECT, struct.pack("=III", 0, 0, 0))]),
    "plane behind its object": (
        "invalid_layout",
        [(*FIXED, 64, 4, OBJECT, struct.pack("=III", 0, 4096, 64))],
    ),
    "explanation": ("invalid_explanation", [("set_explanation", 3)]),
    "cookie 0": ("invalid_cookie", [("commit", 0)]),
    "commit without extents": ("incomplete", [PARTICIPANT, ("commit", 1)]),
}
ALLOCATION = {
    f"allocate: {name}": (error, [(*ALLOCATE, *last[len(FIXED) :])])
    for name, (error, [*_, last]) in NEGOTIATION.items()
    if last[: len(FIXED)] == FIXED
}
STATUSES: dict[str, tuple[str, list[tuple[Any, ...]]]] = {
    "too many buffers": (
        "too_many",
        [("get_buffer_status", "xx_dmabuf_buffer_status_v1", "a buffer")] * 1025,
    ),
}
ROWS = [
    *(("xx_dmabuf_allocation_manager_v1", name, *row) for name, row in ALLOCATION.items()),
    *(("xx_dmabuf_buffer_status_manager_v1", name, *row) for name, row in STATUSES.items()),
    *(("xx_dmabuf_constraint_set_creator_v1", name, *row) for name, row in CREATOR.items()),
    *(("xx_dmabuf_negotiation_v1", name, *row) for name, row in NEGOTIATION.items()),
]
ERRORS = {table.name: table.enums.get("error", {}) for table in INTERFACES}


@pytest.mark.parametrize(
    ("interface", "error", "requests", "surface_gone"),
    [
        pytest.param(interface, error, requests, gone, id=f"{interface[10:-3]}: {name}{inert}")
        for interface, name, error, requests in ROWS
        for gone, inert in ((False, ""), (True, " (inert)"))
        if not gone or interface == "xx_dmabuf_negotiation_v1"
    ],
)
def test_misuse(interface: str, error: str, requests: list, surface_gone: bool) -> None:
    """The errors are raised by an inert object too, as the XML says."""
    with Stage() as stage:
        client, other = stage.client(), stage.client()
        if interface.endswith("negotiation_v1"):
            surface = client.thing("surface")
            target = client.negotiation(surface)
            if surface_gone:
                client.request(surface, "destroy")
        elif interface.endswith("creator_v1"):
            target = client.new(interface)
            client.request(client.manager, "create_constraint_set", target)
        else:
            target = client.bind(interface)
        given = {"a set": client.constraint_set(), "a buffer": client.thing("buffer")}
        *before, misuse = [
            [given[value] if value in given else _new(client, value) for value in request]
            for request in requests
        ]
        for number, request in enumerate(before):
            client.request(target, *request, pump=number % 64 == 63)
        client.pump()
        assert client.error is None, "what comes before the misuse is allowed"
        client.request(target, *misuse, pump=False)
        client.request(DISPLAY, "sync", late := client.new("wl_callback"))
        assert client.error is not None
        found = (client.error.object, client.error.code)
        assert found == (target, ERRORS[interface][error]), client.error.message
        assert len(client.error.message) > 5
        assert client.closed
        assert client.of(late) == [], "nothing is processed after the error"
        other.ask(asked := other.negotiation())
        assert other.batches(asked)[0].reason is None, "the others go on"


def _new(client: Any, value: Any) -> Any:
    return client.new(value) if str(value).startswith("xx_dmabuf") else value


def test_every_error_of_the_xml_is_tried() -> None:
    tried = {(interface, error) for interface, _, error, _ in ROWS}
    named = {(interface, error) for interface, errors in ERRORS.items() for error in errors}
    assert tried == named


@pytest.mark.parametrize(
    "requests",
    [
        [("remove_participant", 1), ("set_participant", 1, 1, 4095, 1048575, "")],
        [("set_participant", 1, 8, 226, 0, "x" * 128)],
        [("set_extents", 65536, 65536, 65536, 65536, 1, 1), ("commit", 1)],
        [("set_buffer_count", 0, 64), ("commit", 0xFFFFFFFF)],
        [("set_openable", b""), ("commit", 1)],
        [("set_openable", struct.pack("=III", 0, 4095, 9) * 256), ("commit", 1)],
        [("set_content", 3, 270, 9, 2), ("commit", 1)],
        [("set_fixed_layout", 0xFFFFFFFF, 0xFFFFFFFF, 0xFFFFFFFF, 1, 1, OBJECT, PLANE)],
    ],
)
def test_the_limits_themselves_are_allowed(requests: list) -> None:
    with Stage() as stage:
        client = stage.client()
        negotiation = client.negotiation()
        client.ask(negotiation)
        for request in requests:
            client.request(negotiation, *request)
        client.request(negotiation, "commit", 7)
        stage.finish_work()
        assert client.error is None
        assert client.batches(negotiation)[-1].cookie == 7


@pytest.mark.parametrize(("serial", "plan"), [(0, 0), (99, 0), (1, 0), (1, 0xFFFFFFFF)])
def test_what_is_out_of_date_is_answered_and_never_fatal(serial: int, plan: int) -> None:
    with Stage() as stage:
        client = stage.client()
        negotiation = client.negotiation()
        client.request(negotiation, "use_plan", serial, plan)
        assert client.error is None


def test_objects_of_another_kind_are_refused_by_libwayland() -> None:
    with Stage() as stage:
        client = stage.client()
        client.watch(client.thing("surface"))
        assert client.error is not None
        assert "get_buffer_status" in client.error.message


def test_a_request_longer_than_a_message_ends_the_client_alone() -> None:
    with Stage() as stage:
        client, other = stage.client(), stage.client()
        negotiation = client.negotiation()
        client.raw(struct.pack("=II", negotiation, 0xFFFC << 16 | 7) + bytes(60000))
        client.pump()
        assert client.closed
        other.ask(other.negotiation())
        assert other.error is None


def test_pairs_of_formats_are_as_the_solver_wants_them() -> None:
    """What the wire lets through never fails in the compositor."""
    with Stage() as stage:
        client = stage.client()
        negotiation = client.negotiation()
        for cookie, pair in enumerate(PAIRS, 1):
            client.ask(negotiation, cookie, pair)
        batches = client.batches(negotiation)
        assert [batch.cookie for batch in batches] == [1, 2, 3, 4, 5]
        assert all(batch.reason is None or batch.reason.name != "INTERNAL" for batch in batches)
