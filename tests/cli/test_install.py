"""What is installed beside the command: completion, manual pages, protocols."""

from __future__ import annotations

import argparse
import re
import subprocess
import sys
from pathlib import Path

import pytest

from heapwire.cli.command_line import COMMANDS, whole_command_line
from heapwire.cli.install.man_page import escaped, man_page
from heapwire.cli.install.manual import all_pages
from heapwire.kernel.description import shipped

PROTOCOLS = {
    "xx-dmabuf-allocation-v1",
    "xx-dmabuf-buffer-status-v1",
    "xx-dmabuf-negotiation-v1",
    "xx-dmabuf-sources-v1",
}
PAGES = {page.name: man_page(page) for page in all_pages()}
MACROS = {"TH", "SH", "TP", "RS", "RE"}


def test_completion_knows_the_arguments_of_every_command(heapwire):
    run = heapwire("completion", "bash")
    assert run.status == 0
    for name in COMMANDS:
        assert f"_shtab_heapwire_{name.replace('-', '_')}_option_strings" in run.out
    assert "--screenshot" in run.out


MACHINES = [name for name in shipped() if name.startswith("rasp")]


def offered(heapwire, folder, *typed):
    """As bash asks: it tells the words and where the cursor is, and reads COMPREPLY."""
    script = folder / "completion"
    script.write_text(heapwire("completion", "bash").out)
    words = ["heapwire", *typed]
    program = (
        f"source {script}; COMP_WORDS=({' '.join(words)}); COMP_CWORD={len(words) - 1};"
        f" _shtab_heapwire heapwire {words[-1]} {words[-2]}; printf '%s\\n' ${{COMPREPLY[@]}}"
    )
    done = subprocess.run(["bash", "-c", program], cwd=folder, capture_output=True, text=True)
    return done.stdout.split()


@pytest.mark.parametrize(
    ("words", "wanted"),
    [
        (("explain", "--platform", "rasp"), [*MACHINES, "raspberry.toml"]),
        (("list", "--platform", "rasp"), [*MACHINES, "raspberry.toml"]),
        (("diff", "rasp"), [*MACHINES, "raspberry.toml"]),
        (("diff", "local", "rasp"), [*MACHINES, "raspberry.toml"]),
        (("list", "--policy", "rasp"), ["raspberry.toml"]),
        (("play", "rasp"), ["raspberry.toml"]),
        (("replay", "a.json", "rasp"), ["raspberry.toml"]),
        (("doctor", "--root", "ra"), ["rack"]),
        (("man", "--output", "ra"), ["rack"]),
        (("play", "--decoder", "nv"), ["nvdec"]),
        (("explain", "--format", "NV1"), ["NV12", "NV16", "NV15"]),
        (("check-frame", "--format", "P01"), ["P010", "P012", "P016"]),
        (
            ("check", "params/plane-twice/v5"),
            ["params/plane-twice/v5", "params/plane-twice/v5/immed"],
        ),
        (("docs", "start/we"), ["start/weston"]),
        (("man", "expl"), ["explain"]),
    ],
)
def test_what_stands_for_an_argument_is_offered(heapwire, tmp_path, words, wanted):
    (tmp_path / "raspberry.toml").write_text("")
    (tmp_path / "rack").mkdir()
    assert offered(heapwire, tmp_path, *words) == wanted


def test_nothing_that_names_a_file_is_left_without_an_offer(heapwire):
    """Who adds an argument with a word of its own for a file hears of it here."""
    run = heapwire("completion", "bash")
    _, parsers = whole_command_line()
    files = [
        (name, action.metavar)
        for name, parser in parsers.items()
        for action in every_action(parser)
        if re.search("FILE|FOLDER|FOURCC", str(action.metavar or action.dest).upper())
    ]
    assert len(files) > 30
    for _, metavar in files:
        slug = re.sub("[^a-z]+", "_", str(metavar).lower())
        assert re.search(rf"^_heapwire_{slug}(_file)?\(\)", run.out, re.MULTILINE), metavar


def every_action(parser):
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            for inner in action.choices.values():
                yield from every_action(inner)
        else:
            yield action


def test_other_shells_know_the_words_too(heapwire):
    for shell in ("zsh", "fish"):
        text = heapwire("completion", shell).out
        for words in (f"local {' '.join(shipped())}", "NV12 NV21", "nvdec cpu", "start/weston"):
            assert words in text


@pytest.mark.parametrize(
    ("shell", "place"),
    [
        ("bash", "bash-completion/completions/heapwire"),
        ("zsh", "zsh/site-functions/_heapwire"),
        ("fish", "fish/vendor_completions.d/heapwire.fish"),
    ],
)
def test_completion_is_installed_where_the_shell_looks(
    heapwire, tmp_path, monkeypatch, shell, place
):
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    run = heapwire("completion", shell, "--install")
    assert (run.status, run.out) == (0, f"{tmp_path / place}\n")
    assert (tmp_path / place).read_text() == heapwire("completion", shell).out
    assert ("fpath" in run.err) == (shell == "zsh")


def test_completion_into_a_place_that_is_a_file_is_told(heapwire, tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "file"))
    (tmp_path / "file").write_text("")
    run = heapwire("completion", "bash", "--install")
    assert run.status == 1
    assert run.err.startswith(f"heapwire: {tmp_path}/file/")


def test_without_its_library_completion_says_what_to_install(heapwire, monkeypatch):
    monkeypatch.setitem(sys.modules, "shtab", None)
    run = heapwire("completion", "bash")
    assert run.status == 1
    assert "[completion]" in run.err


def test_a_shell_that_completion_does_not_know_is_refused(heapwire):
    assert heapwire("completion", "nosh").status == 2


def test_bash_takes_what_completes_in_it(heapwire, tmp_path):
    file = tmp_path / "completion"
    file.write_text(heapwire("completion", "bash").out)
    script = f". {file}; COMP_WORDS=(heapwire list --pl); COMP_CWORD=2; _shtab_heapwire; "
    script += 'echo "${COMPREPLY[@]}"'
    done = subprocess.run(["bash", "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "--platform"


def test_a_page_for_each_command_says_what_its_help_says(monkeypatch):
    monkeypatch.setenv("COLUMNS", "1000")  # no word is broken
    _, parsers = whole_command_line()
    pages = {page.name: man_page(page) for page in all_pages()}
    assert set(pages) == {"heapwire", *(f"heapwire-{name}" for name in COMMANDS)}
    for name, parser in parsers.items():
        page = pages[f"heapwire-{name}"]
        plain = page.replace("\\-", "-")
        assert set(re.findall(r"--[a-z][a-z-]+", parser.format_help())) <= set(
            re.findall(r"--[a-z][a-z-]+", plain)
        )
        assert COMMANDS[name].rstrip(".")[1:] in plain.replace("\\(aq", "'")
        assert f"heapwire-{name}" in pages["heapwire"].replace("\\-", "-")


def test_every_line_of_a_page_is_text_or_a_macro():
    for page in PAGES.values():
        requests = re.findall(r"^[.'](\w*)", page, re.MULTILINE)
        assert set(requests) <= MACROS
        assert requests.count("RS") == requests.count("RE")


def test_the_actions_of_a_command_are_in_its_page():
    page = PAGES["heapwire-protocol"].replace("\\-", "-")
    assert "--for {client,server,code}" in page


@pytest.mark.parametrize(
    ("text", "roff"),
    [
        (".so x", "\\&.so x"),
        ("a-b", "a\\-b"),
        ("'x", "\\(aqx"),
        ("a\\n", "a\\en"),
        ("a\n.b", "a\n\\&.b"),
    ],
)
def test_no_text_is_a_request(text, roff):
    assert escaped(text) == roff


def test_pages_are_printed_or_written_all_at_once(heapwire, tmp_path):
    folder = tmp_path / "man1"
    run = heapwire("man", "--output", folder)
    assert run.status == 0
    assert {Path(line).name for line in run.out.splitlines()} == {
        file.name for file in folder.iterdir()
    }
    assert heapwire("man", "explain").out == (folder / "heapwire-explain.1").read_text()
    assert heapwire("man").out == (folder / "heapwire.1").read_text()
    assert heapwire("man", "nothing").status == 2


def test_the_xml_of_the_protocols_is_where_it_is_said_to_be(heapwire):
    files = [Path(line) for line in heapwire("protocol", "path").out.splitlines()]
    assert {file.stem for file in files} == PROTOCOLS
    for file in files:
        assert heapwire("protocol", "path", file.stem).out == f"{file}\n"
        assert heapwire("protocol", "xml", file.stem).out == file.read_text("utf-8")
    assert heapwire("protocol", "path", "--json").document["paths"] == [str(file) for file in files]
    assert heapwire("protocol", "xml", "wayland").status == 2


@pytest.mark.system("wayland-scanner")
@pytest.mark.parametrize(
    ("side", "word"),
    [("client", "add_listener"), ("server", "wl_resource_post_event"), ("code", "WL_PRIVATE")],
)
def test_the_c_of_a_protocol_is_made(heapwire, tmp_path, side, word):
    file = tmp_path / "made.h"
    words = ("protocol", "header", "xx-dmabuf-sources-v1", "--for", side)
    assert heapwire(*words, "--output", file).status == 0
    assert word in file.read_text()


def test_without_wayland_scanner_it_says_what_to_install(heapwire, monkeypatch):
    monkeypatch.setenv("PATH", "")
    run = heapwire("protocol", "header", "xx-dmabuf-sources-v1")
    assert run.status == 1
    assert "libwayland-bin" in run.err
