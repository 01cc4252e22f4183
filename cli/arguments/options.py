"""The options that several commands have, and how their values are read."""

from __future__ import annotations

import argparse
import math
import os
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from heapwire.cli.terminal import OutputFile, did_you_mean, warn
from heapwire.client_lib.wayland import DEFAULT_TIMEOUT
from heapwire.kernel.description import Platform, parse_usage, usage_name
from heapwire.protocol import FileError, InputError, shown
from heapwire.protocol.values import FORMATS, ROWLESS, Extent, Usage, parse_fourcc

if TYPE_CHECKING:  # most commands have no policy
    from heapwire.compositor_plugin import Policy

DEFAULT_PLATFORM = "raspberry-pi-4"
"""What is simulated when nothing else is asked for."""
MOST_SECONDS = 86_400  # a day: whoever waits longer waits for ever
MOST_FRAMES = (1 << 31) - 1
"""A year of them at 60 a second."""
LOCAL = "local"
"""The name of the machine that this runs on."""


def add_platform(parser: argparse.ArgumentParser, *, default: str | None = None) -> None:
    """`--platform NAME|FILE`."""
    told = f" (default: {default or LOCAL})"
    parser.add_argument(
        "--platform",
        metavar="NAME|FILE",
        default=os.environ.get("HEAPWIRE_PLATFORM", default),
        help="a shipped platform, a platform file, what `list --json` printed, or `local` for "
        "this machine"
        f"{told}; $HEAPWIRE_PLATFORM is read too",
    )


def add_policy(parser: argparse.ArgumentParser) -> None:
    """`--policy FILE`."""
    parser.add_argument(
        "--policy",
        metavar="FILE",
        default=os.environ.get("HEAPWIRE_POLICY"),
        help="a policy file (`heapwire docs policy`); $HEAPWIRE_POLICY is read too",
    )


def add_participants(parser: argparse.ArgumentParser, *, such_as: str, default: str) -> None:
    """`--participant DEVICE:USAGE`, any number of times; `default` says who it is without."""
    parser.add_argument(
        "--participant",
        metavar="DEVICE:USAGE",
        type=participant,
        action="append",
        default=[],
        help=f"a device and what it does, such as {such_as}; repeat it for more "
        f"(default: {default})",
    )


def add_json(parser: argparse.ArgumentParser) -> None:
    """`--json`."""
    parser.add_argument("--json", action="store_true", help="print JSON for programs")


def add_schema(parser: argparse.ArgumentParser, command: str) -> None:
    """`--schema`, which prints the JSON schema of what `--json` prints, and no more."""

    class Schema(argparse.Action):
        """Print it and end."""

        def __call__(self, parser: argparse.ArgumentParser, *_: object) -> None:
            file = Path(__file__).parents[1] / "schemas" / f"{command}.json"
            print(file.read_text("utf-8"), end="")
            parser.exit()

    parser.add_argument(
        "--schema", action=Schema, nargs=0, help="print the JSON schema of that, and end"
    )


def add_timeout(parser: argparse.ArgumentParser, default: float = DEFAULT_TIMEOUT) -> None:
    """`--timeout SECONDS`, which a command may have longer than others by itself."""
    parser.add_argument(
        "--timeout",
        metavar="SECONDS",
        type=seconds,
        default=os.environ.get("HEAPWIRE_TIMEOUT", default),
        help="how long the compositor may take for an answer "
        f"(default: {default:g}); $HEAPWIRE_TIMEOUT is read too",
    )


def load_platform(name: str | None) -> Platform:
    """The platform of `--platform`, this machine without one; `InputError` if there is none."""
    if not is_local(name):
        return untried_platform(name)
    from heapwire.kernel.discovery import TrialStore, tried

    return tried(untried_platform(name), TrialStore.of_user())


def is_local(name: str | None) -> bool:
    """Whether `--platform` names the machine that this runs on."""
    return name is None or name == LOCAL


def untried_platform(name: str | None) -> Platform:
    """The same, without what devices say when they are asked."""
    if name is not None and not is_local(name):
        if name.endswith(".json"):
            from heapwire.kernel.discovery.reports import listed_platform

            return listed_platform(name)
        return Platform.load(name)
    from heapwire.kernel.discovery import local_platform, with_gpu_formats

    return with_gpu_formats(local_platform())


def load_policy(file: str | None) -> Policy:
    """The policy of `--policy`, one that permits anything without it."""
    from heapwire.compositor_plugin import Policy

    return Policy.load(file) if file else Policy()


def extent(text: str) -> Extent:
    """`1920x1080`."""
    try:
        return Extent.parse(text)
    except InputError as error:
        raise argparse.ArgumentTypeError(str(error)) from None


def fourcc(text: str) -> int:
    """`NV12`; a code that is no known format's is taken, and said to be none."""
    try:
        code = parse_fourcc(text)
    except InputError as error:
        raise argparse.ArgumentTypeError(f"{error}{_meant_format(text)}") from None
    if code not in FORMATS and code not in ROWLESS and not text.lower().startswith("0x"):
        warn(f"heapwire: no format is known as {text!r}: taken for its code{_meant_format(text)}")
    return code


def _meant_format(text: str) -> str:
    """The known format that is spelled nearly so, as the end of a sentence."""
    codes = (code.to_bytes(4, "little").decode("ascii").rstrip() for code in FORMATS)
    names = [*(row.name for row in FORMATS.values()), *codes]
    return did_you_mean(text.upper(), names, otherwise="")


def participant(text: str) -> tuple[str, Usage]:
    """`DEVICE:USAGE`."""
    device, _, usage = text.rpartition(":")
    if not device:
        raise argparse.ArgumentTypeError(f"{text!r} is not DEVICE:USAGE, such as codec:decode")
    try:
        return device, parse_usage(usage)
    except InputError as error:
        meant = did_you_mean(usage, map(usage_name, Usage), otherwise="")
        raise argparse.ArgumentTypeError(f"{error}{meant}") from None


def output_file(text: str) -> OutputFile:
    """A file that can be written."""
    try:
        return OutputFile(text)
    except FileError as error:
        raise argparse.ArgumentTypeError(str(error)) from None


def whole_number(most: int, *, least: int = 1) -> Callable[[str], int]:
    """What reads a whole number in these limits, and names them where it is another."""

    def read(text: str) -> int:
        number = decimal(text, most)
        if number is None or number < least:
            what = f"{shown(text)} is not a whole number from {least} to {most}"
            raise argparse.ArgumentTypeError(what)
        return number

    return read


def decimal(text: str, most: int) -> int | None:
    """The number that some decimal digits are; None for any other text, or above `most`."""
    if not text.isascii() or not text.isdecimal() or len(text.lstrip("0")) > len(str(most)):
        return None
    number = int(text[-len(str(most)) :])  # what is before are zeros, of which int() takes not any
    return number if number <= most else None


def seconds(text: str) -> float:
    """A time above 0, of a day at most."""
    value = _time(text)
    if 0 < value <= MOST_SECONDS:
        return value
    what = f"{shown(text)} is not a number of seconds above 0 and up to {MOST_SECONDS}"
    raise argparse.ArgumentTypeError(what)


def position(text: str) -> float:
    """A time from the beginning on, within a day."""
    value = _time(text)
    if 0 <= value <= MOST_SECONDS:
        return value
    what = f"{shown(text)} is not a number of seconds from 0 to {MOST_SECONDS}"
    raise argparse.ArgumentTypeError(what)


def _time(text: str) -> float:
    """The number that a text is; NaN, which is in no limits, for any other."""
    try:
        return float(text)
    except ValueError:
        return math.nan
