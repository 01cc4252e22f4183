"""Whatever surrounds the command or is given to it: a sentence and a status, never a traceback."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

COMMAND = (sys.executable, "-m", "heapwire.cli.main")
EXPLAIN = ("explain", "--platform", "raspberry-pi-4", "--format", "NV12")
PLATFORM = (
    Path(__file__).parents[2].joinpath("kernel/platforms/raspberry-pi-4.toml").read_text("utf-8")
)


def run(*arguments, **others):
    return subprocess.run([*COMMAND, *arguments], capture_output=True, check=False, **others)


def through_shell(script, **environment):
    """Run a line of shell in which `heapwire` is the command."""
    spelled = f'heapwire() {{ "{sys.executable}" -m heapwire.cli.main "$@"; }}\n{script}'
    return subprocess.run(
        ["bash", "-o", "pipefail", "-c", spelled],
        capture_output=True,
        check=False,
        env={**os.environ, **environment},
    )


def is_said(done, status, *words):
    """One line on standard error, these words in it, and the status."""
    told = done.stderr.decode("utf-8", "surrogateescape")
    assert done.returncode == status, told
    assert len(told.splitlines()) == 1, told
    assert told.startswith("heapwire: ")
    for word in words:
        assert word in told


@pytest.mark.parametrize("what", ["--help", "list --names", "list --names --json", "list --help"])
def test_a_full_standard_output_is_said(what):
    done = through_shell(f"heapwire {what} >/dev/full")
    is_said(done, 1, "standard output: No space left on device")


@pytest.mark.parametrize("what", ["--help", "list --names", "list --names --json"])
def test_a_closed_standard_output_is_said(what):
    is_said(through_shell(f"heapwire {what} >&-"), 1, "standard output: Bad file descriptor")


def test_what_is_written_to_files_needs_no_standard_output(tmp_path):
    page = tmp_path / "page.html"
    done = through_shell(f"heapwire {' '.join(EXPLAIN)} --html {page} <&- >&-")
    is_said(done, 1, "standard output")
    assert page.read_text("utf-8").endswith("</html>\n")


def test_a_closed_standard_error_leaves_standard_output_alone():
    done = through_shell("heapwire list --names --platform nonsense 2>&-")
    assert done.returncode == 0
    done = through_shell("heapwire explain --platform nonsense 2>&-")
    assert done.returncode == 1
    assert done.stdout == b""


def test_who_has_seen_enough_is_left_in_peace():
    done = through_shell("for i in 1 2 3; do heapwire --help; done | head -1")
    assert done.stdout.startswith(b"usage: heapwire")
    assert done.stderr == b""


ASCII = {"LC_ALL": "C", "PYTHONUTF8": "0"}


@pytest.fixture
def written_abroad(tmp_path):
    """A platform with letters that ASCII has not."""
    file = tmp_path / "board.toml"
    file.write_text(PLATFORM.replace("title = ", 'title = "größe €" # ', 1), "utf-8")
    assert "größe" in file.read_text("utf-8")
    return file


def test_a_locale_without_the_letters_spells_them(written_abroad):
    environment = {**os.environ, **ASCII}
    done = run("list", "--platform", written_abroad, env=environment)
    assert (done.returncode, done.stderr) == (0, b"")
    assert rb"gr\xf6\xdfe \u20ac" in done.stdout
    done = run("list", "--platform", written_abroad, "--json", env=environment)
    assert json.loads(done.stdout.decode("ascii"))["title"] == "größe €"


def test_a_locale_with_the_letters_has_them(written_abroad):
    done = run("list", "--platform", written_abroad, env={**os.environ, "PYTHONUTF8": "1"})
    assert "größe €" in done.stdout.decode("utf-8")


@pytest.mark.parametrize("environment", [{}, ASCII])
def test_a_file_whose_name_is_not_utf_8_is_one_like_any_other(tmp_path, environment):
    name = os.fsencode(tmp_path) + b"/b\xff\xfe.toml"
    around = {**os.environ, **environment}
    is_said(run("list", "--platform", name, env=around), 1, "No such file")
    Path(os.fsdecode(name)).write_text(PLATFORM, "utf-8")
    page, capture = name.replace(b".toml", b".html"), name.replace(b".toml", b".json")
    done = run(*EXPLAIN[:1], "--platform", name, "--html", page, "--capture", capture, env=around)
    assert (done.returncode, done.stderr) == (0, b"")
    done = run("replay", capture, "--json", env=around)
    assert (done.returncode, done.stderr) == (0, b"")
    assert json.loads(done.stdout)["same"] is True


# The keys are pressed by the program itself when a module is looked for: no other moment is sure
# to come before the command has ended.
INTERRUPTING = """
import signal, sys, weakref

class Thing:
    pass

class Finder:
    def find_spec(self, name, *_):
        if name == MODULE:
            PRESS

sys.meta_path.insert(0, Finder())
from heapwire.cli.main import main
sys.exit(main(COMMAND))
"""
PRESSED = {
    "plainly": "signal.raise_signal(signal.SIGINT)",
    # Python forgets what is raised in such a callback.
    "in a callback": "thing = Thing(); "
    "reference = weakref.ref(thing, lambda _: signal.raise_signal(signal.SIGINT)); del thing",
}


@pytest.mark.parametrize("pressed", PRESSED)
@pytest.mark.parametrize("command", [("list", "--names"), ("play", "x"), ("compositor",)])
@pytest.mark.parametrize("module", ["cli.terminal.output", "cli.arguments.options"])
def test_ctrl_c_while_it_begins_ends_it(command, module, pressed, tmp_path):
    program = (
        INTERRUPTING.replace("MODULE", repr(f"heapwire.{module}"))
        .replace("PRESS", PRESSED[pressed])
        .replace("COMMAND", repr(list(command)))
    )
    done = subprocess.run(
        [sys.executable, "-c", program],
        capture_output=True,
        check=False,
        env={**os.environ, "XDG_RUNTIME_DIR": str(tmp_path)},
    )
    assert (done.returncode, done.stdout, done.stderr) == (130, b"", b"")


def test_nothing_is_imported_before_ctrl_c_is_cared_for():
    program = (
        "import os, sys; before = set(sys.modules); import heapwire.cli.main; "
        "print(*sorted(set(sys.modules) - before))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, check=True)
    brought = {name for name in done.stdout.decode().split() if not name.startswith("heapwire")}
    assert brought <= {"__future__", "_signal"}


@pytest.mark.parametrize("where", ["/", ".", ""])
def test_a_module_is_not_written_into_a_directory(where):
    is_said(run("weston", "build", "--output", where), 1, "this is a directory")


@pytest.mark.parametrize("what", [("list", "--names"), ("list", "--names", "--json"), ("--help",)])
def test_output_that_nobody_reads_any_more_is_a_status_without_words(what):
    reading, writing = os.pipe()
    os.close(reading)
    try:
        run_ = [*COMMAND, *what]
        done = subprocess.run(run_, stdout=writing, stderr=subprocess.PIPE, check=False)
    finally:
        os.close(writing)
    assert (done.returncode, done.stderr) == (1, b"")
