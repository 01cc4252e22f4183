"""The program that asks EGL which dma-bufs a GPU's driver imports, in a process of its own.

usage: python egl_query.py [FD]

FD is the descriptor of a small dma-buf that it inherits, to try an import with. What it prints
is one JSON list, which `egl_report.py` reads; the empty lines before it, one a step, say that it
goes on. Where EGL tells nothing it ends with a sentence and status 1.

It imports nothing but a little of the standard library: half of the time that an answer takes on
a slow machine was spent on what it has no use for.

Initialising a display that a process also uses for something else shares it, and terminating it
would take it from there; a driver may also hang or crash. Hence the process of its own.

Entry points and numbers are those of the EGL registry: EGL_EXT_device_enumeration,
EGL_EXT_device_drm, EGL_EXT_device_drm_render_node, EGL_EXT_platform_device,
EGL_EXT_image_dma_buf_import and EGL_EXT_image_dma_buf_import_modifiers.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable
from ctypes import CDLL, CFUNCTYPE, POINTER, byref, c_char_p, c_int, c_uint, c_uint64, c_void_p

TRIAL_SIZE = 64
"""Width and height in pixels of the picture that is imported for a trial."""
TRIAL_PITCH = 256
"""Its bytes a row: 64 pixels of four bytes, the multiple that AMD wants at the most."""

_SONAME = "libEGL.so.1"
_ENTRY_POINTS = {
    "eglQueryDevicesEXT": CFUNCTYPE(c_uint, c_int, POINTER(c_void_p), POINTER(c_int)),
    "eglQueryDeviceStringEXT": CFUNCTYPE(c_char_p, c_void_p, c_int),
    "eglGetPlatformDisplayEXT": CFUNCTYPE(c_void_p, c_uint, c_void_p, c_void_p),
    "eglQueryDmaBufFormatsEXT": CFUNCTYPE(c_uint, c_void_p, c_int, POINTER(c_uint), POINTER(c_int)),
    "eglQueryDmaBufModifiersEXT": CFUNCTYPE(
        c_uint, c_void_p, c_int, c_int, POINTER(c_uint64), POINTER(c_uint), POINTER(c_int)
    ),
    "eglCreateImageKHR": CFUNCTYPE(c_void_p, c_void_p, c_void_p, c_uint, c_void_p, POINTER(c_int)),
    "eglDestroyImageKHR": CFUNCTYPE(c_uint, c_void_p, c_void_p),
}
_EXPORTS = {
    "eglInitialize": CFUNCTYPE(c_uint, c_void_p, c_void_p, c_void_p),
    "eglTerminate": CFUNCTYPE(c_uint, c_void_p),
    "eglQueryString": CFUNCTYPE(c_char_p, c_void_p, c_int),
    "eglGetError": CFUNCTYPE(c_int),
}

_VENDOR, _EXTENSIONS, _NONE = 0x3053, 0x3055, 0x3038
_DRM_DEVICE_FILE, _DRM_RENDER_NODE_FILE = 0x3233, 0x3377
_PLATFORM_DEVICE = 0x313F
_LINUX_DMA_BUF, _FOURCC = 0x3270, 0x3271
_WIDTH, _HEIGHT = 0x3057, 0x3056
_PLANE0_FD, _PLANE0_OFFSET, _PLANE0_PITCH = 0x3272, 0x3273, 0x3274
_PLANE0_MODIFIER_LOW, _PLANE0_MODIFIER_HIGH = 0x3443, 0x3444
_IMPORT, _MODIFIERS = "EGL_EXT_image_dma_buf_import", "EGL_EXT_image_dma_buf_import_modifiers"

# Of drm_fourcc.h.
_XRGB8888, _LINEAR, _INVALID = 0x34325258, 0, 0x00FF_FFFF_FFFF_FFFF

# More than any driver lists (about 60 formats, about 40 modifiers each): what a broken one
# says beyond that is not read.
_MOST_DEVICES, _MOST_FORMATS, _MOST_MODIFIERS = 16, 256, 256

_Pair = tuple[int, int, bool]
# Fourcc, modifier, and whether it is sampled through GL_TEXTURE_EXTERNAL_OES alone.


class _Egl:
    """A libEGL that can enumerate devices; ends the process where there is none."""

    def __init__(self) -> None:
        try:
            library = CDLL(_SONAME)
        except OSError:
            sys.exit(f"{_SONAME} is not installed")
        address_of = CFUNCTYPE(c_void_p, c_char_p)(("eglGetProcAddress", library))
        self._calls = {name: form((name, library)) for name, form in _EXPORTS.items()}
        for name, form in _ENTRY_POINTS.items():
            address = address_of(name.encode())
            if not address:
                sys.exit(f"this {_SONAME} has no {name}")
            self._calls[name] = form(address)

    def devices(self) -> tuple[int, ...]:
        """What EGL calls its devices."""
        found, count = (c_void_p * _MOST_DEVICES)(), c_int()
        if not self._calls["eglQueryDevicesEXT"](_MOST_DEVICES, found, byref(count)):
            return ()
        return tuple(device for device in found[: count.value] if device is not None)

    def report(self, device: int, trial_buffer: int | None) -> dict[str, object] | None:
        """A device's nodes, vendor and pairs, and how a real import ended; None if it is mute.

        `trial_buffer` is a dma-buf of TRIAL_SIZE rows, None to try nothing.
        """
        query = self._calls["eglQueryDeviceStringEXT"]
        extensions = _text(query(device, _EXTENSIONS)).split()
        names = []
        if "EGL_EXT_device_drm" in extensions:
            names.append(_DRM_DEVICE_FILE)
        if "EGL_EXT_device_drm_render_node" in extensions:
            names.append(_DRM_RENDER_NODE_FILE)
        nodes = [node for name in names if (node := _text(query(device, name)))]
        display = self._calls["eglGetPlatformDisplayEXT"](_PLATFORM_DEVICE, device, None)
        if not display or not self._calls["eglInitialize"](display, None, None):
            return None
        try:
            told = self._calls["eglQueryString"]
            extensions = _text(told(display, _EXTENSIONS)).split()
            if _IMPORT not in extensions or _MODIFIERS not in extensions:
                return None  # what it imports, if anything, it does not tell
            pairs = self._pairs(display)
            return {
                "nodes": nodes,
                "vendor": _text(told(display, _VENDOR)),
                "refusal": self._refusal(display, trial_buffer, pairs),
                "pairs": pairs,
            }
        finally:
            self._calls["eglTerminate"](display)

    def _pairs(self, display: int) -> tuple[_Pair, ...]:
        formats, count = (c_uint * _MOST_FORMATS)(), c_int()
        if not self._calls["eglQueryDmaBufFormatsEXT"](
            display, _MOST_FORMATS, formats, byref(count)
        ):
            return ()
        modifiers, external = (c_uint64 * _MOST_MODIFIERS)(), (c_uint * _MOST_MODIFIERS)()
        pairs: dict[_Pair, None] = {}
        for code in formats[: count.value]:
            listed = c_int()
            if not self._calls["eglQueryDmaBufModifiersEXT"](
                display, code, _MOST_MODIFIERS, modifiers, external, byref(listed)
            ):
                continue
            if listed.value == 0:
                # No modifiers: rows, which is what a buffer of somebody else's is then taken for.
                pairs[(code, _INVALID, False)] = None
                pairs[(code, _LINEAR, False)] = None
            for modifier, alone in zip(
                modifiers[: listed.value], external[: listed.value], strict=True
            ):
                pairs[(code, modifier, bool(alone))] = None
        return tuple(pairs)

    def _refusal(self, display: int, dma_buf: int | None, pairs: Iterable[_Pair]) -> int | None:
        """EGL's error for one real import, 0 where there is none; nothing is left."""
        listed = {pair[:2] for pair in pairs}
        if dma_buf is None or (_XRGB8888, _LINEAR) not in listed:
            return None
        attributes = [
            *(_WIDTH, TRIAL_SIZE, _HEIGHT, TRIAL_SIZE, _FOURCC, _XRGB8888),
            *(_PLANE0_FD, dma_buf, _PLANE0_OFFSET, 0, _PLANE0_PITCH, TRIAL_PITCH),
        ]
        if (_XRGB8888, _INVALID) not in listed:  # modifiers are listed, so one is named
            attributes += [_PLANE0_MODIFIER_LOW, _LINEAR & 0xFFFFFFFF]
            attributes += [_PLANE0_MODIFIER_HIGH, _LINEAR >> 32]
        attributes.append(_NONE)
        image = self._calls["eglCreateImageKHR"](
            display, None, _LINUX_DMA_BUF, None, (c_int * len(attributes))(*attributes)
        )
        if not image:
            return int(self._calls["eglGetError"]())
        self._calls["eglDestroyImageKHR"](display, image)
        return 0


def main(arguments: list[str]) -> int:
    """Print what all devices say."""
    trial_buffer = int(arguments[0]) if arguments else None
    _goes_on()
    egl = _Egl()
    report = []
    for device in egl.devices():
        _goes_on()
        entry = egl.report(device, trial_buffer)
        if entry is not None:
            report.append(entry)
    json.dump(report, sys.stdout)
    return 0


def _goes_on() -> None:
    print(flush=True)


def _text(string: bytes | None) -> str:
    """A string of EGL's; empty where there is none."""
    return (string or b"").decode("utf-8", "replace")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
