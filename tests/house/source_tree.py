"""The project's own source as the house's tests read it: its files and their imports."""

from __future__ import annotations

import ast
import os
from collections.abc import Iterator
from fnmatch import fnmatch
from pathlib import Path

ROOT = Path(__file__).parents[2]
ROOMS = ("protocol", "kernel", "compositor_plugin", "client_lib", "cli")

MADE = {
    *(".git", ".venv", ".venv-*", "build", "dist", "__pycache__", "*.egg-info"),
    *(".pytest_cache", ".mypy_cache", ".ruff_cache", ".hypothesis"),
}


def project_files(*patterns: str) -> list[Path]:
    """The project's files that match one of the patterns, without what is made from them."""
    found = []
    for folder, inner, names in os.walk(ROOT):
        inner[:] = [name for name in inner if not any(fnmatch(name, made) for made in MADE)]
        # .git is a file in a worktree, and says where the rest is.
        paths = [Path(folder, name).relative_to(ROOT) for name in names if name not in MADE]
        found += [path for path in paths if any(fnmatch(str(path), one) for one in patterns)]
    return sorted(ROOT / path for path in found)


def dotted(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def imports(source: str, module: str, *, is_package: bool = False) -> Iterator[tuple[int, str]]:
    """Line and absolute name of all that is imported, wherever in the file and however.

    `from x import y` counts as `x.y`: y may be a module. `module` is the file's
    own absolute name, which relative imports start from.
    """
    package = module if is_package else module.rpartition(".")[0]
    for node in ast.walk(ast.parse(source)):
        match node:
            case ast.Import(names):
                yield from ((node.lineno, alias.name) for alias in names)
            case ast.ImportFrom(base, names, level):
                prefix = base or ""
                if level:
                    above = package.split(".")[: len(package.split(".")) - level + 1]
                    prefix = ".".join([*above, *([base] if base else [])])
                yield from ((node.lineno, f"{prefix}.{alias.name}") for alias in names)
            case ast.Call(func, [ast.Constant(str(name)), *_]):
                called = ast.unparse(func).rpartition(".")[2]
                if called in ("import_module", "__import__", "files", "importorskip"):
                    yield node.lineno, name


def sources(*rooms: str) -> list[Path]:
    return project_files(*(f"{room}/*.py" for room in rooms))
