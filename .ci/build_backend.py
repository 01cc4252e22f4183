"""setuptools' build backend, with what a wheel is put together from in a folder of its own.

setuptools puts it together in the checkout, in build/, and leaves it there. A wheel of the next
version then has the modules too that are gone since, for it takes all that lies there.
"""

from __future__ import annotations

import tempfile
from collections.abc import Mapping

from setuptools import build_meta
from setuptools.build_meta import (  # what PEP 517 and PEP 660 want of a backend besides
    build_editable,
    build_sdist,
    get_requires_for_build_editable,
    get_requires_for_build_sdist,
    get_requires_for_build_wheel,
    prepare_metadata_for_build_editable,
    prepare_metadata_for_build_wheel,
)

__all__ = [
    "build_editable",
    "build_sdist",
    "build_wheel",
    "get_requires_for_build_editable",
    "get_requires_for_build_sdist",
    "get_requires_for_build_wheel",
    "prepare_metadata_for_build_editable",
    "prepare_metadata_for_build_wheel",
]

Settings = Mapping[str, str | list[str] | None]


def build_wheel(
    wheel_directory: str,
    config_settings: Settings | None = None,
    metadata_directory: str | None = None,
) -> str:
    """Build a wheel, as PEP 517 has it; its name."""
    given = config_settings or {}
    asked = given.get("--global-option") or []
    options = asked.split() if isinstance(asked, str) else asked
    with tempfile.TemporaryDirectory(prefix="heapwire-build-") as folder:
        options = [*options, "build", f"--build-base={folder}"]
        settings = {**given, "--global-option": options}
        name: str = build_meta.build_wheel(wheel_directory, settings, metadata_directory)
        return name
