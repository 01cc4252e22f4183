"""Build the element with which GStreamer shows video in negotiated buffers."""

from __future__ import annotations

import argparse

from heapwire.cli.building.library_folder import add_build, build_into
from heapwire.cli.terminal import ArgumentParser
from heapwire.client_lib.gstreamer import ELEMENT, build_gstreamer_plugin


def add_arguments(parser: ArgumentParser) -> None:
    """Arguments of `heapwire gstreamer`."""
    add_build(parser, f"Compile the plugin that has the element {ELEMENT}.")


def run(options: argparse.Namespace) -> int:
    """Build the plugin, and say how to have a look at it."""
    return build_into(
        options,
        build_gstreamer_plugin,
        lambda folder: f"look at it: GST_PLUGIN_PATH={folder} gst-inspect-1.0 {ELEMENT}",
    )
