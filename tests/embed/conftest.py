"""The library in C, built once, and no word of the caller's on what it runs on."""

from __future__ import annotations

from pathlib import Path

import embedded
import pytest


@pytest.fixture(scope="session")
def library_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return embedded.build(tmp_path_factory.mktemp("embedded"))


@pytest.fixture(autouse=True)
def options_of_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    """An environment variable goes before what a host's table says."""
    for name in ("PLATFORM", "POLICY", "LOG_LEVEL"):
        monkeypatch.delenv(f"HEAPWIRE_{name}", raising=False)
