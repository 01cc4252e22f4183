"""Runs in the guest: looks at the machine with `local_platform`, prints it as JSON.

usage: discovery.py [probe] [ordinary]     (ordinary: as a user who may open nothing)
"""

import ctypes
import json
import os
import sys
from dataclasses import replace
from pathlib import Path

from heapwire.kernel.discovery import TrialStore, ask_devices, local_platform
from heapwire.kernel.memory.buffer_info import BufferInfo
from heapwire.protocol import MachineError, NotPossibleError
from heapwire.protocol.explain import solve
from heapwire.protocol.values import REGISTRY, Extent, Extents, Goal, fourcc_name

SIZE = 5 << 20
NOBODY = 65534
TRIED = ("vicodec", "visl", "vivid", "vkms")  # enough: each trial is slow in an emulated machine
PR_SET_DUMPABLE = 4  # linux/prctl.h


def fds():
    return sorted(entry.name for entry in Path("/proc/self/fd").iterdir())


def allocated(platform, source):
    """What one buffer of a source says of itself, and what a request for too much comes to."""
    told = {"openable": source.id in platform.memory.openable}
    try:
        with platform.memory.allocate(source.id, SIZE, name="a name") as buffer:
            info = BufferInfo.of(buffer.fd)
            told["exporter"], told["name"] = info.exporter, info.name
            told["size"], told["references"] = info.size, info.references
            told["source"] = platform.source_name(platform.memory.identify(buffer.fd))
            with buffer.map() as view:
                told["zeroed"] = bytes(view).count(0) == len(view)
                view[-1] = 7
            with buffer.map() as view:
                told["kept"] = view[-1]
    except MachineError as error:
        told["error"] = str(error)
    try:
        platform.memory.allocate(source.id, 1 << 50)
    except (MachineError, NotPossibleError) as error:
        told["too much"] = type(error).__name__
    return told


def planned(platform, device, usage):
    """The sources that the solver chooses for a device alone, for a picture of 1920x1080."""
    answer = solve(
        platform.problem(
            participants=(platform.participant(device, usage),),
            goals=(Goal(name="any"),),
            extents=Extents(coded=Extent(1920, 1080)),
        )
    )
    return [
        platform.source_name(entry.source) for plan in answer.plans for entry in plan.layout.objects
    ]


def described(platform, device):
    return {
        "kind": device.kind,
        "driver": device.driver,
        "id": str(device.id),
        "node": device.node,
        "place": device.place.path,
        "planes": [plane.type for plane in device.planes],
        "links": [
            [link.source, link.kind, link.provenance.name]
            for link in platform.links_of(device.name)
        ],
        "uses": {
            usage.name: {
                "formats": sorted({fourcc_name(p.fourcc) for one in sets for p in one.formats}),
                "constraints": sorted(
                    {
                        f"{REGISTRY[c.type].name} {c.provenance.name}"
                        for one in sets
                        for c in one.constraints
                    }
                ),
                "planned": planned(platform, device.name, usage),
            }
            for usage, sets in device.sets.items()
            if sets
        },
    }


def become_nobody():
    """Go on as nobody. The interpreter may be out of that user's reach: load everything first."""
    ask_devices(local_platform(), TrialStore(None, ""))
    os.setgroups([])
    os.setgid(NOBODY)
    os.setuid(NOBODY)
    ctypes.CDLL(None).prctl(PR_SET_DUMPABLE, 1)  # or /proc/self is root's from now on


def main():
    if "ordinary" in sys.argv:
        become_nobody()
    before = fds()
    platform = local_platform()
    seen = {
        "notes": platform.notes,
        "remarks": platform.remarks,
        "heaps": {
            source.name: {
                "id": str(source.id),
                "contiguous": source.contiguous,
                "capacity": source.capacity,
                "numa_node": source.numa_node,
                "substitutes_for": source.substitutes_for,
                "provenance": {key: value.name for key, value in source.provenance.items()},
                "allocated": allocated(platform, source),
            }
            for source in platform.sources
        },
        "devices": {device.name: described(platform, device) for device in platform.devices},
        "numbers": {
            entry.name: (entry / "dev").read_text().strip()
            for entry in Path("/sys/class/dma_heap").iterdir()
        },
    }
    if "probe" in sys.argv:
        chosen = tuple(device for device in platform.devices if device.driver in TRIED)
        records = ask_devices(replace(platform, devices=chosen), TrialStore(None, ""), again=True)
        seen["trials"] = {}
        for name, record in records.items():
            for verdict in record.verdicts:  # a display may take a memory for some formats only
                key = f"{name} {verdict.source}"
                seen["trials"][key] = seen["trials"].get(key, False) or verdict.taken
    seen["fds left"] = len(fds()) - len(before)
    seen["bytes left"] = platform.memory.live()
    seen["user"] = os.getuid()
    json.dump(seen, sys.stdout)


main()
