"""NVIDIA GPUs by their own driver's files: without nvidia-drm they have no DRM node."""

from __future__ import annotations

import re
from pathlib import Path

from heapwire.kernel.discovery.sysfs import REAL, SysfsDevice, natural
from heapwire.protocol.late_dataclasses import dataclass
from heapwire.protocol.values import DeviceId

MAJOR = 195
"""The character devices of NVIDIA's driver (Documentation/admin-guide/devices.txt)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NvidiaGpu:
    """A GPU: `number` is that of `/dev/nvidiaN`, `entry` its device on the PCI bus."""

    number: DeviceId
    title: str
    node: str
    entry: SysfsDevice


def list_nvidia(root: Path = REAL) -> tuple[NvidiaGpu, ...]:
    """The GPUs below /proc/driver/nvidia/gpus, a folder each with a file `information`.

    Raises nothing: what cannot be read is not there.
    """
    folder = root / "proc" / "driver" / "nvidia" / "gpus"
    try:
        names = sorted((path.name for path in folder.iterdir()), key=natural)
    except OSError:
        return ()
    gpus = (_gpu(folder / name / "information", name.lower(), root) for name in names)
    return tuple(gpu for gpu in gpus if gpu is not None)


def _gpu(information: Path, address: str, root: Path) -> NvidiaGpu | None:
    bus = root / "sys" / "bus" / "pci" / "devices" / address
    try:
        text = information.read_text("utf-8", "replace")
    except OSError:
        return None
    minor = re.search(r"^Device Minor:\s*(\d{1,5})\s*$", text, re.MULTILINE)
    model = re.search(r"^Model:\s*(\S.*?)\s*$", text, re.MULTILINE)
    if minor is None or not bus.exists():
        return None
    number = int(minor[1])
    return NvidiaGpu(
        number=DeviceId(MAJOR, number),
        title=model[1] if model is not None else "NVIDIA GPU",
        node=str(root / "dev" / f"nvidia{number}"),
        entry=SysfsDevice(bus.resolve(), root),
    )
