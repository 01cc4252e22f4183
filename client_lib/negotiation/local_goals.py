"""The ways to show a buffer, from linux-dmabuf's feedback and what is known of this machine.

A tranche for scanout is a goal if its device is a display of the platform's:
the display's own constraints then say which memory it takes, which linux-dmabuf
cannot say. The device that samples takes part in each goal, since a compositor
falls back to it at any time. Where nothing is known of the display, there is
only the last goal, to be sampled, and the client's devices choose the memory.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from heapwire.client_lib.wayland import DmabufFeedback, DmabufTranche
from heapwire.kernel.description import Platform
from heapwire.kernel.discovery import card_of_connector, same_device
from heapwire.protocol.values import (
    INVALID,
    LINEAR,
    ConstraintSet,
    DeviceId,
    FormatModifier,
    Goal,
    Participant,
    Usage,
)
from heapwire.protocol.wire import DmabufVersion

IMPORTING = "linux-dmabuf"  # the participant that stands for what can be imported


def local_goals(
    feedback: DmabufFeedback, platform: Platform, covered: Iterable[str] = ()
) -> tuple[Goal, ...]:
    """The goals, best first; the last ones are always to be sampled.

    `covered` are the outputs that the surface fills. Before version 4
    linux-dmabuf tells of no device: the displays that drive these outputs then
    stand in for a tranche.
    """
    sampled = feedback.sampled
    numbers = [feedback.main_device, *(tranche.device for tranche in sampled)]
    renderers = (_participant(platform, number, Usage.SAMPLING) for number in numbers)
    renderer = next((renderer for renderer in renderers if renderer is not None), None)
    sampling = () if renderer is None else (renderer,)
    goals: list[Goal] = []
    for displays, tranche in _scanouts(feedback, platform, tuple(covered)):
        goals.append(
            Goal(
                name=f"scanout {len(goals) + 1}" if goals else "scanout",
                participants=(*displays, *sampling, _importing([tranche])),
                scanout=True,
            )
        )
    if feedback.version < DmabufVersion.SAMPLING:
        goals.append(Goal(name="sampling", participants=(*sampling, _importing(sampled))))
        return tuple(goals)
    # Each device that samples says by itself what it can import, the best first.
    for number, tranche in enumerate(sampled, 1):
        sampler = _participant(platform, tranche.device, Usage.SAMPLING)
        goals.append(
            Goal(
                name=f"sampling {number}" if number > 1 else "sampling",
                participants=(*(() if sampler is None else (sampler,)), _importing([tranche])),
            )
        )
    return tuple(goals)


def _scanouts(
    feedback: DmabufFeedback, platform: Platform, covered: tuple[str, ...]
) -> Iterator[tuple[tuple[Participant, ...], DmabufTranche]]:
    """The displays that could scan a buffer out, and what can be imported for them."""
    if feedback.version < DmabufVersion.FEEDBACK:
        numbers = [_display_of(platform, name) for name in covered]
        # Two outputs may hang on one display: it takes part once.
        displays = [
            _participant(platform, number, Usage.SCANOUT) for number in dict.fromkeys(numbers)
        ]
        described = tuple(display for display in displays if display is not None)
        # A buffer that one of the outputs may refuse is not for scanout.
        if described and len(described) == len(displays):
            yield described, feedback.tranches[0]
        return
    for tranche in feedback.tranches:
        display = _participant(platform, tranche.device, Usage.SCANOUT)
        if tranche.scanout and display is not None:
            yield (display,), tranche


def _display_of(platform: Platform, output: str) -> DeviceId | None:
    """The display that drives an output; a simulated platform has one for all."""
    if platform.simulated:
        return platform.first_display
    displays = (device.id for device in platform.devices if Usage.SCANOUT in device.sets)
    return card_of_connector(output, frozenset(number for number in displays if number is not None))


def _participant(platform: Platform, number: DeviceId | None, usage: Usage) -> Participant | None:
    """The platform's device behind a node, put to a use; None if the platform has none.

    A compositor may name any node of a device, so on a real machine two numbers
    are also the same device if their nodes belong to one device on the bus.
    """
    if number is None:
        return None
    able = [device for device in platform.devices if usage in device.sets and device.id is not None]
    for device in able:
        if device.id == number:
            return platform.participant(device.name, usage)
    for device in able:
        if not platform.simulated and device.id and same_device(device.id, number):
            return platform.participant(device.name, usage)
    return None


def _importing(tranches: Iterable[DmabufTranche]) -> Participant:
    """What stands for the import of a buffer.

    A pair without a modifier means that the driver lays buffers out as it likes;
    what has rows is then imported as linear (see `LinuxDmabuf`).
    """
    pairs = {pair for tranche in tranches for pair in tranche.formats}
    pairs |= {FormatModifier(pair.fourcc, LINEAR) for pair in pairs if pair.modifier == INVALID}
    return Participant(
        name=IMPORTING,
        usage=Usage.SAMPLING,
        sets=(ConstraintSet(formats=tuple(sorted(pairs))),),
    )
