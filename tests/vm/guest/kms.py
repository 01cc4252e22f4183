"""An atomic commit with a writeback: puts a dma-buf on a plane and reads what the display made."""

import contextlib
import os

from cffi import FFI

CONNECTOR_WRITEBACK = 18
CRTC, CONNECTOR, PLANE = 0xCCCCCCCC, 0xC0C0C0C0, 0xEEEEEEEE
UNIVERSAL_PLANES, ATOMIC, WRITEBACK_CONNECTORS = 2, 3, 5
TEST_ONLY, ALLOW_MODESET = 0x100, 0x400
PRIMARY = 1

ffi = FFI()
ffi.cdef("""
typedef struct {
    int count_fbs; uint32_t *fbs; int count_crtcs; uint32_t *crtcs;
    int count_connectors; uint32_t *connectors; int count_encoders; uint32_t *encoders;
    uint32_t min_width, max_width, min_height, max_height;
} drmModeRes;
drmModeRes *drmModeGetResources(int fd);
void drmModeFreeResources(drmModeRes *);
typedef struct {
    uint32_t clock; uint16_t hdisplay, hsync_start, hsync_end, htotal, hskew;
    uint16_t vdisplay, vsync_start, vsync_end, vtotal, vscan;
    uint32_t vrefresh, flags, type; char name[32];
} drmModeModeInfo;
typedef struct {
    uint32_t connector_id, encoder_id, connector_type, connector_type_id;
    int connection; uint32_t mmWidth, mmHeight; int subpixel;
    int count_modes; drmModeModeInfo *modes;
    int count_props; uint32_t *props; uint64_t *prop_values;
    int count_encoders; uint32_t *encoders;
} drmModeConnector;
drmModeConnector *drmModeGetConnector(int fd, uint32_t id);
void drmModeFreeConnector(drmModeConnector *);
typedef struct { uint32_t count_planes; uint32_t *planes; } drmModePlaneRes;
drmModePlaneRes *drmModeGetPlaneResources(int fd);
void drmModeFreePlaneResources(drmModePlaneRes *);
typedef struct { uint32_t count_props; uint32_t *props; uint64_t *prop_values; }
    drmModeObjectProperties;
drmModeObjectProperties *drmModeObjectGetProperties(int fd, uint32_t object, uint32_t type);
void drmModeFreeObjectProperties(drmModeObjectProperties *);
typedef struct {
    uint32_t prop_id, flags; char name[32]; int count_values; uint64_t *values;
    int count_enums; void *enums; int count_blobs; uint32_t *blob_ids;
} drmModePropertyRes;
drmModePropertyRes *drmModeGetProperty(int fd, uint32_t property);
void drmModeFreeProperty(drmModePropertyRes *);
int drmSetClientCap(int fd, uint64_t capability, uint64_t value);
int drmSetMaster(int fd);
int drmPrimeFDToHandle(int fd, int prime_fd, uint32_t *handle);
int drmCloseBufferHandle(int fd, uint32_t handle);
int drmModeAddFB2(int fd, uint32_t width, uint32_t height, uint32_t format,
    const uint32_t handles[4], const uint32_t pitches[4], const uint32_t offsets[4],
    uint32_t *framebuffer, uint32_t flags);
int drmModeRmFB(int fd, uint32_t framebuffer);
int drmModeCreatePropertyBlob(int fd, const void *data, size_t size, uint32_t *id);
typedef struct _drmModeAtomicReq drmModeAtomicReq;
drmModeAtomicReq *drmModeAtomicAlloc(void);
void drmModeAtomicFree(drmModeAtomicReq *);
int drmModeAtomicAddProperty(drmModeAtomicReq *, uint32_t object, uint32_t property,
    uint64_t value);
int drmModeAtomicCommit(int fd, drmModeAtomicReq *, uint32_t flags, void *data);
""")


def checked(result):
    """A negative result is the negative of an errno."""
    if result < 0:
        raise OSError(-result, os.strerror(-result))
    return result


class Display:
    """The first CRTC of a card, with its primary plane, a connector and the writeback connector."""

    def __init__(self, node):
        self.lib = ffi.dlopen("libdrm.so.2")
        self.fd = os.open(node, os.O_RDWR | os.O_CLOEXEC)
        for capability in (UNIVERSAL_PLANES, ATOMIC, WRITEBACK_CONNECTORS):
            checked(self.lib.drmSetClientCap(self.fd, capability, 1))
        resources = self.lib.drmModeGetResources(self.fd)
        self.crtc = resources.crtcs[0]
        for index in range(resources.count_connectors):
            connector = self.lib.drmModeGetConnector(self.fd, resources.connectors[index])
            if connector.connector_type == CONNECTOR_WRITEBACK:
                self.writeback = connector.connector_id
            else:
                self.connector = connector.connector_id
                self.modes = [
                    bytes(ffi.buffer(connector.modes + number, ffi.sizeof("drmModeModeInfo")))
                    for number in range(connector.count_modes)
                ]
            self.lib.drmModeFreeConnector(connector)
        self.lib.drmModeFreeResources(resources)
        planes = self.lib.drmModeGetPlaneResources(self.fd)
        self.plane = next(
            planes.planes[index]
            for index in range(planes.count_planes)
            if self.properties(planes.planes[index], PLANE)["type"][1] == PRIMARY
        )
        self.lib.drmModeFreePlaneResources(planes)

    def close(self):
        os.close(self.fd)

    def properties(self, thing, kind):
        """Each property by its name: its id and its value."""
        found = self.lib.drmModeObjectGetProperties(self.fd, thing, kind)
        named = {}
        for index in range(found.count_props):
            one = self.lib.drmModeGetProperty(self.fd, found.props[index])
            named[ffi.string(one.name).decode()] = (one.prop_id, found.prop_values[index])
            self.lib.drmModeFreeProperty(one)
        self.lib.drmModeFreeObjectProperties(found)
        return named

    @contextlib.contextmanager
    def framebuffer(self, fd, width, height, fourcc, pitch):
        """A framebuffer of a dma-buf."""
        handle, made = ffi.new("uint32_t *"), ffi.new("uint32_t *")
        checked(self.lib.drmPrimeFDToHandle(self.fd, fd, handle))
        try:
            handles = ffi.new("uint32_t[4]", [handle[0], 0, 0, 0])
            pitches = ffi.new("uint32_t[4]", [pitch, 0, 0, 0])
            offsets = ffi.new("uint32_t[4]")
            checked(
                self.lib.drmModeAddFB2(
                    self.fd, width, height, fourcc, handles, pitches, offsets, made, 0
                )
            )
            try:
                yield made[0]
            finally:
                self.lib.drmModeRmFB(self.fd, made[0])
        finally:
            self.lib.drmCloseBufferHandle(self.fd, handle[0])

    def show(self, framebuffer, width, height, *, into=None, test=False):
        """Commit a mode of this size with the framebuffer on the plane.

        With `into`, the CRTC feeds the writeback connector alone, which copies what it shows
        into that framebuffer: two connectors on one CRTC are clones, and vkms allows none.
        """
        mode = next(one for one in self.modes if _size(one) == (width, height))
        blob = ffi.new("uint32_t *")
        checked(self.lib.drmModeCreatePropertyBlob(self.fd, mode, len(mode), blob))
        fence = ffi.new("int32_t *", -1)
        request = self.lib.drmModeAtomicAlloc()
        values = [
            (self.crtc, CRTC, {"MODE_ID": blob[0], "ACTIVE": 1}),
            (self.connector, CONNECTOR, {"CRTC_ID": 0 if into else self.crtc}),
            (
                self.plane,
                PLANE,
                {
                    "FB_ID": framebuffer,
                    "CRTC_ID": self.crtc,
                    "SRC_X": 0,
                    "SRC_Y": 0,
                    "SRC_W": width << 16,
                    "SRC_H": height << 16,
                    "CRTC_X": 0,
                    "CRTC_Y": 0,
                    "CRTC_W": width,
                    "CRTC_H": height,
                },
            ),
        ]
        if into is None:
            values.append((self.writeback, CONNECTOR, {"CRTC_ID": 0}))
        else:
            address = int(ffi.cast("uintptr_t", fence))
            wanted = {"CRTC_ID": self.crtc, "WRITEBACK_FB_ID": into}
            wanted["WRITEBACK_OUT_FENCE_PTR"] = address
            values.append((self.writeback, CONNECTOR, wanted))
        for thing, kind, wanted in values:
            known = self.properties(thing, kind)
            for name, value in wanted.items():
                number = known[name][0]
                checked(self.lib.drmModeAtomicAddProperty(request, thing, number, value))
        flags = ALLOW_MODESET | (TEST_ONLY if test else 0)
        checked(self.lib.drmModeAtomicCommit(self.fd, request, flags, ffi.NULL))
        self.lib.drmModeAtomicFree(request)
        return fence[0]


def _size(mode):
    info = ffi.from_buffer("drmModeModeInfo *", mode)
    return info.hdisplay, info.vdisplay
