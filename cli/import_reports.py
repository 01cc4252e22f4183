"""Make a platform file of what drm_info and v4l2-ctl say of a machine."""

from __future__ import annotations

import argparse
from pathlib import Path

from heapwire.cli.arguments import output_file
from heapwire.cli.terminal import DONE, say, slip
from heapwire.kernel.discovery.reports import reported_machine, toml_text


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Arguments of `heapwire import`."""
    parser.add_argument(
        "file",
        metavar="FILE",
        nargs="+",
        help="the output of `drm_info -j`, of `v4l2-ctl -d /dev/videoN --info --list-formats-ext "
        "--list-formats-out-ext`, several of one machine, or of `heapwire list --json` alone",
    )
    parser.add_argument(
        "-o",
        "--output",
        metavar="FILE",
        type=output_file,
        help="the platform file to write (default: print it)",
    )
    parser.add_argument("--name", help="what to call the platform (default: as the first file)")


def run(options: argparse.Namespace) -> int:
    """Read the reports and write the file."""
    files: list[str] = options.file
    name = options.name or Path(files[0]).stem
    if not name or "/" in name:
        raise slip(options, f"{name!r} is no name of a platform: give one with --name")
    text = toml_text(reported_machine(files, name=name), (f"From {', '.join(map(repr, files))}.",))
    if options.output is None:
        say(text, end="")
    else:
        options.output.write_text(text)
    return DONE
