"""Each measurement starts as it says that it does, and `make bench` makes all of them."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from source_tree import ROOT

MEASUREMENTS = sorted((ROOT / "bench").glob("bench_*.py"))
# Imports a file as a program of its own would, and begins nothing.
IMPORT = "import runpy, sys; runpy.run_path(sys.argv[1], run_name='imported')"
COMMAND = re.compile(r"make bench-\w+(?: ARGS=\S+)?")


def _made(*arguments: str, path: str = os.environ["PATH"]) -> str:
    """What make would run, in a checkout where it has run nothing."""
    done = subprocess.run(
        ["make", "--dry-run", "--always-make", *arguments],
        cwd=ROOT,
        env={"PATH": path},
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout


@pytest.mark.parametrize("script", MEASUREMENTS, ids=lambda path: path.stem)
def test_a_measurement_finds_what_it_imports(script: Path, tmp_path: Path) -> None:
    # The folder of a program is where Python looks first.
    program = f"import sys; sys.path.insert(0, {str(script.parent)!r}); {IMPORT}"
    done = subprocess.run(
        [sys.executable, "-c", program, script],
        cwd=tmp_path,
        env={name: value for name, value in os.environ.items() if name != "PYTHONPATH"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize("script", MEASUREMENTS, ids=lambda path: path.stem)
def test_the_commands_of_a_measurement_start_it(script: Path) -> None:
    head = script.read_text("utf-8").split('"""')[1]
    kind = script.stem.removeprefix("bench_")
    for command in {f"make bench-{kind}", *COMMAND.findall(head)}:
        _, target, *arguments = command.split()
        ran = _made(target, *arguments)
        assert ".[test]" in ran  # an environment is made first
        if target == "bench-weston":
            assert "weston" in ran
            assert "bench/bench_$1.py $2" in ran
        else:
            given = [argument.removeprefix("ARGS=") for argument in arguments]
            assert " ".join([f"bench/{script.name}", *given]) in ran


def _installed(folder: Path, *, weston: bool) -> str:
    """A PATH without Weston, or with one that is all of it that make looks for."""
    programs = {"pkg-config": "exit 1"}
    if weston:
        programs = {"weston": "exit 1", "pkg-config": "echo 'libweston-10   libweston API'"}
    for name, does in programs.items():
        (folder / name).write_text(f"#!/bin/sh\n{does}\n")
        (folder / name).chmod(0o755)
    for name in ("make", "sh", "grep", "python3", "mkdir", "touch"):
        for part in os.environ["PATH"].split(os.pathsep):
            if (Path(part) / name).exists() and not (folder / name).exists():
                (folder / name).symlink_to(Path(part) / name)
    return str(folder)


@pytest.mark.parametrize("weston", [False, True])
def test_make_bench_makes_every_measurement(tmp_path: Path, weston: bool) -> None:
    ran = _made("bench", path=_installed(tmp_path, weston=weston))
    measured = re.findall(r'"[^"]+"|\S+', ran.partition("for measured in ")[2].partition(";")[0])
    names = {path.stem.removeprefix("bench_") for path in MEASUREMENTS}
    of_weston = {"weston", "sources_weston", '"loop weston"', '"end weston"', '"answer weston"'}
    expected = names - of_weston | (of_weston if weston else set())
    assert set(measured) == expected
    assert len(measured) == len(expected)
