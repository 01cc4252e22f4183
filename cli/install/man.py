"""Write the manual pages, which say what --help says."""

from __future__ import annotations

import argparse
from pathlib import Path

from heapwire.cli.command_line import COMMANDS
from heapwire.cli.install.man_page import man_page
from heapwire.cli.install.manual import WHOLE, all_pages, page_name
from heapwire.cli.terminal import DONE, OutputFile, say
from heapwire.protocol import FileError, words_of


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Arguments of `heapwire man`."""
    parser.add_argument(
        "page",
        metavar="COMMAND",
        nargs="?",
        choices=[*COMMANDS],
        help="whose page to print, for `man -l -` (default: that of heapwire itself)",
    )
    parser.add_argument(
        *("-o", "--output"),
        metavar="FOLDER",
        type=Path,
        help="write all pages into a folder, such as /usr/local/share/man/man1",
    )


def run(options: argparse.Namespace) -> int:
    """Print a page, or write them all and say where."""
    pages = {page.name: man_page(page) for page in all_pages()}
    if options.output is None:
        say(pages[WHOLE if options.page is None else page_name(options.page)], end="")
        return DONE
    folder: Path = options.output
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise FileError(folder, words_of(error)) from None
    for name, text in pages.items():
        file = folder / f"{name}.1"
        OutputFile(file).write_text(text)
        say(str(file))
    return DONE
