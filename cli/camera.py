"""Show what a camera sees, live, in buffers that it and the compositor agreed on."""

from __future__ import annotations

import argparse

from heapwire.cli.arguments import extent, load_platform, load_policy
from heapwire.cli.pages import add_player, run_player
from heapwire.client_lib.player import CameraMaterial, PlayOptions
from heapwire.kernel.video import CaptureMemory


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Arguments of `heapwire camera`."""
    parser.add_argument(
        "device",
        metavar="DEVICE",
        nargs="?",
        help="a camera's name or node (video0, /dev/video0); by default the only one there is",
    )
    parser.add_argument(
        "--size",
        metavar="WxH",
        type=extent,
        help="ask for pictures of this size (default: what it is set to)",
    )
    parser.add_argument(
        "--buffers",
        choices=[one.value for one in CaptureMemory],
        help="go this way only: pictures in buffers that were negotiated (imported), in the "
        "camera's own (exported), or copied by the CPU (mapped); by default the first that goes",
    )
    add_player(parser)


def run(options: argparse.Namespace) -> int:
    """Show it until interrupted."""
    platform = load_policy(options.policy).apply(load_platform(options.platform))
    formats = () if options.format is None else (options.format,)
    material = CameraMaterial(
        platform,
        options.device,
        extent=options.size,
        formats=formats,
        way=None if options.buffers is None else CaptureMemory(options.buffers),
    )
    return run_player(
        options,
        material,
        platform,
        PlayOptions(
            frames=options.frames,
            fullscreen=options.fullscreen,
            formats=formats,
            record=options.capture is not None,
            timeout=options.timeout,
            require_dmabuf=options.require_dmabuf,
        ),
    )
