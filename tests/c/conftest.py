"""The client library in C, built once, and programs that are compiled against it."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from heapwire.client_lib.c import build_client_library

HERE = Path(__file__).parent
STRICT = ("-Wall", "-Wextra", "-Werror", "-pedantic")
XDG_SHELL = "stable/xdg-shell/xdg-shell.xml"


def told(*command: str | Path) -> str:
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


@pytest.fixture(scope="session")
def library(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What `heapwire client build` makes, with every warning an error."""
    folder = tmp_path_factory.mktemp("client")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CC", f"cc -g {' '.join(STRICT)}")
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
