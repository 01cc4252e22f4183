"""Show the documentation that is installed: which pages there are, or one as it was written."""

from __future__ import annotations

import argparse
import re
from collections.abc import Iterator
from importlib import resources
from importlib.resources.abc import Traversable

from heapwire.cli.arguments import add_json
from heapwire.cli.terminal import DONE, SCHEMA_VERSION, did_you_mean, documents, say, show, slip
from heapwire.protocol.explain import Document

_PAGE = ".md"
_EXAMPLES = "examples"
_TABLE = re.compile(r"^```\{toctree\}\n.*?^```\n", re.DOTALL | re.MULTILINE)  # of the site's


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Arguments of `heapwire docs`."""
    parser.add_argument(
        "page",
        metavar="PAGE",
        nargs="?",
        help="a page to print, such as `policy` or `start/weston`, or an example, such as "
        "`examples/player.c` (default: name them all)",
    )
    add_json(parser)


def run(options: argparse.Namespace) -> int:
    """Print a page, or what there is."""
    folder = resources.files("heapwire.docs")
    files = dict(_files(folder))
    if options.page is None:
        document: Document = {
            "schema_version": SCHEMA_VERSION,
            "pages": [{"name": name, "title": _title(file)} for name, file in files.items()],
        }
        show(document, _render, as_json=options.json)
        return DONE
    if options.page not in files:
        raise slip(options, f"there is no page {options.page!r}{did_you_mean(options.page, files)}")
    file = files[options.page]
    text = file.read_text("utf-8")
    say(_TABLE.sub("", text) if file.name.endswith(_PAGE) else text, end="")
    return DONE


def page_names() -> tuple[str, ...]:
    """The pages and examples that there are."""
    return tuple(name for name, _ in _files(resources.files("heapwire.docs")))


def _files(folder: Traversable, within: str = "") -> Iterator[tuple[str, Traversable]]:
    """What can be shown, by name: pages, those of folders after those beside them, and examples."""
    found = sorted(folder.iterdir(), key=lambda one: (one.is_dir(), one.name))
    for one in found:
        if one.is_dir():
            yield from _files(one, f"{within}{one.name}/")
        elif one.name.endswith(_PAGE) or within == f"{_EXAMPLES}/":
            yield within + one.name.removesuffix(_PAGE), one


def _title(file: Traversable) -> str | None:
    """The heading that a page begins with; examples have none."""
    first = file.read_text("utf-8").partition("\n")[0]
    return first.removeprefix("# ") if file.name.endswith(_PAGE) else None


def _render(document: Document) -> str:
    pages = documents(document["pages"])
    width = max(len(str(page["name"])) for page in pages)
    return "\n".join(f"{page['name']:{width}}  {page['title'] or ''}".rstrip() for page in pages)
