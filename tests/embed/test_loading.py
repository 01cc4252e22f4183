"""What a compositor loads with the plugin, before anybody asks."""

from __future__ import annotations

import subprocess
import sys

import pytest

PLATFORM = "raspberry-pi-4"
ATTACHED = """
import sys
from heapwire.compositor_plugin import rehearse
from heapwire.compositor_plugin.hosts.embed import attach
from heapwire.kernel.description import Platform
rehearse(Platform.load(sys.argv[1]))
print(*sys.modules)
"""
# Prints what is loaded by a long question, from its process's start to its answer.
ASKED = f"""
{ATTACHED.replace("print(*sys.modules)", "")}
from heapwire.compositor_plugin.answering import SetRecords, SolverCall
from heapwire.compositor_plugin.answering.frames import Frame, FrameKind
from heapwire.compositor_plugin.answering.question_message import decode_answer, encode_question
from heapwire.compositor_plugin.answering.solver_process import SolverProcess
from heapwire.compositor_plugin.rehearsal import _problem
from heapwire.compositor_plugin.server import OwnDisplay
display, heard, call = OwnDisplay(), [], SolverCall(_problem((64, 128)), explained=True)
before = {{*sys.modules}}
process = SolverProcess(display.loop, heard.append, lambda: None)
process.send(Frame(FrameKind.QUESTION, 1, encode_question(call, SetRecords())))
while len(heard) < 2:
    display.dispatch(100)
assert decode_answer(heard[1].body) == call.solve()
process.close()
print(*{{*sys.modules}} - before)
display.destroy()
"""
# What each is for, or what takes long in it; none is needed to answer on a simulated machine.
NOT_LOADED = {
    "inspect": "the library's dataclasses",
    "dataclasses": "inspect",
    "hashlib": "OpenSSL",
    "ctypes": "V4L2's structs",
    "json": "captures and trials",
    "subprocess": "the process that solves",
    "socket": "enumerations of a system's constants",
    "selectors": "socket",
    "pickle": "a pickler beside the one in C",
    "fractions": "ratios of rows",
    "decimal": "fractions",
    "difflib": "files with mistakes",
    "pyudev": "hot-plug",
    "pywayland": "a libwayland-server of its own",
    "cffi": "pycparser",
    "heapwire.kernel.video": "codecs",
    "heapwire.kernel.drm": "displays",
    "heapwire.kernel.discovery.trial": "trials",
    "heapwire.compositor_plugin.hosts.embed.machine_look": "this machine",
    "heapwire.compositor_plugin.machine.host_trials": "hosts with planes",
}


def modules_after(program: str, *arguments: str) -> set[str]:
    command = [sys.executable, "-I", "-c", program, *arguments]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
    return set(done.stdout.split())


@pytest.fixture(scope="module")
def loaded():
    return modules_after(ATTACHED, PLATFORM)


@pytest.fixture(scope="module")
def of_the_library():
    """What comes with what we need of Python's own; since 3.14, dataclasses are among it."""
    return modules_after("import logging, sys; print(*sys.modules)")


@pytest.mark.parametrize("name", NOT_LOADED)
def test_what_nobody_needs_at_the_start_is_not_loaded(loaded, of_the_library, name):
    assert name not in loaded - of_the_library


def test_what_a_first_client_needs_is_loaded(loaded):
    """Nothing of the solver's is loaded in the middle of a slice."""
    assert {
        f"heapwire.protocol.solver.{name}" for name in ("solution", "search", "layout.exact_layout")
    } <= loaded


def test_a_question_for_the_process_that_solves_loads_nothing():
    """Neither its start nor a message, which are parts of slices."""
    assert modules_after(ASKED, PLATFORM) == set()
