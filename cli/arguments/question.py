"""The question that several commands ask, of a platform's devices or of a compositor."""

from __future__ import annotations

import argparse
from collections.abc import Iterable

from heapwire.cli.arguments.options import (
    add_participants,
    add_platform,
    extent,
    fourcc,
    whole_number,
)
from heapwire.kernel.description import Platform
from heapwire.protocol import InputError
from heapwire.protocol.values import (
    LINEAR,
    MAX_BUFFER_COUNT,
    BufferCount,
    ConstraintSet,
    Content,
    Extent,
    Extents,
    FormatModifier,
    Goal,
    Participant,
    Problem,
    Usage,
)

REQUEST = "the request"  # the participant that stands for --format
MOST_ASKED = (1 << 31) - 1
"""Buffers that can be asked about; an answer says how many there can be."""
_HELD = 2  # buffers that a compositor is said to hold
MOST_NEGOTIATED = MAX_BUFFER_COUNT + _HELD
"""Buffers of which a compositor can be told."""


def add_question(
    parser: argparse.ArgumentParser, *, such_as: str, default: str, most_buffers: int
) -> None:
    """`--platform`, `--participant`, `--format`, `--size`, `--buffers` and `--protected`."""
    add_platform(parser)
    add_participants(parser, such_as=such_as, default=default)
    parser.add_argument(
        "--format",
        metavar="FOURCC",
        type=fourcc,
        help="the pixel format, such as NV12 (default: any that all can use)",
    )
    parser.add_argument(
        "--size",
        metavar="WxH",
        type=extent,
        default=Extent(1920, 1080),
        help="of the picture in pixels (default: %(default)s)",
    )
    parser.add_argument(
        "--buffers",
        metavar="N",
        type=whole_number(most_buffers),
        default=4,
        help="buffers in all (default: %(default)s)",
    )
    parser.add_argument("--protected", action="store_true", help="the content is protected")


def asked_problem(
    options: argparse.Namespace,
    platform: Platform,
    *,
    shown_as: Extent | None = None,
    rotation: int = 0,
) -> Problem:
    """The problem of the arguments of `add_question`; `InputError` if nobody takes part."""
    members = [platform.participant(device, usage) for device, usage in options.participant]
    members = members or default_participants(platform)
    if not members:
        raise nobody_takes_part(platform, "decoder, camera, display or GPU")
    return problem_of(
        platform,
        members,
        fourcc=options.format,
        size=options.size,
        shown_as=shown_as,
        buffers=options.buffers,
        content=Content(protected=options.protected, rotation=rotation),
    )


def problem_of(
    platform: Platform,
    members: Iterable[Participant],
    *,
    fourcc: int | None,
    size: Extent,
    shown_as: Extent | None = None,
    buffers: int,
    content: Content,
) -> Problem:
    """The problem that a compositor would solve for these participants.

    Whoever scans out is needed for scanout only; whoever samples for both
    goals, because a compositor must be able to fall back. `size` is in pixels, and
    `shown_as` what it is scaled to on the screen, where that is asked for.
    """
    everyone = list(members)
    displays = tuple(member for member in everyone if member.usage & Usage.SCANOUT)
    samplers = tuple(member for member in everyone if member.usage == Usage.SAMPLING)
    clients = [member for member in everyone if member not in displays + samplers]
    if fourcc is not None:
        clients.append(requested(fourcc, everyone, Usage(0)))
    goals = []
    if displays:
        goals.append(Goal(name="scanout", participants=displays + samplers, scanout=True))
    if samplers or not displays:
        goals.append(Goal(name="sampling", participants=samplers))
    return platform.problem(
        participants=clients,
        goals=goals,
        extents=Extents(coded=size, shown=shown_as),
        content=content,
        counts=buffer_counts(buffers),
    )


def buffer_counts(buffers: int) -> BufferCount:
    """So many buffers as the player has them: two held, one in flight, the rest the producer's."""
    hold = min(_HELD, buffers - 1)
    queue = min(1, buffers - 1 - hold)
    return BufferCount(minimum=buffers - hold - queue, queue=queue, hold=hold)


def nobody_takes_part(platform: Platform, sought: str) -> InputError:
    """What to say of a platform that has nobody to ask for; `sought` are the devices, in words.

    A device may be there, and be for nothing that others could share in.
    """
    idle = [one for one in platform.devices if not one.sets]
    what = f"{sought} that could take part" if idle else sought
    why = [note for one in idle for note in platform.notes_on(one.name)]
    return InputError(
        "\n".join(
            [
                f"{platform.name} has no {what}: "
                "name a platform with --platform, or its devices with --participant",
                *why,
            ]
        )
    )


def default_participants(platform: Platform) -> list[Participant]:
    """The platform's first decoder, its displays' scanout and its first GPU's sampling."""
    chosen: list[Participant] = []
    for usage in (Usage.DECODE, Usage.CAMERA, Usage.SCANOUT, Usage.SAMPLING):
        able = [device for device in platform.devices if usage in device.sets]
        if usage is Usage.CAMERA and chosen:
            continue  # a decoder is there already
        chosen += [platform.participant(device.name, usage) for device in able[:1]]
    return chosen


def requested(fourcc: int, everyone: Iterable[Participant], usage: Usage) -> Participant:
    """Someone who insists on a fourcc, in any modifier that anybody knows for it.

    A compositor wants to know a use, which has to be one that demands nothing by itself.
    """
    offered = {
        pair
        for member in everyone
        for constraint_set in member.sets
        for pair in constraint_set.formats
        if pair.fourcc == fourcc
    }
    pairs = tuple(sorted(offered)) or (FormatModifier(fourcc, LINEAR),)
    return Participant(name=REQUEST, usage=usage, sets=(ConstraintSet(formats=pairs),))
