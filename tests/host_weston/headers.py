"""Stand-ins for libweston's installed headers: copies in which something is another way."""

from __future__ import annotations

import dataclasses
import re
import shutil
from pathlib import Path

from heapwire.compositor_plugin.hosts.weston import find_libweston
from heapwire.compositor_plugin.hosts.weston.build import Libweston

# What a libweston may be without; the module's build asks for each.
OPTIONAL = ("psf_flags", "view_list")


def copied_headers(folder: Path) -> Libweston:
    """The installed libweston, with a copy of its headers in `folder`."""
    libweston = find_libweston()
    installed = _folder(libweston)
    shutil.copytree(installed, folder)
    others = (flag for flag in libweston.cflags if flag != f"-I{installed}")
    return dataclasses.replace(libweston, cflags=(f"-I{folder}", *others))


def has_field(libweston: Libweston, field: str) -> bool:
    """Whether some public struct has a field of this name."""
    text = (_folder(libweston) / "libweston" / "libweston.h").read_text()
    return re.search(rf"\b{field}\b", text) is not None


def headers_without(folder: Path, *fields: str) -> Libweston:
    """The installed libweston, as if its structs had none of these fields.

    They get another name and stay where they are, for the Weston that runs has them.
    """
    libweston = copied_headers(folder)
    header = folder / "libweston" / "libweston.h"
    names = "|".join(fields)
    header.write_text(re.sub(rf"\b({names})\b", r"hidden_\1", header.read_text()))
    return libweston


def headers_of_another_version(folder: Path, field: str) -> Libweston:
    """Headers that say they are another MAJOR version, or a snapshot by their MICRO."""
    libweston = copied_headers(folder)
    header = folder / "libweston" / "version.h"
    changed = re.sub(rf"(WESTON_VERSION_{field}) (\d+)", r"\1 9\2", header.read_text())
    header.write_text(re.sub(r'"\d+\.', '"99.', changed))
    return libweston


def _folder(libweston: Libweston) -> Path:
    [folder] = [flag for flag in libweston.cflags if flag.startswith("-I") and "libweston" in flag]
    return Path(folder.removeprefix("-I"))
