"""Make the modules with which cffi calls C libraries of the declarations beside them.

    make_bindings.py      writes them all; `make bindings`

They are cffi's own, in ABI mode: nothing is compiled, and the declarations need not be parsed
where they are used.
"""

from __future__ import annotations

import tempfile
from pathlib import Path

from cffi import FFI
from ended import unwind_when_ended

ROOT = Path(__file__).parents[1]
BINDINGS = {  # the module, from beside the declarations that it is made of
    "client_lib/exporters/libcuda.h": "libcuda_ffi.py",
    "client_lib/wayland/libwayland_client.h": "libwayland_client_ffi.py",
    "compositor_plugin/hosts/embed/c/heapwire.h": "../heapwire_ffi.py",
    "compositor_plugin/server/libwayland_server.h": "libwayland_server_ffi.py",
}
_FIRST, _LAST = "/* declarations */", "/* end of declarations */"


def declarations(header: str) -> str:
    """What cffi reads of a header: what stands between its marks, all of it without marks."""
    if (_FIRST in header) != (_LAST in header):
        raise ValueError(f"one of the marks {_FIRST} and {_LAST} is lost")
    return header.partition(_FIRST)[2].partition(_LAST)[0] if _FIRST in header else header


def binding(header: str) -> str:
    """The module of a header, which is named from the project's top."""
    path = ROOT / header
    ffi = FFI()
    ffi.cdef(declarations(path.read_text("utf-8")))
    ffi.set_source(Path(BINDINGS[header]).stem, None)
    with tempfile.TemporaryDirectory() as folder:
        made = Path(folder, "made.py")
        ffi.emit_python_code(str(made))
        _, _, text = made.read_text("utf-8").partition("\n")  # cffi says that it made it
    return f'"""Made from {path.name} by .ci/make_bindings.py; do not edit."""\n\n{text}'


def main() -> None:
    """Write every module."""
    for header, module in BINDINGS.items():
        (ROOT / header).parent.joinpath(module).write_text(binding(header), "utf-8")


if __name__ == "__main__":
    unwind_when_ended()
    main()
