"""argparse as this command wants it: a slip is an exception, and says what was meant."""

from __future__ import annotations

import argparse
from collections.abc import Iterable, Sequence
from typing import NoReturn

from heapwire.protocol import InputError


class SlipError(InputError):
    """Arguments that are wrong: `usage` is what may stand there, `message` what is wrong.

    `str()` begins with the command whose arguments they are.
    """

    def __init__(self, program: str, usage: str, message: str) -> None:
        super().__init__(f"{program}: error: {message}")
        self.usage = usage
        self.message = message


class ArgumentParser(argparse.ArgumentParser):
    """Raises `SlipError` in place of printing and exiting; subparsers are of this class too."""

    def error(self, message: str) -> NoReturn:
        """Raise what is wrong, with this parser's usage."""
        raise SlipError(self.prog, self.format_usage(), message)

    def parse_known_args(  # type: ignore[override]  # argparse has overloads for the namespace
        self, args: Sequence[str] | None = None, namespace: argparse.Namespace | None = None
    ) -> tuple[argparse.Namespace, list[str]]:
        """Read the arguments; one that is left over is a slip of this very parser's.

        argparse would have the outermost parser complain, which knows none of the options.
        """
        options, left = super().parse_known_args(args, namespace)
        if left and left[0].startswith("-"):
            option = left[0].partition("=")[0]
            known = [name for name in self._option_string_actions if name.startswith("--")]
            self.error(f"there is no option {option}{did_you_mean(option, known)}")
        if left:
            self.error(f"{left[0]!r} is one word too many")
        return options, left


def slip(options: argparse.Namespace, message: str) -> SlipError:
    """What to raise where arguments that can be read one by one cannot stand together."""
    parser: ArgumentParser = options.parser
    return SlipError(parser.prog, parser.format_usage(), message)


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """The known word that is like a wrong one, as the end of a sentence; else all of them."""
    import difflib  # of a command line that can be read nothing is asked

    words = list(known)
    meant = difflib.get_close_matches(word, words, n=1)
    return f"; did you mean {meant[0]!r}?" if meant else f"; there are {', '.join(words)}"
