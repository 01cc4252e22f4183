"""Plans drawn from the shipped machines' files, where a page asks for one.

A line `<!-- plan: PLATFORM FORMAT WIDTHxHEIGHT -->`, which only the source of a page shows, becomes
the picture that `heapwire explain --html` has of the best plan.
"""

from __future__ import annotations

import re

from heapwire.cli.arguments import default_participants, problem_of
from heapwire.cli.explain import explained
from heapwire.cli.pages import DRAWING_STYLE, drawn_objects
from heapwire.cli.terminal import documents
from heapwire.kernel.description import Platform
from heapwire.protocol.explain import explain_document
from heapwire.protocol.values import Content, Extent, parse_fourcc

STYLE_FILE = "plans.css"
STYLE = (
    """.plan { --line: var(--color-background-border); --card: var(--color-background-primary);
  --mark: var(--color-brand-primary); margin: 1rem 0; }
.plan .card { border: 1px solid var(--line); border-radius: .25rem; padding: .5rem .75rem;
  margin-bottom: .5rem; }
.plan h3 { margin: 0; padding: 0; font-size: 1rem; } .plan p { margin: .25rem 0; }
"""
    + DRAWING_STYLE
)
BUFFERS = 4
_ASKED = re.compile(r"^<!-- plan: (\S+) (\S+) (\S+) -->$", re.MULTILINE)


def with_plans(text: str) -> str:
    """A page's text with the pictures of the plans that it asks for."""
    return _ASKED.sub(lambda asked: drawn_plan(asked[1], asked[2], asked[3]), text)


def drawn_plan(name: str, format_: str, size: str) -> str:
    """The best plan of a shipped machine's first devices for pictures of a format and a size."""
    platform = Platform.load(name)
    problem, answer = explained(
        problem_of(
            *(platform, default_participants(platform)),
            fourcc=parse_fourcc(format_),
            size=Extent.parse(size),
            buffers=BUFFERS,
            content=Content(),
        )
    )
    [best, *_] = documents(explain_document(problem, answer)["plans"])
    return f'<div class="plan">{drawn_objects(best)}</div>'
