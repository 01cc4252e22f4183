"""Runs in the guest: what discovery foretells of each display, and what its driver then does.

usage: displays.py [--modules FOLDER] [--load "NAME PARAMETER..."]...    (on a stock kernel)

For each card, and for each kind of memory that is here, pictures of several formats and sizes:
first whether the platform has a plan to scan it out from that memory, as it is found without any
trial, and after heapwire's trials; then the driver's answers to PRIME import, AddFB2, a TEST_ONLY
commit and SETCRTC, with the plan's own layout where there is one. Nothing is judged here. Prints
one JSON object.
"""

import argparse
import contextlib
import errno
import json
import subprocess
import sys
from pathlib import Path

import dmabuf
import v4l2
from drm_card import Card

from heapwire.kernel.discovery import TrialStore, local_platform, tried
from heapwire.protocol.explain import solve
from heapwire.protocol.values import (
    LINEAR,
    ConstraintSet,
    Extent,
    Extents,
    FormatModifier,
    Goal,
    Participant,
    SourceId,
    Usage,
    parse_fourcc,
)

PICTURE = (1024, 768)  # a mode that every display here has
ODD = (641, 367)
TINY = (16, 16)
ROWS_BEYOND = 64
# Bytes of a pixel in each plane, and by what its rows and columns are fewer.
FORMATS = {
    "XR24": ((4, 1),),
    "AR24": ((4, 1),),
    "XB24": ((4, 1),),
    "RG16": ((2, 1),),
    "XR30": ((4, 1),),
    "NV12": ((1, 1), (2, 2)),
}
WIDTHS = (1, 2, 3, 7, 8, 9, 16, 17, 33, 65, 100, 129, 641, 1366, 1921)
UDMABUF = "udmabuf"


def answer_for(platform, device, code, size):
    """The answer for a picture of one format and size that is to be scanned out."""
    asked_for = ConstraintSet(formats=(FormatModifier(parse_fourcc(code), LINEAR),))
    problem = platform.problem(
        participants=(Participant(name="the picture", usage=Usage(0), sets=(asked_for,)),),
        goals=(
            Goal(
                name="scanout",
                participants=(platform.participant(device, Usage.SCANOUT),),
                scanout=True,
            ),
        ),
        extents=Extents(coded=Extent(*size)),
    )
    return solve(problem)


class Forecast:
    """What a platform says of each source, for one picture on one display."""

    def __init__(self, platform, name, code, size):
        self.platform, self.layout = platform, None
        self.message = "it is not known what it scans out"
        self.verdicts = {}
        if platform.device(name).sets.get(Usage.SCANOUT):
            answer = answer_for(platform, name, code, size)
            self.message = answer.message
            self.verdicts = {verdict.source: verdict for verdict in answer.verdicts}
            if answer.plans:
                self.layout = answer.plans[0].layout

    def of(self, source):
        """Whether the picture can be scanned out from a source, and why not; None if unknown.

        A source that is not the plan's own can do so too if nothing ruled it out.
        """
        if all(one.id != source for one in self.platform.sources):
            return None, ""
        verdict = self.verdicts.get(source)
        if self.layout is None or verdict is None:
            return False, self.message
        return verdict.participant is None, verdict.text


class Memory:
    """One kind of memory: a name, the source that it is, and how to get some.

    `most` is the size of all there is of it; `triable` says that heapwire may try it, which
    it does with what it can allocate itself.
    """

    def __init__(self, name, source, allocate, *, most=1 << 40, triable=True):
        self.name, self.source, self.allocate = name, source, allocate
        self.most, self.triable = most, triable


def memories(platform, card, device):
    """Each kind of memory that is here."""
    names = {source.name: source.id for source in platform.sources}
    heaps = Path("/sys/class/dma_heap")
    for name in sorted(entry.name for entry in heaps.iterdir()) if heaps.is_dir() else ():
        yield Memory(name, names[name], lambda size, picture, n=name: dmabuf.allocated(n, size))
    if Path("/dev/udmabuf").exists():
        yield Memory(UDMABUF, names[UDMABUF], lambda size, picture: dmabuf.of_memfd(size))
    yield Memory("dumb", SourceId.device(device.id), lambda *how: dumb_buffer(card, *how))
    for video in platform.devices:
        if video.driver == "vivid" and Usage.CAMERA in video.sets and video.node:
            with contextlib.suppress(OSError), v4l2.opened(video.node) as camera:
                yield Memory(
                    f"{v4l2.allocator(video.node)} of vivid",
                    SourceId.device(video.id),
                    lambda size, picture, n=camera: v4l2.exported(n),
                    most=v4l2.set_format(camera, 1280, 720, "XR24")[0],
                    triable=False,
                )


@contextlib.contextmanager
def dumb_buffer(card, size, picture):
    """A dumb buffer with room for the picture; 32 bits a pixel, as every driver makes them."""
    width, height = picture
    lines = -(-size // (width * 4))
    with card.dumb(width, max(height, lines), 32) as fd:
        yield fd


def natural(code, width, height):
    """The size of a framebuffer, the (offset, pitch) of its planes, and the bytes: no gaps."""
    planes, end = [], 0
    for size, part in FORMATS[code]:
        pitch = -(-width // part) * size
        planes.append((end, pitch))
        end += pitch * -(-height // part)
    return (width, height), planes, end


def laid_out(layout, code, picture):
    """The same by the layout of a plan, whose room is the size of the framebuffer."""
    if layout is None or not layout.planes or len(layout.objects) != 1:
        return natural(code, *picture)
    room = (layout.extent.width, layout.extent.height)
    planes = [(plane.offset, plane.pitch) for plane in layout.planes]
    return room, planes, layout.objects[0].size


def asked(card, memory, layout, code, picture, mode):
    """What the driver answers, step by step: null, or the name of the errno that ended it."""
    room, planes, size = laid_out(layout, code, picture)
    if size > memory.most:
        return None
    steps = {}
    with contextlib.ExitStack() as stack:
        try:
            if memory.name == "system":
                stack.enter_context(dmabuf.scattered())
            fd = stack.enter_context(memory.allocate(size, room))
        except OSError as error:
            return {"allocate": name_of(error)}

        def step(name, what):
            try:
                result = what()
            except OSError as error:
                steps[name] = name_of(error)
                raise
            steps[name] = None
            return result

        with contextlib.suppress(OSError):
            handle = step("import", lambda: stack.enter_context(card.imported(fd)))
            framebuffer = step(
                "addfb2",
                lambda: stack.enter_context(
                    card.framebuffer(handle, *room, parse_fourcc(code), planes)
                ),
            )
            if mode is not None:
                if card.atomic:
                    step("test", lambda: card.test(framebuffer, mode))
                step("set", lambda: card.set(framebuffer, mode))
                card.off()
    return steps


def name_of(error):
    return errno.errorcode.get(error.errno, str(error))


def rows_of(untried, known, card, device):
    beyond = (card.limits["most"][0] + 1, ROWS_BEYOND)
    cases = [(code, PICTURE) for code in FORMATS]
    cases += [("XR24", ODD), ("XR24", TINY), ("XR24", beyond)]
    for code, picture in cases:
        before, after = (Forecast(one, device.name, code, picture) for one in (untried, known))
        mode = card.mode(*picture) if picture == PICTURE else None
        for memory in memories(untried, card, device):
            steps = asked(card, memory, after.layout or before.layout, code, picture, mode)
            if steps is not None:
                foretold, why = before.of(memory.source)
                yield {
                    "memory": memory.name,
                    "format": code,
                    "size": list(picture),
                    "foretold": foretold,
                    "foretold_after_trial": after.of(memory.source)[0] if memory.triable else None,
                    "why": why,
                    "driver": steps,
                }


def described(untried, known, entry):
    device = next((one for one in untried.devices if one.name == entry.name), None)
    if device is None or device.node is None:
        return None
    try:
        card = Card(device.node)
    except OSError as error:
        return {"driver": device.driver, "none": error.strerror or str(error)}
    try:
        return {
            "driver": card.driver,
            "limits": card.limits,
            "mode": card.mode(*PICTURE) is not None,
            "formats": sorted(code.to_bytes(4, "little").decode() for code in card.formats),
            "atomic": card.atomic,
            "pitches": {str(bits): card.pitches(WIDTHS, bits) for bits in (16, 32)},
            "rows": list(rows_of(untried, known, card, device)),
        }
    finally:
        card.close()


def load(modules, folder):
    """Load modules, each with its parameters; what was said of those that did not come."""
    complaints = {}
    for module in modules:
        command = ["modprobe", "-d", folder, *module.split()]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            complaints[module] = done.stderr.strip()
    return complaints


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--modules")
    parser.add_argument("--load", action="append", default=[])
    options = parser.parse_args()
    complaints = load(options.load, options.modules)
    untried = local_platform()
    known = tried(untried, TrialStore(None, ""))
    cards = sorted(Path("/sys/class/drm").glob("card?"))
    seen = {card.name: described(untried, known, card) for card in cards}
    json.dump(
        {
            "kernel": Path("/proc/sys/kernel/osrelease").read_text().strip(),
            "complaints": complaints,
            "notes": list(untried.notes),
            "cards": {name: card for name, card in seen.items() if card is not None},
        },
        sys.stdout,
    )


if __name__ == "__main__":
    main()
