"""What sysfs says about heaps, devices and the links between them."""

import os
from pathlib import Path

HEAPS = Path("/sys/class/dma_heap")


def read(path):
    return path.read_text().strip()


def optional(path):
    return read(path) if path.exists() else None


def target(link):
    """The sysfs path that a link leads to, without /sys."""
    return str(link.resolve()).removeprefix("/sys")


def links(folder):
    return {link.name: target(link) for link in sorted(folder.iterdir()) if link.is_symlink()}


def heap(name):
    folder = HEAPS / name
    node = Path("/dev/dma_heap", name).stat()
    return {
        "path": target(folder),
        "dev": read(folder / "dev"),
        "node": f"{os.major(node.st_rdev)}:{os.minor(node.st_rdev)}",
        "contiguous": read(folder / "contiguous"),
        "numa_node": read(folder / "numa_node"),
        "substitutes_for": optional(folder / "substitutes_for"),
        "devices": links(folder / "devices"),
    }


def heaps():
    return {name: heap(name) for name in sorted(entry.name for entry in HEAPS.iterdir())}


def sources(device):
    """What a device lists itself: the preferred source, and all in order of preference."""
    folder = device / "dma_heaps"
    preferred = device / "dma_heap"
    ranks = sorted(links(folder), key=int) if folder.is_dir() else []
    return {
        "preferred": target(preferred) if preferred.is_symlink() else None,
        "ranks": ranks,
        "sources": [target(folder / rank) for rank in ranks],
    }


def nearest(device):
    """The device with the nearest list, from the device whose node is opened upwards."""
    device = device.resolve()
    while device != Path("/sys/devices"):
        if (device / "dma_heaps").is_dir():
            return {"device": str(device).removeprefix("/sys"), **sources(device)}
        device = device.parent
    return None


def class_devices(subsystem):
    """Each device of a class, by its name, and the nearest list."""
    folder = Path("/sys/class") / subsystem
    found = {}
    for device in sorted(entry for entry in folder.iterdir() if entry.is_symlink()):
        found[device.name] = {
            "label": optional(device / "name"),
            "index": optional(device / "index"),
            "nearest": nearest(device),
        }
    return found
