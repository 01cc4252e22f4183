"""Runs in the guest: asks the devices which memory they take, and prints what came of it as JSON.

Asked twice with one store, so that the second time nothing is; and a buffer of the display's own
memory is allocated and looked at.
"""

import json
import sys
import tempfile
import time
from contextlib import contextmanager
from dataclasses import asdict, replace
from pathlib import Path

from heapwire.kernel.discovery import TrialStore, ask_devices, local_platform, with_records
from heapwire.kernel.drm import Card, open_card
from heapwire.kernel.memory import PictureShape
from heapwire.kernel.system import ioctl
from heapwire.protocol import MachineError
from heapwire.protocol.explain import solve
from heapwire.protocol.values import (
    LINEAR,
    ConstraintSet,
    Extent,
    Extents,
    FormatModifier,
    Goal,
    Participant,
    Usage,
    fourcc,
    fourcc_name,
)

CODES = ("XR24", "XB24", "RG16", "NV12")


def fds():
    return sorted(entry.name for entry in Path("/proc/self/fd").iterdir())


def planned(platform, device, code):
    """The memory of the best plan for a picture in a format that a display is to show."""
    content = Participant(
        name="content",
        usage=Usage(0),
        sets=(ConstraintSet(formats=(FormatModifier(fourcc(code), LINEAR),)),),
    )
    goal = Goal(name="shown", participants=(platform.participant(device, Usage.SCANOUT),))
    problem = platform.problem(
        participants=(content,), goals=(goal,), extents=Extents(coded=Extent(640, 480))
    )
    plans = solve(problem).plans
    return platform.source_name(plans[0].layout.objects[0].source) if plans else None


def own(platform, device):
    """What a buffer of a display's own memory is like."""
    try:
        source = platform.source(device.name)
        shape = PictureShape(pitch=640 * 4, rows=480, bits=32)
        with platform.memory.allocate(source.id, 640 * 480 * 4, shape=shape) as buffer:
            with buffer.map() as view:
                view[0] = 7
            return {"size": buffer.size}
    except MachineError as error:
        return {"error": str(error)}


def main():
    before = fds()
    path = Path(tempfile.mkdtemp()) / "trials.json"
    look = local_platform()
    store, took = TrialStore(path, "this boot"), {}
    for device in look.devices:
        asked = []

        @contextmanager
        def cards(node, master, asked=asked):
            with open_card(node, master=master) as fd:
                yield Card(fd, lambda *call: asked.append(call[1]) or ioctl(*call))

        began = time.process_time(), time.perf_counter()
        ask_devices(replace(look, devices=(device,)), store, cards=cards)
        took[device.name] = {
            "processor": round(1000 * (time.process_time() - began[0]), 1),
            "wall": round(1000 * (time.perf_counter() - began[1]), 1),
            "ioctls": len(asked),
        }
    records = ask_devices(look, store)
    platform = with_records(look, records)
    displays = [device for device in platform.devices if Usage.SCANOUT in device.sets]
    seen = {
        "sources": [source.name for source in look.sources],
        "milliseconds": took,
        "devices": {
            device.name: {"driver": device.driver, "kind": device.kind} for device in look.devices
        },
        "records": {
            name: {
                "own": record.own,
                "pitches": record.pitches,
                "verdicts": [
                    {
                        **asdict(verdict),
                        "pairs": [[fourcc_name(p.fourcc), p.modifier] for p in verdict.pairs],
                    }
                    for verdict in record.verdicts
                ],
            }
            for name, record in records.items()
        },
        "before": {d.name: {c: planned(look, d.name, c) for c in CODES} for d in displays},
        "plans": {d.name: {c: planned(platform, d.name, c) for c in CODES} for d in displays},
        "own": {device.name: own(platform, device) for device in displays},
        "notes": platform.notes,
        "planes": {
            name: [asdict(verdict) for verdict in record.verdicts if verdict.plane]
            for name, record in ask_devices(
                replace(look, devices=tuple(d for d in look.devices if d.driver == "vkms")),
                TrialStore(None, ""),
                again=True,
            ).items()
        },
        "remembered": ask_devices(look, TrialStore(path, "this boot")) == records,
    }
    seen["fds left"] = len(fds()) - len(before)
    seen["bytes left"] = platform.memory.live()
    json.dump(seen, sys.stdout)


main()
