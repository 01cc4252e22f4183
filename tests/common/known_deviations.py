"""What compositors that are not ours are known to do, compared with what they did."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

FILE = Path(__file__).parents[1] / "compliance/known_deviations.toml"


@dataclass(frozen=True)
class Deviation:
    """A case that fails, in the words of the check."""

    case: str
    expected: str
    seen: str

    def __str__(self) -> str:
        return f"{self.case}: expected {self.expected}; seen {self.seen}"


def known_deviations(name: str, version: str, file: Path = FILE) -> frozenset[Deviation] | None:
    """Those of a compositor; None if nobody has listed any of this version."""
    listed = tomllib.loads(file.read_text("utf-8"))["compositor"]
    for one in listed:
        if (one["name"], one["version"]) == (name, version):
            return frozenset(Deviation(**row) for row in one.get("deviation", ()))
    return None


def differences(known: frozenset[Deviation], seen: Iterable[Deviation]) -> list[str]:
    """What is new and what is gone, a line each."""
    found = frozenset(seen)
    new = [f"new: {one}" for one in sorted(found - known, key=str)]
    return new + [f"gone: {one}" for one in sorted(known - found, key=str)]
