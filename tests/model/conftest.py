"""What the model's tests share lives in modules beside them."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))  # model_building.py, exhaustive.py

from heapwire.protocol.explain.explained_answer import forget


@pytest.fixture(autouse=True)
def _no_memory() -> None:
    """Every test solves anew."""
    forget()
