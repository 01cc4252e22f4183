"""What the package's documentation shows runs as it stands, and its face has all that it needs."""

from __future__ import annotations

import inspect
import re
import textwrap
from importlib import import_module
from pathlib import Path

import pytest

import heapwire.client_lib
from heapwire.compositor_plugin.hosts.reference import Compositor
from heapwire.kernel import Platform

FACES = [
    import_module(f"heapwire.{room}")
    for room in ("protocol", "kernel", "compositor_plugin", "client_lib")
]
ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs/client.md"


def example() -> str:
    lines = (heapwire.client_lib.__doc__ or "").splitlines()
    return textwrap.dedent("\n".join(line for line in lines if not line or line[:4] == " " * 4))


@pytest.mark.parametrize("extension", [True, False], ids=["with plans", "linux-dmabuf only"])
def test_the_example_runs(no_fd_leak, extension, tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    platform = Platform.load("raspberry-pi-4")
    frames = []
    made = Compositor(
        platform, extension=extension, on_frame=lambda record, _image: frames.append(record)
    )
    with made, made.running():
        monkeypatch.setenv("WAYLAND_DISPLAY", made.socket)
        exec(example(), {})
    assert len(frames) == 1


@pytest.mark.parametrize("path", [ROOT / "docs/examples/own_event_loop.py", None])
def test_the_examples_import_only_from_the_faces(path):
    source = example() if path is None else path.read_text("utf-8")
    modules = set(re.findall(r"^from (heapwire\S*) import", source, re.MULTILINE))
    assert modules
    assert modules <= {face.__name__ for face in FACES}


def test_what_the_page_calls_is_there():
    """Every word of code on the page that is an export's, or looks like one, is one."""
    text = PAGE.read_text("utf-8")
    called = set(re.findall(r"`([A-Z][A-Za-z]+)(?:\.\w+)*(?:\(|`)", text))
    called |= set(re.findall(r"`([a-z]+_[a-z_]+)\(", text))
    known = set().union(*(face.__all__ for face in FACES))
    methods = {
        name
        for exported in heapwire.client_lib.__all__
        if inspect.isclass(value := getattr(heapwire.client_lib, exported))
        for name in dir(value)
    }
    constants = {"SCANOUT", "COMPOSITED", "Display"}  # of the wire, and of pywayland
    assert called - known - methods - constants == set()
