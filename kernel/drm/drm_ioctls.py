"""The ioctls of DRM that are used here: numbers and structs, the same on 32 and 64 bits.

include/uapi/drm/drm.h and drm_mode.h. All of them are read and written in place.
"""

from __future__ import annotations

import ctypes
from struct import Struct
from typing import Final

ROOM: Final = Struct("=I")
"""An id or a handle alone."""
CAP: Final = Struct("=QQ")
"""drm_get_cap, drm_set_client_cap: capability, value."""
GEM_CLOSE: Final = Struct("=II")
"""drm_gem_close: handle, pad."""
PRIME: Final = Struct("=IIi")
"""drm_prime_handle: handle, flags, fd."""
CREATE_DUMB: Final = Struct("=IIIIIIQ")
"""drm_mode_create_dumb: height, width, bpp, flags; handle, pitch, size."""
FB_CMD2: Final = Struct("=5I4I4I4I4x4Q")
"""drm_mode_fb_cmd2: id, size, format, flags; handles, pitches, offsets, modifiers by plane."""
CARD_RES: Final = Struct("=4Q8I")
"""drm_mode_card_res: framebuffers, CRTCs, connectors, encoders; counts; width, height."""
PLANE_RES: Final = Struct("=QI4x")
"""drm_mode_get_plane_res: planes, count."""
PLANE: Final = Struct("=6IQ")
"""drm_mode_get_plane: id, CRTC, framebuffer, possible CRTCs, gamma; count of formats, formats."""
OBJ_PROPERTIES: Final = Struct("=QQIII4x")
"""drm_mode_obj_get_properties: properties, values, count, object, type."""
PROPERTY: Final = Struct("=QQII32sII")
"""drm_mode_get_property: values, enums, id, flags, name, counts."""
PROPERTY_ENUM: Final = Struct("=Q32s")
"""drm_mode_property_enum: value, name."""
GET_BLOB: Final = Struct("=IIQ")
"""drm_mode_get_blob: id, length, data."""
CREATE_BLOB: Final = Struct("=QII")
"""drm_mode_create_blob: data, length, id."""
CONNECTOR: Final = Struct("=4Q12I")
"""drm_mode_get_connector: encoders, modes, properties, values; counts of modes, properties,
encoders; encoder, id, type, number of its type, connection, size in mm, subpixels, pad."""
ENCODER: Final = Struct("=5I")
"""drm_mode_get_encoder: id, type, CRTC, possible CRTCs, possible clones."""
MODE: Final = Struct("=I10HIII32s")
"""drm_mode_modeinfo: clock; from hdisplay (1) to vscan, vdisplay (6) among them; and more."""
CRTC: Final = Struct("=Q7II10HIII32x")
"""drm_mode_crtc: connectors; their count, id, framebuffer, place, gamma, whether it has a mode;
and the mode, without its name."""
ATOMIC: Final = Struct("=II6Q")
"""drm_mode_atomic: flags, count; objects, counts, properties, values, reserved, user data."""
SYNCOBJ: Final = Struct("=II")
"""drm_syncobj_create, drm_syncobj_destroy: handle, flags or pad."""
SYNCOBJ_FD: Final = Struct("=IIiI")
"""drm_syncobj_handle: handle, flags, fd, pad."""
SYNCOBJ_WAIT: Final = Struct("=QQqIIIIQ")
"""drm_syncobj_timeline_wait: handles, points, time, count, flags, first, pad, deadline."""
SYNCOBJ_POINTS: Final = Struct("=QQII")
"""drm_syncobj_timeline_array: handles, points, count, flags."""
SYNCOBJ_EVENTFD: Final = Struct("=IIQiI")
"""drm_syncobj_eventfd: handle, flags, point, fd, pad."""


class Version(ctypes.Structure):
    """struct drm_version: the one that has pointers, and so another size on 32 bits."""

    _fields_ = (
        ("numbers", ctypes.c_int * 3),
        ("name_len", ctypes.c_size_t),
        ("name", ctypes.c_void_p),
        ("date_len", ctypes.c_size_t),
        ("date", ctypes.c_void_p),
        ("desc_len", ctypes.c_size_t),
        ("desc", ctypes.c_void_p),
    )


def _read_write(number: int, size: int) -> int:
    return 0xC0006400 | size << 16 | number


VERSION: Final = _read_write(0x00, ctypes.sizeof(Version))
GET_CAP: Final = _read_write(0x0C, CAP.size)
SET_CLIENT_CAP: Final = 0x4010640D
CLOSE: Final = 0x40086409
DROP_MASTER: Final = 0x641F
HANDLE_TO_FD: Final = _read_write(0x2D, PRIME.size)
FD_TO_HANDLE: Final = _read_write(0x2E, PRIME.size)
GET_RESOURCES: Final = _read_write(0xA0, CARD_RES.size)
GET_CRTC: Final = _read_write(0xA1, CRTC.size)
GET_ENCODER: Final = _read_write(0xA6, ENCODER.size)
GET_CONNECTOR: Final = _read_write(0xA7, CONNECTOR.size)
GET_PROPERTY: Final = _read_write(0xAA, PROPERTY.size)
GET_PROP_BLOB: Final = _read_write(0xAC, GET_BLOB.size)
RM_FB: Final = _read_write(0xAF, ROOM.size)
MAKE_DUMB: Final = _read_write(0xB2, CREATE_DUMB.size)
DESTROY_DUMB: Final = _read_write(0xB4, ROOM.size)
GET_PLANE_RESOURCES: Final = _read_write(0xB5, PLANE_RES.size)
GET_PLANE: Final = _read_write(0xB6, PLANE.size)
ADD_FB2: Final = _read_write(0xB8, FB_CMD2.size)
GET_PROPERTIES: Final = _read_write(0xB9, OBJ_PROPERTIES.size)
COMMIT: Final = _read_write(0xBC, ATOMIC.size)
MAKE_BLOB: Final = _read_write(0xBD, CREATE_BLOB.size)
DESTROY_BLOB: Final = _read_write(0xBE, ROOM.size)
MAKE_SYNCOBJ: Final = _read_write(0xBF, SYNCOBJ.size)
DESTROY_SYNCOBJ: Final = _read_write(0xC0, SYNCOBJ.size)
EXPORT_SYNCOBJ: Final = _read_write(0xC1, SYNCOBJ_FD.size)
IMPORT_SYNCOBJ: Final = _read_write(0xC2, SYNCOBJ_FD.size)
WAIT_FOR_POINTS: Final = _read_write(0xCA, SYNCOBJ_WAIT.size)
SIGNAL_POINTS: Final = _read_write(0xCD, SYNCOBJ_POINTS.size)
NOTIFY_OF_POINT: Final = _read_write(0xCF, SYNCOBJ_EVENTFD.size)

CAP_ADDFB2_MODIFIERS: Final = 0x10
CAP_SYNCOBJ_TIMELINE: Final = 0x14
CLIENT_CAP_UNIVERSAL_PLANES: Final = 2
CLIENT_CAP_ATOMIC: Final = 3
FB_MODIFIERS: Final = 2
WAIT_FOR_SUBMIT: Final = 2
OBJECT_CRTC: Final = 0xCCCCCCCC
OBJECT_CONNECTOR: Final = 0xC0C0C0C0
OBJECT_PLANE: Final = 0xEEEEEEEE
CONNECTED: Final = 1
ATOMIC_TEST_ONLY: Final = 0x100
ATOMIC_ALLOW_MODESET: Final = 0x400
