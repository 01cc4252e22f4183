"""Displays from the JSON of drm_info (`drm_info -j`).

A key of the file is a node, its value what the driver says of it: `driver`, `device`,
`fb_size`, and `planes` with their `formats` and `properties`. IN_FORMATS has its
modifiers in `data` (drm_info's json.c).
"""

from __future__ import annotations

from heapwire.kernel.description import Device, DeviceKind, KmsPlane, PlaneType, scanout_sets
from heapwire.kernel.discovery.plane_colours import COLOUR_PROPERTIES, scanout_sets_of
from heapwire.kernel.discovery.plane_rotation import ROTATION_PROPERTY, rotations
from heapwire.kernel.discovery.reports.json_file import JsonValue
from heapwire.kernel.discovery.size_limits import size_limits
from heapwire.protocol import shown
from heapwire.protocol.values import (
    INVALID,
    LINEAR,
    Constraint,
    DeviceId,
    FormatModifier,
    Place,
    Usage,
)

_MAJOR = 226  # Documentation/admin-guide/devices.txt
_TYPES = {0: PlaneType.OVERLAY, 1: PlaneType.PRIMARY, 2: PlaneType.CURSOR}
_PCI_BUS = 0  # xf86drm.h, DRM_BUS_PCI
_PLATFORM_BUSES = (2, 3)  # xf86drm.h, DRM_BUS_PLATFORM and DRM_BUS_HOST1X
_MOST_PAIRS = 4096  # of a plane (wire/limits.py, SET_FORMATS)


def is_drm_info(value: JsonValue) -> bool:
    """Whether a JSON file is one of drm_info's."""
    return isinstance(value.data, dict) and any(key.startswith("/dev/dri/") for key in value.data)


def cards_of(value: JsonValue) -> tuple[Device, ...]:
    """The displays of a dump; `FileError` for one that is not as it should be."""
    cards: list[Device] = []
    for node in value.fields:
        card = value.get(node)
        if not card.is_null:
            cards.append(_card(node, card, len(cards)))
    return tuple(cards)


def _card(node: str, card: JsonValue, minor: int) -> Device:
    if not node.startswith("/dev/dri/"):
        raise card.fault(f"{shown(node)} is not a node such as /dev/dri/card0")
    driver = card.need("driver").need("name").word()
    constraints = _limits(card)
    planes = card.get("planes")
    found = () if planes.is_null else tuple(_plane(plane, constraints) for plane in planes.each())
    order = list(PlaneType)
    found = tuple(sorted(found, key=lambda plane: order.index(plane.type)))
    sets = scanout_sets(found)
    return Device(
        id=DeviceId(_MAJOR, minor),
        name=node.rsplit("/", 1)[1] or "card",
        kind=DeviceKind.DISPLAY if sets else DeviceKind.GPU,
        api_driver=driver,
        compatibles=_compatibles(card),
        place=Place(("platform", driver)) if _is_on_a_soc(card) else Place(),
        planes=found if sets else (),
        sets={Usage.SCANOUT: sets} if sets else {Usage.SAMPLING: (), Usage.RENDER: ()},
    )


def _limits(card: JsonValue) -> tuple[Constraint, ...]:
    size = card.get("fb_size")
    if size.is_null:
        return ()
    return size_limits(
        min_width=size.need("min_width").number(),
        max_width=size.need("max_width").number(),
        min_height=size.need("min_height").number(),
        max_height=size.need("max_height").number(),
        of_pictures=True,
    )


def _is_on_a_soc(card: JsonValue) -> bool:
    device = card.get("device")
    if device.is_null or device.get("bus_type").is_null:
        return False
    return device.get("bus_type").number() in _PLATFORM_BUSES


def _compatibles(card: JsonValue) -> tuple[str, ...]:
    """What its bus says that it is: the strings of the device tree, or the numbers of PCI.

    Those are written as the kernel's modalias begins (drivers/pci/pci-sysfs.c), whose rest
    drm_info does not tell.
    """
    device = card.get("device")
    data = device if device.is_null else device.get("device_data")
    if data.is_null:
        return ()
    bus = device.get("bus_type")
    if not bus.is_null and bus.number() == _PCI_BUS:
        vendor, number = (data.need(key).number() for key in ("vendor", "device"))
        return (f"pci:v{vendor:08X}d{number:08X}",)
    words = data.get("compatible")
    return () if words.is_null else tuple(word.word() for word in words.each())


def _plane(plane: JsonValue, constraints: tuple[Constraint, ...]) -> KmsPlane:
    properties = plane.need("properties")
    kind = properties.get("type")
    number = 0 if kind.is_null else kind.need("raw_value").number()
    if number not in _TYPES:
        raise kind.fault(f"{number} is no type of a plane")
    pairs = _pairs(plane, properties.get("IN_FORMATS"))
    choices = _choices(properties)
    return KmsPlane(
        name=f"plane-{plane.need('id').number()}",
        type=_TYPES[number],
        sets=scanout_sets_of(pairs, (*constraints, *rotations(choices)), choices),
        crtcs=plane.need("possible_crtcs").number(),
        tearing=_listed(plane, properties.get("IN_FORMATS_ASYNC")),
    )


def _choices(properties: JsonValue) -> dict[str, tuple[str, ...]]:
    """The names of the values of the properties of colours and rotation, where there are any."""
    choices = {}
    for name in (*COLOUR_PROPERTIES, ROTATION_PROPERTY):
        values = properties.get(name)
        values = values if values.is_null else values.get("spec")
        if not values.is_null:
            choices[name] = tuple(value.need("name").word() for value in values.each())
    return choices


def _pairs(plane: JsonValue, in_formats: JsonValue) -> tuple[FormatModifier, ...]:
    """What IN_FORMATS says; without it the driver takes buffers without a modifier."""
    said = _listed(plane, in_formats)
    if said is not None:
        return said
    codes = [code.number() for code in plane.need("formats").each()]
    return _checked(
        plane, [FormatModifier(code, modifier) for code in codes for modifier in (LINEAR, INVALID)]
    )


def _listed(plane: JsonValue, formats: JsonValue) -> tuple[FormatModifier, ...] | None:
    """What a property such as IN_FORMATS says; None where it is not there, or was not read."""
    if formats.is_null or formats.get("data").is_null:
        return None
    by_code: dict[int, list[FormatModifier]] = {}
    for entry in formats.get("data").each():
        modifier = entry.need("modifier").number(64)
        for code in entry.need("formats").each():
            by_code.setdefault(code.number(), []).append(FormatModifier(code.number(), modifier))
    return _checked(plane, [pair for those in by_code.values() for pair in those])


def _checked(plane: JsonValue, pairs: list[FormatModifier]) -> tuple[FormatModifier, ...]:
    if len(pairs) > _MOST_PAIRS:
        raise plane.fault(f"there are more than {_MOST_PAIRS} pairs of format and modifier")
    return tuple(dict.fromkeys(pairs))
