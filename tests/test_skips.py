"""What is skipped says how to be run; in CI it fails unless it is listed with a reason."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

HERE = Path(__file__).parent

TESTS = """
import pytest

@pytest.mark.system("valgrind")
def test_program():
    pass

@pytest.mark.system("wayland-server.pc")
def test_library():
    pass

@pytest.mark.parametrize("number", [1, 2])
def test_by_itself(number):
    pytest.skip("not today")

@pytest.mark.xfail(strict=True)
def test_known_fault():
    assert False
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "bin").mkdir()
    tests = tmp_path / "tests"
    tests.mkdir()
    shutil.copy(HERE / "conftest.py", tests)
    shutil.copytree(HERE / "common", tests / "common")  # which it uses
    (tests / "skips.toml").write_text("", encoding="utf-8")
    (tests / "test_some.py").write_text(TESTS, encoding="utf-8")
    shutil.copy(HERE.parent / "pyproject.toml", tmp_path)
    return tmp_path


def run(folder: Path, *, ci: bool) -> subprocess.CompletedProcess[str]:
    """Pytest in the folder, on a machine that has no programs at all."""
    environment = {**os.environ, "PATH": str(folder / "bin"), "CI": "true" if ci else ""}
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "tests"]
    return subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, check=False
    )


def test_a_skip_names_the_program_and_its_package(folder: Path) -> None:
    done = run(folder, ci=False)
    assert done.returncode == 0, done.stdout
    assert "wants valgrind: apt-get install valgrind" in done.stdout
    assert "wants wayland-server.pc: apt-get install libwayland-dev" in done.stdout
    assert "4 skipped, 1 xfailed" in done.stdout


def test_ci_does_not_take_a_skip(folder: Path) -> None:
    done = run(folder, ci=True)
    assert done.returncode == 1
    assert "CI skips only what tests/skips.toml lists" in done.stdout
    assert "2 failed, 1 xfailed, 2 errors" in done.stdout


def test_ci_takes_a_skip_that_is_listed(folder: Path) -> None:
    listed = ("test_by_itself", "test_program", "test_library")
    entries = [f'[[skip]]\ntest = "tests/test_some.py::{name}"\nreason = "r"\n' for name in listed]
    (folder / "tests/skips.toml").write_text("".join(entries), encoding="utf-8")
    done = run(folder, ci=True)
    assert done.returncode == 0, done.stdout
    assert "4 skipped, 1 xfailed" in done.stdout


def test_a_program_that_is_there_is_used(folder: Path) -> None:
    program = folder / "bin/valgrind"
    program.write_text("", encoding="utf-8")
    program.chmod(0o755)
    assert "1 passed, 3 skipped, 1 xfailed" in run(folder, ci=False).stdout


def test_a_gpu_that_is_missing_is_named(folder: Path) -> None:
    text = 'import pytest\n@pytest.mark.system("nvidia.gpu")\ndef test_it(): pass\n'
    (folder / "tests/test_some.py").write_text(text, encoding="utf-8")
    done = run(folder, ci=True)
    if any(Path("/dev").glob("nvidia[0-9]*")):
        assert "1 passed" in done.stdout
    else:
        assert "wants an NVIDIA GPU with its own driver" in done.stdout
        assert "1 error" in done.stdout


@pytest.mark.parametrize(
    ("installed", "outcome"), [("libweston-99", "1 passed"), ("libwestonia", "1 skipped")]
)
def test_a_pattern_stands_for_any_library_that_it_matches(
    folder: Path, installed: str, outcome: str
) -> None:
    program = folder / "bin/pkg-config"
    program.write_text(f"#!/bin/sh\necho '{installed}    Name - Description'\n", encoding="utf-8")
    program.chmod(0o755)
    text = 'import pytest\n@pytest.mark.system("libweston-*.pc")\ndef test_it(): pass\n'
    (folder / "tests/test_some.py").write_text(text, encoding="utf-8")
    assert outcome in run(folder, ci=False).stdout


def test_what_is_listed_exists_and_has_a_reason() -> None:
    for entry in tomllib.loads((HERE / "skips.toml").read_text("utf-8")).get("skip", []):
        path, _, name = entry["test"].partition("::")
        text = (HERE.parent / path).read_text("utf-8")
        assert not name or f"def {name.partition('[')[0].rpartition('::')[2]}(" in text
        assert len(entry["reason"]) > 10
