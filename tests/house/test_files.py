"""What every file and folder of the project keeps to."""

from __future__ import annotations

import re
import tomllib
from collections import Counter
from pathlib import Path

import pytest
from setuptools import find_namespace_packages
from source_tree import ROOMS, ROOT, dotted, project_files, sources

MOST_LINES_OF_A_ROOM = 400
MOST_PEERS = 20  # files of one folder of a room, or of the bench
# Copied into programs as they are.
IN_ONE_PIECE = {f"client_lib/c/heapwire-client.{kind}" for kind in ("c", "h")}
MOST_LINES = {"tests": 650, "bench": 650}  # where tables of cases live
# Words of unfinished work and of machines that are not the reader's, spelled so that
# this file does not contain them.
UNWANTED = re.compile("|".join(("TO" + "DO", "FIX" + "ME", r"\bX{3}\b")), re.ASCII)


def test_what_is_installed_is_what_the_rooms_hold() -> None:
    """The links of src/heapwire lead to the rooms and docs/, and setuptools finds what is there."""
    tools = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["tool"]["setuptools"]
    finder = tools["packages"]["find"]
    found = find_namespace_packages(str(ROOT / "src"), exclude=finder["exclude"])
    folders = {f"heapwire.{dotted(path)}" for path in sources(*ROOMS) if path.name == "__init__.py"}
    assert finder["where"] == ["src"]
    assert folders <= set(found)
    data = {name.rpartition(".")[2] for name in set(found) - folders - {"heapwire"}}
    pages = {"docs", "start", "decisions", "examples", "images"}
    assert data <= {"xml", "platforms", "profiles", "schemas", "files", "c", *pages}
    for linked in (*ROOMS, "docs"):
        assert (ROOT / "src/heapwire" / linked).readlink() == Path("../..", linked)
    for room in ROOMS:
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
        and str(path.relative_to(ROOT)) not in IN_ONE_PIECE
        and (lines := len(path.read_text("utf-8").splitlines()))
        > MOST_LINES.get(path.relative_to(ROOT).parts[0], MOST_LINES_OF_A_ROOM)
    }
    assert long == {}


def test_folders_stay_small() -> None:
    peers = Counter(path.parent for path in sources(*ROOMS, "bench") if path.name != "__init__.py")
    crowded = {str(folder.relative_to(ROOT)): n for folder, n in peers.items() if n > MOST_PEERS}
    assert crowded == {}


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
    [
        *("README.md", "CHANGELOG.md", "CONTRIBUTING.md", "SECURITY.md", "LICENSE"),
        *("docs/security.md", "protocol/wire/xml/README.md"),
    ],
)
def test_a_document_is_there(name: str) -> None:
    assert len((ROOT / name).read_text("utf-8")) > 200
