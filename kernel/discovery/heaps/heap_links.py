"""Links between devices and heaps in sysfs: who names which memory.

Three forms are read (docs/kernel.md): a `dma_heaps/` directory with links by
rank, a single `dma_heap` link, and, where a heap lists its devices, the reverse.
A device's list may hang on one of its parents; the nearest counts.
"""

from __future__ import annotations

from heapwire.kernel.description import LinkKind
from heapwire.kernel.discovery.sysfs import SysfsDevice, natural
from heapwire.protocol.late_dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class HeapLinks:
    """The heaps that a device names, the best first; None is the device itself."""

    sources: tuple[str | None, ...]
    kind: LinkKind


def links_of(device: SysfsDevice) -> HeapLinks | None:
    """What the device, or the nearest of its parents that names any, names."""
    for ancestor in device.lineage():
        listed = _listed(ancestor)
        if listed is not None:
            return HeapLinks(listed, LinkKind.SUPPORTED)
        single = _single(ancestor)
        if single is not None:
            return HeapLinks(single, LinkKind.PREFERRED)
    return None


def linked_by(heap: SysfsDevice) -> tuple[str, ...]:
    """The paths of the devices that a heap lists, as far as its directory says."""
    folder = heap.path / "devices"
    if not folder.is_dir():
        return ()
    return tuple(sorted(str(entry.resolve()) for entry in folder.iterdir() if entry.is_symlink()))


def _listed(device: SysfsDevice) -> tuple[str | None, ...] | None:
    folder = device.path / "dma_heaps"
    if not folder.is_dir():
        return None
    entries = sorted(
        (entry for entry in folder.iterdir() if entry.is_symlink()),
        key=lambda entry: natural(entry.name),
    )
    targets = [_source(device, f"dma_heaps/{entry.name}") for entry in entries]
    names = tuple(name for is_source, name in targets if is_source)
    return names or None


def _single(device: SysfsDevice) -> tuple[str | None, ...] | None:
    is_source, name = _source(device, "dma_heap")
    return (name,) if is_source else None


def _source(device: SysfsDevice, link: str) -> tuple[bool, str | None]:
    """Whether a link names a source, and the heap's name or None for the device itself."""
    target = device.target(link)
    if target is None or not target.exists():
        return False, None
    if target == device.path:
        return True, None
    aimed = SysfsDevice(target, device.root)
    return (True, aimed.name) if aimed.subsystem == "dma_heap" else (False, None)
