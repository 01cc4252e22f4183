"""A page for each command: what the manual pages say, which is what --help says."""

from __future__ import annotations

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
    lines = [f"# {page.name}\n", f"{plain(page.description)}\n", f"    {page.usage}\n"]
    for section in page.sections:
        lines += [f"## {section.heading.capitalize()}\n", *_terms(section.terms), ""]
    others = ", ".join(f"[{one}]({one}.md)" for one in page.others)
    return "\n".join([*lines, f"See also {others}.\n"])


def _terms(terms: Iterable[Term], indent: str = "") -> Iterator[str]:
    for term in terms:
        yield f"{indent}- `{term.word}`: {plain(' '.join(term.text.split()))}".rstrip(": ")
        if term.usage:
            yield f"{indent}  - `{term.usage}`"
            yield from _terms(term.inner, f"{indent}  ")
