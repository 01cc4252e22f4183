"""Build the library with which a client in C learns where to allocate."""

from __future__ import annotations

import argparse

from heapwire.cli.building.library_folder import add_build, build_into, linked
from heapwire.cli.terminal import ArgumentParser
from heapwire.client_lib.c import build_client_library


def add_arguments(parser: ArgumentParser) -> None:
    """Arguments of `heapwire client`."""
    add_build(parser, "Compile libheapwire-client, with its header, protocols and pkg-config file.")


def run(options: argparse.Namespace) -> int:
    """Build the library, and say how to link it."""
    return build_into(options, build_client_library, linked("heapwire-client"))
