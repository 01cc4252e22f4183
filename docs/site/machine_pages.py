"""A page for each shipped machine, drawn from its file: what is planned there, and why."""

from __future__ import annotations

from collections.abc import Iterator

from protocol_pages import plain

from heapwire.cli.arguments import default_participants, problem_of
from heapwire.cli.explain import explained
from heapwire.cli.pages import explain_page
from heapwire.kernel.description import Platform, shipped
from heapwire.protocol.values import (
    Answer,
    Content,
    Extent,
    Problem,
    fourcc_name,
    modifier_name,
)

SIZE = Extent(1920, 1080)
BUFFERS = 4
FOLDER = "machines"


def machine_pages() -> Iterator[tuple[str, str]]:
    """The page that has them all, and what is planned on each."""
    lines = [
        "# The machines that are shipped, from their files\n",
        f"What the first decoder or camera of each, its display and its GPU agree on for {SIZE}: "
        "the same as `heapwire explain --platform NAME`. The page of each has the picture of the "
        "buffer, who requires what, and where that is read (`--html`).\n",
        "| machine | | shown by | in |\n|---|---|---|---|",
    ]
    for name in shipped():
        platform, _, answer = _explained(name)
        link = f'<a href="{name}.html">{plain(name)}</a>'
        lines.append(f"| {link} | {plain(platform.title)} | {_plan(platform, answer)} |")
    yield f"{FOLDER}/index.md", "\n".join([*lines, ""])


def machine_drawings() -> Iterator[tuple[str, str]]:
    """The page of each as it is, and where it is beside the others."""
    for name in shipped():
        yield f"{FOLDER}/{name}.html", explain_page(*_explained(name))


def _explained(name: str) -> tuple[Platform, Problem, Answer]:
    platform = Platform.load(name)
    problem = problem_of(
        *(platform, default_participants(platform)),
        fourcc=None,
        size=SIZE,
        buffers=BUFFERS,
        content=Content(),
    )
    return platform, *explained(problem)


def _plan(platform: Platform, answer: Answer) -> str:
    """How the best plan shows the picture, and from which memory: two cells."""
    if not answer.plans:
        return "no plan |"
    best = answer.plans[0]
    names = {source.id: source.name for source in platform.sources}
    memory = ", ".join(dict.fromkeys(names[entry.source] for entry in best.layout.objects))
    layout = f"{fourcc_name(best.fourcc)} {modifier_name(best.modifier)}"
    return f"{best.goal} | {plain(layout)} from {plain(memory)}"
