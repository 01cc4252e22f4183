"""What several commands read from their command line."""

from __future__ import annotations

import argparse
import math
import os
from pathlib import Path
from typing import TYPE_CHECKING

from heapwire.cli.terminal import OutputFile, did_you_mean, warn
from heapwire.client_lib.wayland import DEFAULT_TIMEOUT
from heapwire.kernel.description import Platform, parse_usage
from heapwire.protocol import FileError, InputError
from heapwire.protocol.values import FORMATS, ROWLESS, Extent, Usage, parse_fourcc

if TYPE_CHECKING:  # most commands have no policy
    from heapwire.compositor_plugin import Policy

DEFAULT_PLATFORM = "raspberry-pi-4"  # what is simulated when nothing else is asked for
MOST_SECONDS = 86_400  # a day: whoever waits longer waits for ever
LOCAL = "local"  # the name of the machine that this runs on


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
            file = Path(__file__).with_name("schemas") / f"{command}.json"
            print(file.read_text("utf-8"), end="")
            parser.exit()

    parser.add_argument(
        "--schema", action=Schema, nargs=0, help="print the JSON schema of that, and end"
    )


def add_timeout(parser: argparse.ArgumentParser) -> None:
    """`--timeout SECONDS`."""
    parser.add_argument(
        "--timeout",
        metavar="SECONDS",
        type=seconds,
        default=os.environ.get("HEAPWIRE_TIMEOUT", DEFAULT_TIMEOUT),
        help="how long the compositor may take for an answer "
        f"(default: {DEFAULT_TIMEOUT:g}); $HEAPWIRE_TIMEOUT is read too",
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
        raise argparse.ArgumentTypeError(str(error)) from None


def output_file(text: str) -> OutputFile:
    """A file that can be written."""
    try:
        return OutputFile(text)
    except FileError as error:
        raise argparse.ArgumentTypeError(str(error)) from None


def positive(text: str) -> int:
    """A whole number above 0."""
    if text.isdecimal() and int(text) > 0:
        return int(text)
    raise argparse.ArgumentTypeError(f"{text!r} is not a whole number above 0")


def seconds(text: str) -> float:
    """A time above 0, of a day at most."""
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if 0 < value <= MOST_SECONDS:
        return value
    raise argparse.ArgumentTypeError(
        f"{text!r} is not a number of seconds above 0 and up to {MOST_SECONDS}"
    )
