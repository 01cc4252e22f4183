"""Who may import whom, and that nobody reaches past a face.

A room is a package. Files of a room import each other, and those of the rooms around
them, by module; of every other room only what its face, the package itself, exports.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

import pytest
from source_tree import ROOMS, ROOT, dotted, imports, project_files, sources

# What each room may import of heapwire beside its own files; a room's name stands for
# all that is in it. Of nested rooms the innermost that is listed counts.
MAY_IMPORT = {
    "protocol": set[str](),
    "protocol.values": {"protocol.errors"},
    "protocol.solver": {"protocol.errors", "protocol.values"},
    "protocol.solver.conflict": {
        *("protocol.errors", "protocol.values", "protocol.solver.demand", "protocol.solver.layout"),
    },
    "protocol.solver.layout": {"protocol.errors", "protocol.values", "protocol.solver.demand"},
    "protocol.explain": {"protocol.errors", "protocol.values", "protocol.solver"},
    "protocol.wire": {
        *("protocol.errors", "protocol.values", "protocol.solver", "protocol.explain"),
    },
    "kernel": {"protocol"},
    "kernel.system": {"protocol"},
    "kernel.drm": {"protocol", "kernel.system"},
    "kernel.memory": {"protocol", "kernel.system", "kernel.drm"},
    "kernel.description": {"protocol", "kernel.memory"},
    "kernel.description.toml": {"protocol", "kernel.description"},
    "kernel.video": {"protocol", "kernel.system", "kernel.memory"},
    "kernel.discovery": {
        *("protocol", "kernel.system", "kernel.drm", "kernel.memory", "kernel.description"),
        "kernel.video",
    },
    "compositor_plugin": {"protocol", "kernel"},
    "compositor_plugin.answering": {"protocol", "compositor_plugin.server"},
    "compositor_plugin.clients": {"protocol", "kernel", "compositor_plugin.server"},
    "compositor_plugin.machine": {"protocol", "kernel", "compositor_plugin.server"},
    "compositor_plugin.server": {"protocol", "kernel.system"},
    "compositor_plugin.sources": {"protocol", "kernel", "compositor_plugin.server"},
    "compositor_plugin.hosts": {"protocol", "kernel", "compositor_plugin"},
    "client_lib": {"protocol", "kernel"},
    "client_lib.wayland": {"protocol", "kernel"},
    "client_lib.c": {"protocol", "kernel"},
    "client_lib.buffers": {"protocol", "kernel", "client_lib.wayland"},
    "client_lib.compliance": {"protocol", "kernel"},
    "client_lib.negotiation": {
        *("protocol", "kernel", "client_lib.wayland", "client_lib.buffers"),
    },
    "client_lib.gstreamer": {"protocol", "kernel", "client_lib.c"},
    "client_lib.player": {"protocol", "kernel", "client_lib"},
    "cli": {"protocol", "kernel", "compositor_plugin", "client_lib"},
    "cli.arguments": {"protocol", "kernel", "compositor_plugin", "client_lib", "cli.terminal"},
    "cli.asking": {"protocol", "kernel", "compositor_plugin", "client_lib", "cli"},
    "cli.building": {"protocol", "compositor_plugin", "client_lib", "cli"},
    "cli.install": {"protocol", "kernel", "compositor_plugin", "client_lib", "cli"},
    "cli.terminal": {"protocol", "client_lib"},
    "cli.pages": {"protocol", "kernel", "client_lib", "cli"},
}
PAGES = "docs"  # installed beside the rooms, and no code
FACES = {dotted(path) for path in sources(*ROOMS) if path.name == "__init__.py"}
MODULES = {dotted(path) for path in sources(*ROOMS)}
COMMON = {
    "protocol.lazy_exports",
    "protocol.late_dataclasses",
    "protocol.late_tuples",
    "protocol.make_room",
}  # what faces, values and caches are made with


def innermost(name: str, rooms: Iterable[str]) -> str:
    """The longest of some dotted names that this one is, or lies below; else nothing."""
    return max((room for room in rooms if f"{name}.".startswith(f"{room}.")), key=len, default="")


def is_within(name: str, room: str) -> bool:
    return f"{name}.".startswith(f"{room}.")


def broken_arrows(source: str, module: str, *, is_package: bool = False) -> list[str]:
    """What a file of a room imports against the rules, as lines to read."""
    faults = []
    package = module if is_package else module.rpartition(".")[0]
    permitted = MAY_IMPORT[innermost(module, MAY_IMPORT)]
    for line, name in imports(source, f"heapwire.{module}", is_package=is_package):
        head, _, rest = name.partition(".")
        if head in ROOMS:
            faults.append(f"{module}:{line}: {name} by its bare name")
        if head != "heapwire" or rest == PAGES:
            continue
        target = innermost(rest, MODULES | set(ROOMS)) or rest
        room = target if target in FACES else target.rpartition(".")[0]
        if not innermost(target, ROOMS):
            faults.append(f"{module}:{line}: {name} is in no room")
        elif is_within(package, room) or target in COMMON:
            continue
        elif is_within(target, package) and (is_package or target in FACES):
            continue  # a room uses the rooms within it, and its face shows what they hold
        elif not any(is_within(target, one) for one in permitted):
            faults.append(f"{module}:{line}: {package} imports {target}")
        elif target not in FACES:
            faults.append(f"{module}:{line}: {name} is behind the face of {room}")
    return faults


def test_the_arrows_between_the_rooms_and_their_faces() -> None:
    assert set(ROOMS) <= FACES
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
        ("compositor_plugin.plugin", "import heapwire.client_lib.wayland as c"),
        ("compositor_plugin.plugin", "def f():\n    import heapwire.client_lib"),
        ("compositor_plugin.server.loop", "from ...client_lib import wayland"),
        ("protocol.values.plan", "from heapwire.protocol.wire import clip"),
        ("protocol.values.plan", "from heapwire.protocol import solver"),
        ("protocol.solver.search", "from ..wire import clip"),
        ("protocol.solver.search", "from .. import wire"),
        ("protocol.solver.search", "from heapwire.protocol.values.source import Source"),
        ("protocol.wire.batch", "if TYPE_CHECKING:\n    from heapwire.kernel import Platform"),
        ("protocol.wire.batch", "import importlib\nimportlib.import_module('heapwire.cli.main')"),
        ("kernel.memory.dma_buf", "from heapwire.kernel.discovery import HotPlug"),
        ("kernel.memory.dma_buf", "from heapwire.protocol.errors import HeapwireError"),
        ("kernel.platform", "resources.files('heapwire.client_lib')"),
        ("kernel.platform", "import protocol.values"),
        ("cli.main", "from kernel import Platform"),
        ("cli.main", "from heapwire.kernel.memory.dma_buf import DmaBuf"),
        ("cli.main", "import heapwire.tests"),
    ],
)
def test_an_import_against_the_arrows_is_found(module: str, source: str) -> None:
    assert broken_arrows(source, module)


@pytest.mark.parametrize(
    ("module", "source"),
    [
        ("protocol.values.plan", "from heapwire.protocol.values.source import Source"),
        ("protocol.values.plan", "from heapwire.protocol.errors import HeapwireError"),
        ("protocol.wire.batch", "from heapwire.protocol.values import Source"),
        ("protocol.wire.generate", "resources.files('heapwire.protocol.wire').joinpath('xml')"),
        ("kernel.memory.dma_buf", "import heapwire.kernel.memory.dma_heap, os"),
        ("compositor_plugin.plugin", "from heapwire.kernel import Platform"),
        (
            "compositor_plugin.hosts.weston.build",
            "from heapwire.compositor_plugin.host import Host",
        ),
        ("client_lib.plan", "from .layout import Layout"),
        ("cli.main", "from heapwire.client_lib import Player\nimport compileall"),
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
