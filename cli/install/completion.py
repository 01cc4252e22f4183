"""Print or install what completes these commands in a shell."""

from __future__ import annotations

import argparse
import os
from pathlib import Path

from heapwire.cli.arguments import LOCAL
from heapwire.cli.command_line import whole_command_line
from heapwire.cli.terminal import DONE, OutputFile, complain, say
from heapwire.kernel.description import shipped
from heapwire.protocol import FileError, MachineError, words_of

# Where a shell looks for a user's own: bash-completion's README, fish's and zsh's manuals. In zsh
# the folder has to be in $fpath.
_PLACES = {
    "bash": "bash-completion/completions/heapwire",
    "zsh": "zsh/site-functions/_heapwire",
    "fish": "fish/vendor_completions.d/heapwire.fish",
}

_FUNCTION = "_heapwire_machines"
_MACHINES = {"platform", "first", "second"}  # arguments that name a machine


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Arguments of `heapwire completion`."""
    parser.add_argument(
        "shell", metavar=f"{{{','.join(_PLACES)}}}", choices=[*_PLACES], help="the shell"
    )
    parser.add_argument(
        "--install",
        action="store_true",
        help="write it where the shell looks for this user's, below $XDG_DATA_HOME",
    )


def _name_platforms(parser: argparse.ArgumentParser) -> dict[str, str]:
    """Have a shell offer the shipped platforms, and files, where a machine is named.

    What each shell is to be told before, with the functions that do it.
    """
    names = " ".join((LOCAL, *shipped()))
    _complete(
        parser,
        {
            "bash": _FUNCTION,
            "zsh": _FUNCTION,
            "fish": f"(string split ' ' '{names}'; __fish_complete_path (commandline -ct))",
        },
    )
    return {
        "bash": f'{_FUNCTION}() {{ compgen -W "{names}" -- "$1"; compgen -f -- "$1"; }}',
        "zsh": f"{_FUNCTION}() {{ compadd -- {names}; _files }}",
    }


def _complete(parser: argparse.ArgumentParser, offered: dict[str, str]) -> None:
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            for inner in action.choices.values():
                _complete(inner, offered)
        elif action.dest in _MACHINES:
            action.complete = offered  # type: ignore[attr-defined]  # which is shtab's way


def run(options: argparse.Namespace) -> int:
    """Print it, or write it and say where."""
    try:
        import shtab
    except ImportError:
        raise MachineError(
            "shtab is missing: install heapwire with its extra, [completion]"
        ) from None
    top, _ = whole_command_line()
    text: str = shtab.complete(
        top, shell=options.shell, preamble=_name_platforms(top).get(options.shell, "")
    )
    if not options.install:
        say(text, end="")
        return DONE
    data = os.environ.get("XDG_DATA_HOME") or os.fspath(Path("~/.local/share").expanduser())
    file = Path(data, _PLACES[options.shell])
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise FileError(file.parent, words_of(error)) from None
    OutputFile(file).write_text(text)
    say(str(file))
    if options.shell == "zsh":
        complain(f"zsh finds it with fpath+=({file.parent}) before compinit, in ~/.zshrc")
    return DONE
