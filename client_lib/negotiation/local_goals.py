"""The ways to show a buffer, from linux-dmabuf's feedback and what is known of this machine.

A tranche for scanout is a goal if its device is a display of the platform's:
the display's own constraints then say which memory it takes, which linux-dmabuf
cannot say. The device that samples takes part in each goal, since a compositor
falls back to it at any time. Where nothing is known of the display, there is
only the last goal, to be sampled, and the client's devices choose the memory.

Where the compositor itself says of a tranche what its devices require and which memory they can
use, that counts (told_goals.py), and not what this machine knows of them.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from heapwire.client_lib.negotiation.told_goals import told_participants, with_linear
from heapwire.kernel.description import Platform
from heapwire.kernel.discovery import card_of_connector, participant_behind
from heapwire.protocol.values import (
    ConstraintSet,
    DeviceId,
    Goal,
    Participant,
    Usage,
)
from heapwire.protocol.wire import DmabufFeedback, DmabufTranche, DmabufVersion

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
    renderers = (participant_behind(platform, number, Usage.SAMPLING) for number in numbers)
    renderer = next((renderer for renderer in renderers if renderer is not None), None)
    sampling = () if renderer is None else (renderer,)
    goals: list[Goal] = []
    for showers, tranche in _scanouts(feedback, platform, tuple(covered), sampling):
        goals.append(
            Goal(
                name=f"scanout {len(goals) + 1}" if goals else "scanout",
                participants=(*showers, _importing([tranche])),
                scanout=True,
            )
        )
    told = any(told_participants(tranche) for tranche in sampled)
    if feedback.version < DmabufVersion.SAMPLING and not told:
        goals.append(Goal(name="sampling", participants=(*sampling, _importing(sampled))))
        return tuple(goals)
    # Each device that samples says by itself what it can import, the best first.
    for number, tranche in enumerate(sampled, 1):
        sampler = participant_behind(platform, tranche.device, Usage.SAMPLING)
        samplers = told_participants(tranche) or (() if sampler is None else (sampler,))
        goals.append(
            Goal(
                name=f"sampling {number}" if number > 1 else "sampling",
                participants=(*samplers, _importing([tranche])),
            )
        )
    return tuple(goals)


def _scanouts(
    feedback: DmabufFeedback,
    platform: Platform,
    covered: tuple[str, ...],
    sampling: tuple[Participant, ...],
) -> Iterator[tuple[tuple[Participant, ...], DmabufTranche]]:
    """Who takes part when a buffer is scanned out, and what can be imported for that."""
    if feedback.version < DmabufVersion.FEEDBACK:
        numbers = [_display_of(platform, name) for name in covered]
        # Two outputs may hang on one display: it takes part once.
        displays = [
            participant_behind(platform, number, Usage.SCANOUT) for number in dict.fromkeys(numbers)
        ]
        described = tuple(display for display in displays if display is not None)
        # A buffer that one of the outputs may refuse is not for scanout.
        if described and len(described) == len(displays):
            yield (*described, *sampling), feedback.tranches[0]
        return
    for tranche in feedback.tranches:
        told = told_participants(tranche)
        display = participant_behind(platform, tranche.device, Usage.SCANOUT)
        if tranche.scanout and told:
            yield told, tranche
        elif tranche.scanout and display is not None:
            yield (display, *sampling), tranche


def _display_of(platform: Platform, output: str) -> DeviceId | None:
    """The display that drives an output; a simulated platform has one for all."""
    if platform.simulated:
        return platform.first_display
    displays = (device.id for device in platform.devices if Usage.SCANOUT in device.sets)
    return card_of_connector(output, frozenset(number for number in displays if number is not None))


def _importing(tranches: Iterable[DmabufTranche]) -> Participant:
    """What stands for the import of a buffer.

    A pair without a modifier means that the driver lays buffers out as it likes;
    what has rows is then imported as linear (see `LinuxDmabuf`).
    """
    pairs = with_linear(tuple(pair for tranche in tranches for pair in tranche.formats))
    return Participant(
        name=IMPORTING,
        usage=Usage.SAMPLING,
        sets=(ConstraintSet(formats=tuple(sorted(pairs))),),
    )
