"""Devices as sysfs shows them: directories, attributes, parents, links.

`root` is where `/sys`, `/dev` and `/proc` are looked for, so that a tree of
files can stand for a machine. On the real one (`/`) devices are enumerated
through pyudev, which is loaded only then.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from heapwire.protocol import InputError
from heapwire.protocol.late_dataclasses import dataclass
from heapwire.protocol.values import DeviceNumber

REAL = Path("/")


@dataclass(frozen=True, slots=True)
class SysfsDevice:
    """A device's directory, with all links resolved."""

    path: Path
    root: Path = REAL

    @property
    def name(self) -> str:
        """The last part of its path; sysfs writes `!` for a `/` in a name."""
        return self.path.name.replace("!", "/")

    def attribute(self, name: str) -> str | None:
        """The text of an attribute, None where it is not there or may not be read."""
        try:
            return (self.path / name).read_text("utf-8", "replace").strip()
        except OSError:
            return None

    def integer(self, name: str) -> int | None:
        """The number in an attribute, None where there is none."""
        text = self.attribute(name)
        try:
            return None if text is None else int(text, 0)
        except ValueError:
            return None

    def target(self, name: str) -> Path | None:
        """Where a link leads, None where there is no such link."""
        link = self.path / name
        return link.resolve() if link.is_symlink() else None

    @property
    def number(self) -> DeviceNumber | None:
        """The (major, minor) of its node, None where it has no node."""
        text = self.attribute("dev")
        try:
            return None if text is None else DeviceNumber.parse(text)
        except InputError:  # a kernel that writes no number there
            return None

    @property
    def node(self) -> Path | None:
        """The path of its node in /dev, None where it has none."""
        match = re.search(r"^DEVNAME=(.+)$", self.attribute("uevent") or "", re.MULTILINE)
        return None if match is None else self.root / "dev" / match[1]

    @property
    def subsystem(self) -> str:
        """The class or bus that it belongs to; empty where it has none."""
        target = self.target("subsystem")
        return target.name if target is not None else ""

    @property
    def driver(self) -> str:
        """The name of its driver; empty where none is bound."""
        target = self.target("driver")
        return target.name if target is not None else ""

    @property
    def carried_driver(self) -> str:
        """The name of its driver, or where that only carries a virtio device, of that one's.

        A display of virtio-gpu's is a child of the PCI device, which virtio-pci drives
        (drivers/gpu/drm/virtio/virtgpu_drv.c, virtio_gpu_probe).
        """
        carried = [SysfsDevice(path, self.root).driver for path in self.path.glob("virtio[0-9]*")]
        return next(filter(None, carried), self.driver)

    def lineage(self) -> Iterator[SysfsDevice]:
        """The device and its parents, up to the root of the device tree."""
        top = (self.root / "sys" / "devices").resolve()
        path = self.path
        while top in path.parents:
            yield SysfsDevice(path, self.root)
            path = path.parent

    @property
    def physical(self) -> SysfsDevice:
        """The device on a bus that this one is a face of; itself where there is none."""
        chain = [
            ancestor for ancestor in self.lineage() if (ancestor.path / "subsystem").is_symlink()
        ]
        return next((ancestor for ancestor in chain if ancestor.subsystem != self.subsystem), self)

    @property
    def bus_path(self) -> tuple[str, ...]:
        """Its path from the root of the bus tree, bus by bus."""
        top = (self.root / "sys" / "devices").resolve()
        return self.path.relative_to(top).parts if top in self.path.parents else ()


def same_device(first: DeviceNumber, second: DeviceNumber, root: Path = REAL) -> bool:
    """Whether two nodes belong to the same device on a bus.

    A display and the render node of its GPU have numbers of their own.
    """
    paths = [root / "sys" / "dev" / "char" / str(number) for number in (first, second)]
    if not all(path.exists() for path in paths):
        return first == second
    mine, theirs = (SysfsDevice(path.resolve(), root).physical for path in paths)
    return mine.path == theirs.path


def list_devices(subsystem: str, root: Path = REAL) -> tuple[SysfsDevice, ...]:
    """The devices of a class, in the natural order of their names."""
    if root == REAL:
        import pyudev

        paths = [
            Path(device.sys_path) for device in pyudev.Context().list_devices(subsystem=subsystem)
        ]
    else:
        folder = root / "sys" / "class" / subsystem
        paths = list(folder.iterdir()) if folder.is_dir() else []
    devices = {path.resolve() for path in paths if path.exists()}
    return tuple(
        SysfsDevice(path, root) for path in sorted(devices, key=lambda path: natural(path.name))
    )


def natural(name: str) -> tuple[tuple[int, str], ...]:
    """A key that puts `video10` behind `video9`."""
    return tuple(
        (int(part), "") if part.isdigit() else (-1, part) for part in re.findall(r"\d+|\D+", name)
    )
