"""The example that the client's documentation begins with satisfies a strict type checker."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap
from pathlib import Path

from source_tree import ROOT

import heapwire.client_lib


def test_the_client_s_example_is_strict(tmp_path: Path) -> None:
    indented = [
        line for line in (heapwire.client_lib.__doc__ or "").splitlines() if line[:4].isspace()
    ]
    example = tmp_path / "example.py"
    example.write_text(textwrap.dedent("\n".join(indented)))
    done = subprocess.run(
        [sys.executable, "-m", "mypy", "--strict", "--no-error-summary", str(example)],
        cwd=ROOT,
        env={**os.environ, "MYPYPATH": str(ROOT / "src")},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.stdout, done.returncode) == ("", 0), done.stderr
