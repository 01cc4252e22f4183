"""Fixtures of the model's tests."""

from __future__ import annotations

import pytest

from heapwire.protocol.explain.explained_answer import forget


@pytest.fixture(autouse=True)
def _no_memory() -> None:
    """Every test solves anew."""
    forget()
