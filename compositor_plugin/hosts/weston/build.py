"""Compiling the module against the libweston that is installed.

libweston's ABI changes with each major version, and now and then a field of its
public structs goes. So its headers are asked: a field that the module can do
without is tried in a small program first.
"""

from __future__ import annotations

import shutil
import subprocess
from importlib import resources
from pathlib import Path

from heapwire.compositor_plugin.hosts.embed import compile_shared
from heapwire.kernel.system import c_compiler
from heapwire.protocol import MachineError
from heapwire.protocol.late_dataclasses import dataclass

MODULE = "heapwire-weston.so"
"""What the module's file is called."""

# What the module uses where there is such a thing: the macro that says so, and C that
# compiles only then.
_PROBES = {
    "HAVE_PSF_FLAGS": "uint32_t f(struct weston_view *v) { return v->psf_flags; }",
    "HAVE_VIEW_LIST": "void *f(struct weston_compositor *c) { return &c->view_list; }",
}


@dataclass(frozen=True, slots=True)
class Libweston:
    """One installed development package of libweston."""

    name: str
    version: str
    cflags: tuple[str, ...]

    @property
    def major(self) -> int:
        """The N of `libweston-N`."""
        return int(self.name.rpartition("-")[2])


def find_libweston(wanted: int | None = None) -> Libweston:
    """The development package of libweston, the newest or the one of a major version.

    Raises `MachineError` if there is none.
    """
    if shutil.which("pkg-config") is None:
        raise MachineError("pkg-config is not there: install it (Debian: pkg-config)")
    names = [line.split()[0] for line in _pkg_config("--list-all").splitlines() if line.strip()]
    majors = [
        int(tail)
        for name in names
        for head, _, tail in [name.rpartition("-")]
        if head == "libweston" and tail.isdigit()
    ]
    if wanted is not None and wanted not in majors:
        there = ", ".join(map(str, sorted(majors)))
        raise MachineError(
            f"libweston-{wanted} is not installed: install libweston-{wanted}-dev"
            f"{f', or name one that is: {there}' if there else ''}"
        )
    if not majors:
        raise MachineError(
            "no development package of libweston is installed: install that of your Weston "
            "(Debian: apt-get install libweston-N-dev, N being Weston's major version)"
        )
    name = f"libweston-{wanted if wanted is not None else max(majors)}"
    return Libweston(
        name=name,
        version=_pkg_config("--modversion", name).strip(),
        cflags=tuple(_pkg_config("--cflags", name).split()),
    )


def build_module(output: Path, libweston: Libweston) -> None:
    """Compile the module; `MachineError` with the compiler's words if that cannot be."""
    # Headers of others are not held to our warnings.
    cflags = [flag.replace("-I", "-isystem", 1) for flag in libweston.cflags]
    macros = [f"-D{macro}" for macro, text in _PROBES.items() if _compiles(text, cflags)]
    files = sorted(Path(str(resources.files(__package__))).glob("*.c"))
    what = f"the module for {libweston.name} {libweston.version}"
    compile_shared(output, files, (*cflags, *macros), what=what)


def _compiles(text: str, cflags: list[str]) -> bool:
    command = [*c_compiler(), "-std=c11", "-fsyntax-only", *cflags, "-xc", "-"]
    program = f"#include <libweston/libweston.h>\n{text}\n"
    done = subprocess.run(command, input=program, capture_output=True, text=True, check=False)
    return done.returncode == 0


def _pkg_config(*arguments: str) -> str:
    done = subprocess.run(["pkg-config", *arguments], capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise MachineError(f"pkg-config {' '.join(arguments)}: {done.stderr.strip()}")
    return done.stdout
