"""Compiling `heapwire.c` and its like for this Python: as a library, or into a host's module."""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
import sys
import sysconfig
from collections.abc import Sequence
from importlib import resources
from pathlib import Path

from heapwire.kernel.system import c_compiler
from heapwire.protocol import FileError, MachineError, words_of
from heapwire.protocol.late_dataclasses import dataclass

FLAGS = ("-std=c11", "-O2", "-Wall", "-Wextra", "-Wpedantic", "-fPIC", "-fvisibility=hidden")


@dataclass(frozen=True, slots=True)
class BuiltPython:
    """The Python that a library starts: this one, with the environment it runs in."""

    executable: Path
    library: Path
    headers: Path

    @classmethod
    def running(cls) -> BuiltPython:
        """The Python that runs; `MachineError` if it cannot be embedded."""
        headers = Path(sysconfig.get_path("include"))
        if not (headers / "Python.h").is_file():
            raise MachineError(
                f"Python.h is not in {headers}: install the development files of this Python "
                "(Debian: python3-dev)"
            )
        return cls(Path(sys.executable), _shared_library(), headers)


def _shared_library() -> Path:
    name = sysconfig.get_config_var("INSTSONAME") or ""
    if not sysconfig.get_config_var("Py_ENABLE_SHARED") or ".so" not in name:
        raise MachineError(
            f"{sys.executable} was built without a shared library, so no other program can start "
            "it: use the distribution's Python, or build one with --enable-shared "
            "(pyenv: PYTHON_CONFIGURE_OPTS=--enable-shared)"
        )
    folder = Path(sysconfig.get_config_var("LIBDIR"))
    multiarch = sysconfig.get_config_var("MULTIARCH") or ""
    for candidate in (folder / name, folder / multiarch / name):
        if candidate.is_file():
            return candidate
    raise MachineError(f"{name} is not in {folder}: install it (Debian: libpython3-dev)")


def sources() -> Path:
    """The folder of the C files and headers."""
    return Path(str(resources.files(__package__)), "c")


def compile_shared(
    output: Path, files: Sequence[Path], arguments: Sequence[str] = (), *, what: str
) -> None:
    """Compile C files with those of the folder `c` into a shared object.

    `what` is what the error says was being built. Raises `MachineError` with what
    the compiler said, `FileError` if the file cannot be written; `output` is then as it
    was before.
    """
    python = BuiltPython.running()
    part = output.with_name(f".{output.name}.{os.getpid()}")
    command = [
        *c_compiler(),
        *FLAGS,
        "-shared",
        f"-I{sources()}",
        f"-isystem{python.headers}",
        f"-DHEAPWIRE_PYTHON={_c_string(python.executable)}",
        f"-DHEAPWIRE_LIBPYTHON={_c_string(python.library)}",
        *arguments,
        *map(str, files),
        *map(str, sorted(sources().glob("*.c"))),
        f"-o{part}",
    ]
    try:
        output.parent.mkdir(parents=True, exist_ok=True)
        part.touch()  # where none can be made, it is not for the compiler to say so
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise MachineError(f"{what} does not compile:\n{done.stderr.strip()}")
        part.replace(output)
    except OSError as error:
        raise FileError(output, words_of(error)) from error
    finally:
        part.unlink(missing_ok=True)


def build_library(folder: Path) -> list[Path]:
    """Write libheapwire.so, heapwire.h and heapwire.pc into a folder; the files are returned.

    Raises as `compile_shared` does.
    """
    library, header, package = (
        folder / name for name in ("libheapwire.so", "heapwire.h", "heapwire.pc")
    )
    arguments = (*_wayland_flags(), f"-Wl,-soname,{library.name}")
    compile_shared(library, (), arguments, what="the embedded library")
    try:
        shutil.copyfile(sources() / "heapwire.h", header)
        package.write_text(_pkg_config(folder.resolve()), "utf-8")
    except OSError as error:
        raise FileError(error.filename or folder, words_of(error)) from error
    return [library, header, package]


def _wayland_flags() -> list[str]:
    """Where libwayland's headers are, if pkg-config knows better than the compiler."""
    command = ["pkg-config", "--cflags", "wayland-server"]
    if shutil.which(command[0]) is None:
        return []
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return shlex.split(done.stdout) if done.returncode == 0 else []


def _pkg_config(folder: Path) -> str:
    return (
        "Name: heapwire\n"
        "Description: Memory negotiation over Wayland, for compositors in C\n"
        "Version: 1\n"
        f"Cflags: -I{folder}\n"
        f"Libs: -L{folder} -Wl,-rpath,{folder} -lheapwire\n"
    )


def _c_string(path: Path) -> str:
    escaped = str(path).replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
