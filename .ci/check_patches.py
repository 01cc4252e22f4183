"""Check the kernel patches: their form, and where there is a kernel's source, that they apply.

    python .ci/check_patches.py [--source FOLDER] SERIES

SERIES is a folder of patches, as `git format-patch` makes them. Their numbers have no gap and are
those of the subjects, each is signed off by its author, and what it says of itself (lines of each
hunk, lines added and removed) is so. With a source they are applied to it in their order, without
fuzz, in a copy of the files that they touch; and its checkpatch.pl --strict has nothing to say but
what `CHECKPATCH_IS_WRONG` has.
"""

from __future__ import annotations

import argparse
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from ended import unwind_when_ended

# Of a patch's file: the types of complaints, which the README says why they are kept.
CHECKPATCH_IS_WRONG = {
    "0002-dma-buf-heaps-cma-Make-a-heap-of-every-area-of-the-D.patch": {"OPEN_BRACE"},
}
COVER_LETTER = 0

_HEAD = re.compile(r"From 0{40} Mon Sep 17 00:00:00 2001\n")
_SUBJECT = re.compile(r"^Subject: \[PATCH(?: (\d+)/(\d+))?\] ((?:.+\n)(?: .+\n)*)", re.MULTILINE)
_AUTHOR = re.compile(r"^From: (.+ <.+>)$", re.MULTILINE)
_HUNK = re.compile(r"@@ -\d+(?:,(\d+))? \+\d+(?:,(\d+))? @@")
_TOTAL = re.compile(
    r"^ (\d+) files? changed(?:, (\d+) insertions?\(\+\))?(?:, (\d+) deletions?\(-\))?$",
    re.MULTILINE,
)
_TOUCHED = re.compile(r"^--- a/(.+)$", re.MULTILINE)
_COMPLAINT = re.compile(r": (?:ERROR|WARNING|CHECK):(\w+): ")


@dataclass(frozen=True, slots=True)
class Patch:
    """One file of a series."""

    path: Path
    text: str

    @property
    def number(self) -> int:
        """Its place in the series, by the name of its file; `COVER_LETTER` for none."""
        return int(self.path.name[:4])

    @property
    def message(self) -> str:
        """What is before the first line of the difference."""
        return self.text.partition("\ndiff --git ")[0]

    @property
    def difference(self) -> str:
        """The difference, or nothing; what is below a line of "-- " is no part of it."""
        return self.text[len(self.message) + 1 :].partition("\n-- \n")[0]


def read_series(folder: Path) -> list[Patch]:
    """The patches of a folder, in the order of their names."""
    return [Patch(path, path.read_text("utf-8")) for path in sorted(folder.glob("*.patch"))]


def form_faults(series: Sequence[Patch]) -> Iterator[str]:
    """What is wrong with patches as they stand, each with the file's name."""
    first = COVER_LETTER if series and series[0].number == COVER_LETTER else 1
    if [patch.number for patch in series] != list(range(first, first + len(series))):
        yield "the numbers of the files have gaps, or one is there twice"
    posted = [patch for patch in series if "[PATCH " in patch.message]
    for patch in series:
        for fault in _faults(patch, last=max(one.number for one in posted) if posted else 0):
            yield f"{patch.path.name}: {fault}"


def _faults(patch: Patch, last: int) -> Iterator[str]:
    if not _HEAD.match(patch.text):
        yield "it does not begin as git format-patch --zero-commit does"
    author, subject = _AUTHOR.search(patch.message), _SUBJECT.search(patch.message)
    if author is None or subject is None:
        yield "it has no author or no subject"
        return
    title = " ".join(line.strip() for line in subject[3].splitlines())
    if subject[1] is not None and (int(subject[1]), int(subject[2])) != (patch.number, last):
        yield f"its subject says {subject[1]}/{subject[2]}, and it is {patch.number} of {last}"
    if patch.number == COVER_LETTER:
        return
    name = re.sub(r"[^A-Za-z0-9_.]+", "-", title).strip("-.")
    if not name.startswith(patch.path.stem[5:]):
        yield f"its name is not made of its subject, {title}"
    if f"\nSigned-off-by: {author[1]}\n---\n" not in patch.message:
        yield "its author has not signed it off"
    yield from _count_faults(patch)


def _count_faults(patch: Patch) -> Iterator[str]:
    """Where counts that a patch states differ from its lines."""
    added = removed = 0
    left = (0, 0)  # of a hunk, before and after
    for line in patch.difference.splitlines():
        if any(left):
            old, new = line[:1] in (" ", "-", ""), line[:1] in (" ", "+", "")
            left = (left[0] - old, left[1] - new)
            added, removed = added + (new and not old), removed + (old and not new)
            if min(left) < 0 or not (old or new):
                yield f"a hunk has other lines than it says, at: {line}"
                return
        elif hunk := _HUNK.match(line):
            left = (int(hunk[1] or 1), int(hunk[2] or 1))
        elif line[:1] in ("+", "-", " ") and not line.startswith(("--- ", "+++ ")):
            yield f"a hunk has more lines than it says, at: {line}"
            return
    if any(left):
        yield "its last hunk is cut off"
    there = (len(re.findall(r"^diff --git ", patch.difference, re.MULTILINE)), added, removed)
    total = _TOTAL.search(patch.message)
    said = tuple(int(count or 0) for count in total.groups()) if total else ()
    if said != there:
        yield f"it says {said} of files, lines added and lines removed, and there are {there}"


def application_faults(series: Sequence[Patch], source: Path) -> Iterator[str]:
    """Why a series cannot be applied to a tree in its order: the first reason."""
    with tempfile.TemporaryDirectory(prefix="heapwire-patches-") as folder:
        for touched in {name for patch in series for name in _TOUCHED.findall(patch.difference)}:
            if (source / touched).is_file():
                target = Path(folder, touched)
                target.parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(source / touched, target)
        for patch in series:
            if patch.number == COVER_LETTER:
                continue
            command = ["patch", "-d", folder, "-p1", "-s", "-f", "--fuzz=0", "-r", "-"]
            done = subprocess.run(
                [*command, "-i", patch.path.resolve()], capture_output=True, text=True, check=False
            )
            if done.returncode != 0 or done.stdout:
                yield f"{patch.path.name}: it does not apply: {done.stdout.strip()}"
                return


def style_faults(series: Sequence[Patch], source: Path) -> Iterator[str]:
    """What the tree's own checkpatch.pl says that it is not wrong about."""
    program = source / "scripts" / "checkpatch.pl"
    for patch in series:
        if patch.number == COVER_LETTER:
            continue
        # On its standard input: it takes a file that git knows for a source.
        done = subprocess.run(
            [program, "--strict", "--no-tree", "--terse", "--show-types", "--no-summary", "-"],
            input=patch.text, capture_output=True, text=True, check=False,
        )  # fmt: skip
        known = CHECKPATCH_IS_WRONG.get(patch.path.name, set())
        for line in done.stdout.splitlines():
            complaint = _COMPLAINT.search(line)
            if complaint is None or complaint[1] not in known:
                yield f"{patch.path.name}: checkpatch.pl: {line.partition(':')[2]}"
        if done.returncode != 0 and not done.stdout:
            yield f"{patch.path.name}: checkpatch.pl failed: {done.stderr.strip()}"


def main() -> int:
    """Check one series, and say what came of it; the exit status."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("series", type=Path, help="a folder of patches")
    parser.add_argument("--source", type=Path, help="the kernel tree that they are for")
    options = parser.parse_args()
    series = read_series(options.series)
    faults = list(form_faults(series)) if series else [f"{options.series} has no patches"]
    if options.source is not None:
        if not (options.source / "Kbuild").is_file():
            parser.error(f"{options.source} is not the top of a kernel tree")
        faults += application_faults(series, options.source)
        faults += style_faults(series, options.source)
    for fault in faults:
        print(fault)
    print(f"{len(series)} patches, {len(faults)} faults")
    return bool(faults)


if __name__ == "__main__":
    unwind_when_ended()
    sys.exit(main())
