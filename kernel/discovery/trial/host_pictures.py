"""What a host is asked to have its planes tested with, and what its answers come to."""

from __future__ import annotations

from collections.abc import Iterable
from math import lcm

from heapwire.kernel.description import Device, KmsPlane, PlaneType, Platform
from heapwire.kernel.discovery.trial.display_trial import framebuffers, kinds, room
from heapwire.kernel.discovery.trial.verdict import DeviceRecord, Verdict, refusal
from heapwire.kernel.discovery.trial_sources import trial_sources
from heapwire.kernel.drm import DrmDevice, Framebuffer, open_card
from heapwire.protocol.late_dataclasses import dataclass
from heapwire.protocol.values import (
    PERMITTED_SOURCES,
    PITCH_ALIGNMENT,
    FormatModifier,
    Source,
    Usage,
)

_BITS = (8, 16, 24, 32)  # of pixels, which pitches are rounded for
_SIMULATED = (640, 480)  # pixels of a screen that is none
_MOST_PIXELS = 1 << 24
_MOST_SOURCES = 16


@dataclass(frozen=True, slots=True)
class Picture:
    """A picture that fills a screen; it stands for those in `pairs`, which lie in memory as it."""

    framebuffer: Framebuffer
    pairs: tuple[FormatModifier, ...]

    @property
    def fourcc(self) -> int:
        """Its format."""
        return self.framebuffer.fourcc

    @property
    def modifier(self) -> int:
        """Its modifier."""
        return self.framebuffer.modifier

    @property
    def width(self) -> int:
        """Pixels of a row."""
        return self.framebuffer.width

    @property
    def height(self) -> int:
        """Rows."""
        return self.framebuffer.height

    @property
    def planes(self) -> tuple[tuple[int, int], ...]:
        """Offset and pitch in bytes of each of its planes."""
        return self.framebuffer.planes

    @property
    def size(self) -> int:
        """Bytes that it takes at the most."""
        return room(self.framebuffer)

    def verdict(self, source: str, plane: KmsPlane, error: int | None) -> Verdict | None:
        """What an answer says: 0 for taken, an errno, or None where it could not be told."""
        if error is None:
            return None
        said = refusal("TEST_ONLY", OSError(error, "")) if error else ""
        if said is None:
            return None
        return Verdict(source=source, taken=not said, pairs=self.pairs, said=said, plane=plane.name)


def triable_by(platform: Platform, device: Device) -> tuple[Source, ...]:
    """The memory that a display's planes can be tested with: what some of its sets permits."""
    sets = device.sets.get(Usage.SCANOUT, ()) if device.planes else ()
    lists = [
        [
            PERMITTED_SOURCES.of(one)
            for one in each.constraints
            if one.type == PERMITTED_SOURCES.type
        ]
        for each in sets
    ]
    return tuple(
        source
        for source in trial_sources(platform)[:_MOST_SOURCES]
        if any(all(source.id in permitted for permitted in each) for each in lists)
    )


def plane_pictures(platform: Platform, device: Device) -> tuple[tuple[KmsPlane, Picture], ...]:
    """The planes of a display that show pictures, each with one of each kind that it lists.

    They are as large as what the display shows now, which opens its node; none if it shows
    nothing. Raises `OSError`.
    """
    size = _SIMULATED if platform.simulated else _screen_size(device)
    if size is None or size[0] * size[1] > _MOST_PIXELS:
        return ()
    found = []
    for plane in device.planes:
        if plane.type is not PlaneType.CURSOR:
            pairs = [pair for each in plane.sets for pair in each.formats]
            wanted = framebuffers(pairs, dict.fromkeys(_BITS, _pitch_rule(plane)), (size, size))
            for members in kinds(wanted):
                named = tuple(FormatModifier(each.fourcc, each.modifier) for each in members)
                found.append((plane, Picture(members[0], named)))
    return tuple(found)


def _pitch_rule(plane: KmsPlane) -> int:
    rules = (
        PITCH_ALIGNMENT.of(one) or 1
        for each in plane.sets
        for one in each.constraints
        if one.type == PITCH_ALIGNMENT.type
    )
    return lcm(*rules)


def host_record(verdicts: Iterable[Verdict]) -> DeviceRecord:
    """The record of a host's answers; of a plane that takes nothing at all, nothing is known."""
    found = tuple(verdicts)
    able = {verdict.plane for verdict in found if verdict.taken}
    return DeviceRecord(verdicts=tuple(one for one in found if one.plane in able))


def _screen_size(device: Device) -> tuple[int, int] | None:
    if device.node is None:
        return None
    with open_card(device.node) as fd:
        return DrmDevice(fd).shown_size()
