"""The protocol opens nothing, and needs nothing but the standard library."""

from __future__ import annotations

import ast
import sys

import pytest
from source_tree import dotted, imports, sources

# Modules through which something could be opened, and what may be called of `os` all the same.
OPENERS = {
    *("socket", "subprocess", "mmap", "fcntl", "shutil", "tempfile", "select", "selectors"),
    *("asyncio", "ctypes", "cffi", "pyudev", "pywayland", "urllib", "http", "multiprocessing"),
}
PURE_OF_OS = {"major", "minor", "makedev", "fspath", "fstat", "PathLike", "stat_result"}


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
    assert opened_by(source, "protocol.values.source")


def test_the_protocol_imports_the_standard_library_only() -> None:
    foreign = {
        f"{dotted(path)}:{line}: {name}"
        for path in sources("protocol")
        for line, name in imports(path.read_text("utf-8"), dotted(path))
        if name.partition(".")[0] not in {*sys.stdlib_module_names, "heapwire"}
    }
    assert foreign == set()
