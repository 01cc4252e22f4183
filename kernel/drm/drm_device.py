"""What a DRM device says of itself, asked by ioctl: nothing of libdrm is needed."""

from __future__ import annotations

import ctypes
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from itertools import islice
from struct import Struct

from heapwire.kernel.drm import drm_ioctls as drm
from heapwire.kernel.drm.card import open_card
from heapwire.kernel.system import Ioctl, ioctl
from heapwire.protocol.late_dataclasses import dataclass, field

_NAME_BYTES = 64

ENUMS = frozenset(("COLOR_ENCODING", "COLOR_RANGE"))
"""The properties of planes whose values are told by name."""
BITMASKS = frozenset(("rotation",))
"""Those whose values are masks of bits, which are told by name."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PlaneRecord:
    """A plane as the kernel tells it; `properties` has the value of each by its name.

    `choices` has the names of the values that a property can have, of those in `ENUMS` and
    `BITMASKS`.
    """

    id: int
    formats: tuple[int, ...]
    possible_crtcs: int
    properties: dict[str, int]
    choices: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class ModeLimits:
    """The least and greatest size of a framebuffer, in pixels."""

    min_width: int
    max_width: int
    min_height: int
    max_height: int


class Numbers:
    """Room for some numbers of 4 or 8 bytes that the kernel reads or fills in."""

    def __init__(self, values: tuple[int, ...] | list[int], *, wide: bool = False) -> None:
        number = ctypes.c_uint64 if wide else ctypes.c_uint32
        # Never none: address 0 asks for the count alone.
        self._room = (number * max(len(values), 1))(*values)

    @property
    def address(self) -> int:
        """Where it is; for as long as this object is kept."""
        return ctypes.addressof(self._room)

    def first(self, count: int) -> tuple[int, ...]:
        """As many of them as there are, up to `count`."""
        return tuple(self._room[:count])


class DrmDevice:
    """An open DRM node, for looking only: nothing is set on it. `call` asks its kernel.

    With `as_set`, the only choices that planes are told to have are what they are set to: for
    who does not set these properties.
    """

    def __init__(self, fd: int, call: Ioctl = ioctl, *, as_set: bool = False) -> None:
        self.fd = fd
        self._call = call
        self._as_set = as_set
        self._names: dict[int, str] = {}  # of properties: planes share them
        self._choices: dict[int, dict[int, str]] = {}  # of properties: each plane has its own

    @property
    def driver(self) -> str:
        """The name of the driver; empty where the node does not tell."""
        name = ctypes.create_string_buffer(_NAME_BYTES)
        version = drm.Version(name_len=_NAME_BYTES - 1, name=ctypes.addressof(name))
        try:
            self._call(self.fd, drm.VERSION, version)
        except OSError:
            return ""
        return name.value.decode("ascii", "replace")

    def limits(self) -> ModeLimits | None:
        """The sizes that framebuffers may have; None for a device without a display."""
        answer = self._resources(0)
        if answer is None:
            return None
        *_, min_width, max_width, min_height, max_height = answer
        return ModeLimits(
            min_width=min_width,
            max_width=max_width,
            min_height=min_height,
            max_height=max_height,
        )

    def planes(self) -> tuple[PlaneRecord, ...]:
        """All planes, primary and cursor ones included."""
        # Without this the kernel lists overlay planes alone.
        self.set_capability(drm.CLIENT_CAP_UNIVERSAL_PLANES)
        try:
            count = self.ask(drm.GET_PLANE_RESOURCES, drm.PLANE_RES, 0, 0)[1]
            ids = Numbers((0,) * count)
            told = self.ask(drm.GET_PLANE_RESOURCES, drm.PLANE_RES, ids.address, count)[1]
        except OSError:
            return ()
        records = (self._plane(plane) for plane in ids.first(min(count, told)))
        return tuple(record for record in records if record is not None)

    def blob(self, number: int) -> bytes | None:
        """The bytes of a property blob, None where it is gone."""
        try:
            size = self.ask(drm.GET_PROP_BLOB, drm.GET_BLOB, number, 0, 0)[1]
            room = ctypes.create_string_buffer(max(size, 1))
            self.ask(drm.GET_PROP_BLOB, drm.GET_BLOB, number, size, ctypes.addressof(room))
        except OSError:
            return None
        return room.raw[:size]

    def properties(self, thing: int, kind: int) -> dict[str, tuple[int, int]]:
        """Each property of an object by its name: its id and its value. Raises `OSError`."""
        count = self.ask(drm.GET_PROPERTIES, drm.OBJ_PROPERTIES, 0, 0, 0, thing, kind)[2]
        ids, values = Numbers((0,) * count), Numbers((0,) * count, wide=True)
        told = self.ask(
            drm.GET_PROPERTIES,
            drm.OBJ_PROPERTIES,
            *(ids.address, values.address, count, thing, kind),
        )[2]
        found = zip(*(room.first(min(count, told)) for room in (ids, values)), strict=True)
        return {self._property_name(number): (number, value) for number, value in found}

    def crtcs_and_connectors(self) -> tuple[tuple[int, ...], tuple[int, ...]]:
        """The ids of both; none for a device without a display."""
        counts = self._resources(0)
        if counts is None:
            return (), ()
        crtcs, connectors = (Numbers((0,) * counts[place]) for place in (5, 6))
        told = self._resources(crtcs.address, connectors.address, counts[5], counts[6])
        if told is None:
            return (), ()
        return (
            crtcs.first(min(counts[5], told[5])),
            connectors.first(min(counts[6], told[6])),
        )

    def shown_size(self) -> tuple[int, int] | None:
        """Width and height of what the first CRTC that is on shows, None if none is."""
        for crtc in self.crtcs_and_connectors()[0]:
            asked = (0, 0, crtc, *(0,) * 5, *(0,) * 11, *(0,) * 3)
            answer = self.ask(drm.GET_CRTC, drm.CRTC, *asked)
            if answer[7]:  # it has a mode
                return answer[9], answer[14]
        return None

    def set_capability(self, capability: int) -> bool:
        """Ask for something that the kernel does not do for every client; whether it will."""
        try:
            self._call(self.fd, drm.SET_CLIENT_CAP, bytearray(drm.CAP.pack(capability, 1)))
        except OSError:
            return False
        return True

    def ask(self, number: int, layout: Struct, *values: int | bytes) -> tuple[int, ...]:
        """An ioctl that fills in a struct, which is returned. Raises `OSError`."""
        request = bytearray(layout.pack(*values))
        self._call(self.fd, number, request)
        return layout.unpack(request)

    def _resources(
        self, crtcs: int, connectors: int = 0, crtc_count: int = 0, connector_count: int = 0
    ) -> tuple[int, ...] | None:
        addresses, counts = (0, crtcs, connectors, 0), (0, crtc_count, connector_count, 0)
        try:
            return self.ask(drm.GET_RESOURCES, drm.CARD_RES, *addresses, *counts, *(0,) * 4)
        except OSError:
            return None

    def _plane(self, number: int) -> PlaneRecord | None:
        try:
            count = self.ask(drm.GET_PLANE, drm.PLANE, number, *(0,) * 6)[5]
            formats = Numbers((0,) * count)
            asked = (number, *(0,) * 4, count, formats.address)
            answer = self.ask(drm.GET_PLANE, drm.PLANE, *asked)
            properties = self.properties(number, drm.OBJECT_PLANE)
            return PlaneRecord(
                id=number,
                formats=formats.first(min(count, answer[5])),
                possible_crtcs=answer[3],
                properties={name: value for name, (_, value) in properties.items()},
                choices={
                    name: self._choices_of(id_, value)
                    for name, (id_, value) in properties.items()
                    if name in ENUMS or (name in BITMASKS and not self._as_set)
                },
            )
        except OSError:
            return None  # unplugged in the meantime

    def _property_name(self, number: int) -> str:
        if number not in self._names:
            request = bytearray(drm.PROPERTY.pack(0, 0, number, 0, b"", 0, 0))
            self._call(self.fd, drm.GET_PROPERTY, request)
            name: bytes = drm.PROPERTY.unpack(request)[4]
            self._names[number] = name.rstrip(b"\0").decode("ascii", "replace")
        return self._names[number]

    def _choices_of(self, number: int, value: int) -> tuple[str, ...]:
        names = self._names_of_values(number)
        return (names.get(value, ""),) if self._as_set else tuple(names.values())

    def _names_of_values(self, number: int) -> dict[int, str]:
        """The names of the values that an enum property can have. Raises `OSError`."""
        if number not in self._choices:
            count = self.ask(drm.GET_PROPERTY, drm.PROPERTY, 0, 0, number, 0, b"", 0, 0)[6]
            room = ctypes.create_string_buffer(max(count, 1) * drm.PROPERTY_ENUM.size)
            # The values themselves are in the same records.
            asked = (0, ctypes.addressof(room), number, 0, b"", 0, count)
            told = self.ask(drm.GET_PROPERTY, drm.PROPERTY, *asked)[6]
            records = drm.PROPERTY_ENUM.iter_unpack(room.raw[: count * drm.PROPERTY_ENUM.size])
            self._choices[number] = {
                value: name.rstrip(b"\0").decode("ascii", "replace")
                for value, name in islice(records, told)
            }
        return self._choices[number]


@contextmanager
def open_drm(node: str, *, as_set: bool = False) -> Iterator[DrmDevice]:
    """A DRM node for the time of a block, never its master. Raises `OSError`."""
    with open_card(node) as fd:
        yield DrmDevice(fd, as_set=as_set)
