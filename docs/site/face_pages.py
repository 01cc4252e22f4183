"""A page for each face: what a room exports, with what the code says of it."""

from __future__ import annotations

import ast
import inspect
from collections.abc import Iterator
from importlib import import_module
from itertools import pairwise
from types import ModuleType

from heapwire.protocol import ConstraintType

FACES = (
    "heapwire.protocol",
    "heapwire.kernel",
    "heapwire.compositor_plugin",
    "heapwire.client_lib",
)


def face_pages() -> Iterator[tuple[str, str]]:
    """The page of each face, and one that leads to them."""
    homes: dict[str, str] = {}
    for face in FACES:
        module = import_module(face)
        for name in module.__all__:
            homes.setdefault(name, face)
        yield f"api/{face}.md", face_page(module, homes)
    entries = "\n".join(FACES)
    yield (
        "api/index.md",
        "# The faces, from their code\n\nWhat these four packages export is the public API. Types "
        "are in every signature; errors that are raised say whose fault they are.\n\n"
        f"```{{toctree}}\n{entries}\n```\n",
    )


def face_page(face: ModuleType, homes: dict[str, str]) -> str:
    """All that a face exports; what an earlier one has already is named, and told there."""
    own = [name for name in face.__all__ if homes[name] == face.__name__]
    passed_on = [name for name in face.__all__ if homes[name] != face.__name__]
    lines = [f"# {face.__name__}\n", f"{inspect.getdoc(face)}\n"]
    if passed_on:
        names = ", ".join(f"{{py:obj}}`{name} <{homes[name]}.{name}>`" for name in passed_on)
        lines.append(f"It passes on what other faces have: {names}.\n")
    lines += ["```{eval-rst}", *(line for name in own for line in _entry(face, name)), "```\n"]
    return "\n".join(lines)


def _entry(face: ModuleType, name: str) -> Iterator[str]:
    value = getattr(face, name)
    full = f"{face.__name__}.{name}"
    if inspect.isclass(value):
        yield from (f".. autoclass:: {full}", "   :members:", "")
    elif inspect.isroutine(inspect.unwrap(value)):
        yield from (f".. autofunction:: {full}", "")
    else:
        yield f".. py:data:: {full}"
        yield ""
        yield from (f"   {line}" for line in told_of(face.__name__, name, value).splitlines())
        yield ""


def told_of(face: str, name: str, value: object) -> str:
    """What the code says of a constant: a type of constraint itself, any other in a docstring."""
    if isinstance(value, ConstraintType):
        return value.meaning
    source = inspect.getsource(import_module(face))
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.ImportFrom) and any(one.name == name for one in node.names):
            return told_of(node.module or "", name, value)
    for statement, after in pairwise(ast.parse(source).body):
        match statement, after:
            case (
                (ast.Assign([ast.Name(found)]) | ast.AnnAssign(ast.Name(found))),
                ast.Expr(ast.Constant(str(text))),
            ) if found == name:
                return inspect.cleandoc(text)
    return ""
