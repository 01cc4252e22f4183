"""A checkout is enough: to resolve every import, nothing has to be installed."""

from __future__ import annotations

import os
import subprocess
import sys

from source_tree import ROOMS, ROOT, dotted, sources


def not_found(*modules: str) -> list[str]:
    """What a type checker says of imports that it cannot resolve with src/ alone."""
    program = "\n".join(f"import {module}" for module in modules)
    done = subprocess.run(
        [
            *(sys.executable, "-m", "mypy", "--no-site-packages", "--cache-dir", os.devnull),
            # Looking for each module, and into none: what they say is for `make lint`.
            *("--follow-imports=skip", "--no-error-summary", "-c", program),
        ],
        cwd=ROOT,
        env={**os.environ, "MYPYPATH": "src"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stderr == ""
    return done.stdout.splitlines()


def test_a_type_checker_resolves_every_module() -> None:
    modules = {f"heapwire.{dotted(path)}" for path in sources(*ROOMS)}
    assert len(modules) > 100
    assert not_found(*sorted(modules)) == []


def test_a_module_that_is_not_there_is_missed() -> None:
    [said, *_] = not_found("heapwire.protocol.nonsense")
    assert "heapwire.protocol.nonsense" in said
