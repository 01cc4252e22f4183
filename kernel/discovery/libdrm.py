"""libdrm through cffi, in ABI mode: what a DRM device says of itself.

The declarations are those of xf86drm.h and xf86drmMode.h, which have not
changed since planes were added to them. The library is looked for when the
first device is opened, not before.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from typing import Any

from heapwire.kernel.memory import open_card
from heapwire.protocol import MachineError

_DECLARATIONS = """
typedef struct {
    int version_major, version_minor, version_patchlevel;
    int name_len; char *name; int date_len; char *date; int desc_len; char *desc;
} drmVersion;
drmVersion *drmGetVersion(int fd);
void drmFreeVersion(drmVersion *);
int drmSetClientCap(int fd, uint64_t capability, uint64_t value);

typedef struct {
    int count_fbs; uint32_t *fbs;
    int count_crtcs; uint32_t *crtcs;
    int count_connectors; uint32_t *connectors;
    int count_encoders; uint32_t *encoders;
    uint32_t min_width, max_width, min_height, max_height;
} drmModeRes;
drmModeRes *drmModeGetResources(int fd);
void drmModeFreeResources(drmModeRes *);

typedef struct { uint32_t count_planes; uint32_t *planes; } drmModePlaneRes;
drmModePlaneRes *drmModeGetPlaneResources(int fd);
void drmModeFreePlaneResources(drmModePlaneRes *);

typedef struct {
    uint32_t count_formats; uint32_t *formats;
    uint32_t plane_id, crtc_id, fb_id, crtc_x, crtc_y, x, y;
    uint32_t possible_crtcs, gamma_size;
} drmModePlane;
drmModePlane *drmModeGetPlane(int fd, uint32_t plane);
void drmModeFreePlane(drmModePlane *);

typedef struct {
    uint32_t count_props; uint32_t *props; uint64_t *prop_values;
} drmModeObjectProperties;
drmModeObjectProperties *drmModeObjectGetProperties(int fd, uint32_t object, uint32_t type);
void drmModeFreeObjectProperties(drmModeObjectProperties *);

typedef struct {
    uint32_t prop_id, flags; char name[32];
    int count_values; uint64_t *values;
    int count_enums; void *enums;
    int count_blobs; uint32_t *blob_ids;
} drmModePropertyRes;
drmModePropertyRes *drmModeGetProperty(int fd, uint32_t property);
void drmModeFreeProperty(drmModePropertyRes *);

typedef struct { uint32_t id; uint32_t length; void *data; } drmModePropertyBlobRes;
drmModePropertyBlobRes *drmModeGetPropertyBlob(int fd, uint32_t blob);
void drmModeFreePropertyBlob(drmModePropertyBlobRes *);
"""
_SONAME = "libdrm.so.2"

# include/uapi/drm/drm.h and drm_mode.h
_CLIENT_CAP_UNIVERSAL_PLANES = 2
_OBJECT_PLANE = 0xEEEEEEEE


@dataclass(frozen=True, slots=True, kw_only=True)
class PlaneRecord:
    """A plane as the kernel tells it; `properties` has the value of each by its name."""

    id: int
    formats: tuple[int, ...]
    possible_crtcs: int
    properties: dict[str, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class ModeLimits:
    """The least and greatest size of a framebuffer, in pixels."""

    min_width: int
    max_width: int
    min_height: int
    max_height: int


@cache
def _library() -> tuple[Any, Any]:
    from cffi import FFI

    ffi = FFI()
    ffi.cdef(_DECLARATIONS)
    try:
        return ffi, ffi.dlopen(_SONAME)
    except OSError as error:
        raise MachineError(f"{_SONAME} is needed to look at displays (Debian: libdrm2)") from error


class DrmDevice:
    """An open DRM node, for looking only: never master, nothing is set on it."""

    def __init__(self, fd: int) -> None:
        self._fd = fd
        self._ffi, self._lib = _library()

    @property
    def driver(self) -> str:
        """The name of the driver; empty where the node does not tell."""
        version = self._lib.drmGetVersion(self._fd)
        if not version:
            return ""
        try:
            return bytes(self._ffi.buffer(version.name, version.name_len)).decode(
                "ascii", "replace"
            )
        finally:
            self._lib.drmFreeVersion(version)

    def limits(self) -> ModeLimits | None:
        """The sizes that framebuffers may have; None for a device without a display."""
        resources = self._lib.drmModeGetResources(self._fd)
        if not resources:
            return None
        try:
            return ModeLimits(
                min_width=resources.min_width,
                max_width=resources.max_width,
                min_height=resources.min_height,
                max_height=resources.max_height,
            )
        finally:
            self._lib.drmModeFreeResources(resources)

    def planes(self) -> tuple[PlaneRecord, ...]:
        """All planes, primary and cursor ones included."""
        # Without this the kernel lists overlay planes alone.
        self._lib.drmSetClientCap(self._fd, _CLIENT_CAP_UNIVERSAL_PLANES, 1)
        listed = self._lib.drmModeGetPlaneResources(self._fd)
        if not listed:
            return ()
        try:
            ids = [listed.planes[index] for index in range(listed.count_planes)]
        finally:
            self._lib.drmModeFreePlaneResources(listed)
        records = (self._plane(plane) for plane in ids)
        return tuple(record for record in records if record is not None)

    def blob(self, number: int) -> bytes | None:
        """The bytes of a property blob, None where it is gone."""
        blob = self._lib.drmModeGetPropertyBlob(self._fd, number)
        if not blob:
            return None
        try:
            return bytes(self._ffi.buffer(blob.data, blob.length))
        finally:
            self._lib.drmModeFreePropertyBlob(blob)

    def _plane(self, number: int) -> PlaneRecord | None:
        plane = self._lib.drmModeGetPlane(self._fd, number)
        if not plane:
            return None  # unplugged in the meantime
        try:
            return PlaneRecord(
                id=number,
                formats=tuple(plane.formats[index] for index in range(plane.count_formats)),
                possible_crtcs=plane.possible_crtcs,
                properties=self._properties(number),
            )
        finally:
            self._lib.drmModeFreePlane(plane)

    def _properties(self, plane: int) -> dict[str, int]:
        properties = self._lib.drmModeObjectGetProperties(self._fd, plane, _OBJECT_PLANE)
        if not properties:
            return {}
        try:
            values = {
                properties.props[index]: properties.prop_values[index]
                for index in range(properties.count_props)
            }
        finally:
            self._lib.drmModeFreeObjectProperties(properties)
        return {self._property_name(number): value for number, value in values.items()}

    def _property_name(self, number: int) -> str:
        entry = self._lib.drmModeGetProperty(self._fd, number)
        if not entry:
            return ""
        try:
            return bytes(self._ffi.string(entry.name)).decode("ascii", "replace")
        finally:
            self._lib.drmModeFreeProperty(entry)


@contextmanager
def open_drm(node: str) -> Iterator[DrmDevice]:
    """A DRM node for the time of a block. Raises `OSError`, `MachineError` without libdrm.

    Never its master, so that a compositor which starts now finds the card free.
    """
    with open_card(node) as fd:
        yield DrmDevice(fd)
