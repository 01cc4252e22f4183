"""kernel/vm/run ends what it has started, whatever ends it. A script stands in for QEMU here."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from patience import PATIENCE, until

RUN = Path(__file__).resolve().parents[2] / "kernel" / "vm" / "run"
QEMU = """#!/bin/sh
echo "$@" >"$STARTED.arguments"
echo $$ >"$STARTED.new" && mv "$STARTED.new" "$STARTED"
exec sleep infinity
"""


@pytest.fixture
def runner(tmp_path, monkeypatch):
    """Start a runner whose guest hangs; gives it and the pid of its QEMU."""
    program, started = tmp_path / "bin" / "qemu-system-x86_64", tmp_path / "started"
    program.parent.mkdir()
    program.write_text(QEMU)
    program.chmod(0o755)
    (tmp_path / "tmp").mkdir()
    monkeypatch.setenv("TMPDIR", str(tmp_path / "tmp"))
    monkeypatch.setenv("PATH", f"{program.parent}:{os.environ['PATH']}")
    monkeypatch.setenv("STARTED", str(started))
    runners = []

    def start(*options):
        started.unlink(missing_ok=True)
        command = [sys.executable, str(RUN), "--kernel=none", *options, "--", "true"]
        with (tmp_path / "said").open("w") as said:  # a pipe is held by whoever is left behind
            process = subprocess.Popen(command, stderr=said)
        runners.append(process)
        until(started.exists, "the stand-in for QEMU")
        return process, int(started.read_text())

    yield start
    for process in runners:
        process.kill()
        process.wait()


def folders(tmp_path):
    return list((tmp_path / "tmp").iterdir())


def lives(pid):
    """Whether a process is there and has not ended; nobody may have asked for its status yet."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


def test_a_guest_that_hangs_is_ended_with_its_folder(runner, tmp_path):
    process, qemu = runner("--timeout=0.1")
    assert process.wait(PATIENCE) == 124
    assert "the guest hung" in (tmp_path / "said").read_text()
    assert not lives(qemu)
    assert folders(tmp_path) == []


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGINT])
def test_a_runner_that_is_asked_to_end_takes_its_guest_and_its_folder_along(runner, tmp_path, how):
    process, qemu = runner()
    process.send_signal(how)
    assert process.wait(PATIENCE) == 128 + how
    assert not lives(qemu)
    assert folders(tmp_path) == []


def test_a_runner_that_is_killed_leaves_no_guest_and_the_next_removes_its_folder(runner, tmp_path):
    process, qemu = runner()
    process.kill()
    process.wait(PATIENCE)
    until(lambda: not lives(qemu), "QEMU to end with its runner")
    (left,) = folders(tmp_path)
    os.utime(left, (0, 0))
    _, _ = runner()
    (own,) = folders(tmp_path)
    assert own != left


@pytest.mark.parametrize(
    ("options", "speed"),
    [
        ((), "-accel tcg,thread=multi"),
        (("--counted",), "-accel tcg,thread=single -icount shift=0,sleep=off"),
    ],
)
def test_a_guest_has_one_kind_of_time(runner, tmp_path, options, speed):
    """QEMU refuses to count instructions that are run by several threads."""
    runner(*options)
    arguments = (tmp_path / "started.arguments").read_text()
    assert f" {speed} -m " in arguments
    assert arguments.count("-accel") == 1


def test_the_folder_of_a_guest_that_runs_is_left_alone(runner, tmp_path):
    runner()
    (first,) = folders(tmp_path)
    os.utime(first, (0, 0))
    runner()
    assert len(folders(tmp_path)) == 2
    assert first in folders(tmp_path)
