"""A machine made of files: a board of `roots/`, and the heaps that a kernel makes of it."""

from __future__ import annotations

import json
import os
import struct
from collections.abc import Sequence
from contextlib import contextmanager
from pathlib import Path

from heapwire.kernel.description import Device, DeviceKind, PlaneType, Platform, profiles_of
from heapwire.kernel.discovery import local_platform
from heapwire.kernel.drm import ModeLimits, PlaneRecord
from heapwire.kernel.video import FrameSizes, PixelFormat
from heapwire.kernel.video.v4l2_device import BufferCapabilities, Queue
from heapwire.protocol.values import LINEAR, FormatModifier, Usage, fourcc

ROOTS = Path(__file__).parent / "roots"
BOARDS = tuple(sorted(file.stem for file in ROOTS.glob("*.json")))
# From the oldest to the newest.
RELEASES = (*((6, minor) for minor in range(1, 20)), *((7, minor) for minor in range(3)))
_SIZES_SINCE = (6, 15)  # /sys/kernel/mm/cma/NAME/total_pages
DEFAULT_MIB = 64  # of the default area where the device tree has none (CONFIG_CMA_SIZE_MBYTES)
NV12, XRGB = fourcc("NV12"), fourcc("XR24")
_LINEAR = FormatModifier(XRGB, LINEAR)
_TYPES = {PlaneType.OVERLAY: 0, PlaneType.PRIMARY: 1, PlaneType.CURSOR: 2}  # drm_mode.h


class Board:
    """A board as its file has it."""

    def __init__(self, name: str) -> None:
        data = json.loads((ROOTS / f"{name}.json").read_text("utf-8"))
        self.name = name
        self.model = data["model"]
        self.nodes = data["nodes"]
        self.devices = data["devices"]
        regions = {
            path.rsplit("/", 1)[1]: node
            for path, node in self.nodes.items()
            if path.startswith("/reserved-memory/")
        }
        self.pools = [
            name
            for name, node in regions.items()
            if "reusable" in node and "shared-dma-pool" in node.get("compatible", ())
        ]
        marked = [name for name in self.pools if "linux,cma-default" in regions[name]]
        self.default = marked[0] if marked else "reserved"

    def kind(self, release: tuple[int, int]) -> tuple[str, ...]:
        """What a release shows of the board; what shows the same need not be looked at twice."""
        return (*self.heaps(release), "total_pages" if release >= _SIZES_SINCE else "")

    def heaps(self, release: tuple[int, int]) -> list[str]:
        """The heaps of a stock kernel with DMABUF_HEAPS_SYSTEM, _CMA and _CMA_LEGACY.

        drivers/dma-buf/heaps/cma_heap.c: up to 6.16 the default area's heap has the
        area's name; since 6.17 a fixed one, and for some releases the old one too; since
        6.19 each reusable pool has a heap (rmem_cma_setup).
        """
        names = ["system", self.default] if release < (6, 17) else ["system", "default_cma_region"]
        if (6, 17) <= release < (7, 2):
            names.append(self.default)
        if release >= (6, 19):
            names += self.pools
        return list(dict.fromkeys(names))

    def build(self, root: Path, release: tuple[int, int]) -> None:
        """Make /sys, /dev and /proc below a folder."""
        sys = root / "sys"
        base = sys / "firmware" / "devicetree" / "base"
        for path, properties in self.nodes.items():
            folder = base / path.strip("/")
            folder.mkdir(parents=True, exist_ok=True)
            for name, value in properties.items():
                (folder / name).write_bytes(_bytes(value))
        (base / "model").write_bytes(f"{self.model}\0".encode())
        (root / "proc").mkdir()
        (root / "proc" / "meminfo").write_text(f"CmaTotal: {DEFAULT_MIB << 10} kB\n")
        for name in dict.fromkeys((self.default, *self.pools)):
            area = sys / "kernel" / "mm" / "cma" / name
            area.mkdir(parents=True)
            if self.default == name == "reserved" and release >= _SIZES_SINCE:
                pages = (DEFAULT_MIB << 20) // os.sysconf("SC_PAGE_SIZE")
                (area / "total_pages").write_text(f"{pages}\n")
        for minor, heap in enumerate(self.heaps(release)):
            folder = sys / "devices" / "virtual" / "dma_heap" / heap
            _device(root, folder, "dma_heap", f"251:{minor}", f"dma_heap/{heap}")
        counts = {"card": 0, "renderD": 128, "video": 0}
        for number, device in enumerate(self.devices):
            self._device(root, device, number, counts)

    def _device(
        self, root: Path, device: dict[str, object], number: int, counts: dict[str, int]
    ) -> None:
        sys = root / "sys"
        folder = sys / "devices" / str(device["path"])
        folder.mkdir(parents=True, exist_ok=True)
        bus = sys / "bus" / "platform"
        driver = bus / "drivers" / str(device["driver"])
        module = sys / "module" / str(device["module"])
        driver.mkdir(parents=True, exist_ok=True)
        (module / "drivers").mkdir(parents=True, exist_ok=True)
        _link(driver / "module", module)
        _link(module / "drivers" / f"platform:{driver.name}", driver)
        _link(driver / folder.name, folder)
        _link(folder / "driver", driver)
        _link(folder / "subsystem", bus)
        base = sys / "firmware" / "devicetree" / "base"
        for place, key in ((folder, "node"), (folder.parent, "bus_node")):
            if device.get(key):
                _link(place / "of_node", base / str(device[key]).strip("/"))
        if device["iommu"]:
            group = sys / "kernel" / "iommu_groups" / str(number)
            group.mkdir(parents=True)
            (group / "type").write_text("DMA\n")
            _link(folder / "iommu_group", group)
        for stem, subsystem, major, node, kinds in (
            ("card", "drm", 226, "dri/", ("display",)),
            ("renderD", "drm", 226, "dri/", ("render",)),
            ("video", "video4linux", 81, "", ("video",)),
        ):
            if device["kind"] in kinds:
                minor = counts[stem]
                counts[stem] += 1
                name = f"{stem}{minor}"
                _device(root, folder / subsystem / name, subsystem, f"{major}:{minor}", node + name)


class Display:
    """A display whose planes list these pairs: those of its driver's source, once that is known.

    `listed` has for each plane its type, and its pairs; without modifiers where all are in rows.
    """

    driver = ""

    def __init__(self, listed: Sequence[tuple[PlaneType, Sequence[FormatModifier]]] = ()) -> None:
        self.blobs: list[bytes] = []
        self.records = [
            self._plane(31 + number, type_, tuple(dict.fromkeys(pairs)))
            for number, (type_, pairs) in enumerate(listed or [(PlaneType.PRIMARY, (_LINEAR,))])
        ]

    def _plane(self, number: int, type_: PlaneType, pairs: Sequence[FormatModifier]) -> PlaneRecord:
        properties = {"type": _TYPES[type_]}
        if any(pair.modifier != LINEAR for pair in pairs):
            self.blobs.append(in_formats(pairs))
            properties["IN_FORMATS"] = len(self.blobs)
        formats = tuple(dict.fromkeys(pair.fourcc for pair in pairs))
        return PlaneRecord(id=number, formats=formats, possible_crtcs=1, properties=properties)

    def limits(self):
        return ModeLimits(min_width=0, max_width=4096, min_height=0, max_height=4096)

    def planes(self):
        return tuple(self.records)

    def blob(self, number):
        return self.blobs[number - 1]


def in_formats(pairs: Sequence[FormatModifier]) -> bytes:
    """IN_FORMATS of some pairs (struct drm_format_modifier_blob)."""
    codes = list(dict.fromkeys(pair.fourcc for pair in pairs))
    modifiers = list(dict.fromkeys(pair.modifier for pair in pairs))
    windows = range(0, len(codes), 64)
    head = 24 + 4 * len(codes)
    blob = struct.pack("=6I", 1, 0, len(codes), 24, len(modifiers) * len(windows), head)
    blob += struct.pack(f"={len(codes)}I", *codes)
    for modifier in modifiers:
        for start in windows:
            window = enumerate(codes[start : start + 64])
            mask = sum(1 << bit for bit, code in window if FormatModifier(code, modifier) in pairs)
            blob += struct.pack("=QIIQ", mask, start, 0, modifier)
    return blob


def listed_by(device: Device) -> list[tuple[PlaneType, list[FormatModifier]]]:
    """What the driver's source lists for each plane of a display, by its profile."""
    for profile in profiles_of(device):
        use = profile.uses.get(Usage.SCANOUT)
        if use is not None and use.rows:
            planes = [(plane.name, plane.type) for plane in profile.kms_planes]
            return [
                (
                    type_,
                    [
                        pair
                        for row in use.rows
                        if name in (row.kms_planes or (name,))
                        for pair in row.pairs
                    ],
                )
                for name, type_ in planes or [("all", PlaneType.PRIMARY)]
            ]
    return []


class Decoder:
    """What every V4L2 device here is taken to do, with videobuf2-dma-contig."""

    driver = ""
    card = "A decoder"
    is_memory_to_memory = True
    capture, output = Queue.CAPTURE, Queue.OUTPUT

    def formats(self, queue):
        coded = queue is Queue.OUTPUT
        return (PixelFormat(fourcc("H264") if coded else NV12, coded),)

    def frame_sizes(self, code):
        return (FrameSizes(min_width=16, max_width=1920, min_height=16, max_height=1088),)

    def buffer_capabilities(self, queue):
        return BufferCapabilities(dmabuf=True, userptr=False)


def discovered(root: Path) -> Platform:
    """The machine below a folder, as discovery sees it; displays list what their drivers do."""
    listed: dict[str | None, list[tuple[PlaneType, list[FormatModifier]]]] = {}

    @contextmanager
    def display(node):
        yield Display(listed.get(node, ()))

    @contextmanager
    def decoder(node):
        yield Decoder()

    # Which driver it is, is known once it was looked at.
    first = local_platform(root, drm=display, v4l2=decoder)
    for device in first.devices:
        if device.kind is DeviceKind.DISPLAY:
            listed[device.node] = listed_by(device)
    return local_platform(root, drm=display, v4l2=decoder)


def _device(root: Path, folder: Path, subsystem: str, number: str, node: str) -> None:
    folder.mkdir(parents=True)
    home = root / "sys" / "class" / subsystem
    home.mkdir(parents=True, exist_ok=True)
    _link(folder / "subsystem", home)
    _link(home / folder.name, folder)
    (folder / "dev").write_text(f"{number}\n")
    (folder / "uevent").write_text(f"DEVNAME={node}\n")
    (root / "dev" / node).parent.mkdir(parents=True, exist_ok=True)
    (root / "dev" / node).touch()


def _link(link: Path, target: Path) -> None:
    if not link.is_symlink():
        link.symlink_to(target)


def _bytes(value: object) -> bytes:
    match value:
        case True:
            return b""
        case [str(), *_]:
            return "".join(f"{word}\0" for word in value).encode("ascii")
        case [*numbers]:
            return struct.pack(f">{len(numbers)}I", *numbers)
    raise AssertionError(value)
