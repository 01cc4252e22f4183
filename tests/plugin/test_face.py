"""What an integrator gets: all of it from the faces, and nothing that is not for integrators."""

from __future__ import annotations

import ast
import inspect
import typing
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path

import pytest

from heapwire import compositor_plugin
from heapwire.compositor_plugin import HeapPlugin

FACES = ["heapwire.protocol", "heapwire.kernel", "heapwire.compositor_plugin"]
EXAMPLE = Path(__file__).parents[2] / "docs/examples/compositor.py"


def classes_in(hint: object) -> Iterator[type]:
    """The project's classes that a type mentions."""
    if isinstance(hint, type) and hint.__module__.startswith("heapwire."):
        yield hint
    for argument in typing.get_args(hint):
        for part in argument if isinstance(argument, list) else [argument]:
            yield from classes_in(part)


def mentioned_by(exported: object) -> set[type]:
    """The project's classes in the signatures and fields of what a face exports."""
    hinted = [exported]
    if inspect.isclass(exported):
        for name, member in vars(exported).items():
            if name.startswith("_") and name != "__init__":
                continue
            hinted.append(member.fget if isinstance(member, property) else member)
    hints = [
        hint
        for thing in hinted
        if inspect.isfunction(thing) or inspect.isclass(thing)
        for hint in typing.get_type_hints(thing).values()
    ]
    return {mentioned for hint in hints for mentioned in classes_in(hint)}


@pytest.mark.parametrize("name", compositor_plugin.__all__)
def test_all_that_a_signature_needs_can_be_imported_from_a_face(name: str) -> None:
    exported = {getattr(import_module(face), name) for face in FACES for name in _classes(face)}
    missing = mentioned_by(getattr(compositor_plugin, name)) - exported
    assert {entry.__name__ for entry in missing} == set()


def _classes(face: str) -> list[str]:
    module = import_module(face)
    return [name for name in module.__all__ if inspect.isclass(getattr(module, name))]


def test_the_plugin_has_what_hosts_call_and_no_more() -> None:
    public = {name for name in vars(HeapPlugin) if not name.startswith("_")}
    told = {"surface_changed", "buffer_shown", "platform_changed", "follow"}
    assert public == told | {"wants", "platform", "close", "closed"}


def test_the_example_imports_from_the_faces_only() -> None:
    tree = ast.parse(EXAMPLE.read_text("utf-8"))
    modules = {node.module for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    assert {name for name in modules if name and name.startswith("heapwire")} == set(FACES)
