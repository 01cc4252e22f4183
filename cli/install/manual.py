"""What the manual says of a command: the words of --help, in order, for any kind of page."""

from __future__ import annotations

import argparse
from collections.abc import Iterable, Iterator

from heapwire.cli.command_line import COMMANDS, whole_command_line
from heapwire.kernel.system import own_version
from heapwire.protocol.late_dataclasses import dataclass

WHOLE = "heapwire"
"""The page of all commands, each of which has one of its own."""
_STATUS = (
    ("0", "What was asked for was done."),
    (
        "1",
        "No source satisfies everyone, something is missing or differs, what was asked for failed, "
        "or whoever read the output has closed it.",
    ),
    ("2", "The arguments are wrong."),
    ("3", "There is no compositor, or one without the protocol."),
    ("130", "Ctrl-C ended it."),
)
_ENVIRONMENT = (
    ("WAYLAND_DISPLAY", "The compositor's socket, in the folder that XDG_RUNTIME_DIR names."),
    ("HEAPWIRE_PLATFORM", "In place of --platform."),
    ("HEAPWIRE_POLICY", "In place of --policy."),
    ("HEAPWIRE_TIMEOUT", "In place of --timeout."),
    ("NO_COLOR", "Where it is not empty, there are no colours on a terminal."),
)


@dataclass(frozen=True, slots=True)
class Term:
    """A word of the command line and what it does; `inner` is what may follow it, with `usage`."""

    word: str
    text: str
    usage: str = ""
    inner: tuple[Term, ...] = ()


@dataclass(frozen=True, slots=True)
class Section:
    """Terms under a heading."""

    heading: str
    terms: tuple[Term, ...]


@dataclass(frozen=True, slots=True)
class Page:
    """One command, or all of them; `others` are the names of the pages that it refers to."""

    name: str
    description: str
    usage: str
    sections: tuple[Section, ...]
    others: tuple[str, ...]
    version: str

    @property
    def summary(self) -> str:
        """The description as it stands behind a name."""
        text = self.description.rstrip(".")
        return text[:1].lower() + text[1:]


def all_pages() -> tuple[Page, ...]:
    """That of the whole, and one for each command in the order of the help."""
    top, commands = whole_command_line()
    return (
        _page(WHOLE, top, tuple(map(page_name, COMMANDS))),
        *(_page(page_name(name), parser, (WHOLE,)) for name, parser in commands.items()),
    )


def page_name(command: str) -> str:
    """What the page of a command is called."""
    return f"{WHOLE}-{command}"


def _page(name: str, parser: argparse.ArgumentParser, others: tuple[str, ...]) -> Page:
    return Page(
        name=name,
        description=parser.description or "",
        usage=_usage(parser),
        sections=(
            *_arguments(parser, deep=name != WHOLE),
            Section("EXIT STATUS", _terms(_STATUS)),
            Section("ENVIRONMENT", _terms(_ENVIRONMENT)),
        ),
        others=others,
        version=own_version(),
    )


def _usage(parser: argparse.ArgumentParser) -> str:
    """The usage, without its first word, in one line: whoever shows the page breaks it."""
    return " ".join(parser.format_usage().split()).removeprefix("usage: ")


def _arguments(parser: argparse.ArgumentParser, *, deep: bool) -> Iterator[Section]:
    """What may stand on the command line; `deep` also what follows one of several words."""
    plain = [one for one in parser._actions if not isinstance(one, argparse._SubParsersAction)]
    words = [one for one in plain if not one.option_strings]
    options = [one for one in plain if one.option_strings]
    for heading, actions in (("ARGUMENTS", words), ("OPTIONS", options)):
        if actions:
            yield Section(heading, _told(parser, actions))
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            yield Section(
                "COMMANDS",
                tuple(
                    Term(name, inner.description or "", _usage(inner), _told(inner, inner._actions))
                    if deep
                    else Term(name, inner.description or "")
                    for name, inner in action.choices.items()
                ),
            )


def _told(parser: argparse.ArgumentParser, actions: Iterable[argparse.Action]) -> tuple[Term, ...]:
    """Arguments as --help spells them, what they take, and what it says of them."""
    formatter = parser._get_formatter()
    return tuple(
        Term(
            formatter._format_action_invocation(action),
            formatter._expand_help(action) if action.help else "",
        )
        for action in actions
    )


def _terms(pairs: Iterable[tuple[str, str]]) -> tuple[Term, ...]:
    return tuple(Term(word, text) for word, text in pairs)
