"""`heapwire compositor -- COMMAND`: the command is a client, and both end together."""

from __future__ import annotations

import array
import fcntl
import os
import re
import signal
import subprocess
import sys
import termios
from pathlib import Path

import pytest
from patience import PATIENCE, until

SHOWN = "import os; print(os.environ['WAYLAND_DISPLAY'], os.environ.get('HEAPWIRE_PLATFORM'))"


@pytest.fixture
def run_on_it(tmp_path):
    def run(*command, options=("--platform", "exynos4-mfc-v5", "--socket", "mine"), **variables):
        return subprocess.Popen(
            [sys.executable, "-m", "heapwire.cli.main", "compositor", *options, *command],
            env={"XDG_RUNTIME_DIR": str(tmp_path), "PATH": "/usr/bin:/bin"} | variables,
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


def test_a_command_takes_the_platform_and_the_compositor_of_no_one_else(run_on_it):
    of_others = {"HEAPWIRE_PLATFORM": "raspberry-pi-4", "HEAPWIRE_SIMULATED": "1"}
    run = run_on_it(
        *("--", "sh", "-c", "env | grep -E '^(HEAPWIRE|WAYLAND)_' | sort"),
        options=("--platform", "local", "--socket", "mine"),
        **of_others,
        WAYLAND_SOCKET="99",
    )
    out, _ = run.communicate(timeout=PATIENCE)
    assert out.splitlines()[1:] == ["WAYLAND_DISPLAY=mine"]


@pytest.fixture
def lasting(tmp_path):
    """A command that lasts, behind what it does first; and its number, once it has done that."""

    def command(first=":"):
        made, pid = tmp_path / "made", tmp_path / "pid"
        return ("--", "sh", "-c", f"{first}; echo $$ >{made}; mv {made} {pid}; exec sleep 1000")

    def number():
        until((tmp_path / "pid").exists, "the command to begin")
        return int((tmp_path / "pid").read_text())

    return command, number


def runs(number):
    try:
        os.kill(number, 0)
    except ProcessLookupError:
        return False
    return True


def waiting_in(pipe):
    """Bytes that are in a pipe."""
    count = array.array("i", [0])
    fcntl.ioctl(pipe, termios.FIONREAD, count)
    return count[0]


def test_a_command_ends_when_the_compositor_is_interrupted(run_on_it, lasting):
    command, number = lasting
    run = run_on_it(*command())
    told = number()
    run.send_signal(signal.SIGTERM)
    _, err = run.communicate(timeout=PATIENCE)
    assert (run.returncode, runs(told)) == (0, False)
    assert [line for line in err.splitlines() if not line.startswith("heapwire: ")] == []


def test_a_command_that_does_not_end_is_killed(run_on_it, lasting):
    command, number = lasting
    run = run_on_it(*command("trap '' TERM"))
    told = number()
    run.send_signal(signal.SIGTERM)
    _, err = run.communicate(timeout=PATIENCE)
    assert (run.returncode, runs(told)) == (0, False)
    assert "Traceback" not in err


@pytest.fixture
def not_ignored():
    """SIGHUP ends who does not handle it, also where these tests run under nohup."""
    before = signal.signal(signal.SIGHUP, signal.SIG_DFL)
    yield
    signal.signal(signal.SIGHUP, before)


@pytest.mark.usefixtures("not_ignored")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_each_way_to_end_it_ends_it_in_order(run_on_it, tmp_path, number):
    """SIGHUP is that of a terminal which is closed."""
    picture = tmp_path / "last.png"
    run = run_on_it(options=("--socket", "mine", "--screenshot", os.fspath(picture)))
    assert run.stdout.readline() == "socket mine\n"
    assert (tmp_path / "mine").exists()
    run.send_signal(number)
    _, err = run.communicate(timeout=PATIENCE)
    assert (run.returncode, "Traceback" in err) == (0, False)
    assert picture.read_bytes().startswith(b"\x89PNG")
    assert [path.name for path in tmp_path.iterdir()] == [picture.name]


def test_it_outlives_its_terminal_where_that_is_asked_for(run_on_it, lasting):
    """As nohup does: SIGHUP is ignored when it is started."""
    command, number = lasting
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        run = run_on_it(*command())
    finally:
        signal.signal(signal.SIGHUP, before)
    number()
    [ignored] = re.findall(r"^SigIgn:\s*(\S+)", Path(f"/proc/{run.pid}/status").read_text(), re.M)
    assert int(ignored, 16) >> signal.SIGHUP - 1 & 1
    run.send_signal(signal.SIGTERM)
    run.communicate(timeout=PATIENCE)


def test_who_does_not_read_what_is_written_is_left_at_the_next_signal(run_on_it, tmp_path):
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    try:
        room = fcntl.fcntl(reader, fcntl.F_SETPIPE_SZ, 4096)  # less than the picture
        run = run_on_it(options=("--size", "2048x2048", "--screenshot", os.fspath(pipe)))
        assert run.stdout.readline().startswith("socket ")
        run.send_signal(signal.SIGTERM)
        until(lambda: waiting_in(reader) == room, "the pipe to be full")
        run.send_signal(signal.SIGTERM)
        _, err = run.communicate(timeout=PATIENCE)
    finally:
        os.close(reader)
    assert run.returncode != 0
    assert "Traceback" not in err


def test_a_command_ends_when_something_cannot_be_written(run_on_it, lasting, tmp_path):
    command, number = lasting
    folder = tmp_path / "gone"
    folder.mkdir()
    run = run_on_it(*command(f"rmdir {folder}"), options=("--screenshot", f"{folder}/a.png"))
    told = number()
    run.send_signal(signal.SIGTERM)
    _, err = run.communicate(timeout=PATIENCE)
    assert (run.returncode, runs(told)) == (1, False)
    assert f"{folder}/a.png" in err
