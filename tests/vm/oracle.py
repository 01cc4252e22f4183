"""Rows of guest/displays.py judged: what was foretold of a picture against what the driver did.

Nothing here wants a guest: tests/kernel/test_oracle.py holds that each fault is found.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

PICTURE = [1024, 768]
PICTURES = 9
"""That each kind of memory is asked for, on each display: 6 formats, and 3 other sizes of one."""
MOST_WRONG = 0.05
"""The share of pictures that may be foretold wrongly without a trial, and then only by caution."""
Cell = tuple[str, str, str]
"""A guest, a driver, and a kind of memory."""
MARKS = {
    (True, True): "+",
    (False, False): "-",
    (True, False): "!",
    (False, True): "~",
    (None, True): "?",
    (None, False): "?",
}
LEGEND = (
    "+ planned and taken   - not planned, and refused   ! planned, but refused   "
    "~ taken, but not planned   ? no source, or not tried"
)


@dataclass(frozen=True)
class Row:
    """One picture, from one kind of memory, on one display."""

    guest: str
    driver: str
    memory: str
    format: str
    size: tuple[int, int]
    foretold: bool | None
    """Without any trial; None where the platform does not know this memory as a source."""
    after_trial: bool | None
    """The same after heapwire's own trials; None too where it cannot try this memory."""
    why: str
    answers: dict[str, str | None]
    """Each step that was asked, with None or the name of its errno."""
    import_refused: bool
    """Whether the display has refused to import this memory, for this picture or another.

    Import does not ask for the format. Where one is refused and another is not, the pages of
    scattered memory happened to lie in a row, or there was one alone.
    """

    @property
    def taken(self) -> bool:
        """Whether the driver took it, as far as it was asked."""
        return all(answer is None for answer in self.answers.values())

    @property
    def answer(self) -> str:
        """The last step and what came of it, in words."""
        step, error = list(self.answers.items())[-1]
        return f"{step} {error}" if error else "taken by luck" if self.by_luck else "taken"

    @property
    def by_luck(self) -> bool:
        """Whether it was taken, and the next buffer from there may not be: nobody may plan that."""
        return self.taken and self.import_refused

    @property
    def good(self) -> bool:
        """What should have been foretold."""
        return self.taken and not self.import_refused

    @property
    def wrong(self) -> bool:
        """Whether something else was foretold without a trial."""
        return self.foretold is not None and self.foretold != self.good

    @property
    def wrong_after_trial(self) -> bool:
        """Whether something else was foretold after a trial."""
        return self.after_trial is not None and self.after_trial != self.good

    @property
    def promised(self) -> bool:
        """Whether a plan was made of what the driver refuses: the one thing that must not be."""
        return not self.good and True in (self.foretold, self.after_trial)

    def __str__(self) -> str:
        size = "x".join(map(str, self.size))
        what = f"{self.guest}: {self.driver}: {self.format} {size} from {self.memory}"
        words = {None: "no source", True: "planned", False: f"not planned ({self.why})"}
        after = {None: "not tried", True: "planned", False: "not planned"}[self.after_trial]
        return f"{what}: {words[self.foretold]}, after a trial {after}; {self.answer}"


def rows_of(guest: str, seen: dict[str, Any]) -> Iterator[Row]:
    """All rows of a guest; memory that could not be had says nothing of a display."""
    for card in seen["cards"].values():
        rows = card.get("rows", ())
        refused = {row["memory"] for row in rows if row["driver"].get("import")}
        for row in rows:
            if "allocate" not in row["driver"]:
                yield Row(
                    guest=guest,
                    driver=card["driver"],
                    memory=row["memory"],
                    format=row["format"],
                    size=tuple(row["size"]),
                    foretold=row["foretold"],
                    after_trial=row["foretold_after_trial"],
                    why=row["why"],
                    answers=row["driver"],
                    import_refused=row["memory"] in refused,
                )


def cells(rows: Iterable[Row]) -> dict[Cell, list[Row]]:
    """The rows of each kind of memory of each display."""
    found: dict[Cell, list[Row]] = {}
    for row in rows:
        found.setdefault((row.guest, row.driver, row.memory), []).append(row)
    return found


def unjudged(
    rows: Iterable[Row], answers: Mapping[tuple[str, str], Mapping[str, str]]
) -> list[str]:
    """Which pictures of the memories that are known of each display have no row, or no prediction.

    What is not asked is not wrong, and would pass. A heap and udmabuf are known without a trial;
    what heapwire can allocate, after one.
    """
    found = cells(rows)
    faults = []
    for (guest, driver), memories in answers.items():
        for memory in memories:
            judged = found.get((guest, driver, memory), [])
            there = {(row.format, row.size) for row in judged}
            where = f"{guest}: {driver}: {memory}"
            if len(there) < PICTURES:
                faults.append(f"{where}: {len(there)} of {PICTURES} pictures were asked for")
            if memory.endswith(" of vivid"):
                continue
            if memory != "dumb" and any(row.foretold is None for row in judged):
                faults.append(f"{where}: nothing was foretold")
            if any(row.after_trial is None for row in judged):
                faults.append(f"{where}: it was not tried")
    return faults


def otherwise(rows: Collection[Row]) -> list[str]:
    """What did not go as was foretold, and should have.

    Never is a plan made of what is refused, and after a trial nothing is wrong. Without one a few
    may be, so that those are listed where they are more.
    """
    faults = [f"promised, and refused: {row}" for row in rows if row.promised]
    faults += [f"wrong after a trial: {row}" for row in rows if row.wrong_after_trial]
    known = [row for row in rows if row.foretold is not None]
    wrong = [row for row in known if row.wrong]
    if len(wrong) > len(known) * MOST_WRONG:
        faults += [f"wrong without a trial, with too many others: {row}" for row in wrong]
    return faults


def table(rows: Iterable[Row]) -> list[str]:
    """The oracle's table, a line for each kind of memory of each display, and its sums.

    The first mark of a picture is for what was foretold without a trial, the second after it.
    """
    rows = list(rows)
    told = [LEGEND]
    for (guest, driver, memory), members in cells(rows).items():
        marks = " ".join(
            f"{_column(row)}{MARKS[row.foretold, row.good]}{MARKS[row.after_trial, row.good]}"
            for row in members
        )
        answers = Counter(row.answer for row in members)
        summary = ", ".join(f"{count} {answer}" for answer, count in answers.most_common())
        told.append(f"{guest:<8}{driver:<11}{memory:<20}{marks}   {summary}")
    before = [row for row in rows if row.foretold is not None]
    after = [row for row in rows if row.after_trial is not None]
    told.append(f"{len(rows)} rows; {sum(row.promised for row in rows)} promised and refused")
    told.append(_share("without a trial", [row.wrong for row in before]))
    told.append(_share("after a trial", [row.wrong_after_trial for row in after]))
    return told


def _share(when: str, wrong: list[bool]) -> str:
    percent = 100 * sum(wrong) / max(len(wrong), 1)
    return f"{when}: {sum(wrong)} of {len(wrong)} wrong ({percent:.1f} %)"


def _column(row: Row) -> str:
    return row.format if list(row.size) == PICTURE else "x".join(map(str, row.size))
