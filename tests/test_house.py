"""The rules of the house: who may import whom, and what every file keeps to."""

from __future__ import annotations

import ast
import os
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from fnmatch import fnmatch
from pathlib import Path

import pytest
from setuptools import find_namespace_packages

ROOT = Path(__file__).parents[1]

# What each room may import of heapwire; protocol is two rooms. Its own files always.
MAY_IMPORT = {
    "protocol.model": set[str](),
    "protocol.wire": {"protocol.model"},
    "kernel": {"protocol.model"},
    "compositor_plugin": {"protocol.model", "protocol.wire", "kernel"},
    "client_lib": {"protocol.model", "protocol.wire", "kernel"},
    "cli": {"protocol.model", "protocol.wire", "kernel", "compositor_plugin", "client_lib"},
}
ROOMS = ("protocol", "kernel", "compositor_plugin", "client_lib", "cli")

# Modules through which something could be opened, and what may be called of `os` all the same.
OPENERS = {
    *("socket", "subprocess", "mmap", "fcntl", "shutil", "tempfile", "select", "selectors"),
    *("asyncio", "ctypes", "cffi", "pyudev", "pywayland", "urllib", "http", "multiprocessing"),
}
PURE_OF_OS = {"major", "minor", "makedev", "fspath", "fstat", "PathLike", "stat_result"}

MADE = {
    *(".git", ".venv", "build", "dist", "__pycache__"),
    *(".pytest_cache", ".mypy_cache", ".ruff_cache", ".hypothesis"),
}
MOST_LINES_OF_A_ROOM = 420  # about 400
MOST_LINES = {"tests": 650, "bench": 650}  # where tables of cases live
# Words of unfinished work and of machines that are not the reader's, spelled so that
# this file does not contain them.
UNWANTED = re.compile(
    "|".join(("TO" + "DO", "FIX" + "ME", r"\bX{3}\b", "/" + "work/", r"/tmp/" + "probe")), re.ASCII
)


def project_files(*patterns: str) -> list[Path]:
    """The project's files that match one of the patterns, without what is made from them."""
    found = []
    for folder, inner, names in os.walk(ROOT):
        inner[:] = [name for name in inner if name not in MADE and not name.endswith(".egg-info")]
        # .git is a file in a worktree, and says where the rest is.
        paths = [Path(folder, name).relative_to(ROOT) for name in names if name not in MADE]
        found += [path for path in paths if any(fnmatch(str(path), one) for one in patterns)]
    return sorted(ROOT / path for path in found)


def room_of(module: str) -> str | None:
    """The room that a dotted name below `heapwire.` is in."""
    return next((room for room in MAY_IMPORT if f"{module}.".startswith(f"{room}.")), None)


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


def broken_arrows(source: str, module: str, *, is_package: bool = False) -> list[str]:
    """What a file of a room imports against the rules, as lines to read."""
    faults = []
    room = room_of(module)
    for line, name in imports(source, f"heapwire.{module}", is_package=is_package):
        head, _, rest = name.partition(".")
        if head in ROOMS:
            faults.append(f"{module}:{line}: {name} by its bare name")
        if head != "heapwire" or room is None:
            continue
        target = room_of(rest)
        if target is None:
            # A name above the rooms, such as heapwire.protocol, may hold any of them.
            if rest != "protocol" and not rest.startswith("protocol."):
                faults.append(f"{module}:{line}: {name} is in no room")
        elif target != room and target not in MAY_IMPORT[room]:
            faults.append(f"{module}:{line}: {room} imports {target}")
    return faults


def sources(*rooms: str) -> list[Path]:
    return project_files(*(f"{room}/*.py" for room in rooms))


def test_there_is_something_to_check() -> None:
    rooms = {room_of(dotted(path)) for path in sources(*ROOMS)}
    assert rooms >= set(MAY_IMPORT)


def test_the_arrows_between_the_rooms() -> None:
    faults = []
    for path in sources(*ROOMS):
        package = path.name == "__init__.py"
        faults += broken_arrows(path.read_text("utf-8"), dotted(path), is_package=package)
    assert faults == []


def test_nothing_is_imported_by_its_bare_name() -> None:
    faults = []
    for path in project_files("*.py"):
        text = path.read_text("utf-8")
        faults += [
            f"{path.relative_to(ROOT)}:{line}: {name}"
            for line, name in imports(text, dotted(path), is_package=path.name == "__init__.py")
            if name.partition(".")[0] in ROOMS and not is_relative(text, line)
        ]
    assert faults == []


def is_relative(text: str, line: int) -> bool:
    return text.splitlines()[line - 1].lstrip().startswith("from .")


@pytest.mark.parametrize(
    ("module", "source"),
    [
        ("client_lib.plan", "from heapwire.compositor_plugin.host import Host"),
        ("client_lib.plan", "from heapwire import compositor_plugin"),
        ("compositor_plugin.plugin", "import heapwire.client_lib.connection as c"),
        ("compositor_plugin.plugin", "def f():\n    import heapwire.client_lib"),
        ("compositor_plugin.server.loop", "from ...client_lib import connection"),
        ("protocol.model.merge", "from heapwire.protocol.wire import limits"),
        ("protocol.model.merge", "from heapwire.protocol import wire"),
        ("protocol.model.merge", "from ..wire.limits import clip"),
        ("protocol.model.merge", "from .. import wire"),
        ("protocol.wire.batch", "if TYPE_CHECKING:\n    from heapwire.kernel import platform"),
        ("protocol.wire.batch", "import importlib\nimportlib.import_module('heapwire.cli.main')"),
        ("kernel.platform", "from heapwire.protocol.wire.limits import clip"),
        ("kernel.platform", "resources.files('heapwire.client_lib')"),
        ("kernel.platform", "import protocol.model.merge"),
        ("cli.main", "from kernel.platform import Platform"),
        ("cli.main", "import heapwire.tests"),
    ],
)
def test_an_import_against_the_arrows_is_found(module: str, source: str) -> None:
    assert broken_arrows(source, module)


@pytest.mark.parametrize(
    ("module", "source"),
    [
        ("protocol.model.merge", "from heapwire.protocol.model.source import Source"),
        ("protocol.wire.batch", "from heapwire.protocol.model.source import Source"),
        ("protocol.wire.generate", "resources.files('heapwire.protocol').joinpath('wire/xml')"),
        ("kernel.platform", "import heapwire.kernel.heap, os"),
        ("compositor_plugin.plugin", "from heapwire.kernel.platform import Platform"),
        ("client_lib.plan", "from .layout import Layout"),
        ("cli.main", "from heapwire.client_lib import player\nimport compileall"),
    ],
)
def test_an_import_along_the_arrows_is_not(module: str, source: str) -> None:
    assert broken_arrows(source, module) == []


def test_the_bare_names_cannot_be_imported(tmp_path: Path) -> None:
    """Away from the checkout's root, only heapwire's own names lead anywhere."""
    for name in ROOMS:
        done = subprocess.run(
            [sys.executable, "-I", "-c", f"import {name}"],
            cwd=tmp_path,
            capture_output=True,
            text=True,
            check=False,
        )
        assert "ModuleNotFoundError" in done.stderr, name


def opened_by(source: str, module: str) -> list[str]:
    """What a file that opens nothing must not have."""
    faults = []
    for line, name in imports(source, module):
        if name.partition(".")[0] in OPENERS:
            faults.append(f"{module}:{line}: {name}")
    for node in ast.walk(ast.parse(source)):
        match node:
            case ast.Attribute(ast.Name("os"), attribute) if attribute not in PURE_OF_OS:
                faults.append(f"{module}:{node.lineno}: os.{attribute}")
            case ast.Call(ast.Name("open")) | ast.Call(ast.Attribute(_, "open")):
                faults.append(f"{module}:{node.lineno}: open()")
            case ast.Attribute(_, "write_text" | "write_bytes" | "read_bytes" as attribute):
                faults.append(f"{module}:{node.lineno}: {attribute}")
    return faults


def test_the_protocol_opens_nothing() -> None:
    faults = []
    for path in sources("protocol"):
        faults += opened_by(path.read_text("utf-8"), dotted(path))
    assert faults == []


@pytest.mark.parametrize(
    "source",
    [
        "import socket",
        "from mmap import mmap",
        "import os\nos.open('/dev/null', 0)",
        "open('/dev/null')",
        "path.open()",
        "path.read_bytes()",
        "def f():\n    import ctypes.util",
    ],
)
def test_what_opens_something_is_found(source: str) -> None:
    assert opened_by(source, "protocol.model.source")


def test_the_model_and_the_wire_import_the_standard_library_only() -> None:
    foreign = {
        f"{dotted(path)}:{line}: {name}"
        for path in sources("protocol")
        for line, name in imports(path.read_text("utf-8"), dotted(path))
        if name.partition(".")[0] not in {*sys.stdlib_module_names, "heapwire"}
    }
    assert foreign == set()


def test_what_is_installed_is_what_the_rooms_hold() -> None:
    """The links of src/heapwire lead to the rooms, and setuptools finds all that is in them."""
    tools = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["tool"]["setuptools"]
    finder = tools["packages"]["find"]
    found = find_namespace_packages(str(ROOT / "src"), exclude=finder["exclude"])
    folders = {f"heapwire.{dotted(path)}" for path in sources(*ROOMS) if path.name == "__init__.py"}
    assert finder["where"] == ["src"]
    assert folders <= set(found)
    data = {name.rpartition(".")[2] for name in set(found) - folders - {"heapwire"}}
    assert data <= {"xml", "platforms"}
    for room in ROOMS:
        assert (ROOT / "src/heapwire" / room).readlink() == Path("../..", room)
        assert (ROOT / room / "py.typed").is_file()


def test_every_source_is_in_a_package() -> None:
    lonely = [
        str(path.relative_to(ROOT))
        for path in sources(*ROOMS)
        if not (path.parent / "__init__.py").is_file()
        and path.relative_to(ROOT).parts[:2] not in (("kernel", "vm"), ("kernel", "patches"))
    ]
    assert lonely == []


def test_files_stay_short() -> None:
    long = {
        str(path.relative_to(ROOT)): lines
        for path in project_files("*.py", "*.c", "*.h")
        if "bindings" not in path.parts
        and (lines := len(path.read_text("utf-8").splitlines()))
        > MOST_LINES.get(path.relative_to(ROOT).parts[0], MOST_LINES_OF_A_ROOM)
    }
    assert long == {}


def test_no_file_speaks_of_unfinished_work_or_of_another_machine() -> None:
    found = []
    for path in project_files("*"):
        try:
            text = path.read_text("utf-8")
        except UnicodeDecodeError:
            continue
        found += [
            f"{path.relative_to(ROOT)}:{number}: {line.strip()}"
            for number, line in enumerate(text.splitlines(), 1)
            if UNWANTED.search(line)
        ]
    assert found == []


@pytest.mark.parametrize(
    "name",
    ["README.md", "CHANGELOG.md", "CONTRIBUTING.md", "LICENSE", "protocol/wire/xml/README.md"],
)
def test_a_document_is_there(name: str) -> None:
    assert len((ROOT / name).read_text("utf-8")) > 200


def test_the_links_of_the_documents_lead_somewhere() -> None:
    broken = []
    for path in project_files("*.md"):
        for target in re.findall(r"\]\(([^)\s#]+)(?:#[^)]*)?\)", path.read_text("utf-8")):
            if "://" not in target and not (path.parent / target).exists():
                broken.append(f"{path.relative_to(ROOT)}: {target}")
    assert broken == []
