"""A TOML file that people write: read at once, and each of its faults told with its line."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from pathlib import Path as FilePath

from heapwire.kernel.description.platform_table import Fault, key_name
from heapwire.kernel.description.toml_position import Path, line_of
from heapwire.protocol import LocalError

_POSITION = re.compile(r"\s*\(at (?:line (\d+), column \d+|end of document)\)$")


def read_text(file: str) -> str:
    """The text of a file; `LocalError` if it cannot be read."""
    try:
        return FilePath(file).read_text("utf-8")
    except OSError as error:
        raise LocalError(f"{file}: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise LocalError(f"{file}: this is not text in UTF-8: {error.reason}") from error


def parse_toml(text: str, *, file: str, error: type[LocalError]) -> dict[str, object]:
    """The data of a text; raises `error`, with file and line, if it is not TOML."""
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as caught:
        found = _POSITION.search(str(caught))
        line = found[1] if found and found[1] else str(max(1, len(text.splitlines())))
        what = _POSITION.sub("", str(caught))
        raise error(f"{file}:{line}: this is not TOML: {what}") from None


def told(fault: Fault, *, file: str, lines: Mapping[Path, int]) -> str:
    """A fault as a line to read: file, line, key and what is wrong."""
    key = key_name(fault.path)
    return f"{file}:{line_of(lines, fault.path)}: {f'{key}: ' if key else ''}{fault.text}"


def all_told(faults: list[Fault], *, file: str, lines: Mapping[Path, int]) -> str:
    """Every fault, one line each, in the order of the file."""
    inorder = sorted(faults, key=lambda fault: line_of(lines, fault.path))
    return "\n".join(told(fault, file=file, lines=lines) for fault in inorder)
