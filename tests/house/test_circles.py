"""No module needs, to be imported, another one that needs it."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from graphlib import CycleError, TopologicalSorter

from source_tree import ROOMS, dotted, sources
from test_faces import typed_exports

PATHS = {f"heapwire.{dotted(path)}": path for path in sources(*ROOMS)}
FACES = {name: typed_exports(path) for name, path in PATHS.items() if path.stem == "__init__"}


def needed(module: str) -> set[str]:
    """The modules that are imported when this one is, a face's names looked up where they are."""
    tree = ast.parse(PATHS[module].read_text("utf-8"))
    return {target for statement in tree.body for target in _targets(statement)} - {module}


def _targets(statement: ast.stmt) -> Iterator[str]:
    match statement:
        case ast.ImportFrom(str(base), names):
            for alias in names:
                if f"{base}.{alias.name}" in PATHS:
                    yield f"{base}.{alias.name}"
                else:
                    yield home(base, alias.name)
        case ast.Import(names):
            yield from (alias.name for alias in names)
        case ast.If(test, body, otherwise):
            body = [*body, *otherwise] if ast.unparse(test) != "TYPE_CHECKING" else otherwise
            for inner in body:
                yield from _targets(inner)
        case ast.Try(body):
            for inner in body:
                yield from _targets(inner)


def home(module: str, name: str) -> str:
    """The module that defines what a face exports."""
    while module in FACES and name in FACES[module]:
        module = FACES[module][name]
    return module


def test_there_is_no_circle() -> None:
    graph = {module: needed(module) & PATHS.keys() for module in PATHS}
    assert sum(map(len, graph.values())) > len(graph)
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        raise AssertionError(" -> ".join(error.args[1])) from None


def test_a_circle_is_found() -> None:
    assert "heapwire.protocol.errors" in needed("heapwire.protocol.values.extents")
    assert home("heapwire.kernel", "Platform") == "heapwire.kernel.description.platform"
