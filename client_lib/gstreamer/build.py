"""Compiling the element's C files, with the client's, into a plugin of GStreamer's."""

from __future__ import annotations

import tempfile
from importlib import resources
from pathlib import Path

from heapwire.client_lib.c import build_client_library, scan_client_protocol
from heapwire.kernel.system import c_compiler, own_version, tool_output
from heapwire.protocol import FileError, MachineError, words_of

ELEMENT = "heapwiresink"
"""The name of the element, as `gst-launch-1.0` takes it."""

PLUGIN = "libgstheapwire.so"
# What GStreamer's macros expand to is no ISO C.
FLAGS = ("-std=gnu11", "-O2", "-Wall", "-Wextra", "-fPIC", "-fvisibility=hidden")

# What it is compiled with, and the Debian package that has it.
_PACKAGES = {
    "gstreamer-1.0": "libgstreamer1.0-dev",
    "gstreamer-video-1.0": "libgstreamer-plugins-base1.0-dev",
    "gstreamer-allocators-1.0": "libgstreamer-plugins-base1.0-dev",
    "wayland-client": "libwayland-dev",
}
_PROTOCOLS = ("xdg-shell", "viewporter")


def build_gstreamer_plugin(folder: Path) -> list[Path]:
    """Write the plugin into a folder that `GST_PLUGIN_PATH` can name; the file is returned.

    It needs nothing else of that folder, and nothing of this package, when it is used. Raises
    `MachineError` with what a tool said, or which headers or tools are missing, `FileError` if
    the file cannot be written.
    """
    tool_output("pkg-config", "--version")
    for package, debian in _PACKAGES.items():
        try:
            tool_output("pkg-config", "--exists", package)
        except MachineError:
            raise MachineError(
                f"pkg-config does not find {package}: install its headers (Debian: {debian})"
            ) from None
    plugin = folder / PLUGIN
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=f".{PLUGIN}.", dir=folder) as made:
            built = Path(made, PLUGIN)
            _compile(Path(made), built)
            built.replace(plugin)
    except OSError as error:
        raise FileError(error.filename or plugin, words_of(error)) from error
    return [plugin]


def _compile(made: Path, output: Path) -> None:
    """With a folder for what is only needed on the way."""
    build_client_library(made)
    home = Path(tool_output("pkg-config", "--variable=pkgdatadir", "wayland-protocols").strip())
    stable = (home / "stable" / name / f"{name}.xml" for name in _PROTOCOLS)
    codes = [code for _, code in (scan_client_protocol(xml, made) for xml in stable)]
    sources = Path(str(resources.files(__package__)))
    tool_output(
        *c_compiler(),
        *FLAGS,
        f'-DHEAPWIRE_VERSION="{own_version()}"',
        f"-I{made}",
        f"-I{sources}",
        "-shared",
        *map(str, sorted(sources.glob("*.c"))),
        *map(str, codes),
        str(made / "libheapwire-client.a"),
        "-Wl,--exclude-libs,ALL,-z,defs,-z,nodelete",
        *tool_output("pkg-config", "--cflags", "--libs", *_PACKAGES).split(),
        "-o",
        str(output),
    )
