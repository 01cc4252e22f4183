"""argparse as this command wants it: a slip is an exception, and says what was meant."""

from __future__ import annotations

import argparse
from collections.abc import Iterable, Sequence
from itertools import takewhile
from typing import TYPE_CHECKING, NoReturn

from heapwire.protocol import InputError, shown

if TYPE_CHECKING:  # generic for a type checker alone
    Choice = argparse._SubParsersAction["ArgumentParser"]

_LIKE = 0.6  # of 1, how like two words are of which one is taken for the other: difflib's own value


class SlipError(InputError):
    """Arguments that are wrong: `usage` is what may stand there, `message` what is wrong.

    `str()` begins with the command whose arguments they are.
    """

    def __init__(self, program: str, usage: str, message: str) -> None:
        super().__init__(f"{program}: error: {message}")
        self.usage = usage
        self.message = message


class _WholeWords(argparse.HelpFormatter):
    """Breaks lines at spaces alone: an option that is named can be copied as it stands."""

    def _split_lines(self, text: str, width: int) -> list[str]:
        return _broken(text, width)

    def _fill_text(self, text: str, width: int, indent: str) -> str:
        return "\n".join(indent + line for line in _broken(text, width - len(indent)))


def _broken(text: str, width: int) -> list[str]:
    from textwrap import wrap  # of a command line that can be read nothing is shown

    return wrap(" ".join(text.split()), width, break_on_hyphens=False, break_long_words=False)


class ArgumentParser(argparse.ArgumentParser):
    """Raises `SlipError` in place of printing and exiting; subparsers are of this class too."""

    def _get_formatter(self) -> argparse.HelpFormatter:
        self.formatter_class = _WholeWords  # which argparse itself would ask of each parser
        return super()._get_formatter()

    def add_choice(self, *, title: str, metavar: str, dest: str) -> Choice:
        """What `add_subparsers` makes, of which one is to be named: without it the help is shown.

        argparse's own `required` would say no more than that something is.
        """
        return self.add_subparsers(title=title, metavar=metavar, dest=dest)

    def error(self, message: str) -> NoReturn:
        """Raise what is wrong, with this parser's usage."""
        raise SlipError(self.prog, self.format_usage(), message)

    def _check_value(self, action: argparse.Action, value: object) -> None:
        """Refuse a word that is none of those that may stand there, and say which was meant."""
        if action.choices is not None and value not in action.choices:
            word = str(value)
            meant = did_you_mean(word, map(str, action.choices))
            raise argparse.ArgumentError(action, f"there is no {shown(word)}{meant}")

    def has_option(self, word: str) -> bool:
        """Whether this is an option of this very parser's, or begins as one, or has several."""
        names = self._option_string_actions
        if word.startswith("--"):
            return any(name.startswith(word.partition("=")[0]) for name in names)
        return all(f"-{letter}" in names for letter in word[1:])

    def parse_known_args(  # type: ignore[override]  # argparse has overloads for the namespace
        self, args: Sequence[str] | None = None, namespace: argparse.Namespace | None = None
    ) -> tuple[argparse.Namespace, list[str]]:
        """Read the arguments; one that is left over is a slip of this very parser's.

        argparse would have the outermost parser complain, which knows none of the options.
        """
        # Before what is missing, which argparse would tell alone.
        self._check_options(args or ())
        options, left = super().parse_known_args(args, namespace)
        if left and left[0].startswith("-"):
            self._refuse_option(left[0])
        if left:
            self.error(f"{left[0]!r} is one word too many")
        for action in self._actions:
            is_choice = isinstance(action, argparse._SubParsersAction)
            if is_choice and getattr(options, action.dest) is None:
                raise SlipError(
                    self.prog, f"{self.format_help()}\n", f"no {action.metavar} is named"
                )
        self._check_outputs(options)
        return options, left

    def _check_options(self, words: Sequence[str]) -> None:
        """Refuse the first long option that there is not; of words for others nothing is said."""
        if any(action.nargs in {argparse.PARSER, argparse.REMAINDER} for action in self._actions):
            return
        for word in takewhile("--".__ne__, words):
            if word.startswith("--") and " " not in word and not self.has_option(word):
                self._refuse_option(word)

    def _refuse_option(self, word: str) -> NoReturn:
        option = word.partition("=")[0]
        known = [name for name in self._option_string_actions if name.startswith("--")]
        self.error(f"there is no option {option}{did_you_mean(option, known)}")

    def _check_outputs(self, options: argparse.Namespace) -> None:
        """Refuse two documents on one standard output: nobody could tell them apart."""
        there: list[str] = []
        for action in self._actions:
            value = getattr(options, action.dest, None)
            is_json = action.dest == "json" and value is True
            # An `OutputFile`, whose module --help has no need of.
            if is_json or getattr(value, "is_standard", False):
                there.append(action.option_strings[-1])
        if len(there) > 1:
            self.error(f"{' and '.join(there)} would stand on one standard output: name a file")


def slip(options: argparse.Namespace, message: str) -> SlipError:
    """What to raise where arguments that can be read one by one cannot stand together."""
    parser: ArgumentParser = options.parser
    return SlipError(parser.prog, parser.format_usage(), message)


def did_you_mean(word: str, known: Iterable[str], *, otherwise: str | None = None) -> str:
    """The known word that is like a wrong one, as the end of a sentence; else all of them.

    `otherwise` is to be said in place of all.
    """
    from difflib import SequenceMatcher  # of a command line that can be read nothing is asked

    words = list(known)
    # The dashes of options are like those of any other.
    bare = word.lstrip("-")
    likeness = {one: SequenceMatcher(None, one.lstrip("-"), bare).ratio() for one in words}
    meant = max(words, key=likeness.__getitem__, default="")  # the first of those that are as like
    if likeness.get(meant, 0) >= _LIKE:
        return f"; did you mean {meant!r}?"
    if otherwise is not None:
        return otherwise
    return f"; there is only {words[0]}" if len(words) == 1 else f"; there are {', '.join(words)}"
