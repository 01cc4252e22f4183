"""Build the library with which a client in C learns where to allocate."""

from __future__ import annotations

import argparse
from pathlib import Path

from heapwire.cli.arguments import add_json
from heapwire.cli.exit_status import DONE
from heapwire.cli.output import SCHEMA_VERSION, show, texts
from heapwire.client_lib.c import build_client_library
from heapwire.protocol.explain import Document


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Arguments of `heapwire client`."""
    actions = parser.add_subparsers(title="what to do", metavar="ACTION", required=True)
    summary = "Compile libheapwire-client, with its header, protocols and pkg-config file."
    build = actions.add_parser("build", help=summary, description=summary)
    build.add_argument(
        "--output",
        metavar="FOLDER",
        type=Path,
        default=Path(),
        help="where to put the files (default: here)",
    )
    add_json(build)


def run(options: argparse.Namespace) -> int:
    """Build the library, and say how to link it."""
    files = build_client_library(options.output.absolute())
    document: Document = {
        "schema_version": SCHEMA_VERSION,
        "files": [str(file) for file in files],
        "folder": str(options.output.absolute()),
    }
    show(document, render, as_json=options.json)
    return DONE


def render(document: Document) -> str:
    """What was built, and how to compile against it."""
    built = "\n".join(f"built {file}" for file in texts(document["files"]))
    question = f"PKG_CONFIG_PATH={document['folder']} pkg-config --cflags --libs heapwire-client"
    return f"{built}\nthe compiler's arguments for it: {question}"
