"""Show what a compositor offers: its memory, formats, devices and constraints.

That is linux-dmabuf's feedback with what is added to it: the default one, or a surface's.
"""

from __future__ import annotations

import argparse

from heapwire.cli.arguments import add_json, add_schema, add_timeout
from heapwire.cli.pages import feedback_document, memory_lines, surface_to_ask
from heapwire.cli.terminal import DONE, show
from heapwire.client_lib.wayland import Connection


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Arguments of `heapwire feedback`."""
    parser.add_argument(
        "--surface", action="store_true", help="for a window, and not for any surface"
    )
    parser.add_argument(
        "--fullscreen", action="store_true", help="for a window that fills the screen"
    )
    add_timeout(parser)
    add_json(parser)
    add_schema(parser, "feedback")


def run(options: argparse.Namespace) -> int:
    """Ask the compositor of `$WAYLAND_DISPLAY`."""
    timeout: float = options.timeout
    with Connection() as connection:
        if not options.surface and not options.fullscreen:
            document = feedback_document(connection, timeout)
        else:
            with surface_to_ask(connection, fullscreen=options.fullscreen, timeout=timeout) as (
                surface,
                _,
            ):
                document = feedback_document(connection, timeout, surface)
    show(document, lambda told: "\n".join(memory_lines(told)), as_json=options.json)
    return DONE
