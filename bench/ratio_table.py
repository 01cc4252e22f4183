"""The table that measurements end with: each figure as a ratio to another one of the same run.

    ratio_table.py FILE    print the rows that the measurements have written into a file

With LIMITS=fail in the environment the status is 1 where a row is above its limit, and a line says
which. Without it the table is to be looked at: on a machine that is busy, processor time is longer
too, and says nothing about a change.

Each measurement prints what it found in the field's units, and tells the ratios here: they hold on
another machine, and on a busy one, where microseconds do not. Those to what is not Python depend on
how the interpreter was built, by a tenth and more, so the table begins with which one it is.
"""

from __future__ import annotations

import json
import os
import platform
import re
import sys
from pathlib import Path

TABLE = "BENCH_TABLE"  # the variable that names the file; without it no table is made
LIMITS = "LIMITS"  # the variable that is "fail" where a limit is one


def tell_ratio(figure: str, ratio: float, base: str, *, limit: float | None = None) -> None:
    """Add a row: what was measured, how many times the base it is, and how many it may be."""
    if TABLE in os.environ:
        row = {"figure": figure, "ratio": ratio, "base": base, "limit": limit}
        with Path(os.environ[TABLE]).open("a", encoding="utf-8") as file:
            file.write(f"{json.dumps(row)}\n")


def measured_on() -> str:
    """What measured, and how busy it is: the interpreter, the processor, the load of a minute."""
    text = Path("/proc/cpuinfo").read_text("utf-8")
    model = re.search(r"^model name\s*: *(.*\S)", text, re.MULTILINE)
    python = f"Python {platform.python_version()} of {sys.base_prefix}"
    built = " ".join([platform.python_compiler(), *platform.python_build()])
    processors = f"{os.cpu_count()} processors{f' ({model[1]})' if model else ''}"
    return f"{python} ({built}), {processors}, load {os.getloadavg()[0]:.1f}"


def main(path: str) -> int:
    """Print the table; the status to end with."""
    print(measured_on())
    rows = [json.loads(line) for line in Path(path).read_text("utf-8").splitlines()]
    width = max(len(row["figure"]) for row in rows)
    print(f"{'figure':{width}} {'ratio':>8} {'limit':>6}  base")
    above = [row for row in rows if row["limit"] is not None and row["ratio"] > row["limit"]]
    for row in rows:
        limit = "" if row["limit"] is None else f"{row['limit']:g}"
        verdict = "  ABOVE" if row in above else ""
        print(f"{row['figure']:{width}} {row['ratio']:8.3g} {limit:>6}  {row['base']}{verdict}")
    if os.environ.get(LIMITS) != "fail":
        return 0
    for row in above:
        text = f"{row['ratio']:.3g} times {row['base']}, of {row['limit']:g}"
        print(f"above its limit: {row['figure']}: {text}", file=sys.stderr)
    return 1 if above else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
