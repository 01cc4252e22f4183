"""The process that solves has what it is given and nothing else of the host's, and is collected."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from broken_pipes import told_of_broken_pipes
from heavy_questions import ask_heavily
from stage import Stage

from heapwire.compositor_plugin.answering import spawned_process
from heapwire.compositor_plugin.answering.frames import Frame, FrameKind
from heapwire.compositor_plugin.answering.spawned_process import PASSED, SpawnedProcess

# Tells its descriptors, and whether it leads a session.
TOLD = """
import os
named = {int(fd): os.path.realpath(f"/proc/self/fd/{fd}") for fd in (0, 1, 2, 3)}
os.write(3, f"{named[0]} {named[1]} {os.getsid(0) == os.getpid()}".encode())
"""
# Closes what it is told to before it makes a pipe, and after that, hands the pipe to a process, and
# passes its word on.
HOST = f"""
import os, sys
from heapwire.compositor_plugin.answering.spawned_process import SpawnedProcess
kept = os.dup2(1, 40)
for fd in sys.argv[1]:
    os.close(int(fd))
reading, writing = os.pipe()
for fd in sys.argv[2]:
    os.close(int(fd))
process = SpawnedProcess([sys.executable, "-I", "-c", {TOLD!r}], writing)
os.close(writing)
os.write(kept, os.read(reading, 1000))
"""


def until_ended(process: SpawnedProcess) -> None:
    end = time.monotonic() + 30
    while not process.has_ended():
        assert time.monotonic() < end
        time.sleep(0.001)


@pytest.mark.parametrize(
    ("before", "after"), [("", ""), ("0", ""), ("01", ""), ("012", ""), ("", "0"), ("", "01")]
)
def test_it_has_its_descriptor_whichever_of_the_hosts_are_free(before, after) -> None:
    """What the host opens has the first free number, which the process may have for another."""
    command = [sys.executable, "-c", HOST, before, after]
    told = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True, timeout=30)
    assert told.stdout == "/dev/null /dev/null True"


def test_what_any_process_would_inherit_the_solver_lets_go() -> None:
    reading, writing = os.pipe()
    os.set_inheritable(writing, True)
    with Stage() as stage:
        client = stage.client()
        ask_heavily(client, client.negotiation(), 1)
        solving = stage.plugin._state.solving
        stage.until(lambda: solving._ready)
        fds = Path(f"/proc/{solving._process.pid}/fd")
        assert str((fds / str(PASSED)).readlink()).startswith("socket:")
        assert all(int(fd.name) <= PASSED for fd in fds.iterdir())
        os.close(writing)
        assert os.read(reading, 1) == b""
    os.close(reading)


def test_a_process_that_has_ended_is_told_something_without_a_signal() -> None:
    with told_of_broken_pipes() as signals, Stage() as stage:
        client = stage.client()
        ask_heavily(client, client.negotiation(), 1)
        solving = stage.plugin._state.solving
        stage.until(lambda: solving._ready)
        os.kill(solving._process.pid, signal.SIGKILL)
        until_ended(solving._process._process)
        solving._process.send(Frame(FrameKind.CANCEL, 1))
    assert signals == []


def test_what_cannot_be_started_leaves_nothing(tmp_path) -> None:
    (tmp_path / "text").write_text("no program")
    before = {fd.name for fd in Path("/proc/self/fd").iterdir()}
    for program in ("/nonexistent/python", str(tmp_path / "text")):
        with pytest.raises((FileNotFoundError, PermissionError)):
            SpawnedProcess([program], 1)
    assert {fd.name for fd in Path("/proc/self/fd").iterdir()} == before


@pytest.mark.parametrize("collected", ["by itself", "by the host"])
def test_the_number_of_one_that_has_ended_is_nobodys(monkeypatch, collected) -> None:
    process = SpawnedProcess([sys.executable, "-I", "-S", "-c", "import time; time.sleep(60)"], 1)
    assert not process.has_ended()
    process.kill()
    if collected == "by itself":
        until_ended(process)
    else:
        assert os.waitstatus_to_exitcode(os.waitpid(process.pid, 0)[1]) == -signal.SIGKILL
    monkeypatch.setattr(spawned_process.os, "kill", lambda *_: pytest.fail("it may be another's"))
    process.kill()
    assert process.has_ended()
