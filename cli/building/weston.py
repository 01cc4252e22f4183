"""Build the module that puts heapwire into Weston."""

from __future__ import annotations

import argparse
from pathlib import Path

from heapwire.cli.arguments import add_json, whole_number
from heapwire.cli.terminal import DONE, SCHEMA_VERSION, ArgumentParser, show
from heapwire.compositor_plugin.hosts.weston import MODULE, build_module, find_libweston
from heapwire.protocol import FileError
from heapwire.protocol.explain import Document

_MOST_MAJOR = 999  # of a libweston; 16 is the newest in 2026


def add_arguments(parser: ArgumentParser) -> None:
    """Arguments of `heapwire weston`."""
    actions = parser.add_choice(title="what to do", metavar="ACTION", dest="action")
    summary = "Compile the module against the installed development package of libweston."
    build = actions.add_parser("build", help=summary, description=summary)
    build.add_argument(
        *("-o", "--output"),
        metavar="FILE",
        type=Path,
        default=Path(MODULE),
        help=f"where to put the module (default: {MODULE}, here)",
    )
    build.add_argument(
        "--libweston",
        metavar="N",
        type=whole_number(_MOST_MAJOR),
        help="the major version to build for, if several are installed (default: the newest)",
    )
    add_json(build)


def run(options: argparse.Namespace) -> int:
    """Build the module, and say how to load it."""
    output: Path = options.output.absolute()
    if output.is_dir():
        raise FileError(output, "this is a directory: name the file that the module goes to")
    libweston = find_libweston(options.libweston)
    build_module(output, libweston)
    document: Document = {
        "schema_version": SCHEMA_VERSION,
        "module": str(output),
        "libweston": libweston.version,
    }
    show(document, render, as_json=options.json)
    return DONE


def render(document: Document) -> str:
    """What was built, and the line that loads it."""
    return (
        f"built for libweston {document['libweston']}: {document['module']}\n"
        f"load it with: weston --modules={document['module']}\n"
        f"or in weston.ini, under [core]: modules={document['module']}"
    )
