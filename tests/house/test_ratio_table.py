"""The table that measurements end with says what is above its limit, and can fail for it."""

from __future__ import annotations

import os
import platform
import subprocess
import sys

import pytest
from source_tree import ROOT

TELL = """
import math
from ratio_table import tell_ratio
tell_ratio("no limit", 9.0, "a thing")
tell_ratio("within", 1.0, "a thing", limit=1)
tell_ratio("beyond", {ratio}, "a thing", limit=1)
"""


def table(tmp_path, ratio: str, limits: str | None) -> subprocess.CompletedProcess[str]:
    rows = str(tmp_path / "rows")
    environment = {**os.environ, "BENCH_TABLE": rows, "PYTHONPATH": str(ROOT / "bench")}
    environment.pop("LIMITS", None)
    if limits is not None:
        environment["LIMITS"] = limits
    told = [sys.executable, "-c", TELL.format(ratio=ratio)]
    subprocess.run(told, env=environment, check=True)
    script = [sys.executable, str(ROOT / "bench/ratio_table.py"), rows]
    return subprocess.run(script, env=environment, capture_output=True, text=True, check=False)


@pytest.mark.parametrize("ratio", ["1.01", "math.inf"])
def test_what_is_above_its_limit_fails_where_that_is_asked_for(tmp_path, ratio):
    done = table(tmp_path, ratio, "fail")
    assert done.returncode == 1
    (line,) = done.stderr.splitlines()
    assert line.startswith("above its limit: beyond: ")
    assert len([row for row in done.stdout.splitlines() if row.endswith("ABOVE")]) == 1


@pytest.mark.parametrize(("ratio", "limits"), [("1.01", None), ("1.01", "tell"), ("1.0", "fail")])
def test_else_the_table_is_to_be_looked_at(tmp_path, ratio, limits):
    done = table(tmp_path, ratio, limits)
    assert (done.returncode, done.stderr) == (0, "")
    first, *rows = done.stdout.splitlines()
    assert first.startswith(f"Python {platform.python_version()} of {sys.base_prefix} ")
    assert len(rows) == 4
