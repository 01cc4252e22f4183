"""Compare what the shipped platforms quote of the kernel with what stands there.

A row of a platform is a board's: which part is behind an IOMMU, or reads what. Where its source
is written as a profile's (`file: symbol: text`), the text has to stand in the source. Numbers
of such rows are not worked out: a board's are chosen, or its device tree's.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from pathlib import Path

from kernel_source import PLACE, KernelSource, SourceError


def check_platforms(platforms: Path, source: KernelSource) -> tuple[int, list[str]]:
    """How many quotes there are in the platforms of a folder, and those that are wrong."""
    count = 0
    faults: list[str] = []
    for path in sorted(platforms.glob("*.toml")):
        for place in _sources(tomllib.loads(path.read_text("utf-8"))):
            found = PLACE.fullmatch(place)
            if found is None or not found[4]:
                continue
            count += 1
            try:
                source.quoted(found[1], found[2], found[3] or "", found[4])
            except SourceError as error:
                faults.append(f"{path.stem}: {error}")
    return count, faults


def _sources(value: object) -> Iterator[str]:
    """What a file names as the sources of its rows, wherever they stand."""
    match value:
        case dict():
            for key, one in value.items():
                if key == "source" and isinstance(one, str):
                    yield one
                else:
                    yield from _sources(one)
        case list():
            for one in value:
                yield from _sources(one)
