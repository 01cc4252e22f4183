"""Who has the four faces and the documents, and nothing else, gets all the way.

The Python compositor of the examples serves a machine whose display has a vendor's
constraint; a client negotiates for its surface, once with room for what both want and
once without. Each is a program of its own, and neither reaches behind a face.
"""

from __future__ import annotations

import ast
import os
import subprocess
import sys
from pathlib import Path

import pytest
from patience import PATIENCE, until
from source_tree import ROOMS, ROOT

EXAMPLES = ROOT / "docs" / "examples"
FACES = {f"heapwire.{room}" for room in ROOMS if room != "cli"}

BOARD = """
name = "acme-board"

[[memory]]
name = "system"
contiguous = false
cached = true
source = "drivers/dma-buf/heaps/system_heap.c"

[[device]]
name = "display"
kind = "display"
[[device.use]]
usage = "scanout"
[[device.use.set]]
formats = ["NV12"]
constraints = [
    { type = "acme-burst", value = 16, source = "ACME A7 manual, 4.9" },
    { type = "pitch-alignment", value = 256, source = "ACME A7 manual, 4.2" },
]
"""

COMPOSITOR = """
import runpy, sys
sys.path.insert(0, sys.argv[1])
import vendor_types  # the vendor's rows
sys.argv = ["compositor.py", "stranger", sys.argv[2]]
runpy.run_path(vendor_types.__file__.replace("vendor_types", "compositor"), run_name="__main__")
"""

CLIENT = """
import sys
sys.path.insert(0, sys.argv[1])
from vendor_types import ACME_BURST
from pywayland.protocol.wayland import WlCompositor
from heapwire.client_lib import Connection, NegotiationManager, contradictions
from heapwire.protocol import (
    LINEAR, MAX_PITCH, PITCH_ALIGNMENT, Constraint, ConstraintSet, Extent, Extents,
    FormatModifier, Participant, Usage, parse_fourcc,
)

def decoder(*constraints):
    pair = FormatModifier(parse_fourcc("NV12"), LINEAR)
    sets = (ConstraintSet(formats=(pair,), constraints=constraints),)
    return Participant(name="decoder", usage=Usage.DECODE, sets=sets)

with Connection() as connection:
    connection.globals()
    surface = connection.bind(WlCompositor, maximum=4)[0].create_surface()
    negotiation = NegotiationManager(connection).surface_negotiation(surface)
    negotiation.set_extents(Extents(coded=Extent(1920, 1080)))
    negotiation.set_participant(decoder(
        Constraint(type=PITCH_ALIGNMENT.type, value=96), Constraint(type=ACME_BURST.type, value=24),
    ))
    plan = negotiation.negotiate().offers[0].plan
    print(plan.goal, plan.layout.planes[0].pitch, plan.layout.objects[0].size)
    negotiation.set_participant(decoder(Constraint(type=MAX_PITCH.type, value=2000)))
    batch = negotiation.negotiate()
    print(*sorted({entry.constraint for entry in contradictions(batch, negotiation.names)}))
"""


@pytest.mark.parametrize(
    "source",
    [CLIENT, *(path.read_text("utf-8") for path in sorted(EXAMPLES.glob("*.py")))],
    ids=["client", *(path.name for path in sorted(EXAMPLES.glob("*.py")))],
)
def test_nothing_reaches_behind_a_face(source: str) -> None:
    modules = {
        node.module
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("heapwire")
    }
    assert modules
    assert modules <= FACES


def test_a_stranger_gets_all_the_way(tmp_path: Path) -> None:
    board = tmp_path / "acme-board.toml"
    board.write_text(BOARD)
    environment = {**os.environ, "XDG_RUNTIME_DIR": str(tmp_path), "WAYLAND_DISPLAY": "stranger"}
    compositor = subprocess.Popen(
        [sys.executable, "-c", COMPOSITOR, str(EXAMPLES), str(board)],
        env=environment,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        until(
            lambda: (tmp_path / "stranger").exists() or compositor.poll() is not None,
            "the compositor to make its socket",
        )
        client = subprocess.run(
            [sys.executable, "-c", CLIENT, str(EXAMPLES)],
            env=environment,
            capture_output=True,
            text=True,
            timeout=PATIENCE,
            check=False,
        )
    finally:
        compositor.terminate()
        _, complaints = compositor.communicate(timeout=PATIENCE)
    assert (client.stderr, complaints) == ("", "")
    # 1920 is no multiple of 768, which 256 and 96 make; 2304 is. Half as many rows of CbCr.
    assert client.stdout.splitlines() == [
        f"scanout 2304 {2304 * (1080 + 540)}",
        "max-pitch pitch-alignment",
    ]
