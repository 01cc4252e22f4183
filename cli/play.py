"""Play a video file on the compositor, in buffers that both agreed on."""

from __future__ import annotations

import argparse
from fractions import Fraction
from pathlib import Path

from heapwire.cli.arguments import extent, load_platform, load_policy, position, whole_number
from heapwire.cli.pages import add_player, run_player
from heapwire.cli.terminal import slip
from heapwire.client_lib.player import AUTO, PATTERNS, PatternMaterial, PlayOptions
from heapwire.protocol.values import Extent

_MOST_RATE = 1000  # pictures a second: more than any display shows


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Arguments of `heapwire play`."""
    parser.add_argument(
        "file", metavar="FILE", type=Path, nargs="?", help="a video file; - for what is piped in"
    )
    parser.add_argument(
        "--picture",
        metavar="PATTERN",
        nargs="?",
        const="bars",
        choices=PATTERNS,
        help="show a test pattern instead, with a counter: bars (the default), full or steps",
    )
    parser.add_argument(
        "--size",
        metavar="WxH",
        type=extent,
        help="of the pattern in pixels (default: 1280x720)",
    )
    parser.add_argument(
        "--rate",
        metavar="N",
        type=whole_number(_MOST_RATE),
        help="pictures of the pattern a second (default: 30)",
    )
    parser.add_argument(
        "--decoder",
        metavar="DEVICE|nvdec|cpu",
        default=AUTO,
        help="a device that decodes (video10, /dev/video10), NVIDIA's, or the CPU; by "
        "default the first device that can, or else the CPU, which then copies each picture",
    )
    parser.add_argument(
        "--unpaced", action="store_true", help="show frames as fast as they are taken, drop none"
    )
    parser.add_argument(
        "--start",
        metavar="SECONDS",
        type=position,
        default=0.0,
        help="begin there",
    )
    parser.add_argument("--loop", action="store_true", help="begin again at the end")
    add_player(parser)


def run(options: argparse.Namespace) -> int:
    """Play to the end, or until interrupted."""
    return run_player(
        options,
        _material(options),
        load_policy(options.policy).apply(load_platform(options.platform)),
        PlayOptions(
            frames=options.frames,
            fullscreen=options.fullscreen,
            paced=not options.unpaced,
            formats=() if options.format is None else (options.format,),
            decoder=options.decoder,
            record=options.capture is not None,
            timeout=options.timeout,
            start=options.start,
            loop=options.loop,
            require_dmabuf=options.require_dmabuf,
        ),
    )


def _material(options: argparse.Namespace) -> str | PatternMaterial:
    """What the command line says is to be shown; raises `SlipError` unless it is one thing."""
    if options.picture is None:
        if options.file is None:
            raise slip(options, "name a video file, or --picture for a test pattern")
        if options.size is not None or options.rate is not None:
            raise slip(options, "--size and --rate are for --picture: a file has its own")
        return str(options.file)
    if options.file is not None:
        raise slip(options, f"either {options.file} or --picture can be shown, not both")
    if options.decoder != AUTO:
        raise slip(options, "--decoder is for a file: a pattern is not decoded")
    return PatternMaterial(
        options.picture,
        options.size or Extent(1280, 720),
        Fraction(options.rate or 30),
        formats=() if options.format is None else (options.format,),
    )
