"""Print or install what completes these commands in a shell."""

from __future__ import annotations

import argparse
import os
import re
from pathlib import Path

from heapwire.cli.arguments import LOCAL
from heapwire.cli.command_line import whole_command_line
from heapwire.cli.install.docs import page_names
from heapwire.cli.terminal import DONE, OutputFile, complain, say
from heapwire.client_lib.compliance import cases_named
from heapwire.kernel.description import shipped
from heapwire.protocol import FileError, MachineError, words_of
from heapwire.protocol.late_dataclasses import dataclass
from heapwire.protocol.values import FORMATS

# Where a shell looks for a user's own: bash-completion's README, fish's and zsh's manuals. In zsh
# the folder has to be in $fpath.
_PLACES = {
    "bash": "bash-completion/completions/heapwire",
    "zsh": "zsh/site-functions/_heapwire",
    "fish": "fish/vendor_completions.d/heapwire.fish",
}


@dataclass(frozen=True, slots=True)
class _Offer:
    """What a shell offers for an argument: words, and paths too.

    `paths` are the commands of bash, zsh and fish that offer those, or nothing.
    """

    words: tuple[str, ...] = ()
    paths: tuple[str, str, str] = ("", "", "")

    def functions(self, name: str) -> dict[str, str]:
        """By shell, a function of that name that makes the offer; fish has it where it is used."""
        words, (bash, zsh, _) = " ".join(self.words), self.paths
        in_bash = (f'compgen -W "{words}" -- "$1"' if words else "", bash)
        in_zsh = (f"compadd -- {words}" if words else "", zsh)
        return {
            "bash": f"{name}() {{ {'; '.join(filter(None, in_bash))}; }}\n",
            "zsh": f"{name}() {{ {'; '.join(filter(None, in_zsh))}; }}\n",
            "fish": "",
        }

    def calls(self, name: str) -> dict[str, str]:
        """By shell, what makes the offer."""
        words = " ".join(self.words)
        in_fish = (f"string split ' ' '{words}'" if words else "", self.paths[2])
        return {"bash": name, "zsh": name, "fish": f"({'; '.join(filter(None, in_fish))})"}


_FILES = ('compgen -f -- "$1"', "_files", "__fish_complete_path (commandline -ct)")
_FOLDERS = ('compgen -d -- "$1"', "_files -/", "__fish_complete_directories")


def _offers() -> dict[str, _Offer]:
    """What is offered, by the words that stand for an argument in the help."""
    machines = _Offer((LOCAL, *shipped()), _FILES)
    files = _Offer(paths=_FILES)
    formats = _Offer(tuple(row.name for row in FORMATS.values()))
    return {
        "NAME|FILE": machines,
        "FIRST": machines,
        "SECOND": machines,
        "FILE": files,
        "FILE.json": files,
        "FILE.png": files,
        "BYTE|FILE": files,
        "FOLDER": _Offer(paths=_FOLDERS),
        "FOURCC": formats,
        "FOURCC[:MODIFIER]": formats,
        "DEVICE|nvdec|cpu": _Offer(("nvdec", "cpu"), _FILES),
        "CASE": _Offer(tuple(case.name for case in cases_named(["*"]))),
        "PAGE": _Offer(page_names()),
    }


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


def _complete(parser: argparse.ArgumentParser, calls: dict[str, dict[str, str]]) -> None:
    """Have a shell call what makes the offer, by the words that stand for an argument."""
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            for inner in action.choices.values():
                _complete(inner, calls)
        elif isinstance(action.metavar, str) and action.metavar in calls:
            action.complete = calls[action.metavar]  # type: ignore[attr-defined]  # shtab's way


def _function_name(stands_for: str, offer: _Offer) -> str:
    # In a name that has this word, shtab sees that directories are to be gone into.
    last = "_file" if any(offer.paths) else ""
    return f"_heapwire_{re.sub(r'[^a-z]+', '_', stands_for.lower())}{last}"


def run(options: argparse.Namespace) -> int:
    """Print it, or write it and say where."""
    try:
        import shtab
    except ImportError:
        raise MachineError(
            "shtab is missing: install heapwire with its extra, [completion]"
        ) from None
    top, _ = whole_command_line()
    names = {what: (_function_name(what, offer), offer) for what, offer in _offers().items()}
    _complete(top, {what: offer.calls(name) for what, (name, offer) in names.items()})
    functions = "".join(offer.functions(name)[options.shell] for name, offer in names.values())
    text: str = shtab.complete(top, shell=options.shell, preamble=functions)
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
