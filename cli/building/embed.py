"""Build the library that puts heapwire into a compositor written in C."""

from __future__ import annotations

import argparse

from heapwire.cli.building.library_folder import add_build, build_into, linked
from heapwire.cli.terminal import ArgumentParser
from heapwire.compositor_plugin.hosts.embed import build_library


def add_arguments(parser: ArgumentParser) -> None:
    """Arguments of `heapwire embed`."""
    add_build(
        parser, "Compile libheapwire.so for this Python, with its header and its pkg-config file."
    )


def run(options: argparse.Namespace) -> int:
    """Build the library, and say how to link it."""
    return build_into(options, build_library, linked("heapwire"))
