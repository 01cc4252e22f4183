"""SIGTERM ends Weston whatever the module is in the middle of, though that never ends."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from patience import PATIENCE, until
from stock_weston import PLATFORM

from heapwire.client_lib.negotiation import Negotiation, NegotiationManager
from heapwire.protocol.values import (
    ConstraintSet,
    Extent,
    Extents,
    FormatModifier,
    Participant,
    Usage,
    parse_fourcc,
)

pytestmark = [
    pytest.mark.system("weston", "libweston-*.pc", "cc", "pkg-config"),
]

NV12 = FormatModifier(parse_fourcc("NV12"), 0)

# In Weston's process, as its Python starts: what is begun says so, and then never ends.
ALLOCATING = """
import os
from heapwire.compositor_plugin import allocation
def allocate(*_):
    open({begun!r}, "w").close()
    os.read(os.pipe()[0], 1)
allocation._allocate = allocate
"""
SOLVING = """
import os, signal
from heapwire.compositor_plugin.answering.solver_queue import SolverQueue
run = SolverQueue._run
def stopped(queue, process, job):
    os.kill(process.pid, signal.SIGSTOP)
    run(queue, process, job)
    with open({begun!r} + ".new", "w") as file:
        file.write(str(process.pid))
    os.rename({begun!r} + ".new", {begun!r})
SolverQueue._run = stopped
"""


def environment(folder: Path, program: str) -> Path:
    """A Python with this one's packages that runs a program as it starts."""
    version = f"python{sys.version_info.major}.{sys.version_info.minor}"
    packages = folder / "lib" / version / "site-packages"
    packages.mkdir(parents=True)
    python = folder / "bin" / version
    python.parent.mkdir()
    python.symlink_to(Path(sys.executable).resolve())
    (folder / "pyvenv.cfg").write_text(f"home = {Path(sys.base_prefix) / 'bin'}\n", "utf-8")
    (packages / "planted.py").write_text(program, "utf-8")
    paths = [path for path in sys.path if Path(path).is_dir()]
    (packages / "planted.pth").write_text("\n".join([*paths, "import planted"]), "utf-8")
    return python


def allocate(manager: NegotiationManager) -> None:
    """Ask for a buffer, which does not come."""
    negotiation = made(manager, NV12)
    negotiation.allocate(negotiation.negotiate(timeout=PATIENCE).offers[0])
    manager.connection.flush()


def ask(manager: NegotiationManager) -> None:
    """Ask what is solved beside Weston."""
    made(manager, NV12, *(FormatModifier(NV12.fourcc, 1 << 56 | n) for n in range(4095))).commit()
    manager.connection.flush()


def made(manager: NegotiationManager, *pairs: FormatModifier) -> Negotiation:
    negotiation = manager.default_negotiation()
    sets = (ConstraintSet(formats=pairs),)
    negotiation.set_participant(Participant(name="decoder", usage=Usage.DECODE, sets=sets))
    negotiation.set_extents(Extents(coded=Extent(64, 64)))
    return negotiation


@pytest.mark.parametrize(
    ("program", "act"), [(ALLOCATING, allocate), (SOLVING, ask)], ids=["allocating", "solving"]
)
def test_it_ends_in_the_middle(start, tmp_path, program, act) -> None:
    begun = tmp_path / "begun"
    python = environment(tmp_path / "python", program.format(begun=str(begun)))
    weston = start(environment={"HEAPWIRE_PLATFORM": PLATFORM, "HEAPWIRE_PYTHON": str(python)})
    with weston.connect() as connection:
        act(NegotiationManager(connection, timeout=PATIENCE))
        until(begun.exists, "that to begin")
        assert weston.stop() == 0
    if pid := begun.read_text("ascii"):
        until(lambda: is_gone(pid), "the process that solves to be gone")


def is_gone(pid: str) -> bool:
    """Whether a process has ended, collected or not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text("ascii").rpartition(")")[2].split()[0] == "Z"
    except FileNotFoundError:
        return True
