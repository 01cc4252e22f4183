"""Compare the numbers of kernel/profiles with the kernel's own source.

    python .ci/check_facts.py [--source FOLDER]

Each row of a profile says where it was read: `file: symbol`, `file: symbol: text`
or `file: symbol[word]: text`, where the word picks an entry of a table. What is
compared: the formats and the modifiers of a table with those of all rows that
name it; a number with those that the text has, macros worked out; the text itself
with what stands there. A row that was read elsewhere cannot be compared: those are
counted and listed, and more than a fifth of them is a fault. Each says where all
the same: `Mesa 25.0.7, file: symbol`, a release or a repository before the place.
What platforms quote stands where they say (check_platforms.py).
The table of formats is compared too (check_formats.py), how many planes buffers have
(check_planes.py), how large Intel's tiles are (check_tiles.py), and how long a pitch
its planes take (check_strides.py). A driver that refuses a pitch has a row of one
(check_pitches.py), and so has a display that imports nothing (check_imports.py).
"""

from __future__ import annotations

import argparse
import contextlib
import re
import shutil
import subprocess
import sys
import tempfile
import tomllib
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from check_formats import check_formats
from check_imports import import_faults
from check_members import members, pci_ids, without_profile
from check_named import colours_fault, difference, rotations_fault
from check_pitches import pitch_faults
from check_planes import check_planes
from check_platforms import check_platforms
from check_strides import Table, is_of_a_stride, stride_faults
from check_tiles import check_tiles
from ended import unwind_when_ended
from kernel_source import ELSEWHERE, PLACE, KernelSource, SourceError, elements

from heapwire.kernel.description.drm_fourccs import parse_known_fourcc
from heapwire.kernel.description.quantity import parse_quantity
from heapwire.kernel.video import drm_format
from heapwire.protocol.values import (
    ANY_FOURCC,
    ANY_MODIFIER,
    FORMATS,
    INVALID,
    TILINGS,
    fourcc_name,
    modifier_name,
    parse_modifier,
)

ROOT = Path(__file__).parents[1]
TARBALL = Path("/usr/src/linux-source-6.12.tar.xz")
# What of it is unpacked.
FOLDERS = (
    "drivers/gpu/drm", "drivers/media", "drivers/staging/media", "include/uapi", "include/drm",
    "include/linux/sizes.h", "drivers/base/platform.c", "arch/arm/boot/dts", "arch/arm64/boot/dts",
    "include/dt-bindings", "scripts/dtc/include-prefixes", "drivers/soc/mediatek",
    "drivers/dma/xilinx",
)  # fmt: skip
MOST_UNCOMPARED = 0.2
_ONE = 1 << 16  # of a scale

_OF_THE_KERNEL = re.compile(r"(?:arch|drivers|include)/")

_VIDEODEV2 = "include/uapi/linux/videodev2.h"
_BITSTREAM = re.compile(
    r"\w+_(?:SLICE|FRAME)|H26[34]\w*|HEVC|MPEG\w*|VP[89]|VC1_\w+|XVID|JPEG|MJPEG|AV1"
)


Compare = Callable[[str, str, str, str], str]  # of file, symbol, entry, text: the fault, or ""


@dataclass(slots=True)
class Outcome:
    """What the comparison came to; `uncompared` and `differences` are lines to read."""

    compared: int = 0
    uncompared: list[str] = field(default_factory=list)
    differences: list[str] = field(default_factory=list)

    @property
    def share(self) -> float:
        """Of the rows, those that cannot be compared."""
        return len(self.uncompared) / max(1, self.compared + len(self.uncompared))


def check(profiles: Path, source: KernelSource) -> Outcome:
    """Compare every profile of a folder."""
    outcome = Outcome()
    members_sources: list[str] = []
    tables = {
        path.stem: tomllib.loads(path.read_text("utf-8"))
        for path in sorted(profiles.glob("*.toml"))
    }
    for name, data in tables.items():
        _Profile(name, data, _extended(data, tables), source, outcome).check()
        members_sources.append(data.get("members-source", ""))
    outcome.differences += pitch_faults(source, _rows(tables.values()))
    outcome.differences += import_faults(source, tables.values())
    for table, model in without_profile(source, members_sources):
        outcome.differences.append(f"no profile is for {model} of {table}")
    return outcome


def _rows(tables: Iterable[Table]) -> Iterator[tuple[str, str]]:
    """The type and the source of each constraint of some profiles."""
    for data in tables:
        for use in data.get("use", ()):
            for one in (use, *use.get("set", ())):
                for row in one.get("constraints", ()):
                    yield row["type"], row.get("source", "")


def _extended(data: Table, tables: Mapping[str, Table]) -> list[Table]:
    """The profiles that one extends, and those that they do; those of the folder."""
    bases = [tables[name] for name in data.get("extends", ()) if name in tables]
    return [*bases, *(more for base in bases for more in _extended(base, tables))]


class _Profile:
    def __init__(
        self,
        name: str,
        data: Table,
        extended: Sequence[Table],
        source: KernelSource,
        outcome: Outcome,
    ) -> None:
        self._name, self._data, self._extended = name, data, extended
        self._source, self._outcome = source, outcome

    def check(self) -> None:
        formats: dict[str, set[tuple[int, int]]] = {}
        modifiers: dict[str, set[int]] = {}
        for use in self._data.get("use", ()):
            for row in self._constraints(use):
                self._constraint(row)
            for said in ("import-is-no-proof", "takes-any-memory"):
                if said in use:
                    self._compare(use[said], said, self._quoted)
            for one in use.get("set", ()):
                pairs = _pairs(one)
                formats.setdefault(one.get("source", ""), set()).update(pairs)
                if "modifiers-source" in one:
                    own = {modifier for _, modifier in pairs}
                    modifiers.setdefault(one["modifiers-source"], set()).update(own)
                for row in self._constraints(one):
                    self._constraint(row, _bytes_of_a_pixel(pairs), _bytes_of_a_tile(pairs))
        for where, said in formats.items():
            self._compare(where, "formats", lambda *place, said=said: self._formats(said, *place))
        for where, stated in modifiers.items():
            self._compare(
                where,
                "modifiers",
                lambda *place, stated=stated: self._modifiers(stated, *place),
            )
        if "members-source" in self._data:
            self._compare(self._data["members-source"], "members", self._members)
        faults = stride_faults(self._source, [self._data, *self._extended], _pairs)
        self._outcome.differences += [f"{self._name}: {fault}" for fault in faults]

    @staticmethod
    def _constraints(table: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
        yield from table.get("constraints", ())

    def _compare(self, where: str, what: str, compare: Compare) -> None:
        place = PLACE.fullmatch(where)
        if place is None and _OF_THE_KERNEL.match(where):
            told = f"{self._name}: {what}: not written as file: symbol: text ({where})"
            self._outcome.differences.append(told)
            return
        if place is None:
            told = f"{self._name}: {what}: {where or 'no source'}"
            self._outcome.uncompared.append(told)
            if ELSEWHERE.fullmatch(where) is None:
                self._outcome.differences.append(f"not written as whose, file: symbol: {told}")
            return
        self._outcome.compared += 1
        file, symbol, entry, text = place.groups()
        try:
            fault = compare(file, symbol, entry or "", text or "")
        except SourceError as error:
            fault = str(error)
        if fault:
            self._outcome.differences.append(f"{self._name}: {what}: {fault} ({where})")

    def _quoted(self, file: str, symbol: str, entry: str, text: str) -> str:
        self._source.quoted(file, symbol, entry, text)
        return "" if text else "say which text of it"

    def _constraint(
        self, row: Mapping[str, Any], sizes: Collection[int] = (), tiles: Collection[int] = ()
    ) -> None:
        """Compare one row; the bytes of a pixel, and of a tile's row, of what it is about."""

        def compare(file: str, symbol: str, entry: str, text: str) -> str:
            region = self._source.quoted(file, symbol, entry, text)
            if row["type"] == "colours":
                return colours_fault(row["value"], text, self._source.region(file, symbol, entry))
            if row["type"] == "when-rotation":
                return rotations_fault(row["value"], text)
            if is_of_a_stride(row):  # by each format of its sets: stride_faults
                return ""
            wanted = _numbers(row.get("value"))
            if row["type"] == "scaling" and wanted == [_ONE, _ONE]:
                wanted = []  # what is not scaled is told by words
            if row["type"] == "when-width":
                wanted = wanted[:1]  # where it begins, or ends if it begins with the first pixel
            if not wanted:
                return "" if text else "say which text of it"
            found = self._source.numbers(file, region)
            if not text:  # a macro: all of it is the number
                with contextlib.suppress(SourceError):
                    found = {self._source.value(file, region)}
            if row["type"] == "scaling":
                found |= _scales(found)
            if "bytespp" in text:  # the number is one of pixels
                found = {number * size for number in found for size in sizes}
            if row["type"] == "pitch-alignment" and "tile_width" in text:  # so is this, of tiles
                found = {number * width for number in found for width in tiles}
            missing = [number for number in wanted if number not in found]
            return f"{missing[0]} is not among {sorted(found)}" if missing else ""

        self._compare(row.get("source", ""), row["type"], compare)

    def _formats(
        self, said: set[tuple[int, int]], file: str, symbol: str, entry: str, text: str
    ) -> str:
        region = self._source.quoted(file, symbol, entry, text)
        if {code for code, _ in said} == {ANY_FOURCC}:
            return "" if text else "say which text of it"
        of_drm = re.findall(r"\bDRM_FORMAT_(?!MOD_)\w+", region)
        if of_drm:
            there = {self._source.value(file, name) for name in of_drm}
            return difference({code for code, _ in said}, there, fourcc_name)
        pairs: set[tuple[int, int]] = set()
        for name in re.findall(r"\bV4L2_PIX_FMT_(\w+)", region):
            v4l2 = self._source.value(_VIDEODEV2, f"V4L2_PIX_FMT_{name}")
            ways = (drm_format(v4l2, buffer_a_plane=apart) for apart in (False, True))
            named = {pair for pair in ways if pair is not None}
            pairs |= named
            if named:
                continue
            if not _BITSTREAM.fullmatch(name) and name not in self._data.get("nameless", ()):
                return f"V4L2_PIX_FMT_{name} is neither a row nor among the nameless"
        return difference(
            said, pairs, lambda pair: f"{fourcc_name(pair[0])} {modifier_name(pair[1])}"
        )

    def _modifiers(self, said: set[int], file: str, symbol: str, entry: str, text: str) -> str:
        region = self._source.quoted(file, symbol, entry, text)
        if text or "{" not in region:
            names = (
                [region] if not text else re.findall(r"\b\w+_FORMAT_MOD_\w+(?:\([^()]*\))?", text)
            )
        elif re.match(r"[\w\s*]*\w+\s*\[", region):
            names = elements(region)
        else:
            names = re.findall(r"\b(?:DRM|I915)_FORMAT_MOD_\w+(?:\([^()]*\))?", region)
        there = {self._source.value(file, name) for name in names} - {INVALID}
        return difference(said, there, modifier_name)

    def _members(self, file: str, symbol: str, entry: str, text: str) -> str:
        """The devices of a profile: all that use a macro, or of which a table has the numbers."""
        if text:
            return difference(
                set(self._data["compatibles"]), pci_ids(self._source, file, symbol, text), str
            )
        drivers, api_drivers, compatibles = members(self._source, symbol)
        for key, there in (
            ("drivers", drivers),
            ("api-drivers", api_drivers),
            ("compatibles", compatibles),
        ):
            fault = difference(set(self._data.get(key, ())), there, str)
            if fault:
                return f"{key}: {fault}"
        return ""


def _pairs(table: Mapping[str, Any]) -> set[tuple[int, int]]:
    codes = [ANY_FOURCC if one == "ANY" else parse_known_fourcc(one) for one in table["formats"]]
    modifiers = [
        ANY_MODIFIER if one == "ANY" else parse_modifier(one)
        for one in table.get("modifiers", ["LINEAR"])
    ]
    return {(code, modifier) for code in codes for modifier in modifiers}


def _bytes_of_a_pixel(pairs: Iterable[tuple[int, int]]) -> set[int]:
    """In the first plane, of the formats whose pixels are bytes there."""
    planes = {FORMATS[code].planes[0] for code, _ in pairs if code in FORMATS}
    return {one.bytes_per_block // one.block_width for one in planes}


def _bytes_of_a_tile(pairs: Iterable[tuple[int, int]]) -> set[int]:
    """In a row of it, in the first plane, of the pairs that are laid out in tiles."""
    return {
        TILINGS[modifier].size_of(FORMATS[code].planes[0])[0]
        for code, modifier in pairs
        if modifier in TILINGS and code in FORMATS
    }


def _numbers(value: object) -> list[int]:
    """The numbers that a constraint has; none where it names something."""
    match value:
        case bool() | None:
            return []
        case int() | str():
            return [parse_quantity(value)]
        case list() if all(isinstance(one, int | str) for one in value):
            numbers = []
            for one in value:
                with contextlib.suppress(Exception):
                    numbers.append(parse_quantity(one))
            return [number for number in numbers if number > 1]  # a range begins at 0 or 1
    return []


def _scales(numbers: Iterable[int]) -> set[int]:
    """What factors come to in 65536ths, once up and once down; those of 1000 are thousandths."""
    factors = [number for number in numbers if 0 < number <= _ONE]
    return {
        scale
        for number in factors
        for scale in (number * _ONE, _ONE // number, 1000 * _ONE // number)
    }


@contextlib.contextmanager
def unpacked(folder: str | None) -> Iterator[Path]:
    """The kernel's source: the folder that is named, or what Debian's package has."""
    if folder is not None:
        yield Path(folder)
        return
    if not TARBALL.is_file():
        raise SourceError(f"{TARBALL} is not there: apt install linux-source-6.12")
    with tempfile.TemporaryDirectory(prefix="heapwire-facts-") as target:
        top = TARBALL.name.removesuffix(".tar.xz")
        command = ["tar", "-xJf", TARBALL, "-C", target, "--exclude=*/amd/include/*"]
        subprocess.run([*command, *(f"{top}/{one}" for one in FOLDERS)], check=True)
        yield Path(target, top)


def check_boards(source: Path) -> bool:
    """Whether the boards of the tests are what the device trees of the source make of them."""
    if shutil.which("dtc") is None:
        raise SourceError("dtc is not there: apt install device-tree-compiler")
    command = [sys.executable, ROOT / "tests/kernel/roots/make_boards.py", source, "--check"]
    return subprocess.run(command, check=False).returncode == 0


def main() -> int:
    """Compare, and say what came of it; the exit status."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--source", help="an unpacked kernel tree, in place of Debian's package")
    options = parser.parse_args()
    try:
        with unpacked(options.source) as folder:
            outcome = check(ROOT / "kernel" / "profiles", KernelSource(folder))
            formats, faults = check_formats(KernelSource(folder))
            planes, more = check_planes(KernelSource(folder))
            tiles, of_tiles = check_tiles(KernelSource(folder))
            quotes, misquoted = check_platforms(ROOT / "kernel" / "platforms", KernelSource(folder))
            outcome.differences += faults + more + of_tiles + misquoted
            same_boards = check_boards(folder)
    except SourceError as error:
        print(f"check-facts: {error}", file=sys.stderr)
        return 1
    for line in outcome.differences:
        print(f"differs: {line}")
    for line in outcome.uncompared:
        print(f"not compared: {line}")
    print(
        f"{outcome.compared} rows, {formats} formats, {planes} numbers of planes, {tiles} tiles "
        f"and {quotes} quotes of platforms compared, "
        f"{len(outcome.differences)} differ, "
        f"{len(outcome.uncompared)} ({outcome.share:.0%}) cannot be compared"
    )
    good = not outcome.differences and outcome.share < MOST_UNCOMPARED and same_boards
    return 0 if good else 1


if __name__ == "__main__":
    unwind_when_ended()
    sys.exit(main())
