"""Compiling `heapwire-client.c` into a folder that a C program is built against."""

from __future__ import annotations

from collections.abc import Sequence
from importlib import resources
from pathlib import Path

from heapwire.kernel.system import c_compiler, tool_output
from heapwire.protocol import FileError, MachineError, words_of
from heapwire.protocol.wire import protocol_xml

NAME = "heapwire-client"
FLAGS = ("-std=c99", "-O2", "-Wall", "-Wextra", "-Wpedantic", "-fPIC", "-fvisibility=hidden")
LINUX_DMABUF = "linux-dmabuf-v1"

# Where wayland-protocols keeps it: it was unstable until release 1.37.
_DMABUF_FILES = (
    "stable/linux-dmabuf/linux-dmabuf-v1.xml",
    "unstable/linux-dmabuf/linux-dmabuf-unstable-v1.xml",
)
_PARTS = ("sources", "negotiation", "allocation", "buffer-status")
_SPOKEN = tuple(f"xx-dmabuf-{one}-v1" for one in _PARTS)


def build_client_library(folder: Path) -> list[Path]:
    """Write the library and all that it is made of into a folder; the files are returned.

    These are heapwire-client.h and .c, the protocols with what wayland-scanner makes of them, a
    shared and a static library, and a file for pkg-config. Raises `MachineError` with what a
    tool said or which is missing, `FileError` if a file cannot be written.
    """
    headers = tuple(tool_output("pkg-config", "--cflags", "wayland-client").split())
    try:
        folder.mkdir(parents=True, exist_ok=True)
        files = [_written(folder / name, _text(name)) for name in (f"{NAME}.h", f"{NAME}.c")]
        codes = [folder / f"{NAME}.c"]
        for name, text in _protocols():
            xml = _written(folder / f"{name}.xml", text)
            header, code = scan_client_protocol(xml, folder)
            files += [xml, header, code]
            codes.append(code)
        files += _libraries(folder, codes, headers)
        files.append(_written(folder / f"{NAME}.pc", _package(folder.resolve())))
    except OSError as error:
        raise FileError(error.filename or folder, words_of(error)) from error
    return files


def scan_client_protocol(xml: Path, folder: Path) -> tuple[Path, Path]:
    """Write what wayland-scanner makes of a protocol for clients: the header, the code.

    Raises `MachineError` with what it said, or if it is missing.
    """
    header, code = folder / f"{xml.stem}-client-protocol.h", folder / f"{xml.stem}-protocol.c"
    tool_output("wayland-scanner", "client-header", str(xml), str(header))
    tool_output("wayland-scanner", "private-code", str(xml), str(code))
    return header, code


def _libraries(folder: Path, codes: Sequence[Path], headers: Sequence[str]) -> list[Path]:
    compiler = c_compiler()
    objects = [code.with_suffix(".o") for code in codes]
    shared, static = folder / f"lib{NAME}.so", folder / f"lib{NAME}.a"
    # In the archive each protocol is a member of its own: a program that has the same one from
    # elsewhere is linked with its own.
    try:
        for code, made in zip(codes, objects, strict=True):
            tool_output(
                *compiler, *FLAGS, f"-I{folder}", *headers, "-c", str(code), "-o", str(made)
            )
        named = map(str, objects)
        libraries = tool_output("pkg-config", "--libs", "wayland-client").split()
        soname = f"-Wl,-soname,{shared.name}"
        tool_output(*compiler, "-shared", soname, *named, "-o", str(shared), *libraries)
        static.unlink(missing_ok=True)
        tool_output("ar", "rcs", str(static), *map(str, objects))
    finally:
        for made in objects:
            made.unlink(missing_ok=True)
    return [shared, static]


def _protocols() -> list[tuple[str, str]]:
    """The protocols that the client speaks: the name of each file, and its text."""
    home = Path(tool_output("pkg-config", "--variable=pkgdatadir", "wayland-protocols").strip())
    for name in _DMABUF_FILES:
        if (home / name).is_file():
            dmabuf = (home / name).read_text("utf-8")
            break
    else:
        raise MachineError(f"there is no linux-dmabuf in {home}")
    return [(LINUX_DMABUF, dmabuf), *((name, protocol_xml(name)) for name in _SPOKEN)]


def _text(name: str) -> str:
    return (resources.files(__package__) / name).read_text("utf-8")


def _written(file: Path, text: str) -> Path:
    file.write_text(text, "utf-8")
    return file


def _package(folder: Path) -> str:
    return (
        f"Name: {NAME}\n"
        "Description: Memory negotiation over Wayland, for clients in C\n"
        "Version: 1\n"
        "Requires: wayland-client\n"
        f"Cflags: -I{folder}\n"
        f"Libs: -L{folder} -Wl,-rpath,{folder} -l{NAME}\n"
    )
