"""Manual pages in roff, made of the parsers that --help is made of."""

from __future__ import annotations

import argparse
import re
from collections.abc import Iterable, Iterator, Mapping

_WHOLE = "heapwire"  # the page of all commands, each of which has one of its own
_STATUS = (
    ("0", "What was asked for was done."),
    ("1", "No source satisfies everyone, or what was asked for failed."),
    ("2", "The command line cannot be read."),
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


def man_page(
    name: str, parser: argparse.ArgumentParser, version: str, others: Mapping[str, str]
) -> str:
    """The page of a command; `others` are the pages that it refers to, with their summaries."""
    summary = (parser.description or "").rstrip(".")
    lines = [
        f'.TH {escaped(name.upper())} 1 "" "heapwire {version}" "heapwire"',
        ".SH NAME",
        f"{escaped(name)} \\- {escaped(summary[:1].lower() + summary[1:])}",
        ".SH SYNOPSIS",
        _usage(parser),
        ".SH DESCRIPTION",
        escaped(parser.description or ""),
        *_arguments(parser, deep=name != _WHOLE),
    ]
    lines += [".SH EXIT STATUS", *_terms(_STATUS), ".SH ENVIRONMENT", *_terms(_ENVIRONMENT)]
    if others:
        lines += [".SH SEE ALSO"]
        lines += [", ".join(f"\\fB{escaped(one)}\\fR(1)" for one in others)]
    return "\n".join(lines) + "\n"


def escaped(text: str) -> str:
    """Text as roff prints it: no word is taken for a request, and a hyphen can be searched for."""
    plain = text.replace("\\", "\\e").replace("-", "\\-").replace("'", "\\(aq")
    return re.sub(r"^(?=\.)", r"\\&", plain, flags=re.MULTILINE)


def _usage(parser: argparse.ArgumentParser) -> str:
    """The usage, without its first word, in one line: whoever shows the page breaks it."""
    return escaped(" ".join(parser.format_usage().split()).removeprefix("usage: "))


def _arguments(parser: argparse.ArgumentParser, *, deep: bool) -> Iterator[str]:
    """What may stand on the command line; `deep` also what follows one of several words."""
    plain = [one for one in parser._actions if not isinstance(one, argparse._SubParsersAction)]
    words = [one for one in plain if not one.option_strings]
    options = [one for one in plain if one.option_strings]
    for heading, actions in (("ARGUMENTS", words), ("OPTIONS", options)):
        if actions:
            yield f".SH {heading}"
            yield from _terms((_spelled(parser, one), _told(parser, one)) for one in actions)
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            yield ".SH COMMANDS"
            for name, inner in action.choices.items():
                yield from _terms([(name, inner.description or "")])
                if deep:
                    yield from (".RS", _usage(inner), *_options_within(inner), ".RE")


def _options_within(parser: argparse.ArgumentParser) -> Iterator[str]:
    yield from _terms((_spelled(parser, one), _told(parser, one)) for one in parser._actions)


def _spelled(parser: argparse.ArgumentParser, action: argparse.Action) -> str:
    """An argument as --help spells it, and what it takes."""
    return parser._get_formatter()._format_action_invocation(action)


def _told(parser: argparse.ArgumentParser, action: argparse.Action) -> str:
    """What --help says of an argument."""
    return parser._get_formatter()._expand_help(action) if action.help else ""


def _terms(pairs: Iterable[tuple[str, str]]) -> Iterator[str]:
    for term, text in pairs:
        yield from (".TP", f"\\fB{escaped(term)}\\fR", escaped(text))
