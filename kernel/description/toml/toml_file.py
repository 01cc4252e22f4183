"""A TOML file that people write: read at once, and each of its faults told with its line."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Mapping, Sequence

from heapwire.kernel.description.toml.text_file import LineFault, toml_excess
from heapwire.kernel.description.toml.toml_position import TomlPath, line_of
from heapwire.kernel.description.toml.toml_table import TomlFault, key_name
from heapwire.protocol import FileError

_POSITION = r"\s*\(at (?:line (\d+), column \d+|end of document)\)$"


class TomlFileError(FileError):
    """A TOML file that does not say what it should.

    `faults` has all that is wrong, in the order of the file, and `line` is that
    of the first; `str()` has a line of text for each, with file and line.
    """

    def __init__(self, file: str, faults: Sequence[LineFault]) -> None:
        first, *others = faults
        more = (f"\n{file}:{fault.line}: {fault.text}" for fault in others)
        super().__init__(file, "".join((first.text, *more)), line=first.line)
        self.faults = tuple(faults)


def parse_toml(text: str, *, file: str, error: type[TomlFileError]) -> dict[str, object]:
    """The data of a text; raises `error`, with file and line, if it is not TOML."""
    excess = toml_excess(text)
    if excess is not None:
        raise error(file, [excess])
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as caught:
        position = re.search(_POSITION, str(caught))
        at_end = max(1, len(text.splitlines()))
        line = int(position[1]) if position and position[1] else at_end
        what = re.sub(_POSITION, "", str(caught))
        raise error(file, [LineFault(line, f"this is not TOML: {what}")]) from None


def on_lines(faults: Iterable[TomlFault], lines: Mapping[TomlPath, int]) -> list[LineFault]:
    """The faults of keys with their lines, in the order of the file."""
    placed = [LineFault(line_of(lines, fault.path), _with_key(fault)) for fault in faults]
    return sorted(placed, key=lambda fault: fault.line)


def fault_line(fault: TomlFault, *, file: str, lines: Mapping[TomlPath, int]) -> str:
    """A fault as a line to read: file, line, key and what is wrong."""
    return f"{file}:{line_of(lines, fault.path)}: {_with_key(fault)}"


def _with_key(fault: TomlFault) -> str:
    key = key_name(fault.path)
    return f"{key}: {fault.text}" if key else fault.text
