"""libEGL through cffi, in ABI mode: which dma-bufs a GPU's user-space driver imports.

Entry points and numbers are those of the EGL registry: EGL_EXT_device_enumeration,
EGL_EXT_device_drm, EGL_EXT_device_drm_render_node, EGL_EXT_platform_device,
EGL_EXT_image_dma_buf_import and EGL_EXT_image_dma_buf_import_modifiers.

Initialising a display that the process also uses for something else shares it, and
terminating it would take it from there; a driver may also hang or crash. So this is for a
process of its own: see `egl_query.py`.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from heapwire.kernel.discovery.gpu.egl_device import EglDevice, EglPair
from heapwire.protocol import MachineError
from heapwire.protocol.values import INVALID, LINEAR, FormatModifier, fourcc

_DECLARATIONS = """
typedef void *EGLDisplay;
typedef void *EGLDeviceEXT;
typedef void *EGLImageKHR;
typedef void *EGLContext;
typedef void *EGLClientBuffer;
typedef unsigned int EGLBoolean;
typedef unsigned int EGLenum;
typedef int32_t EGLint;
typedef uint64_t EGLuint64KHR;
void *eglGetProcAddress(const char *name);
const char *eglQueryString(EGLDisplay display, EGLint name);
EGLBoolean eglInitialize(EGLDisplay display, EGLint *major, EGLint *minor);
EGLBoolean eglTerminate(EGLDisplay display);
EGLint eglGetError(void);
"""
_ENTRY_POINTS = {
    "eglQueryDevicesEXT": "EGLBoolean(*)(EGLint, EGLDeviceEXT *, EGLint *)",
    "eglQueryDeviceStringEXT": "const char *(*)(EGLDeviceEXT, EGLint)",
    "eglGetPlatformDisplayEXT": "EGLDisplay(*)(EGLenum, void *, const EGLint *)",
    "eglQueryDmaBufFormatsEXT": "EGLBoolean(*)(EGLDisplay, EGLint, EGLint *, EGLint *)",
    "eglQueryDmaBufModifiersEXT": (
        "EGLBoolean(*)(EGLDisplay, EGLint, EGLint, EGLuint64KHR *, EGLBoolean *, EGLint *)"
    ),
    "eglCreateImageKHR": (
        "EGLImageKHR(*)(EGLDisplay, EGLContext, EGLenum, EGLClientBuffer, const EGLint *)"
    ),
    "eglDestroyImageKHR": "EGLBoolean(*)(EGLDisplay, EGLImageKHR)",
}
_SONAME = "libEGL.so.1"

_VENDOR, _EXTENSIONS, _NONE = 0x3053, 0x3055, 0x3038
_DRM_DEVICE_FILE, _DRM_RENDER_NODE_FILE = 0x3233, 0x3377
_PLATFORM_DEVICE = 0x313F
_LINUX_DMA_BUF, _FOURCC = 0x3270, 0x3271
_WIDTH, _HEIGHT = 0x3057, 0x3056
_PLANE0_FD, _PLANE0_OFFSET, _PLANE0_PITCH = 0x3272, 0x3273, 0x3274
_PLANE0_MODIFIER_LOW, _PLANE0_MODIFIER_HIGH = 0x3443, 0x3444
_IMPORT, _MODIFIERS = "EGL_EXT_image_dma_buf_import", "EGL_EXT_image_dma_buf_import_modifiers"

# More than any driver lists (about 60 formats, about 40 modifiers each): what a broken one
# says beyond that is not read.
MOST_DEVICES, MOST_FORMATS, MOST_MODIFIERS = 16, 256, 256

TRIAL_SIZE = 64
"""Width and height in pixels of the picture that is imported for a trial."""
TRIAL_PITCH = 256
"""Its bytes a row: 64 pixels of four bytes, the multiple that AMD wants at the most."""
_XRGB = fourcc("XR24")


class EglLibrary:
    """The devices that EGL can enumerate; raises `MachineError` where it cannot."""

    def __init__(self) -> None:
        from cffi import FFI

        self._ffi: Any = FFI()
        self._ffi.cdef(_DECLARATIONS)
        try:
            self._lib: Any = self._ffi.dlopen(_SONAME)
        except OSError as error:
            raise MachineError(f"{_SONAME} is not installed") from error
        self._calls: dict[str, Any] = {}
        for name, signature in _ENTRY_POINTS.items():
            address = self._lib.eglGetProcAddress(name.encode())
            if address == self._ffi.NULL:
                raise MachineError(f"this {_SONAME} has no {name}")
            self._calls[name] = self._ffi.cast(signature, address)

    def devices(self, trial_buffer: int | None) -> tuple[EglDevice, ...]:
        """All of them; `trial_buffer` is a dma-buf of TRIAL_SIZE rows, None to try nothing."""
        found = self._ffi.new("EGLDeviceEXT[]", MOST_DEVICES)
        count = self._ffi.new("EGLint *")
        if not self._calls["eglQueryDevicesEXT"](MOST_DEVICES, found, count):
            return ()
        devices = (self._device(found[index], trial_buffer) for index in range(count[0]))
        return tuple(device for device in devices if device is not None)

    def _device(self, device: object, trial_buffer: int | None) -> EglDevice | None:
        query = self._calls["eglQueryDeviceStringEXT"]
        extensions = self._text(query(device, _EXTENSIONS)).split()
        names = []
        if "EGL_EXT_device_drm" in extensions:
            names.append(_DRM_DEVICE_FILE)
        if "EGL_EXT_device_drm_render_node" in extensions:
            names.append(_DRM_RENDER_NODE_FILE)
        nodes = tuple(node for name in names if (node := self._text(query(device, name))))
        display = self._calls["eglGetPlatformDisplayEXT"](_PLATFORM_DEVICE, device, self._ffi.NULL)
        if display == self._ffi.NULL or not self._lib.eglInitialize(
            display, self._ffi.NULL, self._ffi.NULL
        ):
            return None
        try:
            extensions = self._text(self._lib.eglQueryString(display, _EXTENSIONS)).split()
            if _IMPORT not in extensions or _MODIFIERS not in extensions:
                return None  # what it imports, if anything, it does not tell
            pairs = self._pairs(display)
            return EglDevice(
                nodes=nodes,
                vendor=self._text(self._lib.eglQueryString(display, _VENDOR)),
                pairs=pairs,
                refusal=self._refusal(display, trial_buffer, pairs),
            )
        finally:
            self._lib.eglTerminate(display)

    def _pairs(self, display: object) -> tuple[EglPair, ...]:
        formats = self._ffi.new("EGLint[]", MOST_FORMATS)
        modifiers = self._ffi.new("EGLuint64KHR[]", MOST_MODIFIERS)
        external = self._ffi.new("EGLBoolean[]", MOST_MODIFIERS)
        count = self._ffi.new("EGLint *")
        if not self._calls["eglQueryDmaBufFormatsEXT"](display, MOST_FORMATS, formats, count):
            return ()
        codes = [formats[index] & 0xFFFFFFFF for index in range(min(count[0], MOST_FORMATS))]
        pairs: dict[EglPair, None] = {}
        for code in codes:
            if not self._calls["eglQueryDmaBufModifiersEXT"](
                display, code, MOST_MODIFIERS, modifiers, external, count
            ):
                continue
            listed = min(count[0], MOST_MODIFIERS)
            if listed == 0:
                # No modifiers: rows, which is what a buffer of somebody else's is then taken for.
                pairs[EglPair(FormatModifier(code, INVALID), False)] = None
                pairs[EglPair(FormatModifier(code, LINEAR), False)] = None
            for index in range(listed):
                pair = FormatModifier(code, modifiers[index])
                pairs[EglPair(pair, bool(external[index]))] = None
        return tuple(pairs)

    def _refusal(
        self, display: object, dma_buf: int | None, pairs: Iterable[EglPair]
    ) -> int | None:
        """EGL's error for one real import, 0 where there is none; nothing is left."""
        listed = {entry.pair for entry in pairs}
        if dma_buf is None or FormatModifier(_XRGB, LINEAR) not in listed:
            return None
        attributes = [
            *(_WIDTH, TRIAL_SIZE, _HEIGHT, TRIAL_SIZE, _FOURCC, _XRGB),
            *(_PLANE0_FD, dma_buf, _PLANE0_OFFSET, 0, _PLANE0_PITCH, TRIAL_PITCH),
        ]
        if FormatModifier(_XRGB, INVALID) not in listed:  # modifiers are listed, so one is named
            attributes += [_PLANE0_MODIFIER_LOW, LINEAR & 0xFFFFFFFF]
            attributes += [_PLANE0_MODIFIER_HIGH, LINEAR >> 32]
        attributes.append(_NONE)
        null = self._ffi.NULL
        image = self._calls["eglCreateImageKHR"](
            display, null, _LINUX_DMA_BUF, null, self._ffi.new("EGLint[]", attributes)
        )
        if image == null:
            return int(self._lib.eglGetError())
        self._calls["eglDestroyImageKHR"](display, image)
        return 0

    def _text(self, pointer: object) -> str:
        """A string of EGL's; empty where there is none."""
        if pointer == self._ffi.NULL:
            return ""
        return bytes(self._ffi.string(pointer)).decode("utf-8", "replace")
