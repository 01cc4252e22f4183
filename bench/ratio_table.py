"""The table that measurements end with: each figure as a ratio to another one of the same run.

    ratio_table.py FILE    print the rows that the measurements have written into a file

Each measurement prints what it found in the field's units, and tells the ratios here: they hold on
another machine, and on a busy one, where microseconds do not.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

TABLE = "BENCH_TABLE"  # the variable that names the file; without it no table is made


def tell_ratio(figure: str, ratio: float, base: str, *, limit: float | None = None) -> None:
    """Add a row: what was measured, how many times the base it is, and how many it may be."""
    if TABLE in os.environ:
        row = {"figure": figure, "ratio": ratio, "base": base, "limit": limit}
        with Path(os.environ[TABLE]).open("a", encoding="utf-8") as file:
            file.write(f"{json.dumps(row)}\n")


def main(path: str) -> None:
    """Print the table."""
    rows = [json.loads(line) for line in Path(path).read_text("utf-8").splitlines()]
    width = max(len(row["figure"]) for row in rows)
    print(f"{'figure':{width}} {'ratio':>8} {'limit':>6}  base")
    for row in rows:
        limit = "" if row["limit"] is None else f"{row['limit']:g}"
        verdict = "  ABOVE" if row["limit"] is not None and row["ratio"] > row["limit"] else ""
        print(f"{row['figure']:{width}} {row['ratio']:8.3g} {limit:>6}  {row['base']}{verdict}")


if __name__ == "__main__":
    main(sys.argv[1])
