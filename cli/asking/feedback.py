"""Show what a compositor offers: its memory, formats, devices and constraints.

That is linux-dmabuf's default feedback with what is added to it.
"""

from __future__ import annotations

import argparse

from heapwire.cli.arguments import add_json, add_timeout
from heapwire.cli.pages import feedback_document, memory_lines
from heapwire.cli.terminal import DONE, show
from heapwire.client_lib.wayland import Connection


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Arguments of `heapwire feedback`."""
    add_timeout(parser)
    add_json(parser)


def run(options: argparse.Namespace) -> int:
    """Ask the compositor of `$WAYLAND_DISPLAY`."""
    with Connection() as connection:
        document = feedback_document(connection, options.timeout)
    show(document, lambda told: "\n".join(memory_lines(told)), as_json=options.json)
    return DONE
