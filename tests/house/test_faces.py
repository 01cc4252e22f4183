"""Every room's face: what it exports is there, typed, documented, and really its own name."""

from __future__ import annotations

import ast
import inspect
import re
import subprocess
import sys
from collections.abc import Iterator
from importlib import import_module
from itertools import pairwise
from pathlib import Path

import pytest
from source_tree import ROOMS, dotted, sources

from heapwire.protocol import ConstraintType

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


def home_of(exported: str, face: str) -> str:
    """The module in which an export is written, behind all the faces that pass it on."""
    home = typed_exports(FACES[face])[exported]
    return home_of(exported, home) if home in EXPORTING else home


def documented_constants(module: str) -> set[str]:
    """The names of a module's top level that have a docstring under them."""
    body = ast.parse(inspect.getsource(import_module(module))).body
    documented = set()
    for statement, after in pairwise(body):
        match statement, after:
            case (
                (ast.Assign([ast.Name(name)]) | ast.AnnAssign(ast.Name(name))),
                ast.Expr(ast.Constant(str())),
            ):
                documented.add(name)
    return documented


def is_code(value: object) -> bool:
    return inspect.isclass(value) or inspect.isroutine(inspect.unwrap(value))


def is_documented(exported: str, face: str) -> bool:
    """Whether an export says what it is, in words of its own.

    A class inherits no docstring here, and the signature that a dataclass is given for want
    of one is none. A row of the registry says what it means.
    """
    value = getattr(import_module(face), exported)
    if is_code(value):
        own = vars(value).get("__doc__") if inspect.isclass(value) else value.__doc__
        if own and not own.startswith(f"{value.__name__}("):
            return True
    if isinstance(value, ConstraintType):
        return bool(value.meaning)
    return exported in documented_constants(home_of(exported, face))


@pytest.mark.parametrize("name", EXPORTING)
def test_what_is_exported_is_documented(name: str) -> None:
    exports = import_module(name).__all__
    assert [exported for exported in exports if not is_documented(exported, name)] == []


def test_what_is_not_documented_is_found() -> None:
    assert is_documented("Extent", "heapwire.protocol")
    assert is_documented("LINEAR", "heapwire.protocol")
    assert is_documented("PITCH_ALIGNMENT", "heapwire.protocol")
    assert "_MAX_MODIFIER" not in documented_constants("heapwire.protocol.values.pixels.modifier")


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


def annotations(value: object) -> Iterator[str]:
    """Those of a function, or of a class's public fields and methods.

    A class whose documentation says what it is made by is not made by who uses it.
    """
    if isinstance(value, property):
        value = value.fget
    elif isinstance(value, classmethod):
        value = value.__func__
    if inspect.isfunction(value):
        yield from map(str, value.__annotations__.values())
    elif inspect.isclass(value):
        yield from (
            str(field.type) for field in getattr(value, "__dataclass_fields__", {}).values()
        )
        for name, member in vars(value).items():
            made = name == "__init__" and "Made by" not in (value.__doc__ or "")
            if (made or not name.startswith("_")) and not inspect.isclass(member):
                yield from annotations(member)


def behind(exported: object) -> list[str]:
    """The project's classes that an export's annotations name and no public face exports."""
    module = inspect.getmodule(exported)
    return [
        name
        for name in set(re.findall(r"[A-Za-z_]\w*", " ".join(annotations(exported))))
        if inspect.isclass(named := getattr(module, name, None))
        and named.__module__.startswith("heapwire.")
        and not any(getattr(import_module(face), name, None) is named for face in PUBLIC)
    ]


@pytest.mark.parametrize("face", PUBLIC)
def test_what_a_signature_names_can_be_imported_from_a_face(face: str) -> None:
    module = import_module(face)
    hidden = {name: behind(getattr(module, name)) for name in module.__all__}
    assert {name: names for name, names in hidden.items() if names} == {}
