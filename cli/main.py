"""The `heapwire` command: reads its arguments, runs one room, prints what it returns."""

from __future__ import annotations

import argparse
import importlib
import logging
import os
import signal
import sys
from collections.abc import Sequence
from types import ModuleType

from heapwire.cli.output import complain
from heapwire.cli.status import FAILED, status_of
from heapwire.protocol import HeapwireError, UsageError

COMMANDS = (
    "demo",
    "play",
    "compositor",
    "list",
    "feedback",
    "explain",
    "replay",
    "weston",
    "embed",
)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; the exit status is 0 done, 1 failed, 2 usage, 3 no compositor."""
    options = parser().parse_args(arguments)
    logging.basicConfig(
        level=logging.DEBUG if options.verbose else logging.WARNING,
        format="heapwire: %(name)s: %(message)s",
    )
    try:
        status: int = options.run(options)
        sys.stdout.flush()
    except UsageError:
        raise  # a bug of the command's own: whoever mends it needs the traceback
    except HeapwireError as error:
        complain(str(error))
        return status_of(error)
    except KeyboardInterrupt:
        return 128 + signal.SIGINT
    except BrokenPipeError:
        # Whoever read the output has seen enough; keep the interpreter from flushing again.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return FAILED
    return status


def parser() -> argparse.ArgumentParser:
    """The parser of the whole command line."""
    top = argparse.ArgumentParser(
        prog="heapwire",
        description="Negotiate where video buffers are allocated, and see why.",
        epilog="Exit status: 0 done, 1 no source satisfies everyone or something failed, "
        "2 usage, 3 no compositor or one without the protocol.",
    )
    top.add_argument("--verbose", action="store_true", help="log what is done")
    _add_completion(top)
    commands = top.add_subparsers(title="commands", metavar="COMMAND", required=True)
    for name in COMMANDS:
        command = _command(name)
        summary = (command.__doc__ or "").partition("\n")[0]
        sub = commands.add_parser(name, help=summary, description=summary)
        command.add_arguments(sub)
        sub.set_defaults(run=command.run)
    return top


def _command(name: str) -> ModuleType:
    return importlib.import_module(f"heapwire.cli.{name}")


def _add_completion(top: argparse.ArgumentParser) -> None:
    """`--print-completion SHELL`, where shtab is installed."""
    try:
        import shtab
    except ImportError:
        return
    shtab.add_argument_to(top, "--print-completion")


if __name__ == "__main__":
    sys.exit(main())
