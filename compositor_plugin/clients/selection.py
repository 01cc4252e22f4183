"""A choice among names, by shell-style patterns."""

from __future__ import annotations

from collections.abc import Iterable
from fnmatch import fnmatchcase

from heapwire.kernel.description import TomlTable
from heapwire.protocol.late_dataclasses import dataclass

MOST_PATTERNS = 256
"""Patterns of a list; a machine has a handful of heaps, and each is compared with all."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Selection:
    """The names that match one of `only` (None: any name) and none of `never`.

    A pattern has `*`, `?` and `[...]` as in a shell, and is compared with the
    whole name, in its case.
    """

    only: tuple[str, ...] | None = None
    never: tuple[str, ...] = ()

    def __contains__(self, name: object) -> bool:
        return (
            isinstance(name, str)
            and (self.only is None or matches(self.only, name))
            and not matches(self.never, name)
        )


def matches(patterns: Iterable[str], name: str) -> bool:
    """Whether a name matches one of some patterns."""
    return any(fnmatchcase(name, pattern) for pattern in patterns)


EVERYTHING = Selection()
"""Any name."""
NOTHING = Selection(only=())
"""No name."""


def read_selection(table: TomlTable) -> Selection:
    """What `only` and `never` of a table say; what is wrong with them is noted there."""
    only = table.texts("only", MOST_PATTERNS) if table.has("only") else None
    if table.raw("only") == []:
        table.fault("only", 'an empty list permits nothing: to mean that, write never = ["*"]')
    return Selection(only=only, never=table.texts("never", MOST_PATTERNS))
