"""Pages of the manual in roff, for man(1)."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from heapwire.cli.install.manual import Page, Term


def man_page(page: Page) -> str:
    """A page as roff."""
    lines = [
        f'.TH {escaped(page.name.upper())} 1 "" "heapwire {page.version}" "heapwire"',
        ".SH NAME",
        f"{escaped(page.name)} \\- {escaped(page.summary)}",
        ".SH SYNOPSIS",
        escaped(page.usage),
        ".SH DESCRIPTION",
        escaped(page.description),
    ]
    for section in page.sections:
        lines += [f".SH {section.heading}", *_terms(section.terms)]
    lines += [".SH SEE ALSO", ", ".join(f"\\fB{escaped(one)}\\fR(1)" for one in page.others)]
    return "\n".join(lines) + "\n"


def escaped(text: str) -> str:
    """Text as roff prints it: no word is taken for a request, and a hyphen can be searched for."""
    plain = text.replace("\\", "\\e").replace("-", "\\-").replace("'", "\\(aq")
    return re.sub(r"^(?=\.)", r"\\&", plain, flags=re.MULTILINE)


def _terms(terms: Iterable[Term]) -> Iterator[str]:
    for term in terms:
        yield from (".TP", f"\\fB{escaped(term.word)}\\fR", escaped(term.text))
        if term.usage:
            yield from (".RS", escaped(term.usage), *_terms(term.inner), ".RE")
