"""The command line: reads the arguments, runs one command, and says how it ended."""

from __future__ import annotations

import argparse
import contextlib
import importlib
import io
import logging
from typing import Final

from heapwire.cli.exit_status import FAILED, USAGE, status_of
from heapwire.cli.output import complain, flush, open_standard_streams, say
from heapwire.protocol import HeapwireError, UsageError

_MODULES = {"import": "import_reports"}  # a word that no module of Python's can have
# Here, and not where they are used: while this module is imported, Ctrl-C cannot be lost (main.py).
COMMANDS: Final = {
    name: importlib.import_module(f"heapwire.cli.{_MODULES.get(name, name)}")
    for name in (
        *("demo", "play", "compositor", "status", "list", "feedback", "explain", "import"),
        *("replay", "weston", "embed"),
    )
}


def run_command(arguments: list[str] | None) -> int:
    """Run the command that the arguments name; its exit status, as in cli/exit_status.py.

    Raises `KeyboardInterrupt`, and `UsageError` for a bug of the command's own: whoever
    mends it needs the traceback.
    """
    open_standard_streams()
    try:
        status = _status(arguments)
        flush()
    except UsageError:
        raise
    except HeapwireError as error:
        complain(str(error))
        return status_of(error)
    except BrokenPipeError:
        return FAILED  # whoever read the output has seen enough
    return status


def _status(arguments: list[str] | None) -> int:
    shown = io.StringIO()
    try:
        with contextlib.redirect_stdout(shown):  # argparse looks away when writing fails
            options = parser().parse_args(arguments)
    except SystemExit as end:  # it has said what is wrong, or shows its help
        say(shown.getvalue(), end="")
        return end.code if isinstance(end.code, int) else USAGE
    logging.basicConfig(
        level=logging.DEBUG if options.verbose else logging.WARNING,
        format="heapwire: %(name)s: %(message)s",
    )
    status: int = options.run(options)
    return status


def parser() -> argparse.ArgumentParser:
    """The parser of the whole command line."""
    top = argparse.ArgumentParser(
        prog="heapwire",
        description="Negotiate where video buffers are allocated, and see why.",
        epilog="Exit status: 0 done, 1 no source satisfies everyone or something failed, "
        "2 usage, 3 no compositor or one without the protocol, 130 Ctrl-C.",
    )
    top.add_argument("--verbose", action="store_true", help="log what is done")
    _add_completion(top)
    commands = top.add_subparsers(title="commands", metavar="COMMAND", required=True)
    for name, command in COMMANDS.items():
        summary = (command.__doc__ or "").partition("\n")[0]
        sub = commands.add_parser(name, help=summary, description=summary)
        command.add_arguments(sub)
        sub.set_defaults(run=command.run)
    return top


def _add_completion(top: argparse.ArgumentParser) -> None:
    """`--print-completion SHELL`, where shtab is installed."""
    try:
        import shtab
    except ImportError:
        return
    shtab.add_argument_to(top, "--print-completion")
