"""A platform from what `heapwire list --json` printed: the report of a user's machine."""

from __future__ import annotations

from pathlib import Path

from heapwire.kernel.description import Platform, read_text_file
from heapwire.kernel.discovery.reports.json_file import MOST_JSON_BYTES, json_lines, read_json

KEY = "description"
"""The entry of the list that is a platform's file: its tables under the same names."""


def listed_platform(file: str) -> Platform:
    """The machine that the list is of; its memory is simulated.

    Raises `FileError` for what is not such a list, with a line for each fault of its tables.
    """
    text = read_text_file(file, most=MOST_JSON_BYTES)
    value = read_json(text, file=file).need(KEY)
    data = dict(value.fields)
    lines = {path[1:]: line for path, line in json_lines(text).items() if path[:1] == (KEY,)}
    return Platform.of_data(data, file=file, lines=lines, name=Path(file).stem)
