"""The command line: reads the arguments, and finds the one command that they name.

Only that command is imported: what one of them needs, a video library for example, costs the
others nothing, and `--help` needs none of them. For the same reason functions here import what
not every run needs.
"""

from __future__ import annotations

import argparse
import contextlib
import importlib
import io
from collections.abc import Callable, Container, Sequence
from functools import partial
from typing import Final

from heapwire.cli.terminal import (
    FAILED,
    USAGE,
    ArgumentParser,
    SlipError,
    begin_output,
    complain,
    did_you_mean,
    fail,
    flush,
    say,
    status_of,
    warn,
)
from heapwire.protocol import HeapwireError, MachineError, UsageError

# Each is a module of its own: cli/NAME.py, which opens with the same sentence.
COMMANDS: Final = {
    "demo": "Show the whole way: a compositor, a player, and the heap that they agree on.",
    "play": "Play a video file on the compositor, in buffers that both agreed on.",
    "camera": "Show what a camera sees, live, in buffers that it and the compositor agreed on.",
    "compositor": "Run the reference compositor until it is interrupted.",
    "status": "Show who has what of a running reference compositor: memory, buffers, objects.",
    "doctor": "Say what is missing on this machine for video without a copy, and what mends it.",
    "list": "Show a machine's memory, devices and the links between them, and what a policy "
    "makes of it.",
    "feedback": "Show what a compositor offers: its memory, formats, devices and constraints.",
    "negotiate": "Ask a running compositor where buffers are to be allocated, and show its answer.",
    "explain": "Explain which memory a platform's devices agree on, or what stands in the way.",
    "allocate": "Allocate one buffer by a plan, show it, and fill or write it if asked.",
    "import": "Make a platform file of what drm_info and v4l2-ctl say of a machine.",
    "report": "Write one file that says what there is here and what failed, for whoever is to "
    "help.",
    "diff": "Compare two machines: platforms, their files, or what `list --json` printed of them.",
    "replay": "Solve captured negotiations again, and say whether the answers are still the same.",
    "check": "Check whether a compositor keeps to linux-dmabuf, and to what extends it.",
    "check-frame": "Check whether a frame that somebody allocated himself can be shown as it is.",
    "weston": "Build the module that puts heapwire into Weston.",
    "client": "Build the library with which a client in C learns where to allocate.",
    "gstreamer": "Build the element with which GStreamer shows video in negotiated buffers.",
    "embed": "Build the library that puts heapwire into a compositor written in C.",
    "protocol": "Show the protocols: where their XML is, its text, or the C that is made of it.",
    "setup": "Print or write what a machine is set up with: the udev rule, the lines for Weston.",
    "completion": "Print or install what completes these commands in a shell.",
    "man": "Write the manual pages, which say what --help says.",
    "docs": "Show the documentation that is installed: which pages there are, or one as it was "
    "written.",
}
# Those that are not called as their module is, or are in a room within.
_MODULES = {
    "import": "import_reports",  # a word that no module of Python's can have
    "status": "asking.status",
    "feedback": "asking.feedback",
    "check": "asking.check",
    "report": "asking.report",
    "negotiate": "asking.negotiate",
    "weston": "building.weston",
    "client": "building.client",
    "gstreamer": "building.gstreamer",
    "embed": "building.embed",
    "doctor": "install.doctor",
    "protocol": "install.protocol",
    "setup": "install.setup",
    "completion": "install.completion",
    "man": "install.man",
    "docs": "install.docs",
}


def module_of(command: str) -> str:
    """The module of `cli/` that a command is."""
    return _MODULES.get(command, command.replace("-", "_"))


class Run:
    """A command that has its arguments: what is called gives the exit status."""

    def __init__(self, command: Callable[[], int], *, as_json: bool) -> None:
        self.command = command
        self.as_json = as_json


def ready_command(arguments: Sequence[str]) -> Run:
    """Read the arguments and import the command that they name; what it gives runs the command.

    Where the arguments are wrong, or ask for nothing but help, it gives what says so. Nothing
    is begun before it is called.
    """
    as_json = "--json" in arguments
    shown = io.StringIO()
    try:
        with contextlib.redirect_stdout(shown):  # argparse looks away when writing fails
            options = _parser(arguments).parse_args(arguments)
    except SlipError as slip:
        return Run(partial(_refuse, slip, as_json=as_json), as_json=False)
    except MachineError as error:
        return Run(partial(_raise, error), as_json=as_json)
    except SystemExit as end:  # it shows its help, or what was asked for instead of a command
        text, status = shown.getvalue(), end.code if isinstance(end.code, int) else USAGE
        return Run(lambda: _say(text, status), as_json=False)
    import logging

    logging.basicConfig(level=logging.WARNING, format="heapwire: %(name)s: %(message)s")
    # What libraries have to say of themselves helps nobody here.
    logging.getLogger("heapwire").setLevel(logging.DEBUG if options.verbose else logging.NOTSET)
    run: Callable[[argparse.Namespace], int] = options.run
    return Run(lambda: run(options), as_json=getattr(options, "json", False))


def run_command(run: Run) -> int:
    """Run a command; its exit status, as in cli/terminal/exit_status.py.

    With `--json` what failed is told on standard output too, as an object, unless the command's
    own is there already. Raises `KeyboardInterrupt`, and `UsageError` for a bug of the command's
    own: whoever mends it needs the traceback.
    """
    begin_output()
    try:
        status = run.command()
        flush()
    except UsageError:
        raise
    except SlipError as slip:
        return _refuse(slip, as_json=run.as_json)
    except HeapwireError as error:
        complain(str(error))
        status = status_of(error)
        if run.as_json:
            with contextlib.suppress(HeapwireError, BrokenPipeError):  # the first fault counts
                fail(type(error).__name__, str(error), status)
        return status
    except BrokenPipeError:
        return FAILED  # whoever read the output has seen enough
    return status


def _refuse(slip: SlipError, *, as_json: bool) -> int:
    """Say what is wrong with the command line, with what may stand there."""
    warn(f"{slip.usage}{slip}")
    if as_json:
        fail("SlipError", slip.message, USAGE)
    return USAGE


def _raise(error: MachineError) -> int:
    raise error


def _say(text: str, status: int) -> int:
    say(text, end="")
    return status


def whole_command_line() -> tuple[ArgumentParser, dict[str, ArgumentParser]]:
    """The parser of the whole command line and those of all commands, each with its arguments.

    A command that cannot be imported, for want of a library, has none and says why.
    """
    return _parsers(COMMANDS, whole=True)


def _parsers(
    named: Container[str], *, whole: bool = False
) -> tuple[ArgumentParser, dict[str, ArgumentParser]]:
    """The parsers; only the commands that are named have their arguments, and are imported."""
    top = ArgumentParser(
        prog="heapwire",
        description="Negotiate where video buffers are allocated, and see why.",
        epilog="Begin with `heapwire demo`, and `heapwire doctor` on a machine of your own; "
        "`heapwire docs` has the documentation. Exit status: 0 done, 1 no source satisfies "
        "everyone or something failed, 2 usage, 3 no compositor or one without the protocol, "
        "130 Ctrl-C.",
    )
    top.add_argument("-V", "--version", action=_Version, help="say which version this is")
    _add_verbose(top, default=False)
    commands = top.add_choice(title="commands", metavar="COMMAND", dest="named")
    made: dict[str, ArgumentParser] = {}
    for name, summary in COMMANDS.items():
        command = made[name] = commands.add_parser(name, help=summary, description=summary)
        if name in named:
            try:
                module = importlib.import_module(f"heapwire.cli.{module_of(name)}")
            except ModuleNotFoundError as error:
                missing = (error.name or "").partition(".")[0]
                if missing == "heapwire":
                    raise
                if not whole:
                    raise MachineError(f"{missing} is missing: pip install {missing}") from None
                command.description = f"{summary} It needs {missing}, which was missing here."
                continue
            module.add_arguments(command)
            # Where it is not said again, what was said before the command stays.
            _add_verbose(command, default=argparse.SUPPRESS)
            command.set_defaults(run=module.run, parser=command)
    return top, made


def _parser(arguments: Sequence[str]) -> ArgumentParser:
    """The parser for these arguments; `SlipError` if they name a command that is not there."""
    named = next((one for one in arguments if one[:1] != "-" or one == "-"), None)
    top, _ = _parsers(() if named is None else (named,))
    before = arguments if named is None else arguments[: arguments.index(named)]
    for option in before:
        if not top.has_option(option):
            top.error(f"{option} is no option of heapwire itself; a command's stand after its name")
    if named is not None and named not in COMMANDS:
        option = f"--{named}"
        is_option = named.isalpha() and top.has_option(option)
        meant = f"; did you mean {option!r}?" if is_option else did_you_mean(named, COMMANDS)
        top.error(f"there is no command {named!r}{meant}")
    return top


def _add_verbose(parser: argparse.ArgumentParser, *, default: bool | str) -> None:
    parser.add_argument(
        *("-v", "--verbose"),
        action="store_true",
        default=default,
        help="log what is asked, answered, allocated and imported, and show tables whole",
    )
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            for inner in action.choices.values():
                _add_verbose(inner, default=argparse.SUPPRESS)


class _Version(argparse.Action):
    """Say the version that is installed, and no more."""

    def __init__(self, option_strings: Sequence[str], dest: str, help: str) -> None:  # noqa: A002
        super().__init__(option_strings, dest, nargs=0, help=help)

    def __call__(self, parser: argparse.ArgumentParser, *_: object) -> None:
        from heapwire.kernel.system import own_version

        print(f"heapwire {own_version()}")
        parser.exit()
