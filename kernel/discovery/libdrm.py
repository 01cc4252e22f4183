"""libdrm through cffi, in ABI mode: what a DRM device says of itself.

The declarations are those of xf86drm.h and xf86drmMode.h, which have not
changed since planes were added to them. The library is looked for when the
first device is opened, not before.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from typing import Any

from heapwire.protocol import MachineError

_DECLARATIONS = """
typedef struct {
    int version_major, version_minor, version_patchlevel;
    int name_len; char *name; int date_len; char *date; int desc_len; char *desc;
} drmVersion;
drmVersion *drmGetVersion(int fd);
void drmFreeVersion(drmVersion *);
int drmDropMaster(int fd);
int drmSetClientCap(int fd, uint64_t capability, uint64_t value);
int drmPrimeFDToHandle(int fd, int prime_fd, uint32_t *handle);
int drmCloseBufferHandle(int fd, uint32_t handle);
int drmModeAddFB2(
    int fd, uint32_t width, uint32_t height, uint32_t format, const uint32_t handles[4],
    const uint32_t pitches[4], const uint32_t offsets[4], uint32_t *framebuffer, uint32_t flags);
int drmModeRmFB(int fd, uint32_t framebuffer);

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

    def takes(self, dma_buf: int, *, width: int, height: int, fourcc: int, pitch: int) -> bool:
        """Whether a dma-buf is imported, and where there is a display, made a framebuffer.

        One plane of `pitch` bytes a row. Nothing is shown, and nothing is left.
        """
        handle = self._ffi.new("uint32_t *")
        if self._lib.drmPrimeFDToHandle(self._fd, dma_buf, handle) != 0:
            return False
        try:
            if self.limits() is None:
                return True
            made = self._ffi.new("uint32_t *")
            failed = self._lib.drmModeAddFB2(
                self._fd,
                width,
                height,
                fourcc,
                self._ffi.new("uint32_t[4]", [handle[0], 0, 0, 0]),
                self._ffi.new("uint32_t[4]", [pitch, 0, 0, 0]),
                self._ffi.new("uint32_t[4]"),
                made,
                0,
            )
            if failed:
                return False
            self._lib.drmModeRmFB(self._fd, made[0])
            return True
        finally:
            self._lib.drmCloseBufferHandle(self._fd, handle[0])

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

    Whoever opens a card that has no master becomes it; that is given up at once,
    so that a compositor which starts now finds the card free.
    """
    fd = os.open(node, os.O_RDWR | os.O_CLOEXEC)
    try:
        device = DrmDevice(fd)
        _library()[1].drmDropMaster(fd)
        yield device
    finally:
        os.close(fd)
