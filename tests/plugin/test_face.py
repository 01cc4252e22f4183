"""What an integrator gets: all of it from the faces, and nothing that is not for integrators."""

from __future__ import annotations

import ast
from pathlib import Path

from heapwire.compositor_plugin import HeapPlugin

FACES = ["heapwire.protocol", "heapwire.kernel", "heapwire.compositor_plugin"]
EXAMPLE = Path(__file__).parents[2] / "docs/examples/compositor.py"


def test_the_plugin_has_what_hosts_call_and_no_more() -> None:
    public = {name for name in vars(HeapPlugin) if not name.startswith("_")}
    told = {"surface_changed", "buffer_shown", "batch_ends", "composited_by", "test_planes"}
    told |= {"platform_changed", "follow", "surface_content", "listen", "client_does"}
    told |= {"tell_extended"}
    assert public == told | {"wants", "platform", "holdings", "close", "closed"}


def test_the_example_imports_from_the_faces_only() -> None:
    tree = ast.parse(EXAMPLE.read_text("utf-8"))
    modules = {node.module for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    assert {name for name in modules if name and name.startswith("heapwire")} == set(FACES)
