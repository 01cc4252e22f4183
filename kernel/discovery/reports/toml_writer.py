"""A platform's tables as the text of its file."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping

from heapwire.kernel.discovery.reports.platform_tables import Data, Table

_BARE = re.compile(r"[A-Za-z0-9_-]+")
_TABLES = ("memory", "device", "link", "peer-link", "format-cost", "use", "set")
"""The keys whose lists are arrays of tables; other tables are written within a line."""


def toml_text(data: Table, remarks: tuple[str, ...] = ()) -> str:
    """The text of a file; each of the remarks is a comment at its top."""
    lines = [*(f"# {remark}".rstrip() for remark in remarks), *_lines(data, "")]
    return "\n".join(lines).strip("\n") + "\n"


def _lines(table: Table, path: str) -> Iterator[str]:
    tables: list[tuple[str, Table]] = []
    for key, value in table.items():
        if key in _TABLES and isinstance(value, list):
            tables += [(key, entry) for entry in value if isinstance(entry, dict)]
        else:
            yield from _pair(key, value)
    for key, entry in tables:
        yield ""
        yield f"[[{path}{key}]]"
        yield from _lines(entry, f"{path}{key}.")


def _pair(key: str, value: Data) -> Iterator[str]:
    if isinstance(value, list) and value and isinstance(value[0], dict):
        yield f"{_key(key)} = ["
        yield from (f"  {_value(entry)}," for entry in value)
        yield "]"
    else:
        yield f"{_key(key)} = {_value(value)}"


def _value(value: Data) -> str:
    match value:
        case bool():
            return "true" if value else "false"
        case int():
            return str(value)
        case str():
            return _text(value)
        case Mapping():
            pairs = (f"{_key(key)} = {_value(entry)}" for key, entry in value.items())
            return f"{{ {', '.join(pairs)} }}"
    return f"[{', '.join(map(_value, value))}]"


def _key(key: str) -> str:
    return key if _BARE.fullmatch(key) else _text(key)


def _text(text: str) -> str:
    """A basic string; JSON's escapes are TOML's, but for pairs of surrogates and for DEL."""
    whole = json.dumps(text.encode("utf-8", "replace").decode("utf-8"), ensure_ascii=False)
    return whole.replace("\x7f", "\\u007F")
