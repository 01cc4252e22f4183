"""wayland-scanner takes the XML strictly, and compilers take what it makes of it."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from heapwire.protocol.wire.generate import PROTOCOLS, protocol_xml

EACH = pytest.mark.parametrize("name", PROTOCOLS)
MODES = ("client-header", "server-header", "private-code", "public-code")


def scan(mode: str, xml: str, output: Path) -> subprocess.CompletedProcess[str]:
    source = output.with_suffix(".xml")
    source.write_text(xml, encoding="utf-8")
    command: list[str | Path] = ["wayland-scanner", "--strict", mode, source, output]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def compile_(source: Path, *command: str) -> None:
    flags = subprocess.run(
        ["pkg-config", "--cflags", "wayland-client"], capture_output=True, text=True, check=True
    ).stdout.split()
    whole: list[str | Path] = [
        *command,
        "-pedantic",
        "-Wall",
        "-Wextra",
        "-Werror",
        "-c",
        source,
        *flags,
    ]
    done = subprocess.run(
        [*whole, "-o", source.with_suffix(".o")], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr


@pytest.mark.system("wayland-scanner")
@EACH
@pytest.mark.parametrize("mode", MODES)
def test_the_scanner_takes_it_strictly(name: str, mode: str, tmp_path: Path) -> None:
    done = scan(mode, protocol_xml(name), tmp_path / "made")
    assert (done.returncode, done.stderr) == (0, "")
    assert f"{name.replace('-', '_')}" in (tmp_path / "made").read_text("utf-8").lower()


@pytest.mark.system("wayland-scanner")
def test_strict_means_something(tmp_path: Path) -> None:
    broken = protocol_xml().replace('version="1">', 'version="1" colour="red">', 1)
    assert scan("client-header", broken, tmp_path / "made").returncode != 0


@pytest.mark.system("wayland-scanner", "gcc", "wayland-client.pc")
@EACH
@pytest.mark.parametrize("mode", MODES)
def test_it_compiles_as_pedantic_c99(name: str, mode: str, tmp_path: Path) -> None:
    made = tmp_path / ("made.h" if mode.endswith("header") else "made.c")
    assert scan(mode, protocol_xml(name), made).returncode == 0
    source = made
    if mode.endswith("header"):
        source = tmp_path / "includes.c"
        source.write_text(f'#include "{made.name}"\nint unused;\n', encoding="utf-8")
    compile_(source, "gcc", "-std=c99")


@pytest.mark.system("wayland-scanner", "g++", "wayland-client.pc")
@EACH
@pytest.mark.parametrize("mode", ["client-header", "server-header"])
def test_the_headers_compile_as_cxx(name: str, mode: str, tmp_path: Path) -> None:
    made = tmp_path / "made.h"
    assert scan(mode, protocol_xml(name), made).returncode == 0
    source = tmp_path / "includes.cc"
    source.write_text(f'#include "{made.name}"\nint unused;\n', encoding="utf-8")
    compile_(source, "g++")
