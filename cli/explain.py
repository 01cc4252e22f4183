"""Explain which memory a platform's devices agree on, or what stands in the way."""

from __future__ import annotations

import argparse
from collections.abc import Iterable
from dataclasses import replace

from heapwire.cli.arguments import (
    add_json,
    add_participants,
    add_platform,
    extent,
    fourcc,
    load_platform,
    output_file,
    positive,
)
from heapwire.cli.pages import explain_page
from heapwire.cli.terminal import DONE, FAILED, Written, complain, documents, show
from heapwire.kernel.description import Platform
from heapwire.protocol import InputError
from heapwire.protocol.explain import (
    Document,
    capture_document,
    explain_document,
    render_explain,
    requirement_lines,
    requirements_document,
    solve,
)
from heapwire.protocol.values import (
    LINEAR,
    Answer,
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


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Arguments of `heapwire explain`."""
    add_platform(parser)
    add_participants(
        parser, such_as="codec:decode", default="the platform's decoder, display and GPU"
    )
    parser.add_argument(
        "--format", metavar="FOURCC", type=fourcc, help="the pixel format, such as NV12"
    )
    parser.add_argument(
        "--size",
        metavar="WxH",
        type=extent,
        default=Extent(1920, 1080),
        help="(default: %(default)s)",
    )
    parser.add_argument(
        "--shown-as",
        metavar="WxH",
        type=extent,
        help="the size on the screen: planes that do not scale that far are left out",
    )
    parser.add_argument("--buffers", metavar="N", type=positive, default=4, help="buffers in all")
    parser.add_argument("--protected", action="store_true", help="the content is protected")
    parser.add_argument(
        "--html", metavar="FILE", type=output_file, help="write a page with a picture"
    )
    parser.add_argument(
        "--capture",
        metavar="FILE",
        type=output_file,
        help="write the problem for `heapwire replay`",
    )
    add_json(parser)


def run(options: argparse.Namespace) -> int:
    """Solve and explain."""
    platform = load_platform(options.platform)
    members = [platform.participant(device, usage) for device, usage in options.participant]
    members = members or default_participants(platform)
    if not members:
        raise InputError(
            f"{platform.name} has no decoder, camera, display or GPU: "
            "name a platform with --platform, or its devices with --participant"
        )
    problem = problem_of(
        platform,
        members,
        fourcc=options.format,
        size=options.size,
        shown_as=options.shown_as,
        buffers=options.buffers,
        content=Content(protected=options.protected),
    )
    answer = solve(problem)
    if not answer.plans and (options.protected or _lacks_formats_only(problem, answer)):
        alone = scanned_out_or_black(problem)
        other = solve(alone)
        if other.plans:  # else the first question has the better reasons
            problem, answer = alone, other
    written = Written()
    if options.capture is not None:
        with written.each():
            options.capture.write_json(capture_document([(problem, answer)]))
    if options.html is not None:
        with written.each():
            options.html.write_text(explain_page(platform, problem, answer))
    document = explain_document(problem, answer)
    show(
        {**document, "requirements": requirements_document(problem)}, _render, as_json=options.json
    )
    written.check(complain)
    return DONE if answer.plans else FAILED


def _render(document: Document) -> str:
    needs = requirement_lines(documents(document["requirements"]))
    asked = ["requirements", *(f"    {need}" for need in needs)] if needs else []
    return "\n".join((render_explain(document), *asked))


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
        clients.append(_requested(fourcc, everyone))
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
        counts=_counts(buffers),
    )


def scanned_out_or_black(problem: Problem) -> Problem:
    """The same for what no GPU need sample: where it is composited, it is black.

    So a compositor shows protected pictures whose memory its GPU cannot read, and a player
    can show a format that the GPU does not know, for as long as it is scanned out.
    """
    goals = tuple(
        Goal.scanned_out_or_black(
            goal.name,
            tuple(member for member in goal.participants if member.usage != Usage.SAMPLING),
        )
        for goal in problem.goals
        if goal.scanout
    )
    return replace(problem, goals=goals or problem.goals)


def _lacks_formats_only(problem: Problem, answer: Answer) -> bool:
    """Whether what stands in the way is that who samples does not know the format."""
    samplers = {
        member.name
        for goal in problem.goals
        for member in goal.participants
        if member.usage == Usage.SAMPLING
    }
    return any(
        member.participant in samplers and member.constraint is None for member in answer.conflict
    )


def _counts(buffers: int) -> BufferCount:
    """So many buffers as the player has them: two held, one in flight, the rest the producer's."""
    hold = min(2, buffers - 1)
    queue = min(1, buffers - 1 - hold)
    return BufferCount(minimum=buffers - hold - queue, queue=queue, hold=hold)


def default_participants(platform: Platform) -> list[Participant]:
    """The platform's first decoder, its displays' scanout and its first GPU's sampling."""
    chosen: list[Participant] = []
    for usage in (Usage.DECODE, Usage.CAMERA, Usage.SCANOUT, Usage.SAMPLING):
        able = [device for device in platform.devices if usage in device.sets]
        if usage is Usage.CAMERA and chosen:
            continue  # a decoder is there already
        chosen += [platform.participant(device.name, usage) for device in able[:1]]
    return chosen


def _requested(fourcc: int, everyone: list[Participant]) -> Participant:
    """Someone who insists on a fourcc, in any modifier that anybody knows for it."""
    offered = {
        pair
        for member in everyone
        for constraint_set in member.sets
        for pair in constraint_set.formats
        if pair.fourcc == fourcc
    }
    pairs = tuple(sorted(offered)) or (FormatModifier(fourcc, LINEAR),)
    return Participant(name=REQUEST, usage=Usage(0), sets=(ConstraintSet(formats=pairs),))
