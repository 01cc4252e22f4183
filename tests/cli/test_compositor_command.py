"""`heapwire compositor -- COMMAND`: the command is a client, and both end together."""

from __future__ import annotations

import signal
import subprocess
import sys

import pytest
from patience import PATIENCE, until

SHOWN = "import os; print(os.environ['WAYLAND_DISPLAY'], os.environ.get('HEAPWIRE_PLATFORM'))"


@pytest.fixture
def run_on_it(tmp_path):
    def run(*command, options=("--platform", "exynos4-mfc-v5", "--socket", "mine")):
        return subprocess.Popen(
            [sys.executable, "-m", "heapwire.cli.main", "compositor", *options, *command],
            env={"XDG_RUNTIME_DIR": str(tmp_path), "PATH": "/usr/bin:/bin"},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    return run


def test_a_command_is_told_of_the_compositor_and_ends_it(run_on_it):
    run = run_on_it("--", sys.executable, "-c", SHOWN)
    out, _ = run.communicate(timeout=PATIENCE)
    assert (run.returncode, out.splitlines()) == (0, ["socket mine", "mine exynos4-mfc-v5"])


def test_a_command_s_own_options_are_its_own(run_on_it):
    run = run_on_it("--", "sh", "-c", "echo $0 $1", "--size", "-v")
    out, _ = run.communicate(timeout=PATIENCE)
    assert out.splitlines()[-1] == "--size -v"


def test_a_command_that_fails_is_told(run_on_it):
    run = run_on_it("--", "sh", "-c", "exit 7")
    _, err = run.communicate(timeout=PATIENCE)
    assert run.returncode == 1
    assert "sh ended with status 7" in err


def test_a_command_that_is_not_there_is_told(run_on_it, tmp_path):
    run = run_on_it("--", str(tmp_path / "nothing"))
    _, err = run.communicate(timeout=PATIENCE)
    assert (run.returncode, "nothing: " in err) == (1, True)


def test_a_command_ends_when_the_compositor_is_interrupted(run_on_it, tmp_path):
    run = run_on_it(
        "--",
        "sh",
        "-c",
        f"echo $$ >{tmp_path}/made; mv {tmp_path}/made {tmp_path}/pid; exec sleep 1000",
    )
    until((tmp_path / "pid").exists, "the command to begin")
    run.send_signal(signal.SIGTERM)
    run.communicate(timeout=PATIENCE)
    assert run.returncode == 0
    number = int((tmp_path / "pid").read_text())
    until(
        lambda: subprocess.run(["kill", "-0", str(number)], check=False).returncode != 0,
        "it to end",
    )
