"""Lay out what Sphinx makes the documentation of: `site_pages.py FOLDER`.

The pages of docs/ keep their places; what of the project they lead to is below `project/`. Pages
that are made of something else (the XML of the protocols, the parsers of the commands, the faces,
the files of machines) are made here, so that nothing is written twice.
"""

from __future__ import annotations

import os
import re
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

from command_pages import command_pages
from face_pages import face_pages
from machine_pages import machine_drawings, machine_pages
from plan_drawings import STYLE, STYLE_FILE, with_plans
from protocol_pages import protocol_pages

ROOT = Path(__file__).parents[2]
DOCS = PurePosixPath("docs")
# Pages that are not in docs/ and are part of the documentation all the same.
BESIDE = ("README.md", "CHANGELOG.md", "CONTRIBUTING.md", "SECURITY.md")
WITHIN = ("protocol/wire/xml/README.md", "kernel/patches/README.md")
AS_THEY_ARE = "as-they-are"  # below it is what Sphinx copies and does not read (conf.py)
STATIC = "static"  # what the theme finds beside its own files (conf.py)
_LINK = re.compile(r"(?P<words>\[[^][]*\])\((?P<target>[^)\s#]+)(?P<anchor>#[^)\s]*)?\)")


def main(folder: Path) -> None:
    """Lay out everything in a folder, which is emptied first."""
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(ROOT / DOCS, folder, ignore=shutil.ignore_patterns("site", "*.md"))
    for page in written_pages():
        text = (ROOT / page).read_text("utf-8")
        _write(folder / place_of(page), with_plans(with_links(text, page)))
    for name, text in made_pages():
        _write(folder / name, text)
    for name, text in machine_drawings():
        _write(folder / AS_THEY_ARE / name, text)
    _write(folder / STATIC / STYLE_FILE, STYLE)


def written_pages() -> list[PurePosixPath]:
    """All pages that people write, from the project's root."""
    inner = sorted((ROOT / DOCS).rglob("*.md"))
    found = [PurePosixPath(page.relative_to(ROOT)) for page in inner]
    return [*found, *map(PurePosixPath, (*BESIDE, *WITHIN))]


def made_pages() -> Iterator[tuple[str, str]]:
    """All others: where they are, and their text."""
    yield from protocol_pages()
    yield from command_pages()
    yield from face_pages()
    yield from machine_pages()


def place_of(path: PurePosixPath) -> PurePosixPath:
    """Where a file of the project is in the documentation."""
    if path.is_relative_to(DOCS):
        return path.relative_to(DOCS)
    if path.suffix == ".xml":
        return PurePosixPath("protocols", f"{path.stem}.md")
    return PurePosixPath("project", path)


def with_links(text: str, page: PurePosixPath) -> str:
    """A page's text with links as they are in the documentation.

    What is not part of it (a test, a folder) keeps its words, and leads nowhere.
    """

    def link(found: re.Match[str]) -> str:
        target = found["target"]
        if "://" in target or target.startswith("mailto:"):
            return found[0]
        path = PurePosixPath(os.path.normpath(page.parent / target))
        known = (
            path.is_relative_to(DOCS) or path.suffix == ".xml" or str(path) in {*BESIDE, *WITHIN}
        )
        if not known or not (ROOT / path).is_file():
            return found["words"][1:-1]
        here = place_of(page).parent
        there = os.path.relpath(place_of(path), here)
        return f"{found['words']}({there}{found['anchor'] or ''})"

    return _LINK.sub(link, text)


def _write(file: Path, text: str) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text, "utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
