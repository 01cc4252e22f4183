"""What is built into a folder: what `heapwire client`, `embed` and `gstreamer` share."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path

from heapwire.cli.arguments import add_json
from heapwire.cli.terminal import DONE, SCHEMA_VERSION, ArgumentParser, show, texts
from heapwire.protocol.explain import Document


def add_build(parser: ArgumentParser, summary: str) -> None:
    """`build --output FOLDER`; the summary says what is built."""
    actions = parser.add_choice(title="what to do", metavar="ACTION", dest="action")
    build = actions.add_parser("build", help=summary, description=summary)
    build.add_argument(
        *("-o", "--output"),
        metavar="FOLDER",
        type=Path,
        default=Path(),
        help="where to put the files (default: here)",
    )
    add_json(build)


def build_into(
    options: argparse.Namespace, build: Callable[[Path], list[Path]], use: Callable[[str], str]
) -> int:
    """Build into the folder, and say in a line how to use what is in it: `use`, of the folder."""
    folder: Path = options.output.absolute()
    files = build(folder)
    document: Document = {
        "schema_version": SCHEMA_VERSION,
        "files": [str(file) for file in files],
        "folder": str(folder),
    }

    def render(document: Document) -> str:
        built = "\n".join(f"built {file}" for file in texts(document["files"]))
        return f"{built}\n{use(str(document['folder']))}"

    show(document, render, as_json=options.json)
    return DONE


def linked(package: str) -> Callable[[str], str]:
    """How to link what pkg-config calls `package`."""

    def words(folder: str) -> str:
        question = f"PKG_CONFIG_PATH={folder} pkg-config --cflags --libs {package}"
        return f"the compiler's arguments for it: {question}"

    return words
