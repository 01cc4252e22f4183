"""The command line before any command: what it imports, what it shows, what it makes of a slip."""

from __future__ import annotations

import importlib
import importlib.metadata
import json
import logging
import subprocess
import sys

import pytest

from heapwire.cli.command_line import COMMANDS, module_of, ready_command

MODULES = {name: module_of(name) for name in COMMANDS}


@pytest.mark.parametrize("name", COMMANDS)
def test_the_help_says_what_the_module_says_of_itself(name):
    module = importlib.import_module(f"heapwire.cli.{MODULES[name]}")
    assert module.__doc__.partition("\n")[0] == COMMANDS[name]


def imported(*arguments):
    """Which modules a process has that is asked for something on the command line."""
    code = (
        "import sys; from heapwire.cli.main import main; status = main(sys.argv[1:]);"
        "print(status, *sys.modules, file=sys.stderr)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, *arguments], capture_output=True, text=True, check=True
    )
    status, *modules = done.stderr.splitlines()[-1].split()
    assert status == "0"
    return set(modules)


@pytest.mark.parametrize("name", COMMANDS)
def test_no_word_of_the_help_is_broken(heapwire, monkeypatch, name):
    monkeypatch.setenv("COLUMNS", "60")
    narrow = heapwire(name, "--help").out
    monkeypatch.setenv("COLUMNS", "1000")
    assert set(heapwire(name, "--help").out.split()) <= set(narrow.split())


@pytest.mark.parametrize("asked", ["--help", "--version"])
def test_help_and_version_import_no_command_and_no_library(asked):
    modules = imported(asked)
    assert not modules & {f"heapwire.cli.{name}" for name in MODULES.values()}
    assert not modules & {"heapwire.cli.terminal.output_file", "heapwire.protocol.values"}
    assert not modules & {"cffi", "pywayland", "pyudev", "av", "shtab", "logging"}


def test_a_command_imports_no_other_one():
    others = set(MODULES.values()) - {"replay"}
    assert not imported("replay", "--help") & {f"heapwire.cli.{name}" for name in others}


def test_the_version_is_that_of_the_package(heapwire):
    run = heapwire("--version")
    assert (run.status, run.out) == (0, f"heapwire {importlib.metadata.version('heapwire')}\n")


@pytest.mark.parametrize("command", [["--version"], ["man"], ["report", "--output", "-"]])
def test_a_checkout_that_nobody_installed_has_no_version(command):
    """Run by its path alone, as somebody does who only wants to look."""
    program = (
        "import importlib.metadata as m, runpy, sys\n"
        "def version(name): raise m.PackageNotFoundError(name)\n"
        "m.version = version\n"
        f"sys.argv = ['heapwire', *{command!r}]\n"
        "runpy.run_module('heapwire.cli.main', run_name='__main__')"
    )
    run = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert "Traceback" not in run.stderr
    assert "uninstalled" in run.stdout


@pytest.mark.parametrize(
    ("slip", "meant"),
    [("lst", "list"), ("expalin", "explain"), ("help", "--help"), ("version", "--version")],
)
def test_a_slip_is_told_with_what_was_meant(heapwire, slip, meant):
    run = heapwire(slip)
    assert run.status == 2
    assert f"there is no command {slip!r}; did you mean {meant!r}?" in run.err


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["weston", "biuld"], "there is no 'biuld'; did you mean 'build'?"),
        (["client", "install"], "there is no 'install'; there is only build"),
        (["protocol", "pth"], "there is no 'pth'; did you mean 'path'?"),
        (["protocol", "xml", "xx-dmabuf-negotiation"], "did you mean 'xx-dmabuf-negotiation-v1'?"),
        (["protocol", "header", "--for", "sever"], "there is no 'sever'; did you mean 'server'?"),
        (["completion", "bsh"], "there is no 'bsh'; did you mean 'bash'?"),
        (["completion", "tcsh"], "there is no 'tcsh'; there are bash, zsh, fish"),
        (["setup", "udv"], "there is no 'udv'; did you mean 'udev'?"),
        (["play", "--picture", "bar"], "there is no 'bar'; did you mean 'bars'?"),
        (["camera", "--buffers", "import"], "there is no 'import'; did you mean 'imported'?"),
        (["explain", "--rotation", "9" * 999], "9...; there are 0, 90, 180, 270"),
        (["explain", "--participant", "a:decod"], "did you mean 'decode'?"),
        (["check-frame", "--format", "XRGB888:0x0"], "did you mean 'XRGB8888'?"),
        (["man", "expalin"], "there is no 'expalin'; did you mean 'explain'?"),
    ],
)
def test_a_word_that_stands_for_one_of_some_is_told_with_what_was_meant(heapwire, words, told):
    run = heapwire(*words)
    assert run.status == 2
    assert told in run.err.splitlines()[-1]


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["list", "--platform", "rasberry-pi-4"], "did you mean 'raspberry-pi-4'?"),
        (["diff", "uvc-camera", "uvc-camra"], "did you mean 'uvc-camera'?"),
        (["explain", "--platform", "uvc-camera", "--participant", "camra:camera"], "'camera'?"),
        (["check", "--list", "params/plan"], "did you mean 'params/plane"),
        (["docs", "polcy"], "did you mean 'policy'?"),
    ],
)
def test_a_name_that_there_is_not_is_told_with_what_was_meant(heapwire, words, told):
    run = heapwire(*words)
    assert run.status != 0
    assert told in run.err


@pytest.mark.parametrize("word", ["xyzzy", "-", "", "="])
def test_what_is_like_no_command_is_told_with_all_of_them(heapwire, word):
    run = heapwire("--verbose", word)
    assert run.status == 2
    assert f"there is no command {word!r}; there are {', '.join(COMMANDS)}" in run.err


@pytest.mark.parametrize("words", [[], ["-v"], ["weston"], ["protocol", "--verbose"]])
def test_where_nothing_is_named_the_help_says_what_can_be(heapwire, words):
    named = [word for word in words if word[0] != "-"]
    run = heapwire(*words)
    assert (run.status, run.out) == (2, "")
    assert run.err.startswith(heapwire(*named, "--help").out)
    wanted = "ACTION" if named else "COMMAND"
    assert run.err.endswith(f"\n\n{' '.join(['heapwire', *named])}: error: no {wanted} is named\n")


@pytest.mark.parametrize("words", [["--format", "NV12"], ["--json"], ["--json", "list"], ["-xv"]])
def test_an_option_in_front_of_the_command_is_sent_behind_it(heapwire, words):
    run = heapwire(*words)
    assert run.status == 2
    assert (
        f"{words[0]} is no option of heapwire itself; a command's stand after its name" in run.err
    )


@pytest.mark.parametrize("words", [["--verb", "list", "--names"], ["-v", "list", "--names"]])
def test_an_option_of_heapwire_itself_may_be_abbreviated(heapwire, words):
    assert heapwire(*words).status == 0


@pytest.mark.parametrize(
    ("word", "told"),
    [
        ("FOO", "no format is known as 'FOO': taken for its code\n"),
        ("nv13", "no format is known as 'nv13': taken for its code; did you mean 'NV12'?\n"),
        ("xr24", "no format is known as 'xr24': taken for its code; did you mean 'XR24'?\n"),
    ],
)
def test_a_code_that_is_no_known_format_is_taken_and_told(heapwire, word, told):
    run = heapwire("explain", "--platform", "raspberry-pi-4", "--format", word)
    assert run.err.startswith(f"heapwire: {told}")
    assert f"the request can use only {word} LINEAR" in run.out


@pytest.mark.parametrize("word", ["NV12", "xrgb8888", "XR24", "YU08", "0x324f4f46"])
def test_a_format_that_is_known_or_a_number_is_not_remarked_on(heapwire, word):
    assert heapwire("explain", "--platform", "raspberry-pi-4", "--format", word).err == ""


def test_what_can_be_no_format_is_told_with_what_is_spelled_nearly_so(heapwire):
    run = heapwire("explain", "--format", "XRGB888")
    assert run.status == 2
    assert run.err.endswith("a number from 0x0 to 0xffffffff; did you mean 'XRGB8888'?\n")


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["play"], "name a video file"),
        (["list", "--probe", "--platform", "uvc-camera"], "uvc-camera is simulated"),
        (["import", "report.json", "--name", "a/b"], "no name of a platform"),
        (["man", "lst"], "there is no 'lst'; did you mean 'list'?"),
        (["allocate", "--fill", "256"], "a byte is a number from 0 to 255"),
    ],
)
def test_arguments_that_cannot_be_meant_are_wrong_usage(heapwire, words, told):
    run = heapwire(*words)
    assert run.status == 2
    assert run.err.startswith(f"usage: heapwire {words[0]} [-h]")
    assert told in run.err


def test_wrong_usage_that_a_command_finds_is_json_as_well(heapwire):
    run = heapwire("play", "a.mkv", "--picture", "--json")
    assert run.status == 2
    told = json.loads(run.out)["error"]
    assert (told["status"], told["message"]) == (
        2,
        "either a.mkv or --picture can be shown, not both",
    )


@pytest.mark.parametrize("place", [0, 1, 2])
@pytest.mark.parametrize("words", [["list", "--names"], ["protocol", "path"]])
def test_verbose_may_stand_anywhere(words, place):
    ready_command([*words[:place], "--verbose", *words[place:]])
    assert logging.getLogger("heapwire.negotiation").isEnabledFor(logging.DEBUG)
    assert not logging.getLogger("PIL").isEnabledFor(logging.DEBUG)  # libraries keep quiet
    ready_command(words)
    assert not logging.getLogger("heapwire.negotiation").isEnabledFor(logging.DEBUG)
