"""The machine is looked at by a process beside the host, and not by the host's Python."""

from __future__ import annotations

import pickle
import sys
from dataclasses import replace

import pytest

from heapwire.compositor_plugin.hosts.embed import machine_look
from heapwire.compositor_plugin.hosts.embed.machine_look import _encoded, look, look_beside
from heapwire.kernel.description import Platform
from heapwire.kernel.memory import LocalMemory
from heapwire.protocol import MachineError
from heapwire.protocol.values import SourceId, SourceKind


@pytest.fixture(autouse=True)
def cache(monkeypatch, tmp_path):
    """What is learned is kept there, and not in the home of whoever runs the tests."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))


def test_a_process_sees_the_machine_and_this_one_reads_nothing(monkeypatch) -> None:
    seen = look()

    def nobody(**_: object) -> Platform:
        raise AssertionError("the host reads the machine itself")

    monkeypatch.setattr(machine_look, "local_platform", nobody)
    beside = look_beside()
    assert replace(beside, memory=seen.memory) == seen
    assert beside.memory.openable == seen.memory.openable


def test_memory_is_opened_where_the_platform_goes(tmp_path) -> None:
    """What is handed on is the path of a node; no file and no count goes with it."""
    pi = Platform.load("raspberry-pi-4")
    node = tmp_path / "system"
    node.touch()
    memory = LocalMemory(pi.sources, {pi.sources[0].id: str(node)})
    handed = pickle.loads(_encoded(replace(pi, memory=memory)))
    assert handed.sources == pi.sources
    assert handed.devices == pi.devices
    assert handed.memory.openable == {pi.sources[0].id}
    assert SourceId(SourceKind.HEAP, 9, 9) not in handed.memory.openable


@pytest.mark.parametrize(
    ("python", "words"),
    [("/none/python", "can be started: No such file"), ("/bin/false", "ended without a word")],
)
def test_a_process_of_which_nothing_comes_is_the_machines_fault(
    monkeypatch, python: str, words: str
) -> None:
    monkeypatch.setattr(sys, "executable", python)
    with pytest.raises(MachineError, match=words):
        look_beside()


def test_what_goes_wrong_there_is_said_here(monkeypatch) -> None:
    gone = (
        "import sys; _, how, *sys.path = sys.argv\n"
        "from heapwire.compositor_plugin.hosts.embed import machine_look\n"
        "def look(*, as_set): raise OSError(f'a device is gone: {as_set}')\n"
        "machine_look.look = look; machine_look.main(how)"
    )
    monkeypatch.setattr(machine_look, "_BOOT", gone)
    for as_set in (False, True):  # and how to look arrives there
        with pytest.raises(MachineError, match=f"OSError: a device is gone: {as_set}"):
            look_beside(as_set=as_set)
