"""Lets a measurement find the modules beside it, and those that it shares with the tests.

It imports this one before them, so that it can be started from anywhere with nothing set.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
SHARED = (
    "bench",
    "bench/hosts",
    "bench/clients",
    "bench/models",
    "tests/common",
    "tests/solver",
    "tests/host_weston",
)

_folders = [str(ROOT / folder) for folder in SHARED]
sys.path += [folder for folder in _folders if folder not in sys.path]
# What a measurement starts finds them too.
_given = os.environ.get("PYTHONPATH")
os.environ["PYTHONPATH"] = os.pathsep.join([*([_given] if _given else []), *_folders])
