"""Print or write what a machine is set up with: the udev rule, the lines for Weston."""

from __future__ import annotations

import argparse
from importlib import resources
from typing import Final

from heapwire.cli.arguments import output_file
from heapwire.cli.terminal import DONE, OutputFile, say

_FILES = {"udev": "70-heapwire.rules", "weston": "weston.ini"}
RULES: Final = f"etc/udev/rules.d/{_FILES['udev']}"
"""Where the udev rule belongs, below a machine's root."""
APPLY_RULE: Final = (
    f"heapwire setup udev | sudo tee /{RULES}",
    "sudo udevadm control --reload",
    "sudo udevadm trigger --subsystem-match=dma_heap --subsystem-match=misc",
)
"""What puts the rule there and applies it, as a user's shell takes it."""
BUILD_MODULE: Final = (
    "heapwire weston build",
    "sudo install -m 644 heapwire-weston.so /usr/local/lib/",
)
"""What builds Weston's module and puts it where the lines for Weston load it from."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Arguments of `heapwire setup`."""
    parser.add_argument(
        "part",
        metavar=f"{{{','.join(_FILES)}}}",
        choices=[*_FILES],
        help=f"the rule of udev's that lets a group use heaps (for /{RULES}), or what goes into "
        "weston.ini",
    )
    parser.add_argument(
        *("-o", "--output"),
        metavar="FILE",
        type=output_file,
        help="where to write it (default: print it)",
    )


def run(options: argparse.Namespace) -> int:
    """Print or write it."""
    output: OutputFile | None = options.output
    if output is None:
        say(setup_text(options.part), end="")
    else:
        output.write_text(setup_text(options.part))
    return DONE


def setup_text(part: str) -> str:
    """The text of a part, as it is installed."""
    file = resources.files("heapwire.cli.install").joinpath(f"files/{_FILES[part]}")
    return file.read_text("utf-8")
