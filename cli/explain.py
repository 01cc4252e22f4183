"""Explain which memory a platform's devices agree on, or what stands in the way."""

from __future__ import annotations

import argparse
from functools import partial

from heapwire.cli.arguments import (
    MOST_ASKED,
    add_json,
    add_question,
    add_schema,
    asked_problem,
    extent,
    load_platform,
    output_file,
)
from heapwire.cli.pages import explain_dot, explain_page
from heapwire.cli.terminal import DONE, FAILED, Written, complain, documents, show
from heapwire.protocol.explain import (
    Document,
    capture_document,
    explain_document,
    format_lines,
    formats_document,
    render_explain,
    requirement_lines,
    requirements_document,
    solve,
)
from heapwire.protocol.late_dataclasses import replace
from heapwire.protocol.values import (
    Answer,
    Goal,
    Problem,
    Usage,
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Arguments of `heapwire explain`."""
    add_question(
        parser,
        such_as="codec:decode",
        default="the platform's decoder, display and GPU",
        most_buffers=MOST_ASKED,
    )
    parser.add_argument(
        "--shown-as",
        metavar="WxH",
        type=extent,
        help="the size on the screen: planes that do not scale that far are left out",
    )
    parser.add_argument(
        "--rotation",
        metavar="DEGREES",
        choices=("0", "90", "180", "270"),
        default="0",
        help="how far the picture is turned, counter-clockwise: 0 (default), 90, 180 or 270",
    )
    parser.add_argument(
        "--html", metavar="FILE", type=output_file, help="write a page with a picture"
    )
    parser.add_argument(
        "--dot", metavar="FILE", type=output_file, help="write a graph for dot, of Graphviz"
    )
    parser.add_argument(
        "--capture",
        metavar="FILE",
        type=output_file,
        help="write the problem for `heapwire replay`",
    )
    add_json(parser)
    add_schema(parser, "explain")


def run(options: argparse.Namespace) -> int:
    """Solve and explain."""
    platform = load_platform(options.platform)
    rotation = int(options.rotation)
    asked = asked_problem(options, platform, shown_as=options.shown_as, rotation=rotation)
    problem, answer = explained(asked)
    written = Written()
    if options.capture is not None:
        with written.each():
            options.capture.write_json(capture_document([(problem, answer)]))
    if options.html is not None:
        with written.each():
            options.html.write_text(explain_page(platform, problem, answer))
    if options.dot is not None:
        with written.each():
            options.dot.write_text(explain_dot(platform, problem, answer))
    document = explain_document(problem, answer)
    show(
        {
            **document,
            "formats_from": formats_document(problem),
            "requirements": requirements_document(problem),
        },
        partial(_render, whole=options.verbose),
        as_json=options.json,
    )
    written.check(complain)
    return DONE if answer.plans else FAILED


def _render(document: Document, *, whole: bool) -> str:
    needs = [
        *format_lines(documents(document["formats_from"]), whole=whole),
        *requirement_lines(documents(document["requirements"]), whole=whole),
    ]
    asked = ["requirements", *(f"    {need}" for need in needs)] if needs else []
    return "\n".join((render_explain(document), *asked))


def explained(problem: Problem) -> tuple[Problem, Answer]:
    """The answer, and what it answers: where nothing composites the picture, what shows black."""
    answer = solve(problem)
    if not answer.plans and (problem.content.protected or _lacks_formats_only(problem, answer)):
        alone = scanned_out_or_black(problem)
        other = solve(alone)
        if other.plans:  # else the first question has the better reasons
            return alone, other
    return problem, answer


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
