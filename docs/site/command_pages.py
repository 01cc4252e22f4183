"""A page for each command: what the manual pages say, which is what --help says."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterable, Iterator

from protocol_pages import plain

from heapwire.cli.install.manual import Page, Term, all_pages


def command_pages() -> Iterator[tuple[str, str]]:
    """The page of each command, and one that leads to them."""
    pages = all_pages()
    for page in pages:
        yield f"commands/{page.name}.md", command_page(page)
    entries = "\n".join(page.name for page in pages)
    yield (
        "commands/index.md",
        "# The commands, from their help\n\nThe same as `heapwire man` has for man(1), where "
        "`heapwire man --output /usr/local/share/man/man1` puts it.\n\n"
        f"```{{toctree}}\n{entries}\n```\n",
    )


def command_page(page: Page) -> str:
    """A page as Markdown."""
    usage = textwrap.fill(
        *(page.usage, 76),
        initial_indent="    ",
        subsequent_indent=" " * 8,
        break_on_hyphens=False,
        break_long_words=False,
    )
    lines = [f"# {page.name}\n", f"{worded(page.description)}\n", f"{usage}\n"]
    for section in page.sections:
        lines += [f"## {section.heading.capitalize()}\n", *_terms(section.terms), ""]
    others = ", ".join(f"[{one}]({one}.md)" for one in page.others)
    return "\n".join([*lines, f"See also {others}.\n"])


def worded(text: str) -> str:
    """A text of the help: what stands in ` there is code here too, and nothing else is markup."""
    parts = re.split(r"(`[^`]+`)", text)
    return "".join(part if part[:1] == "`" else plain(part) for part in parts)


def _terms(terms: Iterable[Term], indent: str = "") -> Iterator[str]:
    for term in terms:
        yield f"{indent}- `{term.word}`: {worded(' '.join(term.text.split()))}".rstrip(": ")
        if term.usage:
            yield f"{indent}  - `{term.usage}`"
            yield from _terms(term.inner, f"{indent}  ")
