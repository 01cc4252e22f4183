"""What takes a number on the command line says between which limits, whatever is written there."""

from __future__ import annotations

import argparse

import pytest

from heapwire.cli.command_line import whole_command_line

# What a metavariable stands for, and what a refusal names. Those that take no number are here, so
# that a new one has to be put into either table.
LIMITS = {
    "N": ("from 1 to ",),
    "SECONDS": ("86400",),
    "WxH": ("from 1x1 to 65536x65536", "a size from 1x1 to 65536x65536"),
    "DEGREES": ("there are 0, 90, 180, 270",),
    "BYTE|FILE": ("from 0 to 255",),
    "MEMORY:BYTES": ("with 1 to 1099511627775 bytes",),
    "[OBJECT:]OFFSET:PITCH": ("with numbers from 0 to 4294967295",),
    "FOURCC": ("from 0x0 to 0xffffffff",),
    "FOURCC[:MODIFIER]": ("from 0x0 to 0xffffffff", "from 0x0 to 0xffffffffffffffff"),
}
NO_NUMBER = {
    *("NAME", "FILE", "FOLDER", "NAME|FILE", "FILE.png", "FILE.json", "DEVICE", "DEVICE:USAGE"),
    "DEVICE|nvdec|cpu",
    *("CASE", "COMMAND", "PAGE", "PATTERN", "FIRST", "SECOND", "{udev,weston}", "{bash,zsh,fish}"),
    None,  # a file by its name, or one of some words
}
HUGE = "9" * 5000
WORDS = ["0", "-1", "", "nan", "inf", "1.5", HUGE, f"-{HUGE}", "18446744073709551616"]
# How a metavariable's numbers are written, in place of the number alone.
FORMS = {
    "WxH": ["{}x1", "1x{}"],
    "MEMORY:BYTES": ["system:{}"],
    "[OBJECT:]OFFSET:PITCH": ["{}:64", "0:{}", "{}:0:64"],
    "FOURCC": ["0x{}"],
    "FOURCC[:MODIFIER]": ["0x{}", "NV12:{}"],
}
# What is a number in the limits, or a file, a code of four letters, ... for those that take them.
TAKEN = {
    "SECONDS": {"1.5"},
    "DEGREES": {"0"},
    "BYTE|FILE": {"0", "", "nan", "inf", "1.5"},
    "[OBJECT:]OFFSET:PITCH": {"0:64", "0:0", "0:0:64"},
    "FOURCC": {"0x0"},
    "FOURCC[:MODIFIER]": {"0x0", "NV12:0"},
}


def options_of(parser, *words):
    """Each argument of a parser and those within, with the words that lead there."""
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            for name, inner in action.choices.items():
                yield from options_of(inner, *words, name)
        elif action.nargs != 0:
            yield words, action


OPTIONS = [
    pytest.param(words, action, id=" ".join((*words, *action.option_strings[-1:])))
    for words, action in options_of(whole_command_line()[0])
]


@pytest.mark.parametrize(("words", "action"), OPTIONS)
def test_what_stands_for_a_number_is_known(words, action):
    assert action.metavar in {*LIMITS, *NO_NUMBER}
    assert (action.type in (int, float)) is False  # argparse would name no limit


@pytest.mark.parametrize("word", WORDS, ids=lambda word: f"<{word[:8]}>")
@pytest.mark.parametrize(
    ("words", "action"), [one for one in OPTIONS if one.values[1].metavar in LIMITS]
)
def test_a_refusal_of_a_number_names_its_limits(heapwire, words, action, word):
    kind, option = action.metavar, action.option_strings[-1]
    for form in FORMS.get(kind, ["{}"]):
        text = form.format(word)
        if text in TAKEN.get(kind, ()) or (option, text) == ("--start", "0"):
            continue
        # With "=", for what begins with a hyphen; what else is missing is complained of later.
        done = heapwire(*words, f"{option}={text}")
        assert done.status == 2
        told = done.err.splitlines()[-1]
        assert told.startswith(f"heapwire {' '.join(words)}: error: argument ")
        assert any(limits in told for limits in LIMITS[kind])
        assert len(told) < 500


def test_a_clip_may_begin_where_it_begins():
    parser = whole_command_line()[1]["play"]
    assert parser.parse_args(["a.mkv", "--start", "0"]).start == 0
