"""TEST_ONLY commits: whether a plane would show a framebuffer, asked by the card's master.

Nothing is shown: the kernel checks the commit as if it were to be done, and forgets it
(include/uapi/drm/drm_mode.h, DRM_MODE_ATOMIC_TEST_ONLY). The framebuffer is to fill the
screen in the connector's smallest mode, since primary planes often can nothing else.
"""

from __future__ import annotations

import ctypes

from heapwire.kernel.drm import drm_ioctls as drm
from heapwire.kernel.drm.drm_device import DrmDevice, Numbers
from heapwire.protocol.late_dataclasses import dataclass

_MODE_WIDTH, _MODE_HEIGHT = 1, 6  # places in drm.MODE


@dataclass(frozen=True, slots=True)
class _Screen:
    """A connector, a CRTC that can drive it, and its smallest mode as the kernel gave it."""

    connector: int
    crtc: int
    crtc_index: int
    mode: bytes


class PlaneTests:
    """The planes of a card that can be tested; `size` is that of the framebuffers to test with.

    `planes` has the masks of the CRTCs that each can be on. Raises `OSError` where nothing can
    be tested: without a screen, without atomic commits, by who is not the master.
    """

    def __init__(self, device: DrmDevice, planes: dict[int, int]) -> None:
        self._device = device
        if not device.set_capability(drm.CLIENT_CAP_ATOMIC):
            raise OSError("no atomic commits")
        device.ask(drm.COMMIT, drm.ATOMIC, drm.ATOMIC_TEST_ONLY, *(0,) * 7)  # only the master may
        self._screen = _screen(device)
        mode = drm.MODE.unpack(self._screen.mode)
        self.size = (mode[_MODE_WIDTH], mode[_MODE_HEIGHT])
        self.planes = tuple(
            plane for plane, crtcs in planes.items() if crtcs >> self._screen.crtc_index & 1
        )
        self._on_screen = {
            "CRTC_ID": self._screen.crtc,
            "SRC_X": 0,
            "SRC_Y": 0,
            "SRC_W": self.size[0] << 16,  # 16 bits below the pixel
            "SRC_H": self.size[1] << 16,
            "CRTC_X": 0,
            "CRTC_Y": 0,
            "CRTC_W": self.size[0],
            "CRTC_H": self.size[1],
        }
        self._properties = {
            **{plane: device.properties(plane, drm.OBJECT_PLANE) for plane in self.planes},
            self._screen.crtc: device.properties(self._screen.crtc, drm.OBJECT_CRTC),
            self._screen.connector: device.properties(self._screen.connector, drm.OBJECT_CONNECTOR),
        }

    def test(self, plane: int, framebuffer: int) -> None:
        """Whether a plane takes a framebuffer of this size. Raises `OSError` where it does not."""
        room = ctypes.create_string_buffer(self._screen.mode, drm.MODE.size)
        blob = self._device.ask(
            drm.MAKE_BLOB, drm.CREATE_BLOB, ctypes.addressof(room), drm.MODE.size, 0
        )[2]
        wanted = {
            self._screen.crtc: {"MODE_ID": blob, "ACTIVE": 1},
            self._screen.connector: {"CRTC_ID": self._screen.crtc},
            plane: self._on_screen | {"FB_ID": framebuffer},
        }
        names = [self._properties[thing][name][0] for thing, w in wanted.items() for name in w]
        rooms = (
            Numbers(tuple(wanted)),
            Numbers([len(changes) for changes in wanted.values()]),
            Numbers(names),
            Numbers([v for changes in wanted.values() for v in changes.values()], wide=True),
        )
        flags = drm.ATOMIC_TEST_ONLY | drm.ATOMIC_ALLOW_MODESET
        try:
            self._device.ask(
                drm.COMMIT,
                drm.ATOMIC,
                *(flags, len(wanted), *(numbers.address for numbers in rooms), 0, 0),
            )
        finally:
            self._device.ask(drm.DESTROY_BLOB, drm.ROOM, blob)


def _screen(device: DrmDevice) -> _Screen:
    """The first connector that is connected, has modes, and a CRTC. Raises `OSError`."""
    crtcs, connectors = device.crtcs_and_connectors()
    for connector in connectors:
        head = (*(0,) * 4, connector, *(0,) * 7)
        answer = device.ask(drm.GET_CONNECTOR, drm.CONNECTOR, *(0,) * 4, *head)
        modes = ctypes.create_string_buffer(drm.MODE.size * max(answer[4], 1))
        encoders = Numbers((0,) * answer[6])
        asked = (encoders.address, ctypes.addressof(modes), 0, 0, answer[4], 0, answer[6])
        told = device.ask(drm.GET_CONNECTOR, drm.CONNECTOR, *asked, *head[3:])
        found = [
            modes.raw[drm.MODE.size * place : drm.MODE.size * (place + 1)]
            for place in range(min(answer[4], told[4]))
        ]
        if told[11] != drm.CONNECTED or not found:
            continue
        for encoder in encoders.first(min(answer[6], told[6])):
            possible = device.ask(drm.GET_ENCODER, drm.ENCODER, encoder, *(0,) * 4)[3]
            for place, crtc in enumerate(crtcs):
                if possible >> place & 1:
                    return _Screen(connector, crtc, place, min(found, key=_pixels))
    raise OSError("no connector has a mode")


def _pixels(mode: bytes) -> int:
    values = drm.MODE.unpack(mode)
    return int(values[_MODE_WIDTH] * values[_MODE_HEIGHT])
