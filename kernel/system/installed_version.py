"""Which version of a Python package is installed."""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError, version


def package_version(name: str) -> str | None:
    """Its version; None for what is not installed, as heapwire run from a checkout is not."""
    try:
        return version(name)
    except PackageNotFoundError:
        return None


def own_version() -> str:
    """The version of heapwire, or a word that says that nobody installed it."""
    return package_version("heapwire") or "uninstalled"
