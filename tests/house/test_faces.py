"""Every room's face: what it exports is there, typed, documented, and really its own name."""

from __future__ import annotations

import ast
import inspect
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import pytest
from source_tree import ROOMS, dotted, sources

FACES = {f"heapwire.{dotted(path)}": path for path in sources(*ROOMS) if path.stem == "__init__"}
EXPORTING = sorted(name for name, path in FACES.items() if "lazy_exports" in path.read_text())
PUBLIC = [f"heapwire.{room}" for room in ROOMS if room != "cli"]


def typed_exports(path: Path) -> dict[str, str]:
    """What a face exports to type checkers: each name and the module it is imported from."""
    return {
        alias.name: node.module or ""
        for statement in ast.parse(path.read_text("utf-8")).body
        if isinstance(statement, ast.If) and ast.unparse(statement.test) == "TYPE_CHECKING"
        for node in statement.body
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
        if alias.asname == alias.name
    }


def test_there_are_faces() -> None:
    assert set(PUBLIC) <= set(EXPORTING)


@pytest.mark.parametrize("name", EXPORTING)
def test_what_python_finds_is_what_type_checkers_find(name: str) -> None:
    face = import_module(name)
    typed = typed_exports(FACES[name])
    assert sorted(typed) == face.__all__
    for exported, home in typed.items():
        assert getattr(face, exported) is getattr(import_module(home), exported), exported


@pytest.mark.parametrize("name", EXPORTING)
def test_no_export_has_the_name_of_a_module(name: str) -> None:
    modules = {path.stem for path in FACES[name].parent.iterdir()}
    assert modules.isdisjoint(import_module(name).__all__)


@pytest.mark.parametrize("name", EXPORTING)
def test_what_is_exported_is_documented(name: str) -> None:
    face = import_module(name)
    bare = [
        exported
        for exported in face.__all__
        if inspect.isclass(value := getattr(face, exported)) or inspect.isfunction(value)
        if not inspect.getdoc(value)
    ]
    assert bare == []


def test_what_is_not_exported_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match=r"heapwire\.kernel.*nonsense"):
        import_module("heapwire.kernel").nonsense  # noqa: B018  # the access is the test


def test_errors_are_imported_without_the_libraries_of_those_who_raise_them() -> None:
    program = """
import sys
from heapwire.client_lib import ConflictError, NoCompositorError, ProtocolError
print(*sorted({name.partition(".")[0] for name in sys.modules} & {"pywayland", "cffi", "pyudev"}))
"""
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert done.stdout.split() == []
