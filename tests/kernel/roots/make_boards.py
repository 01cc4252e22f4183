"""Makes the boards of this folder from the kernel's own device trees.

    python tests/kernel/roots/make_boards.py LINUX_SOURCE [--check]

Each board is a device tree of the kernel, compiled with the C preprocessor and
`dtc` as the kernel's build does it, and reduced to what discovery reads: the
regions that are reserved, and the devices that a display, GPU or V4L2 driver
binds to, with the driver's name in sysfs. Which driver that is, the match tables
in the source say. The boards are kept here, a few kilobytes each, because tests are to
run without a kernel's source and a change of a board is to be seen; `--check` compares
them with what the source gives, and writes nothing.
"""

from __future__ import annotations

import argparse
import json
import re
import struct
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

HERE = Path(__file__).parent
DTS = "arch/{}/boot/dts/{}.dts"
BOARDS = (
    ("arm64", "allwinner/sun50i-h6-pine-h64"),
    ("arm64", "amlogic/meson-g12b-odroid-n2"),
    ("arm64", "broadcom/bcm2711-rpi-4-b"),
    ("arm64", "freescale/imx8mq-evk"),
    ("arm64", "mediatek/mt8183-kukui-krane-sku0"),
    ("arm64", "qcom/sdm845-db845c"),
    ("arm64", "rockchip/rk3399-rock-pi-4b"),
    ("arm64", "rockchip/rk3566-quartz64-b"),
    ("arm64", "ti/k3-am625-sk"),
    ("arm64", "xilinx/zynqmp-zcu102-rev1.0"),
    ("arm", "allwinner/sun7i-a20-cubietruck"),
    ("arm", "arm/vexpress-v2p-ca9"),
    ("arm", "nvidia/tegra124-jetson-tk1"),
    ("arm", "nxp/imx/imx6q-sabrelite"),
    ("arm", "samsung/exynos4412-odroidu3"),
    ("arm", "st/stm32mp157c-dk2"),
)
DRM, MEDIA = "drivers/gpu/drm", ("drivers/media/platform", "drivers/staging/media")

# A display of several components may have no node of its own: the file that makes its device.
MASTERS = {
    "exynos": ("drivers/gpu/drm/exynos/exynos_drm_drv.c", "exynos-drm", "platform/exynos-drm"),
    "mediatek": (
        "drivers/soc/mediatek/mtk-mmsys.c",
        "mediatek-drm",
        "platform/soc/14000000.syscon/mediatek-drm.1.auto",
    ),
    "tegra": ("drivers/gpu/drm/tegra/drm.c", "drm", "platform/50000000.host1x/drm"),
}

_KEPT = (
    "compatible", "reg", "size", "alloc-ranges", "reusable", "no-map", "linux,cma-default",
    "phandle", "#address-cells", "#size-cells", "memory-region", "dma-coherent",
    "dma-noncoherent", "iommus",
)  # fmt: skip
_MATCHES = re.compile(r"struct of_device_id (\w+)\[\][^={]*=\s*\{(.*?)\n\};", re.S)
_DRIVERS = re.compile(r"struct (?:platform|amba)_driver [\w\s]+=\s*\{(.*?)\n\};", re.S)
_REGISTERS_CARD = re.compile(
    r"drm_dev_(?:register|alloc)\(|component_master_add|drm_of_component_probe|msm_drv_probe\(|"
    r"zynqmp_dpsub_drm_init\("
)


@dataclass
class Node:
    """A node of a device tree."""

    path: str
    properties: dict[str, bytes] = field(default_factory=dict)
    children: list[Node] = field(default_factory=list)
    parent: Node | None = None

    @property
    def name(self) -> str:
        return self.path.rsplit("/", 1)[1]

    @property
    def compatible(self) -> list[str]:
        return self.properties.get("compatible", b"").decode("ascii").split("\0")[:-1]

    @property
    def is_disabled(self) -> bool:
        return self.properties.get("status", b"okay\0") not in (b"okay\0", b"ok\0")

    def below(self) -> Iterator[Node]:
        yield self
        for child in self.children:
            if not child.is_disabled:
                yield from child.below()


@dataclass(frozen=True)
class Driver:
    """A driver's name in sysfs, the folder that it is of, and what it registers."""

    name: str
    module: str
    kind: str
    file: str


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("source", type=Path)
    parser.add_argument("--check", action="store_true")
    options = parser.parse_args()
    drivers = drivers_of(options.source)
    different = []
    for architecture, board in BOARDS:
        file = HERE / f"{board.rsplit('/', 1)[1]}.json"
        text = board_text(options.source, DTS.format(architecture, board), drivers)
        if not file.exists() or file.read_text("utf-8") != text:
            different.append(file.name)
            if not options.check:
                file.write_text(text, "utf-8")
    print(f"{len(BOARDS)} boards, different: {', '.join(different) or 'none'}")
    return 1 if options.check and different else 0


def board_text(source: Path, dts: str, drivers: dict[str, Driver]) -> str:
    """A board as JSON, one line for each node and device."""
    root = parsed(compiled(source, source / dts))
    devices = [*bound(root, drivers), *masters(source, root, drivers)]
    nodes = {}
    wanted = {
        path
        for device in devices
        for node in (device.get("node", ""), device.get("bus_node", ""))
        for path in _up(str(node))
    }
    for node in root.below():
        if node.path in wanted or node.path.startswith("/reserved-memory"):
            kept = {
                key: _value(key, node.properties[key]) for key in _KEPT if key in node.properties
            }
            if kept:
                nodes[node.path or "/"] = kept
    model = root.properties["model"].decode("utf-8").strip("\0")
    lines = [
        f'  "dts": {json.dumps(dts)},',
        f'  "model": {json.dumps(model)},',
        '  "nodes": {',
        ",\n".join(f"    {json.dumps(path)}: {json.dumps(kept)}" for path, kept in nodes.items()),
        "  },",
        '  "devices": [',
        ",\n".join(f"    {json.dumps(device)}" for device in devices),
        "  ]",
    ]
    return "{\n" + "\n".join(lines) + "\n}\n"


def compiled(source: Path, dts: Path) -> bytes:
    """The flattened tree of a source file, as scripts/Makefile.lib makes it."""
    folders = (dts.parent, source / "scripts/dtc/include-prefixes", source / "include")
    includes = [word for folder in folders for word in ("-I", str(folder))]
    language = ["-undef", "-D__DTS__", "-x", "assembler-with-cpp"]
    text = subprocess.run(
        ["cpp", "-nostdinc", *includes, *language, str(dts)],
        check=True, capture_output=True,
    ).stdout  # fmt: skip
    return subprocess.run(
        ["dtc", "-q", "-I", "dts", "-O", "dtb", "-o", "-", "-"],
        input=text, check=True, capture_output=True,
    ).stdout  # fmt: skip


def parsed(blob: bytes) -> Node:
    """The tree of a flattened one (Devicetree Specification, 5)."""
    _, _, structure, strings = struct.unpack_from(">4I", blob)
    root = node = Node("")
    at, depth = structure, 0
    while True:
        (token,) = struct.unpack_from(">I", blob, at)
        at += 4
        if token == 1:  # FDT_BEGIN_NODE
            end = blob.index(b"\0", at)
            name = blob[at:end].decode("ascii")
            at = (end + 4) & ~3
            if depth:
                child = Node(f"{node.path}/{name}", parent=node)
                node.children.append(child)
                node = child
            depth += 1
        elif token == 2:  # FDT_END_NODE
            depth -= 1
            node = node.parent or node
        elif token == 3:  # FDT_PROP
            length, offset = struct.unpack_from(">2I", blob, at)
            key = blob[strings + offset : blob.index(b"\0", strings + offset)].decode("ascii")
            node.properties[key] = blob[at + 8 : at + 8 + length]
            at = (at + 8 + length + 3) & ~3
        elif token == 9:  # FDT_END
            return root


def bound(root: Node, drivers: dict[str, Driver]) -> Iterator[dict[str, object]]:
    """The devices that a driver binds to, in the order of the tree."""
    for node in root.below():
        driver = next((drivers[name] for name in node.compatible if name in drivers), None)
        if driver is not None:
            yield {
                "path": sysfs_path(node),
                "node": node.path,
                "driver": driver.name,
                "module": driver.module,
                "kind": driver.kind,
                "iommu": "iommus" in node.properties,
                "file": driver.file,
            }


def masters(source: Path, root: Node, drivers: dict[str, Driver]) -> Iterator[dict[str, object]]:
    """The displays whose components are there and which have no node themselves."""
    modules = {
        drivers[name].module for node in root.below() for name in node.compatible if name in drivers
    }
    for module, (file, name, path) in MASTERS.items():
        if module in modules:
            if f'"{name}"' not in (source / file).read_text("utf-8"):
                raise SystemExit(f"{file} makes no {name}")
            bus = path.rpartition("/")[0]
            bus_node = next((one.path for one in root.below() if sysfs_path(one) == bus), "")
            yield {
                "path": path, **({"bus_node": bus_node} if bus_node else {}), "driver": name,
                "module": module, "kind": "display", "iommu": False, "file": file,
            }  # fmt: skip


def sysfs_path(node: Node) -> str:
    """Where the device is below /sys/devices; bus addresses are taken as they stand in the tree."""
    names: list[str] = []
    step: Node | None = node
    while step is not None and step.path:
        name, _, address = step.name.partition("@")
        # drivers/of/device.c, of_device_make_bus_id
        names.insert(0, f"{address}.{name}" if "reg" in step.properties else step.name)
        step = step.parent
    return "/".join(("platform", *names))


def drivers_of(source: Path) -> dict[str, Driver]:
    """The drivers of displays, GPUs, codecs and cameras, by what their match tables name."""
    found: dict[str, Driver] = {}
    for top in (DRM, *MEDIA):
        for file in sorted((source / top).rglob("*.c")):
            text = file.read_text("utf-8", "replace")
            tables = {
                name: re.findall(r'compatible\s*=\s*"([^"]+)"', body)
                for name, body in _MATCHES.findall(text)
            }
            for body in _DRIVERS.findall(text):
                name = re.search(r"\.name\s*=\s*([^,\n]+)", body)
                table = re.search(r"of_match_table\s*=\s*(?:of_match_ptr\()?\s*(\w+)", body)
                if name is None:
                    continue
                names = tables.get(table[1], []) if table is not None else []
                if "id_table" in body and file.name == "pl111_drv.c":
                    names = ["arm,pl111"]  # on the AMBA bus the device itself says what it is
                text_name = _literal(name[1].strip(), file)
                folder = file.relative_to(source / top).parts[0].removesuffix(".c")
                kind = _kind(source / top / folder, top == DRM, text)
                # A vendor's displays and codecs are no modules of each other.
                module = folder if top == DRM else f"{folder}-media"
                for compatible in names:
                    place = str(file.relative_to(source))
                    found.setdefault(compatible, Driver(text_name, module, kind, place))
    return found


def _kind(folder: Path, is_drm: bool, text: str) -> str:
    """What a driver registers: a card, a render node, a video node, or a part of one."""
    if not is_drm:
        return "video" if "video_register_device(" in text else "part"
    if not _REGISTERS_CARD.search(text):
        return "part"
    files = (other.read_text("utf-8", "replace") for other in folder.rglob("*.c"))
    return "display" if any("DRIVER_MODESET" in other for other in files) else "render"


def _literal(name: str, file: Path) -> str:
    """A name in quotes, or what a macro of the folder stands for."""
    if name.startswith('"'):
        return name.strip('"')
    for other in sorted(file.parent.glob("*.[ch]")):
        value = re.search(
            rf'^#define\s+{re.escape(name)}\s+"([^"]+)"', other.read_text("utf-8", "replace"), re.M
        )
        if value:
            return value[1]
    raise SystemExit(f"{file}: what is {name}?")


def _value(key: str, data: bytes) -> object:
    if not data:
        return True
    if key == "compatible":
        return data.decode("ascii").split("\0")[:-1]
    return list(struct.unpack(f">{len(data) // 4}I", data))


def _up(path: str) -> Iterator[str]:
    """A path and all above it."""
    while path:
        yield path
        path = path.rpartition("/")[0]


if __name__ == "__main__":
    sys.exit(main())
