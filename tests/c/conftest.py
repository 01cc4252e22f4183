"""The client library in C, built once, and programs that are compiled against it."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from cffi import FFI

from heapwire.client_lib.c import build_client_library

HERE = Path(__file__).parent
STRICT = ("-Wall", "-Wextra", "-Werror", "-pedantic")
XDG_SHELL = "stable/xdg-shell/xdg-shell.xml"
DMABUF = "stable/linux-dmabuf/linux-dmabuf-v1.xml"


def told(*command: str | Path) -> str:
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


# What version 6 of linux-dmabuf has and its releases before 2026 have not, as far as C sees it.
SAMPLING_REQUEST = """
    <request name="set_sampling_device" since="6">
      <arg name="device" type="array"/>
    </request>
"""


def protocols_with_version_6(folder: Path) -> None:
    """A folder as wayland-protocols installs it, of a release that has linux-dmabuf version 6."""
    home = Path(told("pkg-config", "--variable=pkgdatadir", "wayland-protocols").strip())
    copy = folder / DMABUF
    copy.parent.mkdir(parents=True)
    installed = home / DMABUF
    if not installed.is_file():
        installed = home / "unstable/linux-dmabuf/linux-dmabuf-unstable-v1.xml"
    text = installed.read_text("utf-8")
    if "set_sampling_device" not in text:
        text = re.sub(r'(<interface name="zwp_linux\w+" version=)"\d"', r'\1"6"', text)
        last = text.index("</interface>", text.index('name="zwp_linux_buffer_params_v1"'))
        text = text[:last] + SAMPLING_REQUEST + text[last:]
    copy.write_text(text, "utf-8")
    (folder / "wayland-protocols.pc").write_text(
        f"pkgdatadir={folder}\nName: wayland-protocols\nDescription: a copy\nVersion: 99\n"
    )


@pytest.fixture(scope="session")
def library(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What `heapwire client build` makes, with every warning an error.

    It speaks version 6 of linux-dmabuf, whatever wayland-protocols is installed.
    """
    folder, protocols = (tmp_path_factory.mktemp(name) for name in ("client", "protocols"))
    protocols_with_version_6(protocols)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CC", f"cc -g {' '.join(STRICT)}")
        patch.setenv("PKG_CONFIG_PATH", str(protocols))
        build_client_library(folder)
    return folder


@pytest.fixture(scope="session")
def program(library: Path) -> Callable[..., Path]:
    """Compiles a program against the library, with xdg-shell where it is wanted."""

    def compiled(source: Path, *, shell: bool = False) -> Path:
        codes = [source]
        if shell:
            home = told("pkg-config", "--variable=pkgdatadir", "wayland-protocols").strip()
            for mode, name in (("client-header", "client-protocol.h"), ("private-code", "code.c")):
                made = library / f"xdg-shell-{name}"
                told("wayland-scanner", mode, Path(home) / XDG_SHELL, made)
            codes.append(library / "xdg-shell-code.c")
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("PKG_CONFIG_PATH", str(library))
            flags = told("pkg-config", "--cflags", "--libs", "heapwire-client").split()
        out = library / source.stem
        told("cc", "-std=c99", "-g", *STRICT, f"-I{library}", *codes, "-o", out, *flags)
        return out

    return compiled


@pytest.fixture(scope="session")
def client(library: Path) -> tuple[FFI, Any]:
    """The library, by its own header."""
    header = (library / "heapwire-client.h").read_text("utf-8")
    header = re.sub(r"#ifdef __cplusplus\n(.*?)#endif\n", "", header, flags=re.DOTALL)
    header = re.sub(r"^#.*\n", "", header, flags=re.MULTILINE)
    ffi = FFI()
    ffi.cdef(header.replace("HEAPWIRE_PLANES", "4"))
    return ffi, ffi.dlopen(str(library / "libheapwire-client.so"))
