"""The modules that call C libraries are made ahead: nothing parses their declarations later."""

from __future__ import annotations

import inspect
import subprocess
import sys
from importlib import import_module

import pytest
from make_bindings import BINDINGS, binding, declarations
from source_tree import ROOMS, ROOT, dotted, imports, sources

from heapwire.compositor_plugin.server import CORE_INTERFACES


def module_of(header: str) -> str:
    return f"heapwire.{dotted((ROOT / header).parent.joinpath(BINDINGS[header]).resolve())}"


@pytest.mark.parametrize("header", BINDINGS)
def test_a_module_is_what_its_declarations_give(header: str) -> None:
    made = inspect.getsource(import_module(module_of(header)))
    assert made == binding(header), "the declarations have changed: run `make bindings`"


def test_no_room_parses_declarations() -> None:
    parsing = [
        f"{dotted(path)}:{line}: {name}"
        for path in sources(*ROOMS)
        for line, name in imports(path.read_text("utf-8"), dotted(path))
        if name.partition(".")[0] in ("cffi", "pycparser")
    ]
    assert parsing == []


@pytest.mark.parametrize("header", BINDINGS)
def test_what_is_declared_needs_no_parser(header: str) -> None:
    program = f"import sys; from {module_of(header)} import ffi; print(*sys.modules)"
    run = [sys.executable, "-c", program]
    loaded = subprocess.run(run, capture_output=True, text=True, check=True).stdout.split()
    assert "_cffi_backend" in loaded
    assert not {"cffi", "pycparser"} & set(loaded)


def test_the_core_interfaces_are_those_that_are_declared() -> None:
    text = (ROOT / "compositor_plugin/server/libwayland_server.h").read_text("utf-8")
    assert all(f"extern struct wl_interface {name}_interface;" in text for name in CORE_INTERFACES)
    assert text.count("extern struct wl_interface") == len(CORE_INTERFACES)


def test_of_a_header_with_marks_what_stands_between_them_is_read() -> None:
    assert declarations("int a;") == "int a;"
    first, last = "/* declarations */", "/* end of declarations */"
    assert declarations(f"#if 1\n{first} int a; {last}\n#endif").strip() == "int a;"
    for lost in (first, last):
        with pytest.raises(ValueError, match="is lost"):
            declarations(f"int a; {lost} int b;")
