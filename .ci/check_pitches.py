"""List the display drivers that refuse a pitch of which no profile has a row.

What a driver refuses stands in its `fb_create` or `atomic_check`: an `if` that compares `pitches[`
and ends in an error. A demand that no row states is thereby seen when a driver is new, or changes.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from pathlib import PurePosixPath

from kernel_source import KernelSource, SourceError, statement_after

from heapwire.protocol.values import BY_NAME, PITCH_ALIGNMENT

_DRM = PurePosixPath("drivers/gpu/drm")
_CONDITION = re.compile(r"\bif\s*\(")
_REFUSED = re.compile(r"-E[A-Z]|\breturn false\b|\bgoto\b")
_NO_DEMAND = {
    "vc4_txp_connector_atomic_check": "pictures that are written back, not shown",
    "hyperv_pipe_check": "pictures larger than the screen's memory, which the host gives",
}


def pitch_faults(source: KernelSource, rows: Iterable[tuple[str, str]]) -> list[str]:
    """The refusals of drivers that have no row; each of `rows` is a type and where it was read."""
    said = {
        PurePosixPath(where.partition(":")[0]).parent for type_, where in rows if _of_pitch(type_)
    }
    return [
        f"no row of a pitch for {symbol} of {file}: if ({condition})"
        for file, symbol, condition in _refusals(source)
        if symbol not in _NO_DEMAND and not any(_same_driver(file.parent, one) for one in said)
    ]


def _of_pitch(type_: str) -> bool:
    row = BY_NAME.get(type_)
    return row is not None and row.subject == PITCH_ALIGNMENT.subject


def _same_driver(folder: PurePosixPath, said: PurePosixPath) -> bool:
    """Whether one of them is in the other; what is in no folder of its own is of all drivers."""
    inner = folder.is_relative_to(said) or said.is_relative_to(folder)
    return inner and said.is_relative_to(_DRM) and said != _DRM


def _refusals(source: KernelSource) -> Iterator[tuple[PurePosixPath, str, str]]:
    """The file, function and condition of each; the helpers of all drivers have none."""
    for path in sorted((source.root / _DRM).rglob("*.c")):
        file = PurePosixPath(path.relative_to(source.root))
        if file.parent == _DRM or "pitches[" not in path.read_text("utf-8", "replace"):
            continue
        text = source.text(str(file))
        for found in _CONDITION.finditer(text):
            try:
                condition, statement = statement_after(text, found.end() - 1)
            except SourceError:
                continue  # in the branch of an #ifdef, of which only half is there
            if "pitches[" in condition and _REFUSED.search(statement):
                yield file, _function(text, found.start()), " ".join(condition.split())


def _function(text: str, at: int) -> str:
    """The name of the function that a place is in."""
    start = text.rfind("\n{", 0, at)
    names = re.findall(r"(\w+)\s*\(", text[max(0, text.rfind("\n}", 0, start)) : start])
    return names[-1] if names else "?"
