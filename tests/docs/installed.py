"""heapwire as a user has it: the wheel, in a virtual environment away from the checkout."""

from __future__ import annotations

import fcntl
import os
import shutil
import subprocess
import sys
import venv
import zipfile
from pathlib import Path

import pytest
from source_tree import MADE, ROOT

_BUILD = "from build_backend import build_wheel; print(build_wheel('wheel'))"
_COMMAND = "from heapwire.cli.main import main; import sys; sys.exit(main())"


def environment_folder(shared: Path) -> Path:
    """A virtual environment with the wheel in it, made once for all processes of a test run.

    What heapwire depends on is that of the tests' own environment; heapwire itself is not, for
    its folder comes first.
    """
    folder = shared / "installed"
    with (shared / "installed.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not folder.exists():
            _install(shared / "making")
            (shared / "making").rename(folder)
    return folder


def _install(folder: Path) -> None:
    copy = folder / "source"
    (copy / ".ci").mkdir(parents=True)
    for name in ("pyproject.toml", "README.md", "LICENSE", ".ci/build_backend.py"):
        shutil.copy(ROOT / name, copy / name)
    left_out = shutil.ignore_patterns(*MADE, "patches", "vm")
    for room in (ROOT / "src/heapwire").iterdir():
        shutil.copytree(ROOT / room.name, copy / "src/heapwire" / room.name, ignore=left_out)
    command = [sys.executable, "-c", _BUILD]
    found = os.environ | {"PYTHONPATH": str(copy / ".ci")}
    done = subprocess.run(command, cwd=copy, env=found, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert not (copy / "build").exists()  # the next wheel would have what is gone by then
    wheel = copy / "wheel" / done.stdout.split()[-1]
    venv.create(folder / "venv", symlinks=True)
    [packages] = (folder / "venv/lib").glob("python*/site-packages")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(packages)
    others = [path for path in sys.path if path.endswith("site-packages")]
    (packages / "of_the_tests.pth").write_text("".join(f"{path}\n" for path in others))
    shutil.rmtree(copy)


def command_environment(folder: Path, home: Path) -> dict[str, str]:
    """The variables with which a shell runs what is installed, and nothing of whoever tests."""
    venv_folder = folder / "venv"
    script = venv_folder / "bin/heapwire"
    if not script.exists():
        made = script.with_name(f"heapwire.{os.getpid()}")
        made.write_text(f'#!/bin/sh\nexec {venv_folder}/bin/python -c "{_COMMAND}" "$@"\n')
        made.chmod(0o755)
        made.rename(script)
    kept = {name: os.environ[name] for name in ("LANG", "HEAPWIRE_TIMEOUT") if name in os.environ}
    return kept | {
        "PATH": f"{venv_folder}/bin:/usr/local/bin:/usr/bin:/bin",
        "HOME": str(home),
        "XDG_RUNTIME_DIR": str(home),
    }


@pytest.fixture(scope="session")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the environment that all processes of a test run share."""
    base = tmp_path_factory.getbasetemp()
    return environment_folder(base.parent if os.environ.get("PYTEST_XDIST_WORKER") else base)
